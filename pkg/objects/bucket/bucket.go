package bucket

import (
	"cmp"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/time/rate"
)

// Defaults of Options.
const (
	DefaultCallTimeout  = 8 * time.Second
	DefaultIdleTimeout  = 30 * time.Second
	DefaultWriteTimeout = 30 * time.Second
)

// Options tunes a Bucket. The zero value is ready for use.
type Options struct {
	// Prefix stands before every key, such as "media/". Empty means none.
	Prefix string

	// Private is for files that only some viewers may see: no shared cache keeps
	// them, and none can act as a page of the site, whatever was uploaded. See
	// Disposition for which of them are downloads.
	Private bool

	CallTimeout  time.Duration // until the first bytes of a file can be sent, with what is tried again; 0 means DefaultCallTimeout
	IdleTimeout  time.Duration // how long the store may be silent in a body; 0 means DefaultIdleTimeout
	WriteTimeout time.Duration // for each 128 KiB to a viewer; 0 means DefaultWriteTimeout
	Log          *slog.Logger  // failures of the store, at level warn; nil means none
}

// A Bucket is one bucket, or what is below a prefix in it. It is safe for
// concurrent use.
type Bucket struct {
	client    *s3.Client
	name      string
	opts      Options
	transport *http.Transport // our own; nil if the client came from elsewhere
	denied    rate.Sometimes  // the log hears of it, but not with every file
}

// deniedEvery is how often the log hears that the store will show nothing.
const deniedEvery = time.Minute

// New returns the bucket called name, which client reaches. It asks nobody.
func New(client *s3.Client, name string, opts Options) *Bucket {
	opts.CallTimeout = cmp.Or(opts.CallTimeout, DefaultCallTimeout)
	opts.IdleTimeout = cmp.Or(opts.IdleTimeout, DefaultIdleTimeout)
	opts.WriteTimeout = cmp.Or(opts.WriteTimeout, DefaultWriteTimeout)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Bucket{client: client, name: name, opts: opts, denied: rate.Sometimes{Interval: deniedEvery}}
}

// Client returns the client that asks the store, for other calls.
func (b *Bucket) Client() *s3.Client { return b.client }

// Close closes idle connections to the store, if Open made them.
func (b *Bucket) Close() error {
	if b.transport != nil {
		b.transport.CloseIdleConnections()
	}
	return nil
}

// maxKey is the most that a key may have, in bytes (Amazon S3 User Guide,
// "Naming Amazon S3 objects").
const maxKey = 1024

// key returns the whole key of an object. One that could be read in two ways, by
// a proxy or by the store, is ErrNotFound: it has dot segments, an empty segment,
// a slash at an end, control characters or anything but UTF-8.
func (b *Bucket) key(name string) (string, error) {
	whole := b.opts.Prefix + name
	if name == "" || name == "." || !fs.ValidPath(name) || len(whole) > maxKey || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrNotFound
	}
	return whole, nil
}
