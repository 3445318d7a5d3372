package httpapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/handstamp/handstamp/pkg/objects"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// Options tunes a Server. The zero value is ready for use.
type Options struct {
	PublicOrigin   string        // scheme://host[:port] where browsers reach the API; empty means any Host
	TrustedOrigins []string      // pages on other origins that may call with cookies
	SameSite       http.SameSite // of the session cookie; 0 means Lax
	OwnHost        bool          // nothing but the API answers on its host
	Log            *slog.Logger  // nil means no log
	Now            func() time.Time

	// Links signs URLs for POST /v1/urls and for ?include=urls. Nil means that
	// there are none.
	Links Linker
	// Objects has the private files. Nil means that there are none.
	Objects *objects.Desk
	// Tokens are the API tokens for private files. Nil means that there are none.
	Tokens *objects.Tokens

	// Throttle holds back who guesses, at tickets and, for the load alone, at
	// sessions. With it, devices get a cookie. Nil means that nobody has to wait.
	Throttle *throttle.Throttle
	// Key is the secret under which device cookies are signed and codes counted,
	// 16 bytes or more, the same wherever a throttle.Store is shared. Empty means
	// a random one: a restart forgets the devices.
	Key []byte
	// Canonical returns the one spelling of a code, the kind of credential that
	// it looks like, and whether it is too long to be guessed. What cannot be a
	// code is empty. Nil means upper case without spaces and hyphens, of one
	// kind, never too long.
	Canonical func(code string) (canonical, kind string, strong bool)
	// Client returns the address of the viewer. Nil means the other end of the
	// connection, so it must be set behind a proxy.
	Client func(*http.Request) netip.Addr
	// Challenged reports whether a request passed the challenge that
	// throttle.Options.Challenge speaks of, such as a CAPTCHA. It is for programs
	// that bring one along: package app has none. Nil means that none has.
	Challenged func(*http.Request) bool

	// Routed is told which route a request takes, before it is served, as its
	// template: "/v1/objects/{key}". Nothing else is told about requests that take
	// none. Nil means that nobody is told.
	Routed func(r *http.Request, template string)

	// Crowd says how many requests are answered at a time, and how many wait.
	Crowd Crowd
	// Busy reports whether an error of the keeper or of Links means that too many
	// ask at once. Nil means that none does.
	Busy func(error) bool

	// Ready returns an error while nobody can be admitted, which /readyz then says.
	// It is asked every two seconds at most. Nil means that somebody always can.
	Ready func(context.Context) error

	// Spread is the part of refresh_after, 0 to 0.5, that is left out at random,
	// so that a crowd which came together does not renew together. 0 means none.
	Spread float64

	Floor   time.Duration // that every refusal of a ticket takes at least, see throttle.Floor; 0 means none
	Jitter  time.Duration // at most so much more, at random; 0 means none
	Waiting int           // refusals that wait for Floor at a time; 0 means DefaultWaiting
}

const (
	minKey   = 16               // bytes
	maxFloor = writeTimeout / 3 // with its jitter: a slow source makes a refusal wait for a multiple of it
)

func (o Options) check() error {
	if n := len(o.Key); n > 0 && n < minKey {
		return fmt.Errorf("key of %d bytes, want %d or more", n, minKey)
	}
	if o.Floor+o.Jitter > maxFloor {
		return fmt.Errorf("floor of %v and jitter of %v, want at most %v together", o.Floor, o.Jitter, maxFloor)
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.Key) == 0 {
		o.Key = []byte(rand.Text())
	}
	if o.Canonical == nil {
		o.Canonical = canonical
	}
	if o.Tokens == nil {
		o.Tokens = &objects.Tokens{}
	}
	if o.Busy == nil {
		o.Busy = func(error) bool { return false }
	}
	if o.Client == nil {
		o.Client = peer
	}
	if o.Challenged == nil {
		o.Challenged = func(*http.Request) bool { return false }
	}
	o.Waiting = max(0, cmp.Or(o.Waiting, DefaultWaiting))
	return o
}
