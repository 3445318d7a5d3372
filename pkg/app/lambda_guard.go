package app

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/handstamp/handstamp/pkg/awslambda/authorizer"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// A Guard recognises visitors without letting anybody in: it looks sessions up
// and verifies tickets, and changes nothing. It needs no signing keys, and is
// for other APIs of an attraction. It implements authorizer.Guard.
type Guard struct {
	app       *App
	verifier  gate.Verifier
	canonical func(code string) (canonical, kind string, strong bool)
}

// visits are the part of a book that knows whose visits were revoked.
type visits interface {
	Admissions(ctx context.Context, q book.AdmissionQuery) (admissions []gate.Admission, next string, err error)
	Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error)
}

// NewGuard builds a Guard for a function, see NewFunction for its errors.
func NewGuard(ctx context.Context, cfg *config.Config, opts Options) (_ *Guard, err error) {
	if err := checkFunction(cfg); err != nil {
		return nil, err
	}
	g := &Guard{app: newApp(cfg, opts)}
	defer func() {
		if err != nil {
			_ = g.Close() // the first error says more
		}
	}()
	for _, build := range []func(context.Context) error{g.app.buildSite, g.app.buildFunctionBook, g.build} {
		if err := build(ctx); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *Guard) build(ctx context.Context) error {
	sources, err := g.app.sources(ctx)
	if err != nil {
		return err
	}
	if g.verifier, err = ticket.NewChooser(sources, g.app.places); err != nil {
		return err
	}
	opts := g.app.cfg.Admission.Options()
	opts.Pepper, opts.Now = g.app.pepper, g.app.opts.Now
	g.app.keeper = gate.NewKeeper(g.verifier, g.app.rules, g.app.book, noStamper{}, opts)
	g.canonical, err = g.app.canonical()
	return err
}

// A noStamper is for a Guard, which lets nobody in.
type noStamper struct{}

func (noStamper) Stamp(context.Context, gate.Grant) (*gate.Stamp, error) {
	return nil, errors.New("nothing is stamped here")
}

func (noStamper) Clear(string) []*http.Cookie { return nil }

// Session implements authorizer.Guard.
func (g *Guard) Session(ctx context.Context, s gate.Session) (*authorizer.Visitor, error) {
	pass, err := g.app.keeper.Admission(ctx, s)
	if err != nil {
		return nil, err
	}
	a := pass.Admission
	return &authorizer.Visitor{ID: a.ID, Admission: a.ID, Entitlements: a.Entitlements}, nil
}

// Ticket implements authorizer.Guard. A ticket that somebody could guess is
// denied before its source is asked: here no throttle counts who guesses, and
// the answer would say which codes exist.
func (g *Guard) Ticket(ctx context.Context, code gate.Secret) (*authorizer.Visitor, error) {
	if _, _, strong := g.canonical(code.Reveal()); !strong {
		return nil, gate.Deny(gate.ReasonUnknown, errors.New("a code that can be guessed opens nothing without a visit"))
	}
	t, err := g.verifier.Verify(ctx, gate.Credential{Code: code})
	if err != nil {
		return nil, err
	}
	fingerprint := t.Fingerprint(g.app.pepper)
	if err := g.standing(ctx, fingerprint); err != nil {
		return nil, err
	}
	first, err := g.app.book.FirstUse(ctx, fingerprint)
	if err != nil {
		return nil, err
	}
	seen := *t // a source may hand out one ticket to many
	seen.FirstUse = gate.EarlierUse(t.FirstUse, first)
	entitlements, err := g.app.rules.Entitle(&seen, "", g.app.opts.Now())
	if err != nil {
		return nil, err
	}
	return &authorizer.Visitor{ID: g.nameOf(fingerprint), Entitlements: entitlements}, nil
}

// standing denies a ticket that the attraction took back: as issued here, or with
// a visit that was.
func (g *Guard) standing(ctx context.Context, t gate.Fingerprint) error {
	b, ok := g.app.book.(visits)
	if !ok {
		return nil
	}
	record, err := b.Lookup(ctx, t)
	switch {
	case err == nil && !record.Revoked.IsZero():
		return gate.Deny(gate.ReasonRevoked, fmt.Errorf("record %s", record.ID))
	case err != nil && !errors.Is(err, gate.ErrNoTarget):
		return err
	}
	admissions, _, err := b.Admissions(ctx, book.AdmissionQuery{Ticket: t, Limit: 1})
	if err != nil && !errors.Is(err, gate.ErrNoTarget) {
		return err
	}
	if len(admissions) > 0 && admissions[0].State == gate.StateRevoked {
		return gate.Deny(gate.ReasonRevoked, fmt.Errorf("admission %s", admissions[0].ID))
	}
	return nil
}

// nameOf returns what stands for a ticket in logs of other APIs.
func (g *Guard) nameOf(t gate.Fingerprint) string {
	mac := derived(g.app.secret("ticket names for authorizers"), string(t[:]))
	return "ticket-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac[:16]))
}

// SessionCookie returns the name of the session cookie that the gateway of cfg
// sets, see docs/security.md.
func SessionCookie(cfg *config.Config) string {
	return httpapi.SessionCookieName(origin(cfg.HTTP.PublicURL), ownHost(cfg))
}

// Close ends what the Guard keeps open.
func (g *Guard) Close() error { return g.app.Close() }
