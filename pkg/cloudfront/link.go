package cloudfront

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/urlpath"
)

// LinkerOptions tunes a Linker. The zero value is ready for use.
type LinkerOptions struct {
	Keep  int // signed URLs to keep; 0 means 16384
	Queue int // signatures that may wait for a processor; 0 means 64

	Signing Signing // is told of every signature that is made; nil means that nobody is
}

// A Linker gives files of a distribution URLs that need no cookies: signed with
// a canned policy, for players that other devices run and for downloads. A URL
// depends on its file, its end and the key alone, so all viewers of a window
// share it, byte for byte. It is safe for concurrent use.
type Linker struct {
	site  Site
	press *press
	kept  *linkCache
}

// NewLinker returns a Linker for the distribution that s stamps cookies for, with
// the same keys and the same processors, but a queue of its own.
func NewLinker(s *Stamper, opts LinkerOptions) *Linker {
	if opts.Keep <= 0 {
		opts.Keep = 16384
	}
	if opts.Queue <= 0 {
		opts.Queue = 64
	}
	l := &Linker{site: s.site, press: s.press.beside(opts.Queue), kept: newLinkCache(opts.Keep)}
	l.press.signs = opts.Signing
	return l
}

// Site returns scheme and host of the URLs: "https://media.example.org".
func (l *Linker) Site() string { return l.site.String() }

// Links returns a URL for each of permits, in their order: signed until its end,
// exclusive and in whole seconds, or plain for one without an end. It returns all
// of them or an error: ErrUnsafeResource for a path that is not canonical, ErrTimes
// for an end after 2038, ErrBusy when too many signatures are wanted at once.
func (l *Linker) Links(ctx context.Context, permits []gate.Permit) ([]string, error) {
	signer, err := l.press.signer()
	if err != nil {
		return nil, err
	}
	urls := make([]string, len(permits))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(l.press.signing))
	for i, permit := range permits {
		file, err := l.site.File(permit.Path)
		switch {
		case err != nil:
			_ = group.Wait() // what has begun; its own error does not matter any more
			return nil, err
		case ctx.Err() != nil: // one has failed, or nobody waits any more: none begins
			return nil, cmp.Or(group.Wait(), ctx.Err())
		case permit.Expires.IsZero():
			urls[i] = file.text
			continue
		}
		key := linkKey{keyPairID: signer.id, hash: signer.hash, resource: file.text, end: permit.Expires.Unix()}
		if urls[i] = l.kept.get(key); urls[i] != "" && !l.press.sample() {
			l.press.counts.shared.Add(1)
			continue
		}
		group.Go(func() (err error) {
			urls[i], err = l.link(ctx, signer, key, file)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return urls, nil
}

// link returns a URL that was checked: one that is kept, or a new one that one of
// those who want it makes.
func (l *Linker) link(ctx context.Context, signer *Signer, key linkKey, file Resource) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err // its flight would go on without it, and take a place in the queue
	}
	end := time.Unix(key.end, 0)
	if signed := l.kept.get(key); signed != "" {
		l.press.counts.shared.Add(1)
		return signed, l.press.selfCheck(signer, Request{URL: signed}, end)
	}
	name := fmt.Sprintf("%q %q %q %d", key.keyPairID, key.hash, key.resource, key.end)
	return once(ctx, l.press, name, func(ctx context.Context) (string, error) {
		if signed := l.kept.get(key); signed != "" {
			l.press.counts.shared.Add(1)
			return signed, nil // made by a flight that landed after we had looked
		}
		signed, err := l.sign(ctx, signer, Policy{Resource: file, DateLessThan: end})
		if err == nil {
			l.kept.put(key, signed)
		}
		return signed, err
	})
}

func (l *Linker) sign(ctx context.Context, signer *Signer, p Policy) (string, error) {
	leave, err := l.press.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	done := l.press.begin(ctx, signer)
	url, err := l.checked(signer, p)
	done(err)
	return url, err
}

func (l *Linker) checked(signer *Signer, p Policy) (string, error) {
	signed, err := signer.SignCanned(p)
	if err != nil {
		return "", err
	}
	url, err := signed.URL(p.Resource.text)
	if err != nil {
		return "", err
	}
	return url, l.press.selfCheck(signer, Request{URL: url}, p.DateLessThan)
}

// URL returns the address of one file without a signature: path is decoded and
// begins with a slash. It has the spelling of File, and is not checked.
func (s Site) URL(path string) string { return s.String() + escapePath(path) }

// escapePath returns path as a browser sends it, but for "+": S3 reads that as a
// space, and finds no object of the name behind CloudFront.
func escapePath(path string) string {
	return strings.ReplaceAll((&url.URL{Path: path}).EscapedPath(), "+", "%2B")
}

// File returns the resource of one file: path is decoded and canonical, see
// urlpath.Canonical, and has one spelling in the URL, in which a "*" is no
// wildcard. It returns ErrUnsafeResource for any other path.
func (s Site) File(path string) (Resource, error) {
	if s.host == "" {
		return Resource{}, unsafe("", "the site is missing")
	}
	escaped := escapePath(path)
	if canonical, err := urlpath.Canonical(escaped); err != nil || canonical != path {
		return Resource{}, unsafe(path, "want a canonical path")
	}
	return ParseResource(s.String() + escaped)
}
