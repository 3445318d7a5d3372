package octo

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/sealed"
)

// A Reference is a field of a booking that a visitor may have.
type Reference string

// The references.
const (
	SupplierReference Reference = "supplierReference"
	ResellerReference Reference = "resellerReference"
)

// A Factor is what goes with a reference: its name is that in
// gate.Credential.Factors.
type Factor string

// The factors. An e-mail address is the strongest, a surname the weakest.
const (
	Email    Factor = "email"
	Surname  Factor = "surname"
	Postcode Factor = "postcode"
)

// Dates says what the date of a booking means.
type Dates string

// The meanings of a date. The empty Dates is DatesSlot.
const (
	DatesSlot   Dates = "slot"   // timed entry, but a day where the booking says all day
	DatesDay    Dates = "day"    // good on that day
	DatesIgnore Dates = "ignore" // good at any time; weakens the check
)

// Effect says that asking changes nothing, see Source.Effect.
const Effect = "read"

// DefaultOpen is how long a booking without a date is good.
const DefaultOpen = 365 * 24 * time.Hour

// Config is what a Source cannot work without, and what it accepts.
type Config struct {
	URL          string      // of the API: "https://api.example.com/octo"
	Token        gate.Secret // the API key, sent as a bearer token
	Env          string      // the Octo-Env header, "live" or "test"; empty sends none
	Capabilities []string    // the Octo-Capabilities header; none are needed
	Slash        bool        // the collection is at /bookings/; false means /bookings

	References []Reference // asked in their order; none means both, the supplier's first
	Factors    []Factor    // that may prove a reference; none means all
	UUIDs      bool        // a random UUID is taken without a factor; false means that it needs one, too
	MixedCase  bool        // references may have small letters; else they are asked for in capitals

	Products []Product     // what bookings buy, at least one; all others are refused as not included
	Dates    Dates         // empty means DatesSlot
	Open     time.Duration // how long after its confirmation a booking without a date is good; 0 means DefaultOpen
	TestMode bool          // accept test bookings, which nobody paid for
}

// A Product says what units of a booking buy. Every entry that applies counts.
type Product struct {
	ID     string // productId
	Option string // optionId; empty means every one
	Unit   string // unitId, or type like ADULT; empty means every one
	Buys   []gate.Product
	Seats  int // devices for each unit; several entries for one unit do not add up. 0 for all units means what packages say
}

// Options tunes a Source. The zero value is ready for use.
type Options struct {
	// Client asks the reservation system; nil means one with the zero
	// outbound.Options, which closes with the Source.
	Client *outbound.Client

	// Secret seals Ticket.Ref, 16 bytes or more, the same wherever the book is
	// shared and for as long as it lasts. Without one tickets cannot be asked
	// about again.
	Secret []byte

	Terms gate.Validity  // hold for every ticket, beside what the booking says
	Zone  *time.Location // of times without an offset; nil means UTC
}

func (c *Config) check() error {
	var problems []error
	fail := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	switch u, err := url.Parse(c.URL); {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		fail("url: want one like https://api.example.com/octo")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		fail("url: want no user, query or fragment")
	}
	if token := c.Token.Reveal(); token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		fail("token: want the API key")
	}
	for _, text := range append([]string{c.Env}, c.Capabilities...) {
		if !header.MatchString(text) {
			fail("%.40q cannot stand in a header", text)
		}
	}
	for _, r := range c.References {
		if r != SupplierReference && r != ResellerReference {
			fail("references: %q, want %s or %s", r, SupplierReference, ResellerReference)
		}
	}
	for _, f := range c.Factors {
		if !slices.Contains(allFactors, f) {
			fail("factors: %q, want %s, %s or %s", f, Email, Surname, Postcode)
		}
	}
	if !slices.Contains([]Dates{DatesSlot, DatesDay, DatesIgnore}, c.Dates) {
		fail("dates: %q, want %s, %s or %s", c.Dates, DatesSlot, DatesDay, DatesIgnore)
	}
	if c.Open < 0 {
		fail("open: %v is below zero", c.Open)
	}
	return errors.Join(append(problems, checkProducts(c.Products))...)
}

var (
	header     = regexp.MustCompile(`\A[A-Za-z0-9/_.-]*\z`)
	allFactors = []Factor{Email, Surname, Postcode}
)

func checkProducts(products []Product) error {
	if len(products) == 0 {
		return errors.New("products: want at least one")
	}
	for _, p := range products {
		switch {
		case p.ID == "":
			return errors.New("products: one has no id")
		case len(p.Buys) == 0:
			return fmt.Errorf("products: %q buys nothing", p.ID)
		case p.Seats < 0:
			return fmt.Errorf("products: %q: %d seats", p.ID, p.Seats)
		}
	}
	return nil
}

// New returns a Source for cfg, with everything that is wrong with it in one
// error. It does not ask the reservation system, see Source.Probe. Close ends it.
func New(cfg Config, opts Options) (*Source, error) {
	cfg.Dates, cfg.Open = cmp.Or(cfg.Dates, DatesSlot), cmp.Or(cfg.Open, DefaultOpen)
	if len(cfg.References) == 0 {
		cfg.References = []Reference{SupplierReference, ResellerReference}
	}
	if len(cfg.Factors) == 0 {
		cfg.Factors = allFactors
	}
	err := cfg.check()
	if n := len(opts.Secret); n > 0 && n < sealed.MinKey {
		err = errors.Join(err, fmt.Errorf("secret: %d bytes, want at least %d", n, sealed.MinKey))
	}
	if err != nil {
		return nil, fmt.Errorf("octo: %w", err)
	}
	s := &Source{cfg: cfg, opts: opts, client: opts.Client}
	s.cfg.URL, s.opts.Secret = strings.TrimRight(cfg.URL, "/"), slices.Clone(opts.Secret)
	if s.opts.Zone == nil {
		s.opts.Zone = time.UTC
	}
	if s.client == nil {
		if s.client, err = outbound.New(outbound.Options{}); err != nil {
			return nil, err
		}
		s.own = s.client
	}
	return s, nil
}
