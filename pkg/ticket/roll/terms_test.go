package roll_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

func TestTerms(t *testing.T) {
	ten := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	first := gate.Date{Year: 2026, Month: time.July, Day: 1}
	list := gate.Validity{Days: 3, Span: 72 * time.Hour, Day: first.AddDays(1), OneDay: true, EarlyAccess: time.Hour}
	with := func(change func(*gate.Validity)) gate.Validity {
		v := list
		change(&v)
		return v
	}
	tests := []struct {
		name  string
		cells string // day, slot_from, slot_until, days, hours
		json  string
		list  gate.Validity
		want  gate.Validity
	}{
		{"nothing", ",,,,", ``, gate.Validity{}, gate.Validity{}},
		{"nothing, so the list's", ",,,,", ``, list, list},
		{"zero, so the list's", ",,,0,0", `,"days":0,"hours":0`, list, list},
		{"day", "2026-07-01,,,,", `,"day":"2026-07-01"`, gate.Validity{}, gate.Validity{Day: first}},
		{"another day than the list's", "2026-07-01,,,,", `,"day":"2026-07-01"`, list, with(func(v *gate.Validity) { v.Day = first })},
		{"slot", ",2026-07-01T10:00:00Z,2026-07-01T11:00:00Z,,", `,"slot_from":"2026-07-01T10:00:00Z","slot_until":"2026-07-01T11:00:00Z"`,
			gate.Validity{SlotOnly: true}, gate.Validity{SlotOnly: true, Slot: gate.Interval{From: ten, Until: ten.Add(time.Hour)}}},
		{"slot without an end", ",2026-07-01T10:00:00Z,,,", `,"slot_from":"2026-07-01T10:00:00Z"`,
			gate.Validity{}, gate.Validity{Slot: gate.Interval{From: ten}}},
		{"days", ",,,2,", `,"days":2`, list, with(func(v *gate.Validity) { v.Days = 2 })},
		{"hours", ",,,,48", `,"hours":48`, list, with(func(v *gate.Validity) { v.Span = 48 * time.Hour })},
		{"the most", ",,,3660,87840", `,"days":3660,"hours":87840`, gate.Validity{}, gate.Validity{Days: 3660, Span: 87840 * time.Hour}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for file, text := range map[string]string{
				"t.csv":   "code,attraction,day,slot_from,slot_until,days,hours\nA1,castle," + tt.cells + "\n",
				"t.jsonl": fmt.Sprintf(`{"code":"A1","attraction":["castle"]%s}`, tt.json),
			} {
				r, err := roll.Parse(file, []byte(text), roll.Options{Terms: tt.list})
				if err != nil {
					t.Fatalf("Parse(%s) = %v", file, err)
				}
				if got, err := r.Verify(t.Context(), credential("A1")); err != nil || !reflect.DeepEqual(got.Terms, tt.want) {
					t.Errorf("%s: Verify = %+v, %v, want the terms %+v", file, got, err, tt.want)
				}
			}
		})
	}
}

// gate.Window cannot say when such a visit ends.
func TestTermsSlotOnlyWantsSlots(t *testing.T) {
	for _, cells := range []string{",", "2026-07-01T10:00:00Z,"} {
		_, err := roll.Parse("t.csv", []byte("code,attraction,slot_from,slot_until\nA1,castle,"+cells+"\n"), roll.Options{Terms: gate.Validity{SlotOnly: true}})
		if want := "t.csv:2: slot_from, slot_until: missing, a visit of this list ends with its slot"; err == nil || err.Error() != want {
			t.Errorf("Parse(%q) = %v, want %s", cells, err, want)
		}
	}
}

// What a list says is what the gate does: three business days from first use.
func TestTermsAtTheGate(t *testing.T) {
	r, err := roll.Parse("t.csv", []byte("code,attraction,days\nA1,castle,3\n"), roll.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := r.Verify(t.Context(), credential("A1"))
	if err != nil {
		t.Fatal(err)
	}
	rules := &gate.Rules{Attractions: []*gate.Attraction{{ID: "castle", Prefix: "castle"}}}
	ticket.FirstUse = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for day, want := range map[int]string{1: "", 3: "", 4: "expired"} {
		_, err := rules.Entitle(ticket, "castle", time.Date(2026, 7, day, 13, 0, 0, 0, time.UTC))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Entitle on 2026-07-0%d = %v, want %q", day, err, want)
		}
	}
}
