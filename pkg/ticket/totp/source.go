package totp

import (
	"bytes"
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// Kind is the kind of credential that a Source verifies.
const Kind = "totp"

// Effect says that a pass can be shown as often as one likes, each time with
// another password.
const Effect = "read"

const (
	// DefaultDigits is the length of a password when nothing else is
	// configured. Three of them are good at a time.
	DefaultDigits = 8
	minDigits     = 6
	maxDigits     = 8
	minSecret     = 16 // bytes (RFC 4226, section 4, R6)
)

// Records is the part of a book that a Source asks. Both methods return
// gate.ErrNoTarget for what is not on record.
type Records interface {
	Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error)
	Record(ctx context.Context, id string) (*book.Record, error)
}

// A Config says how passwords are made. Either Master or Secrets is required.
type Config struct {
	ID        string    // of the source, as in Fingerprint
	Algorithm Algorithm // empty means SHA1, which Google Wallet takes
	Digits    int       // of a password, 6 to 8; 0 means DefaultDigits

	Master  gate.Secret            // the key that Derive makes the secrets from: 32 random bytes or more, as they are
	Secrets map[string]gate.Secret // id of a pass to its secret in base32, 16 bytes or more
}

// Options tunes a Source. The zero value is ready for use.
type Options struct {
	// Terms hold for every pass, beside the times of its record, unless that has terms of its own.
	Terms gate.Validity
	// Steps remembers the passwords that were taken; nil means a Memory, which
	// is enough for one gateway only.
	Steps Steps
	Now   func() time.Time // nil means time.Now
}

// minMaster is the fewest bytes that a master key may have.
const minMaster = 32

// A Source verifies passes. It implements gate.Verifier and gate.Rechecker, and
// is safe for concurrent use.
type Source struct {
	cfg     Config
	pepper  []byte
	records Records
	opts    Options
	secrets map[string][]byte // nil if they are derived
	tries   *tries
}

// New returns a Source that finds its passes in records. The pepper is that of
// gate.Options and of Fingerprint. All of cfg is checked.
func New(cfg Config, pepper []byte, records Records, opts Options) (*Source, error) {
	cfg.Algorithm, cfg.Digits = cmp.Or(cfg.Algorithm, SHA1), cmp.Or(cfg.Digits, DefaultDigits)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Steps == nil {
		opts.Steps = &Memory{Now: opts.Now}
	}
	s := &Source{cfg: cfg, pepper: slices.Clone(pepper), records: records, opts: opts, tries: newTries()}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Master == "" {
		s.secrets = map[string][]byte{}
	}
	for id, text := range cfg.Secrets {
		if err := s.add(id, text.Reveal()); err != nil {
			return nil, err
		}
	}
	s.cfg.Secrets = nil
	return s, nil
}

func (c Config) check() error {
	switch {
	case c.Algorithm != SHA1 && c.Algorithm != SHA256:
		return fmt.Errorf("algorithm: %.20q, want SHA1 or SHA256", string(c.Algorithm))
	case c.Digits < minDigits || c.Digits > maxDigits:
		return fmt.Errorf("digits: %d, want %d to %d", c.Digits, minDigits, maxDigits)
	case (c.Master == "") == (len(c.Secrets) == 0):
		return errors.New("secrets: want a master key or a list of secrets, one of the two")
	case c.Master != "" && len(c.Master) < minMaster:
		return fmt.Errorf("master: %d bytes, want at least %d", len(c.Master), minMaster)
	case c.Master != "" && isKnown([]byte(c.Master.Reveal())):
		return errors.New("master: everybody knows this key, want a random one")
	}
	return nil
}

// add takes a secret of the list.
func (s *Source) add(id, text string) error {
	pass, err := normalPass(id)
	if err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(strings.ToUpper(strings.ReplaceAll(text, " ", "")), "="))
	switch {
	case err != nil:
		return fmt.Errorf("secrets: %q: not base32", pass)
	case len(secret) < minSecret:
		return fmt.Errorf("secrets: %q: %d bytes, want at least %d", pass, len(secret), minSecret)
	case isKnown(secret):
		return fmt.Errorf("secrets: %q: everybody knows this key, want a random one", pass)
	case s.secrets[pass] != nil:
		return fmt.Errorf("secrets: %q comes twice", pass)
	}
	s.secrets[pass] = secret
	return nil
}

// isKnown recognises the keys of RFC 6238, which are in every manual, and those
// of one character.
func isKnown(secret []byte) bool {
	const digits = "1234567890"
	return bytes.HasPrefix([]byte(strings.Repeat(digits, len(secret)/len(digits)+1)), secret) || len(bytes.Trim(secret, string(secret[:1]))) == 0
}

// secret returns that of a pass. One that is not on the list gets a secret that
// nobody has, so that it takes as long to be refused.
func (s *Source) secret(pass string) []byte {
	if s.secrets == nil {
		return Derive([]byte(s.cfg.Master.Reveal()), s.cfg.Algorithm, pass)
	}
	if secret, ok := s.secrets[pass]; ok {
		return secret
	}
	return Derive(s.pepper, s.cfg.Algorithm, "\x00"+pass)
}

// Verify implements gate.Verifier. Nothing is said of a pass, not even whether
// there is one, before the password is right.
func (s *Source) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	pass, password, err := Split(c.Code, s.cfg.Digits)
	if err != nil {
		return nil, err
	}
	now := s.opts.Now()
	if s.tries.spent(pass, now) {
		return nil, ErrTries
	}
	step, right := s.compare(pass, password, StepOf(now))
	t := passTicket(s.cfg.ID, pass)
	r, err := s.records.Lookup(ctx, t.Fingerprint(s.pepper))
	if !right {
		if err != nil && !errors.Is(err, gate.ErrNoTarget) {
			return nil, failure(err)
		}
		s.tries.fail(pass, now)
		return nil, gate.Deny(gate.ReasonUnknown, errors.New("no such pass, or another password"))
	}
	t.Proven = true
	if t, err = s.ticket(t, r, err); err != nil {
		return nil, err
	}
	if err := s.take(ctx, pass, step); err != nil {
		return nil, err
	}
	return t, nil
}

// compare returns the step that a password is of: this one, the one before or
// the one after. It takes as long whichever it is.
func (s *Source) compare(pass, password string, now int64) (step int64, right bool) {
	secret := s.secret(pass)
	for i := now - 1; i <= now+1; i++ {
		want := Password(secret, s.cfg.Algorithm, s.cfg.Digits, i)
		if subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1 {
			step, right = i, true
		}
	}
	return step, right
}

// take denies a password that was taken before.
func (s *Source) take(ctx context.Context, pass string, step int64) error {
	used, err := s.opts.Steps.Used(ctx, pass, step)
	if err != nil {
		return fmt.Errorf("note a password: %v", err) // no denial of this pass, whatever it is
	}
	if used {
		return &gate.Denial{Reason: gate.ReasonReplaced, Proven: true, Err: errors.New("this password was taken already")}
	}
	return nil
}

// Recheck implements gate.Rechecker; ref is the id of a record. The ticket has
// neither kind nor normal form, as the record has neither.
func (s *Source) Recheck(ctx context.Context, _, ref string) (*gate.Ticket, error) {
	r, err := s.records.Record(ctx, ref)
	return s.ticket(&gate.Ticket{Source: s.cfg.ID}, r, err)
}

// ticket adds to t what the book says of it.
func (s *Source) ticket(t *gate.Ticket, r *book.Record, err error) (*gate.Ticket, error) {
	switch {
	case errors.Is(err, gate.ErrNoTarget):
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	case err != nil:
		return nil, failure(err)
	case !r.Revoked.IsZero():
		return nil, &gate.Denial{Reason: gate.ReasonRevoked, Proven: t.Proven, Err: fmt.Errorf("record %s", r.ID)}
	}
	t.Ref, t.Seats, t.Terms = r.ID, r.Seats, s.opts.Terms
	if r.Terms != (gate.Validity{}) {
		t.Terms = r.Terms
	}
	t.ValidFrom, t.ValidUntil = r.ValidFrom, r.ValidUntil
	t.Buys = slices.Clone(r.Products)
	return t, nil
}

// failure says that the book gave no answer. It is asked for facts: a denial of
// its own is none of the pass.
func failure(err error) error {
	if denial := new(gate.Denial); errors.As(err, &denial) {
		return fmt.Errorf("look up a pass: %v", err)
	}
	return fmt.Errorf("look up a pass: %w", err)
}
