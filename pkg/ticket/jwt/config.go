package jwt

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Effect says that verifying a token changes nothing anywhere.
const Effect = "read"

// Match is a pattern for ticket.Source: codes that may be tokens.
const Match = `[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`

// Defaults and limits of a Config.
const (
	DefaultLeeway  = 30 * time.Second
	MaxLeeway      = 5 * time.Minute
	DefaultMaxLife = 732 * 24 * time.Hour // two years
	DefaultRefresh = time.Hour
	DefaultOverlap = time.Hour
	DefaultOutage  = 24 * time.Hour
)

// A Config says whose tokens are taken, and what their claims mean. Issuer,
// Audience and either Keys or KeySet are required.
type Config struct {
	Issuer   string // the claim "iss", exactly
	Audience string // the claim "aud", exactly
	Type     string // the header "typ", such as "ticket+jwt"; empty means "JWT" or none

	Keys   []KeyFile // fixed keys
	KeySet string    // https URL of a JWK set (RFC 7517)

	// Refresh is how old a key set may grow before it is fetched again; 0 means
	// DefaultRefresh. An unknown key is looked for at once, but at most once a
	// minute.
	Refresh time.Duration
	// Overlap is how long a key counts that has gone from the key set; 0 means
	// DefaultOverlap, below 0 not at all. A restart ends it. Tickets that are
	// out need their key: it has to stay in the set until they have expired.
	Overlap time.Duration
	// Outage is how long the keys that were fetched last count while the set
	// cannot be fetched; 0 means DefaultOutage.
	Outage time.Duration
	// Allow are networks that the key set may be on though they are not public;
	// there it may also be without TLS. None by default.
	Allow []netip.Prefix

	Leeway  time.Duration // between the issuer's clock and ours, for exp and nbf; 0 means DefaultLeeway, below 0 none; at most MaxLeeway
	MaxLife time.Duration // how far ahead an expiry may be; 0 means DefaultMaxLife

	Claims Claims
	// Names translates entries of the claim Claims.Products: the shop's name to
	// what it buys, "castle" or "castle/audio". A name that is not in it is
	// read as such a product itself.
	Names map[string][]string
	// Buys is what a token buys that says nothing about it, in the same
	// form. Empty means that such a token is refused.
	Buys []string

	Denied     []string // jti of tickets that were taken back; of one without jti what ID says
	DeniedFile string   // file with more of them, one a line, and lines of remarks with "#" in front; read again when it changes
}

// A KeyFile is a public key on disk.
type KeyFile struct {
	ID   string // the header "kid" of its tokens; empty means none, or the key's RFC 7638 thumbprint; only for a PEM file
	File string // PEM block "PUBLIC KEY", or a JWK set
}

// Claims names the claims that say what a ticket buys: a name, or a JSON
// pointer (RFC 6901) such as "/ticket/seats" into claims that are objects. Each
// may be missing in a token.
type Claims struct {
	Products   string // text or list: "castle", "castle/audio", or see Config.Names; empty means "products"
	Attraction string // text or list of attraction ids; empty means "attraction"
	Packages   string // text or list: "audio" of the attractions above, or "castle/audio"; empty means "packages", and a token without it buys all packages
	Seats      string // devices at a time, 1 to 1000; empty means "seats"
	ValidFrom  string // RFC 3339, or seconds since 1970; empty means "valid_from"
	ValidUntil string // the same, exclusive; empty means "valid_until"; exp holds beside it
	FirstUse   string // the same: when the ticket was first used elsewhere; empty means "first_use"
}

// A Denylist knows tickets that were taken back. Implementations are safe for
// concurrent use.
type Denylist interface {
	// Denied reports whether the ticket with this id of issuer was taken back,
	// see ID. An error means that nobody knows.
	Denied(ctx context.Context, issuer, id string) (bool, error)
}

// Options tunes a Source. The zero value is ready for use.
type Options struct {
	// Check returns an error for a product that is not configured; nil accepts all.
	Check func(gate.Product) error
	// Secret is the key of Ticket.Ref, 16 bytes or more, the same wherever the
	// book is shared and for as long as it lasts. Without one tickets have no
	// Ref and cannot be asked about again.
	Secret []byte
	// Terms hold for every ticket, beside the times of its token.
	Terms gate.Validity
	// Denylist is asked beside the configured lists; nil means none.
	Denylist Denylist
	// CA may vouch for the server of the key set; nil means the system's
	// authorities.
	CA *x509.CertPool

	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // nil means no log
}

// minSecret is the fewest bytes that Options.Secret may have.
const minSecret = 16

func (c *Config) setDefaults() {
	orDefault(&c.Refresh, DefaultRefresh)
	orDefault(&c.Overlap, DefaultOverlap)
	orDefault(&c.Outage, DefaultOutage)
	orDefault(&c.Leeway, DefaultLeeway)
	orDefault(&c.MaxLife, DefaultMaxLife)
	for name, value := range map[string]*string{
		"products": &c.Claims.Products, "attraction": &c.Claims.Attraction, "packages": &c.Claims.Packages, "seats": &c.Claims.Seats,
		"valid_from": &c.Claims.ValidFrom, "valid_until": &c.Claims.ValidUntil, "first_use": &c.Claims.FirstUse,
	} {
		if *value == "" {
			*value = name
		}
	}
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

func (c *Config) check(opts Options) error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.Issuer == "", `issuer: missing, want the claim "iss" of the tokens`)
	bad(c.Audience == "", `audience: missing, want the claim "aud" of the tokens`)
	bad(len(c.Keys) == 0 && c.KeySet == "", "keys: missing, want key files or the URL of a key set")
	bad(len(c.Keys) > 0 && c.KeySet != "", "keys: there are key files and a key set, want one of the two")
	bad(c.Refresh < retryAfter, "refresh: %s, want at least %s", c.Refresh, retryAfter)
	bad(c.Outage < c.Refresh, "outage: %s is shorter than refresh, %s", c.Outage, c.Refresh)
	bad(c.Leeway > MaxLeeway, "leeway: %s, want at most %s", c.Leeway, MaxLeeway)
	bad(c.MaxLife < 0, "max_life: %s, want more than 0", c.MaxLife)
	bad(len(opts.Secret) > 0 && len(opts.Secret) < minSecret, "the secret has %d bytes, want at least %d", len(opts.Secret), minSecret)
	return errors.Join(errs...)
}
