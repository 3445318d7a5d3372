package objects

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Defaults of Options, and of Rule.MaxSize in bytes.
const (
	DefaultLifetime = time.Minute
	DefaultSending  = 10 * time.Minute
	DefaultConfirm  = time.Hour
	DefaultMaxSize  = 10 << 20
)

const (
	minLifetime = 2 * time.Second    // two windows of a second, which is the unit of the wire
	maxLifetime = 7 * 24 * time.Hour // of a presigned URL; S3 refuses a longer one
	largest     = 5 << 30            // bytes that S3 takes in one upload
)

// A Streamer sends objects of the bucket to viewers, with ranges and conditions.
// An error means that it has written nothing; for an object that is not there it
// is fs.ErrNotExist.
type Streamer interface {
	ServeObject(w http.ResponseWriter, r *http.Request, key string) error
}

// Options tunes a Desk. The zero value is ready for use.
type Options struct {
	// Lifetime is that of presigned GET URLs, in whole seconds, 2 s to 7 days. 0
	// means DefaultLifetime.
	Lifetime time.Duration
	// Window is how long the same file has the same URL, in whole seconds, at
	// most half of Lifetime. A URL that is handed out is good for Lifetime less
	// Window at least, unless the visit or the credentials end sooner. 0 means
	// half of Lifetime.
	Window time.Duration

	Sending time.Duration // how long an upload may be begun, at most 7 days; 0 means DefaultSending
	Confirm time.Duration // when an upload that was not confirmed is given up, at least Sending; 0 means DefaultConfirm

	// ACLs says that the bucket has ACLs, so that public files are uploaded as
	// "public-read". Buckets made since 2023 have none.
	ACLs bool
	// Identify gives a ticket the name that stands for {ticket} in keys and for
	// its holder in the index: opaque, the same for ever, of letters, digits,
	// "-" and "_". Nil means that tickets have no names, and then no rule may
	// have {ticket}.
	Identify func(gate.Fingerprint) string

	Stream Streamer         // for Serve; nil means that nothing is streamed
	Log    *slog.Logger     // nil means no log
	Now    func() time.Time // nil means time.Now
}

func (o Options) withDefaults() Options {
	o.Lifetime = cmp.Or(o.Lifetime, DefaultLifetime)
	o.Window = cmp.Or(o.Window, (o.Lifetime / 2).Truncate(time.Second))
	o.Sending = cmp.Or(o.Sending, DefaultSending)
	o.Confirm = cmp.Or(o.Confirm, max(DefaultConfirm, o.Sending))
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (o *Options) check() error {
	var problems []error
	if o.Lifetime < minLifetime || o.Lifetime > maxLifetime || o.Lifetime%time.Second != 0 {
		problems = append(problems, fmt.Errorf("lifetime: %v, want whole seconds from %v to %v", o.Lifetime, minLifetime, maxLifetime))
	} else if o.Window < time.Second || o.Window > o.Lifetime/2 || o.Window%time.Second != 0 {
		problems = append(problems, fmt.Errorf("window: %v, want whole seconds from 1s to half of the lifetime, %v", o.Window, o.Lifetime/2))
	}
	if o.Sending < time.Second || o.Sending > maxLifetime {
		problems = append(problems, fmt.Errorf("sending: %v, want 1s to %v", o.Sending, maxLifetime))
	}
	if o.Confirm < o.Sending {
		problems = append(problems, fmt.Errorf("confirm: %v, want at least the %v that an upload may be sent", o.Confirm, o.Sending))
	}
	return errors.Join(problems...)
}
