package objects

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/book"
)

// Errors of a Desk. Whoever may not have a file gets ErrNotFound, as for one
// that does not exist.
var (
	ErrNotFound    = errors.New("no such file")
	ErrNotUploaded = errors.New("the file has not arrived in the bucket")
	ErrMismatch    = errors.New("the file in the bucket is not what was announced")
)

// A RequestError says what is wrong with what was asked for.
type RequestError struct {
	Field  string // of the request: "key", "content_type"
	Detail string // for the caller
}

func (e *RequestError) Error() string { return e.Field + ": " + e.Detail }

// MaxKeys is how many keys one call of Links takes.
const MaxKeys = 1000

// A Desk hands out single files of a bucket and takes them in. It is safe for
// concurrent use.
type Desk struct {
	client *s3.Client
	bucket string
	index  book.Files
	areas  []area
	signer *signer
	purse  *purse
	opts   Options
}

// New returns a Desk for a bucket. It asks nobody: client says where the bucket
// is and with which credentials to sign. It returns all that is wrong with the
// rules and options at once.
func New(client *s3.Client, bucketName string, index book.Files, rules []Rule, opts Options) (*Desk, error) {
	opts = opts.withDefaults()
	areas, err := newAreas(rules, &opts)
	if err = errors.Join(opts.check(), err); err != nil {
		return nil, err
	}
	provider := client.Options().Credentials
	if provider == nil {
		return nil, fmt.Errorf("bucket %q: the client has no credentials to sign with", bucketName)
	}
	signer, err := newSigner(client, bucketName)
	if err != nil {
		return nil, fmt.Errorf("bucket %q: %w", bucketName, err)
	}
	return &Desk{client: client, bucket: bucketName, index: index, areas: areas, signer: signer,
		purse: &purse{provider: provider, window: opts.Window, life: opts.Lifetime, log: opts.Log}, opts: opts}, nil
}

// find returns the area that a key is in, and what stands for its placeholders.
func (d *Desk) find(key string) (*area, places, bool) {
	for i := range d.areas {
		if p, ok := d.areas[i].shape.match(key); ok {
			return &d.areas[i], p, true
		}
	}
	return nil, places{}, false
}

// area returns the area with a name, or nil.
func (d *Desk) area(name string) *area {
	for i := range d.areas {
		if d.areas[i].Area == name {
			return &d.areas[i]
		}
	}
	return nil
}

// lookUp returns what the index has of those keys that are well-formed.
func (d *Desk) lookUp(ctx context.Context, keys ...string) (map[string]*book.File, error) {
	found := make(map[string]*book.File, len(keys))
	asked := make([]string, 0, len(keys))
	for _, key := range keys {
		if _, twice := found[key]; twice || CheckKey(key) != nil {
			continue
		}
		found[key] = nil
		asked = append(asked, key)
	}
	if len(asked) == 0 {
		return found, nil
	}
	files, err := d.index.Files(ctx, asked)
	if err != nil {
		return nil, fmt.Errorf("look up files: %w", err)
	}
	for i := range files {
		found[files[i].Key] = &files[i]
	}
	return found, nil
}

// reads returns until when the party may read a file; zero is without end. f is
// what the index has of it, nil for nothing.
func (d *Desk) reads(p *party, key string, f *book.File) (time.Time, error) {
	return d.may(p, key, f, func(a *area) []string {
		if f != nil && f.Public && a.Public {
			return []string{Everyone}
		}
		return a.Read
	})
}

// writes is reads for those who may change the file.
func (d *Desk) writes(p *party, key string, f *book.File) error {
	_, err := d.may(p, key, f, func(a *area) []string { return a.Write })
	return err
}

func (d *Desk) may(p *party, key string, f *book.File, who func(*area) []string) (time.Time, error) {
	if err := CheckKey(key); err != nil {
		return time.Time{}, err
	}
	a, values, ok := d.find(key)
	if !ok || f != nil && f.Confirmed.IsZero() {
		return time.Time{}, ErrNotFound
	}
	until, ok := p.may(who(a), values, f)
	if !ok {
		return time.Time{}, ErrNotFound
	}
	return until, nil
}
