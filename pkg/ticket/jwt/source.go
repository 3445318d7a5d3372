package jwt

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/sealed"
)

// The kinds of credentials that a Source verifies.
const (
	Kind        = "jwt"         // known by its jti
	KindUnnamed = "jwt-unnamed" // without a jti
)

// A Source verifies the tokens of one issuer. It implements gate.Verifier and
// gate.Rechecker, and is safe for concurrent use.
type Source struct {
	cfg     Config
	opts    Options
	keys    keySet
	denied  *denied
	mapping *mapping
	claims  *jwt.Validator
	secret  []byte // of refs; empty means none
}

// New returns a Source. All of cfg is checked, but a key set is not fetched
// before it is needed, see Probe.
func New(cfg Config, opts Options) (*Source, error) {
	cfg.setDefaults()
	if err := cfg.check(opts); err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Source{cfg: cfg, opts: opts}
	var err error
	if s.mapping, err = newMapping(cfg, opts.Check); err != nil {
		return nil, err
	}
	if s.denied, err = newDenied(cfg, opts); err != nil {
		return nil, err
	}
	if s.keys, err = openKeys(cfg, opts); err != nil {
		return nil, err
	}
	s.claims = jwt.NewValidator(jwt.WithIssuer(cfg.Issuer), jwt.WithAudience(cfg.Audience), jwt.WithExpirationRequired(),
		jwt.WithLeeway(max(cfg.Leeway, 0)), jwt.WithTimeFunc(opts.Now))
	if len(opts.Secret) > 0 {
		mac := hmac.New(sha256.New, opts.Secret) // refs of one issuer are nothing to another
		mac.Write([]byte("jwt ticket\x00" + cfg.Issuer))
		s.secret = mac.Sum(nil)
	}
	return s, nil
}

// Probe fetches the key set, or does nothing where keys are fixed. The error
// says why tokens cannot be verified.
func (s *Source) Probe(ctx context.Context) error { return s.keys.probe(ctx) }

// Close ends what is under way. A Source is not used after it.
func (s *Source) Close() error {
	s.keys.close()
	return nil
}

// Verify implements gate.Verifier. A token of another issuer or audience, or
// with a signature of a key that is not ours to trust, is unknown: another
// source may know it. Without a usable key set nobody knows.
func (s *Source) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	tok, err := parse(c.Code)
	if err != nil {
		return nil, gate.Deny(gate.ReasonMalformed, err)
	}
	if err := s.ours(tok); err != nil { // before anything is fetched for it
		return nil, gate.Deny(gate.ReasonUnknown, err)
	}
	keys, err := s.keys.find(ctx, tok.kid, tok.alg)
	if err != nil {
		return nil, fmt.Errorf("keys of %q: %w", s.cfg.Issuer, err)
	}
	k, err := tok.verify(keys)
	if err != nil {
		return nil, gate.Deny(gate.ReasonUnknown, err)
	}
	return s.ticket(ctx, facts{print: k.print, hash: tok.hash(), body: tok.body})
}

// ours returns an error for a token that another source may know. What it
// looks at was not checked yet: it may be refused for it, no more.
func (s *Source) ours(tok *token) error {
	if !sameType(tok.typ, s.cfg.Type) {
		return fmt.Errorf("typ %.40q, want %q", tok.typ, s.cfg.Type)
	}
	claims, err := decode(tok.body)
	if err != nil {
		return err
	}
	if iss, _ := claims["iss"].(string); iss != s.cfg.Issuer {
		return fmt.Errorf("iss %.80q, want %q", iss, s.cfg.Issuer)
	}
	return nil
}

// Recheck implements gate.Rechecker; ref is what Verify gave out under the same
// Options.Secret. Nothing is fetched: the claims are looked at again, with the
// clock, the configuration, the denylists and the keys that are known now.
func (s *Source) Recheck(ctx context.Context, _, ref string) (*gate.Ticket, error) {
	if s.secret == nil {
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	}
	text, err := sealed.Open(s.secret, ref)
	if err != nil {
		return nil, gate.Deny(gate.ReasonUnknown, err)
	}
	var f facts
	var body string
	f.print, text, _ = strings.Cut(text, "\n")
	f.hash, body, _ = strings.Cut(text, "\n")
	f.body = []byte(body)
	if !s.keys.trusts(f.print) {
		return nil, &gate.Denial{Reason: gate.ReasonBlocked, Proven: true, Err: fmt.Errorf("key %s is not trusted any more", f.print)}
	}
	return s.ticket(ctx, f)
}

// facts are what is left of a token once its signature was checked.
type facts struct {
	print string // thumbprint of the key that signed it
	hash  string // of what was signed
	body  []byte // the claims, JSON
}

// ref returns the facts for the book. The signature is not among them, so that
// nobody can make a token of it.
func (s *Source) ref(f facts) string {
	if s.secret == nil {
		return ""
	}
	return sealed.Seal(s.secret, f.print+"\n"+f.hash+"\n"+string(f.body))
}

// ticket returns what the claims say, if they are good now.
func (s *Source) ticket(ctx context.Context, f facts) (*gate.Ticket, error) {
	claims, err := decode(f.body)
	if err != nil {
		return nil, gate.Deny(gate.ReasonMalformed, err)
	}
	if err := s.check(claims); err != nil {
		return nil, err
	}
	kind, id, err := name(claims, f.hash)
	if err != nil {
		return nil, gate.Deny(gate.ReasonMalformed, err)
	}
	denied, err := s.denied.has(ctx, id)
	if err != nil {
		return nil, err
	}
	if denied {
		return nil, &gate.Denial{Reason: gate.ReasonRevoked, Proven: true, Err: fmt.Errorf("%.80q is on a denylist", id)}
	}
	t := &gate.Ticket{Kind: kind, Normal: gate.Secret(s.cfg.Issuer + "\n" + id), Terms: s.opts.Terms, Ref: s.ref(f), Proven: true}
	if err := s.mapping.apply(t, claims, max(s.cfg.Leeway, 0)); err != nil {
		return nil, err
	}
	return t, nil
}

// ID returns what a denylist calls the ticket: its jti, or a hash if it has
// none. It does not check the signature. The error is a denial, malformed.
func ID(code gate.Secret) (string, error) {
	tok, err := parse(code)
	if err != nil {
		return "", gate.Deny(gate.ReasonMalformed, err)
	}
	claims, err := decode(tok.body)
	if err != nil {
		return "", gate.Deny(gate.ReasonMalformed, err)
	}
	_, id, err := name(claims, tok.hash())
	if err != nil {
		return "", gate.Deny(gate.ReasonMalformed, err)
	}
	return id, nil
}
