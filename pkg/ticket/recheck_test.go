package ticket_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

var _ gate.Rechecker = (*ticket.Chooser)(nil)

// A counter is a desk that can be asked again.
type counter struct {
	desk
	rechecks []string
}

func (c *counter) Recheck(_ context.Context, source, ref string) (*gate.Ticket, error) {
	c.rechecks = append(c.rechecks, source+" "+ref)
	return c.ticket, c.err
}

func TestChooserRecheck(t *testing.T) {
	refunded := gate.Deny(gate.ReasonCancelled, nil)
	unknown := gate.Deny(gate.ReasonUnknown, nil)
	tests := []struct {
		name, source string
		err          error // that the source returns
		want         error // nil means a ticket
		text         string
		asked        []string
	}{
		{name: "good", source: "shop", asked: []string{"shop R1"}},
		{name: "refunded", source: "shop", err: refunded, want: refunded, text: "denied: cancelled", asked: []string{"shop R1"}},
		{name: "unknown asks nobody else", source: "shop", err: unknown, want: unknown, text: "denied: unknown", asked: []string{"shop R1"}},
		{name: "down", source: "shop", err: errDown, want: errDown, text: `ask "shop" about a ticket again: connection refused`, asked: []string{"shop R1"}},
		{name: "cannot be asked", source: "desk", want: errors.ErrUnsupported, text: `ask "desk" about a ticket again: unsupported operation`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			shop, other := &counter{desk: *good("castle", "zoo")}, &counter{desk: *good("zoo")}
			shop.ticket.Ref, shop.err = "R1", tt.err
			ch := chooser(t, []ticket.Source{{ID: "other", Verifier: other}, {ID: "desk", Verifier: good("zoo")}, {ID: "shop", Verifier: shop}},
				map[string][]string{"zoo": {"other", "desk", "shop"}, "castle": {"other"}})
			got, err := ch.Recheck(t.Context(), tt.source, "R1")
			if !errors.Is(err, tt.want) || err != nil && err.Error() != tt.text {
				t.Errorf("Recheck(%q) = %v, %v, want %s", tt.source, got, err, tt.text)
			}
			var denial, wanted *gate.Denial
			if errors.As(err, &denial) != errors.As(tt.want, &wanted) {
				t.Errorf("Recheck(%q) = %v, want a denial exactly where the source denies", tt.source, err)
			}
			if err == nil && (got.Source != "shop" || got.Ref != "R1" || !slices.Equal(got.Buys, []gate.Product{{Attraction: "zoo"}})) {
				t.Errorf("Recheck(%q) = %+v, want a ticket of the shop for the zoo only", tt.source, got)
			}
			if !slices.Equal(shop.rechecks, tt.asked) || len(other.rechecks) > 0 || shop.asked+other.asked > 0 {
				t.Errorf("asked the shop again %q, another %q; want %q and nobody", shop.rechecks, other.rechecks, tt.asked)
			}
			if len(shop.ticket.Buys) != 2 || shop.ticket.Source != "" {
				t.Errorf("the source's own ticket was changed to %+v", shop.ticket)
			}
		})
	}
}

// A source that has gone knows no refund: nobody knows.
func TestChooserRecheckWithoutTheSource(t *testing.T) {
	ch := chooser(t, []ticket.Source{{ID: "shop", Verifier: good("zoo")}}, map[string][]string{"zoo": {"shop"}})
	for _, source := range []string{"closed", ""} {
		got, err := ch.Recheck(t.Context(), source, "R1")
		var denial *gate.Denial
		if got != nil || err == nil || errors.As(err, &denial) || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Recheck(%q) = %v, %v, want a failure", source, got, err)
		}
	}
}

// A ref is a promise that the ticket can be asked about again.
func TestChooserRef(t *testing.T) {
	asks, not := &counter{desk: *good("zoo")}, good("zoo")
	asks.ticket.Ref, not.ticket.Ref = "R1", "R2"
	for id, want := range map[string]string{"asks": "R1", "not": ""} {
		ch := chooser(t, []ticket.Source{{ID: "asks", Verifier: asks}, {ID: "not", Verifier: not}}, map[string][]string{"zoo": {id}})
		got, err := ch.Verify(t.Context(), gate.Credential{Code: "A1", Attraction: "zoo"})
		if err != nil || got.Ref != want {
			t.Errorf("Verify with %q = %+v, %v, want the ref %q", id, got, err, want)
		}
	}
}
