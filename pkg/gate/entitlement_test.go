package gate_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// places are a castle with two packages and a zoo without any.
func places() []*gate.Attraction {
	return []*gate.Attraction{
		{ID: "castle", Prefix: "castle", Packages: []gate.Package{{ID: "audio"}, {ID: "premium"}}},
		{ID: "zoo", Prefix: "spain/zoo"},
	}
}

func TestEntitle(t *testing.T) {
	const day = 24 * time.Hour
	castle, zoo := gate.Product{Attraction: "castle"}, gate.Product{Attraction: "zoo"}
	audio, premium := gate.Product{Attraction: "castle", Package: "audio"}, gate.Product{Attraction: "castle", Package: "premium"}
	open := func(attraction, pkg string, until time.Time) gate.Entitlement {
		return gate.Entitlement{Attraction: attraction, Package: pkg, Until: until}
	}
	tests := []struct {
		name   string
		ticket gate.Ticket
		where  string
		want   []gate.Entitlement
		reason gate.Reason // instead of want
	}{
		{name: "one package", ticket: gate.Ticket{Buys: []gate.Product{audio}},
			want: []gate.Entitlement{open("castle", "audio", noon.Add(day))}},
		{name: "every package", ticket: gate.Ticket{Buys: []gate.Product{castle}},
			want: []gate.Entitlement{open("castle", "audio", noon.Add(day)), open("castle", "premium", noon.Add(day))}},
		{name: "every package and one of them again", ticket: gate.Ticket{Buys: []gate.Product{premium, castle, audio}},
			want: []gate.Entitlement{open("castle", "premium", noon.Add(day)), open("castle", "audio", noon.Add(day))}},
		{name: "attraction without packages", ticket: gate.Ticket{Buys: []gate.Product{zoo}},
			want: []gate.Entitlement{open("zoo", "", noon.Add(day))}},
		{name: "a package of an attraction without packages buys it whole", ticket: gate.Ticket{Buys: []gate.Product{{Attraction: "zoo", Package: "audio"}}},
			want: []gate.Entitlement{open("zoo", "", noon.Add(day))}},
		{name: "two attractions", ticket: gate.Ticket{Buys: []gate.Product{zoo, audio}},
			want: []gate.Entitlement{open("zoo", "", noon.Add(day)), open("castle", "audio", noon.Add(day))}},
		{name: "two attractions, shown at one", ticket: gate.Ticket{Buys: []gate.Product{zoo, audio}}, where: "castle",
			want: []gate.Entitlement{open("castle", "audio", noon.Add(day))}},
		{name: "ends before the longest visit", ticket: gate.Ticket{Buys: []gate.Product{zoo}, ValidUntil: noon.Add(time.Hour)},
			want: []gate.Entitlement{open("zoo", "", noon.Add(time.Hour))}},
		{name: "ends after the longest visit", ticket: gate.Ticket{Buys: []gate.Product{zoo}, ValidUntil: noon.Add(2 * day)},
			want: []gate.Entitlement{open("zoo", "", noon.Add(day))}},
		{name: "begins this instant", ticket: gate.Ticket{Buys: []gate.Product{zoo}, ValidFrom: noon},
			want: []gate.Entitlement{{Attraction: "zoo", From: noon, Until: noon.Add(day)}}},
		{name: "last instant", ticket: gate.Ticket{Buys: []gate.Product{zoo}, ValidUntil: noon.Add(1)},
			want: []gate.Entitlement{open("zoo", "", noon.Add(1))}},
		{name: "unknown things beside a known one", ticket: gate.Ticket{Buys: []gate.Product{{Attraction: "moon"}, {Attraction: "castle", Package: "gold"}, zoo}},
			want: []gate.Entitlement{open("zoo", "", noon.Add(day))}},

		{name: "ended this instant", ticket: gate.Ticket{Buys: []gate.Product{zoo}, ValidUntil: noon}, reason: gate.ReasonExpired},
		{name: "begins next instant", ticket: gate.Ticket{Buys: []gate.Product{zoo}, ValidFrom: noon.Add(1)}, reason: gate.ReasonNotYetValid},
		{name: "over, and elsewhere too", ticket: gate.Ticket{Buys: []gate.Product{zoo}, ValidUntil: noon}, where: "castle", reason: gate.ReasonExpired},
		{name: "for another place", ticket: gate.Ticket{Buys: []gate.Product{zoo}}, where: "castle", reason: gate.ReasonWrongAttraction},
		{name: "nothing at all", ticket: gate.Ticket{}, reason: gate.ReasonNotIncluded},
		{name: "nothing at all, shown somewhere", ticket: gate.Ticket{}, where: "castle", reason: gate.ReasonNotIncluded},
		{name: "a package that is not there", ticket: gate.Ticket{Buys: []gate.Product{{Attraction: "castle", Package: "gold"}}}, reason: gate.ReasonNotIncluded},
		{name: "a package that is not there, shown there", ticket: gate.Ticket{Buys: []gate.Product{{Attraction: "castle", Package: "gold"}}}, where: "castle", reason: gate.ReasonNotIncluded},
		{name: "an attraction that is not there", ticket: gate.Ticket{Buys: []gate.Product{{Attraction: "moon"}}}, reason: gate.ReasonNotIncluded},
	}
	rules := &gate.Rules{Attractions: places()}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, proven := range []bool{false, true} {
				tt.ticket.Proven = proven
				got, err := rules.Entitle(&tt.ticket, tt.where, noon)
				if tt.reason == "" {
					if err != nil || !reflect.DeepEqual(got, tt.want) {
						t.Errorf("Entitle = %v, %v, want %v", got, err, tt.want)
					}
					continue
				}
				var denial *gate.Denial
				if !errors.As(err, &denial) || denial.Reason != tt.reason || denial.Proven != proven || got != nil {
					t.Errorf("Entitle = %v, %v, want a denial %q, proven %v", got, err, tt.reason, proven)
				}
			}
		})
	}
}

func TestEntitleLongest(t *testing.T) {
	ticket := &gate.Ticket{Buys: []gate.Product{{Attraction: "zoo"}}}
	for _, tt := range []struct{ longest, want time.Duration }{
		{0, gate.DefaultLongest}, {-time.Hour, gate.DefaultLongest}, {time.Minute, time.Minute}, {100 * time.Hour, 100 * time.Hour},
	} {
		rules := &gate.Rules{Attractions: places(), Longest: tt.longest}
		got, err := rules.Entitle(ticket, "", noon)
		if err != nil || len(got) != 1 || !got[0].Until.Equal(noon.Add(tt.want)) {
			t.Errorf("Longest %v: Entitle = %v, %v, want until noon + %v", tt.longest, got, err, tt.want)
		}
	}
}

func TestEntitleSaysWhen(t *testing.T) {
	rules := &gate.Rules{Attractions: places()}
	_, err := rules.Entitle(&gate.Ticket{ValidUntil: noon.Add(-250 * time.Second)}, "", noon)
	if want := "denied: expired: valid until 2026-07-01T11:55:50Z, 4m10s ago"; err == nil || err.Error() != want {
		t.Errorf("Entitle = %v, want %s", err, want)
	}
	_, err = rules.Entitle(&gate.Ticket{ValidFrom: noon.Add(time.Hour)}, "", noon)
	if want := "denied: not_yet_valid: valid from 2026-07-01T13:00:00Z, in 1h0m0s"; err == nil || err.Error() != want {
		t.Errorf("Entitle = %v, want %s", err, want)
	}
}

func TestMerge(t *testing.T) {
	until := func(attraction, pkg string, hours int) gate.Entitlement {
		return gate.Entitlement{Attraction: attraction, Package: pkg, Until: noon.Add(time.Duration(hours) * time.Hour)}
	}
	zoo, audio, premium := until("zoo", "", 1), until("castle", "audio", 1), until("castle", "premium", 1)
	tests := []struct {
		name             string
		have, next, want []gate.Entitlement
	}{
		{name: "nothing"},
		{"the first", nil, []gate.Entitlement{zoo, premium, audio}, []gate.Entitlement{audio, premium, zoo}},
		{"nothing new", []gate.Entitlement{audio, zoo}, nil, []gate.Entitlement{audio, zoo}},
		{"another place", []gate.Entitlement{zoo}, []gate.Entitlement{audio}, []gate.Entitlement{audio, zoo}},
		{"another package", []gate.Entitlement{premium}, []gate.Entitlement{audio}, []gate.Entitlement{audio, premium}},
		{"a package again, shorter", []gate.Entitlement{until("castle", "audio", 9), zoo}, []gate.Entitlement{audio}, []gate.Entitlement{audio, zoo}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have, next := slices.Clone(tt.have), slices.Clone(tt.next)
			got := gate.Merge(tt.have, tt.next)
			if !slices.Equal(got, tt.want) {
				t.Errorf("Merge(%+v, %+v) = %+v, want %+v", tt.have, tt.next, got, tt.want)
			}
			if !slices.Equal(tt.have, have) || !slices.Equal(tt.next, next) {
				t.Errorf("Merge has changed what it was given to %+v and %+v", tt.have, tt.next)
			}
		})
	}
	local := zoo
	local.Until = local.Until.In(time.FixedZone("CEST", 2*60*60))
	if got := gate.Merge(nil, []gate.Entitlement{local}); got[0].Until.Location() != time.UTC || !got[0].From.IsZero() {
		t.Errorf("Merge = %+v, want times in UTC and a zero time left alone", got)
	}
}
