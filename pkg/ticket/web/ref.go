package web

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/sealed"
)

// ErrRef is returned for a reference that was made with another secret, or by
// another source.
var ErrRef = errors.New("a reference that is not of this source")

// kept is what a reference hides: what the API is asked with, and no factor
// that was compared here.
type kept struct {
	API        string            `json:"api"` // without its scheme; a reference is for one only
	Code       string            `json:"code"`
	Attraction string            `json:"attraction,omitempty"`
	Factors    map[string]string `json:"factors,omitempty"`
}

// ref returns the reference of a ticket, or "" without a secret. A ticket that
// asking consumes has none: to ask again would count as the next visit.
func (s *Source) ref(q *question) string {
	if len(s.opts.Secret) == 0 || s.cfg.Effect == Consume {
		return ""
	}
	k := kept{API: s.form.target.base.Host, Code: q.normal.Reveal(), Attraction: q.attraction, Factors: maps.Clone(q.factors)}
	maps.DeleteFunc(k.Factors, func(name, _ string) bool { return !s.form.sends(name) })
	text, err := json.Marshal(k)
	if err != nil { // of strings only
		return ""
	}
	return sealed.Seal(s.opts.Secret, string(text))
}

// Recheck implements gate.Rechecker; ref is what Verify gave out with the same
// Options.Secret. Factors that are compared here are not compared again. It
// returns an error that wraps errors.ErrUnsupported if asking consumes tickets,
// and ErrRef, which is no denial, for a reference that cannot be opened.
func (s *Source) Recheck(ctx context.Context, _, ref string) (*gate.Ticket, error) {
	if s.cfg.Effect == Consume {
		return nil, errors.ErrUnsupported
	}
	k, err := s.open(ref)
	if err != nil {
		return nil, failure(err)
	}
	normal, err := s.speller.normal(gate.Secret(k.Code))
	if err != nil {
		return nil, err
	}
	q := &question{normal: normal, attraction: k.Attraction, factors: k.Factors, now: s.opts.Now(), known: true}
	t, err := s.answer(ctx, q, nil)
	if err != nil {
		return nil, failure(err)
	}
	t.Ref = ref
	return t, nil
}

func (s *Source) open(ref string) (k kept, err error) {
	text, err := sealed.Open(s.opts.Secret, ref)
	if err != nil || len(s.opts.Secret) == 0 {
		return k, ErrRef
	}
	if json.Unmarshal([]byte(text), &k) != nil || k.API != s.form.target.base.Host {
		return k, ErrRef
	}
	missing := func(f Factor) bool { return s.form.sends(f.Name) && k.Factors[f.Name] == "" }
	if slices.ContainsFunc(s.cfg.Factors, missing) {
		return k, ErrRef
	}
	return k, nil
}
