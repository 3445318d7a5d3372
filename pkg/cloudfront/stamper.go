package cloudfront

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Ring names the key that signs now.
type Ring interface {
	// Active returns the key pair ID and the private key to sign with, or an
	// error when there is none.
	Active() (keyPairID string, key crypto.Signer, err error)
}

// Errors of a Stamper and a Linker.
var (
	ErrBusy      = errors.New("too many signatures wanted at once")
	ErrSelfCheck = errors.New("a fresh signature was not accepted by our own check")
)

// StamperOptions tunes a Stamper. The zero value is ready for use.
type StamperOptions struct {
	Hash    Hash             // empty means the one that goes with the key
	Cookies Attributes       // of the cookies
	Alone   bool             // sign every grant anew instead of sharing signatures
	Keep    int              // shared signatures to keep; 0 means 1024
	Queue   int              // signatures that may wait for a processor; 0 means 256
	Signing Signing          // is told of every signature that is made; nil means that nobody is
	Now     func() time.Time // nil means time.Now
}

// A Stamper turns grants into signed cookies for one distribution. A policy
// says nothing personal, so viewers admitted in the same window share one
// signature: the cost for all but the first is a map look-up. It is safe for
// concurrent use and implements gate.Stamper.
type Stamper struct {
	site  Site
	opts  StamperOptions
	press *press

	shared  atomic.Pointer[map[stampKey]*Signed] // never changed in place
	publish sync.Mutex                           // held to replace shared
}

// A stampKey is all that a shared signature depends on.
type stampKey struct {
	keyPairID  string
	hash       Hash
	resource   string
	start, end int64
}

// NewStamper returns a Stamper for site that signs with the active key of ring.
// It returns an error if the cookies could not reach the site, or if the ring
// cannot sign now.
func NewStamper(site Site, ring Ring, opts StamperOptions) (*Stamper, error) {
	if opts.Keep <= 0 {
		opts.Keep = 1024
	}
	if opts.Queue <= 0 {
		opts.Queue = 256
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := opts.Cookies.check(site); err != nil {
		return nil, err
	}
	s := &Stamper{site: site, opts: opts, press: newPress(ring, opts.Hash, opts.Queue)}
	s.press.signs = opts.Signing
	s.shared.Store(&map[stampKey]*Signed{})
	if _, err := s.press.signer(); err != nil {
		return nil, err
	}
	return s, nil
}

// Stamp returns the signed cookies for g. When nothing can be signed, it falls
// back on a signature that is shared already and ends sooner; the stamp's grant
// says when. It returns ErrBusy when too many
// signatures are wanted at once, ErrUnsafeResource for a path that is not made
// of slugs, and ErrCookieScope for one that is too long for a cookie.
func (s *Stamper) Stamp(ctx context.Context, g gate.Grant) (*gate.Stamp, error) {
	resource, err := s.site.Prefix(g.Path)
	if err != nil {
		return nil, err
	}
	stamp := &gate.Stamp{Grant: g, Resource: resource.String(), CookiePath: "/" + g.Path + "/"}
	if len(stamp.CookiePath) > maxCookiePath {
		return nil, fmt.Errorf("%w: Path has %d bytes, browsers ignore one of more than %d", ErrCookieScope, len(stamp.CookiePath), maxCookiePath)
	}
	policy := Policy{Resource: resource, DateLessThan: g.Expires, DateGreaterThan: g.NotBefore}
	signed, err := s.signed(ctx, policy)
	if err != nil {
		return nil, err
	}
	stamp.Grant.Expires = signed.Policy.DateLessThan
	stamp.Cookies, stamp.Stale = s.opts.Cookies.split(s.site, stamp.CookiePath, signed.Cookies())
	return stamp, nil
}

// Clear returns cookies that delete every CloudFront cookie of a path prefix.
// For a path that cannot have any, as Stamp would refuse it, there are none.
func (s *Stamper) Clear(path string) []*http.Cookie {
	if _, err := s.site.Prefix(path); err != nil {
		return nil
	}
	_, stale := s.opts.Cookies.split(s.site, "/"+path+"/", nil)
	return stale
}

// signed returns the signature for p: a shared one, or one made now.
func (s *Stamper) signed(ctx context.Context, p Policy) (*Signed, error) {
	signer, err := s.press.signer()
	if err != nil {
		return nil, err
	}
	if s.opts.Alone {
		return s.make(ctx, signer, p)
	}
	key := stampKey{keyPairID: signer.id, hash: signer.hash, resource: p.Resource.text, start: p.DateGreaterThan.Unix(), end: p.DateLessThan.Unix()}
	if signed := (*s.shared.Load())[key]; signed != nil {
		s.press.counts.shared.Add(1)
		if s.press.sample() {
			return signed, s.selfCheck(signer, signed)
		}
		return signed, nil
	}
	signed, err := s.join(ctx, signer, key, p)
	if err == nil || ctx.Err() != nil {
		return signed, err
	}
	if older := s.older(key); older != nil {
		s.press.counts.older.Add(1)
		return older, nil
	}
	return nil, err
}

// older returns the shared signature that serves in the place of one which
// cannot be made, as when the key is in a service that does not answer: for the
// same resource, with the same key, and good for the longest time, though not
// for as long as was wanted.
func (s *Stamper) older(want stampKey) *Signed {
	var best *Signed
	now := s.opts.Now()
	for k, v := range *s.shared.Load() {
		if k.keyPairID != want.keyPairID || k.hash != want.hash || k.resource != want.resource || k.start != want.start {
			continue
		}
		if k.end > want.end || !v.Policy.DateLessThan.After(now) {
			continue
		}
		if best == nil || v.Policy.DateLessThan.After(best.Policy.DateLessThan) {
			best = v
		}
	}
	return best
}

// join has one of those who want the same signature make it.
func (s *Stamper) join(ctx context.Context, signer *Signer, key stampKey, p Policy) (*Signed, error) {
	name := fmt.Sprintf("%q %q %q %d %d", key.keyPairID, key.hash, key.resource, key.start, key.end)
	return once(ctx, s.press, name, func(ctx context.Context) (*Signed, error) {
		if signed := (*s.shared.Load())[key]; signed != nil {
			s.press.counts.shared.Add(1)
			return signed, nil // made by a flight that landed after we had looked
		}
		signed, err := s.make(ctx, signer, p)
		if err == nil {
			s.share(key, signed)
		}
		return signed, err
	})
}

// make signs p.
func (s *Stamper) make(ctx context.Context, signer *Signer, p Policy) (*Signed, error) {
	leave, err := s.press.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	done := s.press.begin(ctx, signer)
	signed, err := signer.Sign(p)
	if err == nil {
		err = s.selfCheck(signer, signed)
	}
	done(err)
	return signed, err
}

// selfCheck asks our own decision about a URL that the policy should open.
func (s *Stamper) selfCheck(signer *Signer, signed *Signed) error {
	var header []byte
	for _, f := range signed.Cookies() {
		header = append(header, f.Name+"="+f.Value+"; "...)
	}
	url := signed.Policy.Resource.text
	return s.press.selfCheck(signer, Request{URL: url[:len(url)-1], Cookies: []string{string(header)}}, signed.Policy.DateLessThan)
}

// share publishes a signature and drops those that have ended, or if there are
// still too many, those that end first.
func (s *Stamper) share(key stampKey, signed *Signed) {
	s.publish.Lock()
	defer s.publish.Unlock()
	now := s.opts.Now().Unix()
	next := make(map[stampKey]*Signed, len(*s.shared.Load())+1)
	for k, v := range *s.shared.Load() {
		if k.end > now {
			next[k] = v
		}
	}
	for len(next) >= s.opts.Keep {
		next = withoutEarliest(next)
	}
	next[key] = signed
	s.shared.Store(&next)
}

func withoutEarliest(stamps map[stampKey]*Signed) map[stampKey]*Signed {
	var first *stampKey
	for k := range stamps {
		if first == nil || k.end < first.end {
			first = &k
		}
	}
	delete(stamps, *first)
	return stamps
}
