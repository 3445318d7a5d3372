package ticket_test

import (
	"context"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

var errDown = errors.New("connection refused")

// A desk gives one answer and counts the questions.
type desk struct {
	ticket *gate.Ticket
	err    error
	asked  int
}

func (d *desk) Verify(context.Context, gate.Credential) (*gate.Ticket, error) {
	d.asked++
	return d.ticket, d.err
}

func good(attractions ...string) *desk {
	t := &gate.Ticket{Kind: "code", Normal: "A1"}
	for _, a := range attractions {
		t.Buys = append(t.Buys, gate.Product{Attraction: a})
	}
	return &desk{ticket: t}
}

func denies(reason gate.Reason) *desk { return &desk{err: gate.Deny(reason, nil)} }

func chooser(t *testing.T, sources []ticket.Source, sells map[string][]string) *ticket.Chooser {
	t.Helper()
	var attractions []*gate.Attraction
	for id, list := range sells {
		attractions = append(attractions, &gate.Attraction{ID: id, Sources: list})
	}
	ch, err := ticket.NewChooser(sources, attractions)
	if err != nil {
		t.Fatalf("NewChooser = %v", err)
	}
	return ch
}

func TestChooserShapePicks(t *testing.T) {
	tests := []struct {
		code string
		want string // id of the source, empty means that nobody is asked
	}{
		{"12345678", "digits"},
		{"123456", "digits"},
		{"1234567", ""},
		{" 123456 ", "digits"},
		{"123456\n", "digits"}, // a scanner's
		{"CASTLE-77", "castle"},
		{"castle-77", ""},
		{"XCASTLE-77", ""},
		{"CASTLE-77X", ""},
		{"12345678X", ""},
		{"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			desks := map[string]*desk{"digits": good("zoo"), "castle": good("zoo")}
			ch := chooser(t, []ticket.Source{
				{ID: "digits", Match: regexp.MustCompile(`[0-9]{6}|[0-9]{8}`), Verifier: desks["digits"]},
				{ID: "castle", Match: regexp.MustCompile(`CASTLE-[0-9]+?`), Verifier: desks["castle"]},
			}, map[string][]string{"zoo": {"digits", "castle"}})
			got, err := ch.Verify(t.Context(), gate.Credential{Code: gate.Secret(tt.code)})
			if tt.want == "" {
				wantDenial(t, err, gate.ReasonUnknown)
			} else if err != nil || got.Source != tt.want {
				t.Errorf("Verify(%q) = %+v, %v, want a ticket of %q", tt.code, got, err, tt.want)
			}
			for id, d := range desks {
				if d.asked > 0 && id != tt.want {
					t.Errorf("Verify(%q) asked %q, want %q only", tt.code, id, tt.want)
				}
			}
		})
	}
}

func wantDenial(t *testing.T, err error, reason gate.Reason) {
	t.Helper()
	var denial *gate.Denial
	if !errors.As(err, &denial) || denial.Reason != reason {
		t.Errorf("Verify = %v, want a denial %q", err, reason)
	}
}

// Only "unknown" asks the next one: neither a refusal nor a failure may be
// talked over by another source.
func TestChooserChain(t *testing.T) {
	tests := []struct {
		name   string
		first  *desk
		second *desk
		want   string // source that answers
		reason gate.Reason
		down   bool
		asked  int // second source
	}{
		{name: "first knows", first: good("zoo"), second: good("zoo"), want: "first"},
		{name: "first does not know", first: denies(gate.ReasonUnknown), second: good("zoo"), want: "second", asked: 1},
		{name: "nobody knows", first: denies(gate.ReasonUnknown), second: denies(gate.ReasonUnknown), reason: gate.ReasonUnknown, asked: 1},
		{name: "second refuses", first: denies(gate.ReasonUnknown), second: denies(gate.ReasonCancelled), reason: gate.ReasonCancelled, asked: 1},
		{name: "second is down", first: denies(gate.ReasonUnknown), second: &desk{err: errDown}, down: true, asked: 1},
		{name: "first refuses", first: denies(gate.ReasonCancelled), second: good("zoo"), reason: gate.ReasonCancelled},
		{name: "first blocks", first: denies(gate.ReasonBlocked), second: good("zoo"), reason: gate.ReasonBlocked},
		{name: "first finds it malformed", first: denies(gate.ReasonMalformed), second: good("zoo"), reason: gate.ReasonMalformed},
		{name: "first is down", first: &desk{err: errDown}, second: good("zoo"), down: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, where := range []string{"", "zoo"} {
				tt.first.asked, tt.second.asked = 0, 0
				ch := chooser(t, []ticket.Source{{ID: "first", Verifier: tt.first}, {ID: "second", Verifier: tt.second}},
					map[string][]string{"zoo": {"first", "second"}})
				got, err := ch.Verify(t.Context(), gate.Credential{Code: "CANARY4711", Attraction: where})
				var denial *gate.Denial
				switch {
				case tt.down:
					if got != nil || !errors.Is(err, errDown) || errors.As(err, &denial) {
						t.Errorf("Verify = %v, %v, want the failure and no denial", got, err)
					}
				case tt.reason != "":
					wantDenial(t, err, tt.reason)
				case err != nil || got.Source != tt.want:
					t.Errorf("Verify = %+v, %v, want a ticket of %q", got, err, tt.want)
				}
				if tt.first.asked != 1 || tt.second.asked != tt.asked {
					t.Errorf("asked %d and %d times, want 1 and %d", tt.first.asked, tt.second.asked, tt.asked)
				}
				if err != nil && strings.Contains(err.Error(), "CANARY") {
					t.Errorf("Verify = %v, which shows the code", err)
				}
			}
		})
	}
}

func TestChooserNamesTheSourceThatFails(t *testing.T) {
	ch := chooser(t, []ticket.Source{{ID: "boxoffice", Verifier: &desk{err: errDown}}}, map[string][]string{"zoo": {"boxoffice"}})
	_, err := ch.Verify(t.Context(), gate.Credential{Code: "A1"})
	if want := `verify ticket with "boxoffice": connection refused`; err == nil || err.Error() != want {
		t.Errorf("Verify = %v, want %s", err, want)
	}
}

// The attraction's own order counts, not that of the list of sources.
func TestChooserOrder(t *testing.T) {
	a, b := good("zoo"), good("zoo")
	ch := chooser(t, []ticket.Source{{ID: "a", Verifier: a}, {ID: "b", Verifier: b}}, map[string][]string{"zoo": {"b", "a"}})
	if got, err := ch.Verify(t.Context(), gate.Credential{Code: "A1", Attraction: "zoo"}); err != nil || got.Source != "b" {
		t.Errorf("Verify at the zoo = %+v, %v, want the zoo's first source", got, err)
	}
	if got, err := ch.Verify(t.Context(), gate.Credential{Code: "A1"}); err != nil || got.Source != "a" {
		t.Errorf("Verify anywhere = %+v, %v, want the first source of all", got, err)
	}
}

// Whoever runs the zoo's ticket shop must not be able to open the castle.
func TestChooserSourceOpensItsOwnAttractionsOnly(t *testing.T) {
	shop := good("castle", "zoo", "moon")
	ch := chooser(t, []ticket.Source{{ID: "zoo-shop", Verifier: shop}, {ID: "castle-shop", Verifier: denies(gate.ReasonUnknown)}},
		map[string][]string{"zoo": {"zoo-shop"}, "castle": {"castle-shop"}})
	got, err := ch.Verify(t.Context(), gate.Credential{Code: "A1"})
	if want := []gate.Product{{Attraction: "zoo"}}; err != nil || !slices.Equal(got.Buys, want) {
		t.Errorf("Verify = %+v, %v, want to buy %v only", got, err, want)
	}
	if len(shop.ticket.Buys) != 3 || shop.ticket.Source != "" {
		t.Errorf("the source's own ticket was changed to %+v", shop.ticket)
	}
	_, err = ch.Verify(t.Context(), gate.Credential{Code: "A1", Attraction: "castle"})
	wantDenial(t, err, gate.ReasonUnknown)
	if shop.asked != 1 {
		t.Error("the zoo's shop was asked about a ticket shown at the castle")
	}
	_, err = ch.Verify(t.Context(), gate.Credential{Code: "A1", Attraction: "moon"})
	wantDenial(t, err, gate.ReasonUnknown)
}

func TestChooserIsSafeForConcurrentUse(t *testing.T) {
	shared := &gate.Ticket{Kind: "code", Normal: "A1", Buys: []gate.Product{{Attraction: "castle"}, {Attraction: "zoo"}}}
	ch := chooser(t, []ticket.Source{{ID: "shop", Match: regexp.MustCompile("A.*"), Verifier: always{shared}}}, map[string][]string{"zoo": {"shop"}})
	var done sync.WaitGroup
	for range 16 {
		done.Go(func() {
			got, err := ch.Verify(t.Context(), gate.Credential{Code: "A1"})
			if err != nil || !reflect.DeepEqual(got.Buys, []gate.Product{{Attraction: "zoo"}}) {
				t.Errorf("Verify = %+v, %v", got, err)
			}
		})
	}
	done.Wait()
}

type always struct{ ticket *gate.Ticket }

func (a always) Verify(context.Context, gate.Credential) (*gate.Ticket, error) { return a.ticket, nil }

func TestNewChooserErrors(t *testing.T) {
	_, err := ticket.NewChooser([]ticket.Source{{ID: "shop"}}, []*gate.Attraction{{ID: "zoo", Sources: []string{"shop", "shoop"}}})
	if want := `attraction "zoo": no ticket source "shoop"`; err == nil || err.Error() != want {
		t.Errorf("NewChooser = %v, want %s", err, want)
	}
	// A pattern at the limit of what regexp takes has no room for the anchors.
	deep := regexp.MustCompile(strings.Repeat("(", 998) + "a+" + strings.Repeat(")", 998))
	if _, err := ticket.NewChooser([]ticket.Source{{ID: "shop", Match: deep}}, nil); err == nil || !strings.HasPrefix(err.Error(), `ticket source "shop": `) {
		t.Errorf("NewChooser = %v, want an error that names the source", err)
	}
}
