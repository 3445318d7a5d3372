package pretix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/sealed"
)

// A Mode is a way to ask.
type Mode string

// The modes. The empty Mode is ModeLookup.
const (
	ModeLookup  Mode = "lookup"
	ModeRedeem  Mode = "redeem"
	ModeOffline Mode = "offline"
)

// Dates says what the date of a series means that a ticket is for.
type Dates string

// The meanings of a date. The empty Dates is DatesSlot.
const (
	DatesSlot   Dates = "slot"   // timed entry from its admission or beginning on; a date without an end is a day from then on
	DatesDay    Dates = "day"    // good on that day
	DatesIgnore Dates = "ignore" // good at any time; weakens the check
)

// Effects of asking, see Source.Effect.
const (
	EffectRead    = "read"
	EffectConsume = "consume"
)

// Config is what a Source cannot work without, and what it may do.
type Config struct {
	URL       string      // of pretix without the API's path: "https://pretix.eu"
	Organizer string      // its slug
	Token     gate.Secret // API token of a team or a device
	Device    bool        // Token is a device's; false means a team's
	Events    []Event     // whose tickets are accepted, at least one
	Products  []Product   // what they buy, at least one; all others are refused as not included

	Mode         Mode     // empty means ModeLookup
	AllowConsume bool     // for ModeRedeem, which is refused without
	AddOns       bool     // what is bought with a ticket counts, too; takes a second request. Not offline
	Dates        Dates    // of event series; empty means DatesSlot
	Keys         []string // for ModeOffline, beside those that pretix names: public keys in PEM, for an overlap after a rotation
	MixedCase    bool     // secrets are not pretix's own and may have capitals; else a code in capitals is asked for in small letters
}

// An Event is one event or series at pretix.
type Event struct {
	Slug   string
	List   int64          // id of a check-in list with all products that are accepted; FirstUse is the first entry on it. Not needed offline
	Redeem int64          // id of the list to redeem on, for ModeRedeem; 0 means List. With addon_match it must be another one, which pretix searches by its own products only
	Zone   *time.Location // of its dates; nil means UTC
}

// A Product says what an item buys. Of several entries for one item the one
// that names its variation counts.
type Product struct {
	Item      int64 // id
	Variation int64 // id; 0 means every one
	Buys      []gate.Product
	Seats     int // devices for one of it; 0 means what its packages say, see gate.Ticket.Seats
}

// Options tunes a Source. The zero value is ready for use.
type Options struct {
	// Client asks pretix; nil means one with the zero outbound.Options, which
	// does not reach private networks and closes with the Source.
	Client *outbound.Client

	// Secret seals Ticket.Ref and makes nonces, 16 bytes or more, the same
	// wherever the book is shared and for as long as it lasts. Without one
	// tickets cannot be asked about again; ModeRedeem needs it.
	Secret []byte

	// Terms hold for every ticket, beside what pretix says.
	Terms gate.Validity

	// Reentry is for ModeRedeem and lists that let a ticket in only once: how
	// long after its last entry there a ticket is still good. 0 means
	// DefaultReentry, below 0 not at all.
	Reentry time.Duration

	Refresh time.Duration    // offline: how often keys and lists are fetched; 0 means DefaultRefresh, below 0 only when needed
	Stale   time.Duration    // offline: how old they may get before nobody knows; 0 means DefaultStale
	Changed func(Change)     // told of an order that a webhook's re-read found, see Source.Webhook; not offline; nil means nobody
	Now     func() time.Time // nil means time.Now
	Log     *slog.Logger     // nil means no log
}

// Defaults of Options.
const (
	DefaultRefresh = time.Minute
	DefaultStale   = 15 * time.Minute
	DefaultReentry = 24 * time.Hour
)

var slug = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z`)

func (c *Config) check() error {
	var problems []error
	fail := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if err := checkURL(c.URL); err != nil {
		problems = append(problems, err)
	}
	if !slug.MatchString(c.Organizer) {
		fail("organizer: %q is not a slug of pretix", c.Organizer)
	}
	if token := c.Token.Reveal(); token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		fail("token: want the text that pretix showed once")
	}
	switch c.Mode {
	case ModeLookup, ModeOffline:
	case ModeRedeem:
		if !c.AllowConsume {
			fail("mode: %q checks tickets in at pretix, which has to be allowed", c.Mode)
		}
	default:
		fail("mode: %q, want %s, %s or %s", c.Mode, ModeLookup, ModeRedeem, ModeOffline)
	}
	if !slices.Contains([]Dates{DatesSlot, DatesDay, DatesIgnore}, c.Dates) {
		fail("dates: %q, want %s, %s or %s", c.Dates, DatesSlot, DatesDay, DatesIgnore)
	}
	if c.AddOns && c.Mode == ModeOffline {
		fail("add-ons: a signed code does not name them")
	}
	if len(c.Keys) > 0 && c.Mode != ModeOffline {
		fail("keys: only mode %q uses any", ModeOffline)
	}
	return errors.Join(append(problems, c.checkEvents(), c.checkProducts())...)
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("url: want one like https://pretix.eu")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("url: want no user, query or fragment")
	}
	return nil
}

func (c *Config) checkEvents() error {
	if len(c.Events) == 0 {
		return errors.New("events: want at least one")
	}
	seen := map[string]bool{}
	for _, e := range c.Events {
		switch {
		case !slug.MatchString(e.Slug):
			return fmt.Errorf("events: %q is not a slug of pretix", e.Slug)
		case seen[e.Slug]:
			return fmt.Errorf("events: %q comes twice", e.Slug)
		case e.List <= 0 && c.Mode != ModeOffline:
			return fmt.Errorf("events: %q: want the id of a check-in list", e.Slug)
		case e.Redeem < 0 || e.Redeem > 0 && c.Mode != ModeRedeem:
			return fmt.Errorf("events: %q: a list to redeem on needs mode %q", e.Slug, ModeRedeem)
		}
		seen[e.Slug] = true
	}
	return nil
}

func (c *Config) checkProducts() error {
	if len(c.Products) == 0 {
		return errors.New("products: want at least one")
	}
	seen := map[[2]int64]bool{}
	for _, p := range c.Products {
		key := [2]int64{p.Item, p.Variation}
		switch {
		case p.Item <= 0 || p.Variation < 0:
			return fmt.Errorf("products: item %d, variation %d: want ids of pretix", p.Item, p.Variation)
		case seen[key]:
			return fmt.Errorf("products: item %d, variation %d comes twice", p.Item, p.Variation)
		case len(p.Buys) == 0:
			return fmt.Errorf("products: item %d buys nothing", p.Item)
		case p.Seats < 0:
			return fmt.Errorf("products: item %d: %d seats", p.Item, p.Seats)
		}
		seen[key] = true
	}
	return nil
}

func (o *Options) check(mode Mode) error {
	switch n := len(o.Secret); {
	case n > 0 && n < sealed.MinKey:
		return fmt.Errorf("secret: %d bytes, want at least %d", n, sealed.MinKey)
	case n == 0 && mode == ModeRedeem:
		return fmt.Errorf("secret: mode %q needs one for its nonces", mode)
	case o.Stale < 0 || o.Refresh > 0 && o.Stale < o.Refresh:
		return fmt.Errorf("stale: %v, want at least the %v between two refreshes", o.Stale, o.Refresh)
	}
	return nil
}

// New returns a Source for cfg, with everything that is wrong with it in one
// error. It does not ask pretix, see Source.Probe. Close ends it.
func New(cfg Config, opts Options) (*Source, error) {
	cfg.Mode, cfg.Dates = cmp.Or(cfg.Mode, ModeLookup), cmp.Or(cfg.Dates, DatesSlot)
	opts.Refresh, opts.Stale = cmp.Or(opts.Refresh, DefaultRefresh), cmp.Or(opts.Stale, DefaultStale)
	opts.Reentry = cmp.Or(opts.Reentry, DefaultReentry)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	keys, err := parseKeys(cfg.Keys)
	if err = errors.Join(cfg.check(), opts.check(cfg.Mode), err); err != nil {
		return nil, fmt.Errorf("pretix: %w", err)
	}
	s := &Source{cfg: cfg, opts: opts, api: &api{base: base(cfg), auth: authorization(cfg), client: opts.Client}}
	s.opts.Secret = slices.Clone(opts.Secret)
	if opts.Client == nil {
		if s.api.client, err = outbound.New(outbound.Options{}); err != nil {
			return nil, err
		}
		s.own = s.api.client
	}
	s.stop = func() {}
	if cfg.Mode == ModeOffline {
		s.office = newOffice(s, keys)
		if opts.Refresh > 0 {
			ctx, stop := context.WithCancel(context.Background())
			s.stop = stop
			s.watching.Go(func() { s.office.watch(ctx) })
		}
	}
	return s, nil
}

func base(cfg Config) string {
	return strings.TrimRight(cfg.URL, "/") + "/api/v1/organizers/" + url.PathEscape(cfg.Organizer)
}

func authorization(cfg Config) string {
	if cfg.Device {
		return "Device " + cfg.Token.Reveal()
	}
	return "Token " + cfg.Token.Reveal()
}
