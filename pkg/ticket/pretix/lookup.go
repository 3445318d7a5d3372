package pretix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A found ticket is a position with what it buys.
type found struct {
	position *position
	addons   []position
	ticket   *gate.Ticket
}

// lookup asks for the position with a secret and judges it.
func (s *Source) lookup(ctx context.Context, code gate.Secret) (*found, error) {
	p, err := s.bySecret(ctx, code)
	if err != nil {
		return nil, err
	}
	return s.judge(ctx, p)
}

// bySecret finds the one position whose secret is code. The parameter search is
// for tokens that may only check in, which find nothing without; it narrows the
// result and is never relied on.
func (s *Source) bySecret(ctx context.Context, code gate.Secret) (*position, error) {
	query := s.search()
	query.Set("secret", code.Reveal())
	query.Set("search", code.Reveal())
	var got page[position]
	if err := s.api.get(ctx, "look a ticket up", "/checkinrpc/search/", query, &got); err != nil {
		return nil, err
	}
	if got.Count == nil || *got.Count != len(got.Results) {
		return nil, errors.New("look a ticket up: pretix answers with a list that is not whole")
	}
	switch len(got.Results) {
	case 0:
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	case 1:
	default:
		return nil, fmt.Errorf("look a ticket up: pretix knows %d with this secret", len(got.Results))
	}
	p := &got.Results[0]
	if err := p.check(); err != nil {
		return nil, err
	}
	if !equal(p.Secret, code) {
		return nil, errors.New("look a ticket up: pretix answers with another ticket than was asked for")
	}
	return p, nil
}

func (s *Source) search() url.Values {
	query := url.Values{"ignore_status": {"true"}, "expand": {"subevent"}}
	for _, e := range s.cfg.Events {
		query.Add("list", strconv.FormatInt(e.List, 10))
	}
	return query
}

// judge makes a ticket of a position, or a denial.
func (s *Source) judge(ctx context.Context, p *position) (*found, error) {
	strong := proven(p.Secret)
	deny := func(reason gate.Reason) error {
		return &gate.Denial{Reason: reason, Proven: strong, Err: fmt.Errorf("position %d of item %d", p.ID, p.Item)}
	}
	reason, err := p.standing()
	if err != nil {
		return nil, err
	}
	if reason != "" {
		return nil, deny(reason)
	}
	addons, err := s.addons(ctx, p)
	if err != nil {
		return nil, err
	}
	f := &found{position: p, addons: addons}
	b, until := s.basket(p, addons)
	if len(b.buys) == 0 {
		return nil, deny(gate.ReasonNotIncluded)
	}
	if f.ticket, err = s.ticket(p, b, until); err != nil {
		return nil, err
	}
	return f, nil
}

func (s *Source) ticket(p *position, b basket, until time.Time) (*gate.Ticket, error) {
	d, err := p.date()
	if err != nil {
		return nil, err
	}
	t := &gate.Ticket{
		Kind: Kind, Normal: p.Secret, Proven: proven(p.Secret), Ref: s.ref(p.Secret),
		Buys: b.buys, Seats: b.seats, FirstUse: p.firstUse(s.cfg.Events),
		ValidFrom: deref(p.ValidFrom), ValidUntil: until,
		Terms: s.on(s.opts.Terms, d, s.zone(p)),
	}
	if !t.ValidUntil.IsZero() && !t.ValidFrom.Before(t.ValidUntil) {
		return nil, &gate.Denial{Reason: gate.ReasonExpired, Proven: t.Proven, Err: errors.New("its validity ends before it begins")}
	}
	return t, nil
}

// zone returns where the event of p is. Only of a single event that is certain.
func (s *Source) zone(p *position) *time.Location {
	var d struct {
		Event string `json:"event"`
	}
	_ = json.Unmarshal(p.Subevent, &d) // an id names none
	for _, e := range s.cfg.Events {
		if e.Slug == d.Event || len(s.cfg.Events) == 1 {
			return e.Zone
		}
	}
	return nil
}

// basket returns what p and its add-ons buy, and until when all of that is
// good. Add-ons count that are good now, or when p begins to be.
func (s *Source) basket(p *position, addons []position) (b basket, until time.Time) {
	at := s.opts.Now()
	if from := deref(p.ValidFrom); from.After(at) {
		at = from
	}
	until = deref(p.ValidUntil)
	if product, ok := find(s.cfg.Products, p.Item, p.variation()); ok {
		b.add(product)
	}
	for i := range addons {
		a := &addons[i]
		product, ok := find(s.cfg.Products, a.Item, a.variation())
		if reason, err := a.standing(); !ok || err != nil || reason != "" || !a.opens(at) {
			continue
		}
		b.add(product)
		if end := deref(a.ValidUntil); until.IsZero() || !end.IsZero() && end.Before(until) {
			until = end
		}
	}
	return b, until
}

// addons returns the positions that were bought with p.
func (s *Source) addons(ctx context.Context, p *position) ([]position, error) {
	if !s.cfg.AddOns || p.AddOnTo != nil {
		return nil, nil
	}
	query := s.search()
	query.Set("addon_to", strconv.FormatInt(p.ID, 10))
	query.Set("search", p.Order)
	query.Set("page_size", "50")
	var got page[position]
	if err := s.api.get(ctx, "look add-ons up", "/checkinrpc/search/", query, &got); err != nil {
		return nil, err
	}
	if got.Count == nil || *got.Count != len(got.Results) {
		return nil, errors.New("look add-ons up: pretix answers with a list that is not whole")
	}
	for i := range got.Results {
		a := &got.Results[i]
		if err := a.check(); err != nil {
			return nil, err
		}
		if a.AddOnTo == nil || *a.AddOnTo != p.ID || a.Order != p.Order {
			return nil, errors.New("look add-ons up: pretix answers with those of another ticket")
		}
	}
	return got.Results, nil
}
