package objects

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/handstamp/handstamp/pkg/book"
)

// A Link is a presigned URL, or why there is none.
type Link struct {
	Key     string
	URL     string
	Expires time.Time // when URL stops opening the file
	Err     error     // ErrNotFound or a *RequestError; nil if there is a URL
}

// Links returns presigned GET URLs, one for each of keys, at most MaxKeys, in
// their order. It asks nobody but the file index, once, and does not look
// whether the objects are there.
//
// A URL ends with the visit that opens the file, and with the credentials that
// sign it. Within a window of Options.Window it is the same byte for byte.
func (d *Desk) Links(ctx context.Context, h Holder, keys []string) ([]Link, error) {
	if len(keys) > MaxKeys {
		return nil, &RequestError{Field: "keys", Detail: fmt.Sprintf("%d keys, want at most %d", len(keys), MaxKeys)}
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	files, err := d.lookUp(ctx, keys...)
	if err != nil {
		return nil, err
	}
	now := d.opts.Now()
	p, s := d.party(h, now), &stamper{desk: d, now: now, at: now.Truncate(d.opts.Window)}
	links := make([]Link, len(keys))
	for i, key := range keys {
		links[i].Key = key
		until, err := d.reads(p, key, files[key])
		if err != nil {
			links[i].Err = err
		} else if err = s.sign(ctx, &links[i], files[key], until); err != nil {
			return nil, err
		}
	}
	return links, nil
}

// A stamper signs the links of one call, with the same time and credentials.
type stamper struct {
	desk  *Desk
	now   time.Time
	at    time.Time // of the signatures: the beginning of the window
	creds aws.Credentials
}

// sign puts a URL into l that ends at a time at the latest; zero is without end.
func (s *stamper) sign(ctx context.Context, l *Link, f *book.File, until time.Time) error {
	if !s.creds.HasKeys() {
		var err error
		if s.creds, err = s.desk.purse.steady(ctx, s.now); err != nil {
			return err
		}
	}
	life := s.desk.opts.Lifetime
	if s.creds.CanExpire {
		life = min(life, s.creds.Expires.Sub(s.at))
	}
	if !until.IsZero() {
		life = min(life, until.Sub(s.at))
	}
	life = life.Truncate(time.Second)
	if !s.at.Add(life).After(s.now) { // the visit ends within this second
		l.Err = ErrNotFound
		return nil
	}
	file := describe(l.Key, f)
	url, err := s.desk.signer.presign(ctx, s.creds, order{method: http.MethodGet, key: l.Key, query: file.overrides(life), at: s.at, life: life})
	if err != nil {
		return err
	}
	l.URL, l.Expires = url, s.at.Add(life)
	return nil
}

// describe returns how a file is shown to a viewer: as the index has it, or else
// by its key.
func describe(key string, f *book.File) presentation {
	p := presentation{name: path.Base(key), kind: typeOf(key)}
	if f == nil {
		return p
	}
	if f.Name != "" {
		p.name = f.Name
	}
	if typeForm.MatchString(f.Type) {
		p.kind = f.Type
	}
	return p
}
