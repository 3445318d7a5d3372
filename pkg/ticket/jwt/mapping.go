package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/handstamp/handstamp/pkg/gate"
)

// maxSeats is the most that a token may say.
const maxSeats = 1000

// A mapping turns claims into a ticket.
type mapping struct {
	claims Claims
	names  map[string][]gate.Product
	buys   []gate.Product
	known  func(gate.Product) error
}

func newMapping(cfg Config, known func(gate.Product) error) (*mapping, error) {
	m := &mapping{claims: cfg.Claims, names: map[string][]gate.Product{}, known: known}
	if known == nil {
		m.known = func(gate.Product) error { return nil }
	}
	var err error
	if m.buys, err = m.configured(cfg.Buys); err != nil {
		return nil, fmt.Errorf("buys: %w", err)
	}
	for name, list := range cfg.Names {
		if m.names[name], err = m.configured(list); err != nil {
			return nil, fmt.Errorf("names: %q: %w", name, err)
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("names: %q buys nothing", name)
		}
	}
	return m, nil
}

// configured reads products of a configuration.
func (m *mapping) configured(list []string) (products []gate.Product, err error) {
	for _, text := range list {
		p, err := product(text)
		if err != nil {
			return nil, err
		}
		if err := m.known(p); err != nil {
			return nil, err
		}
		products = append(products, p)
	}
	return products, nil
}

// apply fills in what the claims say. Claims that contradict themselves are
// malformed, whoever signed them.
func (m *mapping) apply(t *gate.Ticket, claims jwt.MapClaims, leeway time.Duration) error {
	err := errors.Join(m.times(t, claims, leeway), m.seats(t, claims))
	if err == nil {
		t.Buys, err = m.products(claims)
	}
	if err != nil {
		return gate.Deny(gate.ReasonMalformed, err)
	}
	if len(t.Buys) == 0 {
		return &gate.Denial{Reason: gate.ReasonNotIncluded, Proven: true, Err: errors.New("the token names no product")}
	}
	for _, p := range t.Buys {
		if err := m.known(gate.Product{Attraction: p.Attraction}); err != nil {
			return &gate.Denial{Reason: gate.ReasonWrongAttraction, Proven: true, Err: err}
		}
		if err := m.known(p); err != nil {
			return &gate.Denial{Reason: gate.ReasonNotIncluded, Proven: true, Err: err}
		}
	}
	return nil
}

// times sets when the ticket is good: exp with its leeway, narrowed by the
// claim for it. exp has been checked.
func (m *mapping) times(t *gate.Ticket, claims jwt.MapClaims, leeway time.Duration) error {
	exp, err := seconds(claims["exp"])
	if err != nil {
		return fmt.Errorf("exp: %w", err)
	}
	t.ValidUntil = exp.Add(leeway)
	var until time.Time
	for claim, at := range map[string]*time.Time{m.claims.ValidFrom: &t.ValidFrom, m.claims.ValidUntil: &until, m.claims.FirstUse: &t.FirstUse} {
		if *at, err = instant(claimed(claims, claim)); err != nil {
			return fmt.Errorf("%s: %w", claim, err)
		}
	}
	if !until.IsZero() && until.Before(t.ValidUntil) {
		t.ValidUntil = until
	}
	if !t.ValidFrom.Before(t.ValidUntil) {
		return fmt.Errorf("%s: the ticket ends before it begins", m.claims.ValidFrom)
	}
	return nil
}

func (m *mapping) seats(t *gate.Ticket, claims jwt.MapClaims) error {
	v := claimed(claims, m.claims.Seats)
	if v == nil {
		return nil
	}
	n, _ := v.(json.Number)
	seats, err := strconv.Atoi(n.String())
	if err != nil || seats < 1 || seats > maxSeats {
		return fmt.Errorf("%s: want a number from 1 to %d", m.claims.Seats, maxSeats)
	}
	t.Seats = seats
	return nil
}

// products lists what the claims name, each once, or what every token buys.
func (m *mapping) products(claims jwt.MapClaims) (buys []gate.Product, err error) {
	var lists [3][]string
	for i, claim := range []string{m.claims.Products, m.claims.Attraction, m.claims.Packages} {
		if lists[i], err = texts(claimed(claims, claim)); err != nil {
			return nil, fmt.Errorf("%s: %w", claim, err)
		}
	}
	add := func(more ...gate.Product) {
		for _, p := range more {
			if !slices.Contains(buys, p) {
				buys = append(buys, p)
			}
		}
	}
	for _, name := range lists[0] {
		if known, ok := m.names[name]; ok {
			add(known...)
			continue
		}
		p, err := product(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.claims.Products, err)
		}
		add(p)
	}
	at, err := places(lists[1], lists[2])
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", m.claims.Attraction, m.claims.Packages, err)
	}
	if add(at...); len(buys) == 0 {
		add(m.buys...)
	}
	return buys, nil
}

// places joins attractions with packages. An attraction for which there is no
// package, while there are packages, is an error: it would be taken for all.
func places(attractions, packages []string) (products []gate.Product, err error) {
	used := make([]bool, len(packages))
	for _, attraction := range attractions {
		before := len(products)
		for i, name := range packages {
			full := name
			if !strings.Contains(name, "/") {
				full = attraction + "/" + name
			}
			p, err := product(full)
			if err != nil {
				return nil, err
			}
			if p.Attraction == attraction {
				products, used[i] = append(products, p), true
			}
		}
		if len(products) > before {
			continue
		}
		p, err := product(attraction)
		if err != nil || len(packages) > 0 {
			return nil, errors.Join(err, fmt.Errorf("no package is for %.40q", attraction))
		}
		products = append(products, p)
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, fmt.Errorf("package %.40q is for no attraction of this ticket", packages[i])
	}
	return products, nil
}

// product reads "castle" or "castle/audio".
func product(text string) (gate.Product, error) {
	attraction, pkg, cut := strings.Cut(text, "/")
	if err := gate.CheckSlug(attraction); err != nil {
		return gate.Product{}, err
	}
	if cut {
		if err := gate.CheckSlug(pkg); err != nil {
			return gate.Product{}, err
		}
	}
	return gate.Product{Attraction: attraction, Package: pkg}, nil
}

// texts reads a text or a list of texts. Nothing is none; an empty list or text
// is an error, as it would be taken for nothing.
func texts(v any) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if v != "" {
			return []string{v}, nil
		}
	case []any:
		var list []string
		for _, entry := range v {
			text, _ := entry.(string)
			if text == "" {
				return nil, errors.New("want texts that are not empty")
			}
			list = append(list, text)
		}
		if len(list) > 0 {
			return list, nil
		}
	}
	return nil, errors.New("want a text, or a list of texts")
}

// claimed returns the claim that a name or JSON pointer means; nil if there is
// none, or if it is null.
func claimed(claims jwt.MapClaims, name string) any {
	if !strings.HasPrefix(name, "/") {
		return claims[name]
	}
	var at any = map[string]any(claims)
	for _, step := range strings.Split(name[1:], "/") {
		object, _ := at.(map[string]any)
		at = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return at
}
