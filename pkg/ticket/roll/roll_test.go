package roll_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

func parse(t *testing.T, name, text string) *roll.Roll {
	t.Helper()
	r, err := roll.Parse(name, []byte(text), roll.Options{})
	if err != nil {
		t.Fatalf("Parse(%s) = %v", name, err)
	}
	return r
}

func credential(code string) gate.Credential { return gate.Credential{Code: gate.Secret(code)} }

func TestVerifier(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		r := parse(t, "tickets.csv", strings.Join([]string{
			"code,attraction,packages,seats,valid_from,valid_until,note",
			"WEAK-4711,castle,audio,2,,,front desk",
			"K7QM-2XWD-9FTR-HB4N,castle;zoo,castle/audio;castle/premium;tour,,2026-07-01T00:00:00+02:00,2026-07-02T00:00:00+02:00,",
			"01234567890123456789,zoo,,,,,",
		}, "\n"))
		return tickettest.Fixture{
			Verifier: r,
			Good: []tickettest.Good{
				{
					Spellings: []gate.Credential{credential("WEAK-4711"), credential("weak4711"), credential("  we-ak 47-11\t")},
					Buys:      []gate.Product{{Attraction: "castle", Package: "audio"}},
					Seats:     2,
				},
				{
					Spellings: []gate.Credential{credential("K7QM2XWD9FTRHB4N"), credential("k7qm-2xwd-9ftr-hb4n")},
					Buys: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "castle", Package: "premium"},
						{Attraction: "castle", Package: "tour"}, {Attraction: "zoo", Package: "tour"}},
					Proven: true,
				},
				{
					Spellings: []gate.Credential{credential("01234567890123456789"), credential("01234 56789 01234 56789")},
					Buys:      []gate.Product{{Attraction: "zoo"}},
					Proven:    true,
				},
			},
			Unknown:   []gate.Credential{credential("CANARY4711"), credential("1234567890123456789"), credential("WEAK471"), credential("WEAK47111"), credential("WEAK-4711=")},
			Malformed: []gate.Credential{credential(""), credential("   "), credential("CANARY4711!"), credential(strings.Repeat("CANARY", 100)), credential("WEAK\x004711")},
		}
	})
}

func TestVerifyTimes(t *testing.T) {
	r := parse(t, "tickets.csv", "code,attraction,valid_from,valid_until\nA1,castle,2026-07-01T09:00:00+02:00,2026-07-01T18:00:00+02:00\nB2,castle,,\n")
	got, err := r.Verify(t.Context(), credential("a1"))
	if err != nil || !got.ValidFrom.Equal(time.Date(2026, 7, 1, 7, 0, 0, 0, time.UTC)) || !got.ValidUntil.Equal(time.Date(2026, 7, 1, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("Verify = %+v, %v, want the times of the list", got, err)
	}
	got, err = r.Verify(t.Context(), credential("b2"))
	if err != nil || !got.ValidFrom.IsZero() || !got.ValidUntil.IsZero() || !got.FirstUse.IsZero() || got.Kind != roll.Kind {
		t.Errorf("Verify = %+v, %v, want a ticket without times", got, err)
	}
}

// All of these are the same list.
func TestParseSameList(t *testing.T) {
	const csv = "code,attraction,packages\nA-1,castle,audio\nB-2,castle;zoo,\n"
	tests := []struct{ name, file, text string }{
		{"plain", "t.csv", csv},
		{"no new line at the end", "t.csv", strings.TrimSuffix(csv, "\n")},
		{"CRLF", "t.csv", strings.ReplaceAll(csv, "\n", "\r\n")},
		{"byte order mark", "t.csv", "\ufeff" + csv},
		{"byte order mark and CRLF", "T.CSV", "\ufeff" + strings.ReplaceAll(csv, "\n", "\r\n")},
		{"any other ending", "t.txt", csv},
		{"blank lines", "t.csv", "code,attraction,packages\n\nA-1,castle,audio\n\n\nB-2,castle;zoo,\n\n"},
		{"quotes", "t.csv", "\"code\",\"attraction\",\"packages\"\n\"A-1\",\"castle\",\"audio\"\n\"B-2\",\"castle;zoo\",\"\"\n"},
		{"spaces", "t.csv", "code, attraction , packages\n A-1 , castle , audio \nB-2,castle zoo, \n"},
		{"upper case header", "t.csv", "Code,ATTRACTION,Packages\nA-1,castle,audio\nB-2,castle|zoo,\n"},
		{"other order", "t.csv", "packages,note,attraction,code\naudio,x,castle,A-1\n,\"multi\nline\",castle;zoo,B-2\n"},
		{"JSON", "t.jsonl", `{"code":"A-1","attraction":["castle"],"packages":["audio"]}` + "\n" + `{"code":"B-2","attraction":["castle","zoo"]}`},
		{"JSON, CRLF, BOM, blank lines", "t.NDJSON", "\ufeff" + `{"code":"A-1","attraction":["castle"],"packages":["audio"],"note":"x"}` + "\r\n\r\n  " +
			`{"code":"B-2","attraction":["castle","zoo"],"packages":[]}` + "\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := parse(t, tt.file, tt.text)
			if r.Len() != 2 {
				t.Errorf("Len = %d, want 2", r.Len())
			}
			want := map[string][]gate.Product{
				"a1": {{Attraction: "castle", Package: "audio"}},
				"b2": {{Attraction: "castle"}, {Attraction: "zoo"}},
			}
			for code, buys := range want {
				if got, err := r.Verify(t.Context(), credential(code)); err != nil || !reflect.DeepEqual(got.Buys, buys) {
					t.Errorf("Verify(%q) = %+v, %v, want %v", code, got, err, buys)
				}
			}
		})
	}
}

// A cell that a spreadsheet would run is a code like any other, or no code.
func TestParseFormulaCells(t *testing.T) {
	r := parse(t, "t.csv", "code,attraction,note\n=1+1,castle,\"=HYPERLINK(\"\"https://evil.test\"\")\"\n+4711,castle,@SUM(A1)\n-4712,castle,-1\n")
	for code, want := range map[string]bool{"=1+1": true, "2": false, "+4711": true, "4711": false, "4712": true} {
		if _, err := r.Verify(t.Context(), credential(code)); (err == nil) != want {
			t.Errorf("Verify(%q) = %v, want it on the list: %v", code, err, want)
		}
	}
	for _, cell := range []string{"=HYPERLINK(A1)", "@SUM(A1)", "=cmd|' /C calc'!A0"} {
		_, err := roll.Parse("t.csv", []byte("code,attraction\n"+cell+",castle\n"), roll.Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "t.csv:2: code: denied: malformed: byte ") {
			t.Errorf("Parse of %q = %v, want no code", cell, err)
		}
	}
}

func TestParseProblems(t *testing.T) {
	const known = "code, attraction, packages, seats, valid_from, valid_until, note, day, slot_from, slot_until, days, hours, factor, factor_hash, change"
	header := "want a header like code,attraction,packages,seats,valid_from,valid_until,note,day,slot_from,slot_until,days,hours,factor,factor_hash,change"
	tests := []struct{ name, file, text, want string }{
		{"empty", "t.csv", "", "t.csv:1: " + header},
		{"only a mark", "t.csv", "\ufeff", "t.csv:1: " + header},
		{"no header", "t.csv", "CANARY4711,castle\n", "t.csv:1: no column \"code\", " + header},
		{"semicolons", "t.csv", "code;attraction\nCANARY4711;castle\n", "t.csv:1: no column \"code\", " + header},
		{"broken header", "t.csv", "code,\"attr\n", "t.csv:1: " + header},
		{"misspelled column", "t.csv", "code,attraction,valid_til\n", `t.csv:1: unknown column "valid_til", want ` + known},
		{"empty column", "t.csv", "code,attraction,\n", `t.csv:1: unknown column "", want ` + known},
		{"column twice", "t.csv", "code,attraction,Code\n", `t.csv:1: column "code" comes twice`},
		{"no attraction", "t.csv", "code,packages\n", `t.csv:1: column "attraction" is missing`},

		{"no code", "t.csv", "code,attraction\n,castle\n", "t.csv:2: code: missing"},
		{"no place", "t.csv", "code,attraction\nCANARY4711,\n", "t.csv:2: attraction: missing"},
		{"separators for a place", "t.csv", "code,attraction\nCANARY4711,;;\n", "t.csv:2: attraction: missing"},
		{"separators for a package", "t.csv", "code,attraction,packages\nCANARY4711,castle,;\n", "t.csv:2: packages: only separators, want package ids or nothing"},
		{"fields too few", "t.csv", "code,attraction\nCANARY4711\n", "t.csv:2: wrong number of fields"},
		{"fields too many", "t.csv", "code,attraction\nCANARY4711,castle,zoo\n", "t.csv:2: wrong number of fields"},
		{"quote in the first field", "t.csv", "code,attraction\nCANARY\"4711,castle\n", `t.csv:2: bare " in non-quoted-field`},
		{"formula quote", "t.csv", "code,attraction\n=\"CANARY4711\",castle\n", `t.csv:2: bare " in non-quoted-field`},
		{"text after a quote", "t.csv", "code,attraction\n\"CANARY\"4711,castle\n", `t.csv:2: extraneous or missing " in quoted-field`},
		{"quote that does not end", "t.csv", "code,attraction\nA1,castle\nB2,\"castle\n", `t.csv:3: extraneous or missing " in quoted-field`},
		{"seats in words", "t.csv", "code,attraction,seats\nCANARY4711,castle,two\n", `t.csv:2: seats: "two" is not a whole number`},
		{"seats broken", "t.csv", "code,attraction,seats\nCANARY4711,castle,1.5\n", `t.csv:2: seats: "1.5" is not a whole number`},
		{"seats negative", "t.csv", "code,attraction,seats\nCANARY4711,castle,-1\n", "t.csv:2: seats: -1, want 1 to 1000"},
		{"seats too many", "t.csv", "code,attraction,seats\nCANARY4711,castle,1001\n", "t.csv:2: seats: 1001, want 1 to 1000"},
		{"no time", "t.csv", "code,attraction,valid_until\nCANARY4711,castle,tomorrow\n", `t.csv:2: valid_until: "tomorrow" is not an RFC 3339 time like 2026-07-01T18:00:00+02:00`},
		{"no zone", "t.csv", "code,attraction,valid_from\nCANARY4711,castle,2026-07-01T18:00:00\n", `t.csv:2: valid_from: "2026-07-01T18:00:00" is not an RFC 3339 time like 2026-07-01T18:00:00+02:00`},
		{"backwards", "t.csv", "code,attraction,valid_from,valid_until\nCANARY4711,castle,2026-07-02T00:00:00Z,2026-07-01T00:00:00Z\n", "t.csv:2: valid_until: 2026-07-01T00:00:00Z is not after valid_from"},
		{"no time at all", "t.csv", "code,attraction,valid_from,valid_until\nCANARY4711,castle,2026-07-01T00:00:00Z,2026-07-01T00:00:00Z\n", "t.csv:2: valid_until: 2026-07-01T00:00:00Z is not after valid_from"},
		{"malformed code", "t.csv", "code,attraction\nCANARY4711?,castle\n", "t.csv:2: code: denied: malformed: byte 10 is 0x3f"},
		{"only hyphens", "t.csv", "code,attraction\n---,castle\n", "t.csv:2: code: denied: malformed: 0 characters, want 1 to 128"},
		{"twice", "t.csv", "code,attraction\nCANARY4711,castle\ncanary-4711,zoo\n", "t.csv:3: code: stands on the list already"},
		{"package of another place", "t.csv", "code,attraction,packages\nCANARY4711,castle,audio;zoo/tour\n", `t.csv:2: packages: "zoo/tour" is not for an attraction of this ticket`},
		{"package without a name", "t.csv", "code,attraction,packages\nCANARY4711,castle,castle/\n", `t.csv:2: packages: "castle/" names no package`},
		{"place without a package", "t.csv", "code,attraction,packages\nCANARY4711,castle;zoo,castle/audio\n", `t.csv:2: packages: none is for "zoo"`},
		{"no day", "t.csv", "code,attraction,day\nCANARY4711,castle,2026-02-30\n", `t.csv:2: day: "2026-02-30" is not a day like 2026-07-01`},
		{"slot without a beginning", "t.csv", "code,attraction,slot_until\nCANARY4711,castle,2026-07-01T10:00:00Z\n", "t.csv:2: slot_from: missing beside slot_until"},
		{"slot backwards", "t.csv", "code,attraction,slot_from,slot_until\nCANARY4711,castle,2026-07-01T10:00:00Z,2026-07-01T10:00:00Z\n", "t.csv:2: slot_until: 2026-07-01T10:00:00Z is not after slot_from"},
		{"slot that is no time", "t.csv", "code,attraction,slot_from\nCANARY4711,castle,10:00\n", `t.csv:2: slot_from: "10:00" is not an RFC 3339 time like 2026-07-01T18:00:00+02:00`},
		{"days in words", "t.csv", "code,attraction,days\nCANARY4711,castle,three\n", `t.csv:2: days: "three" is not a whole number`},
		{"days negative", "t.csv", "code,attraction,days\nCANARY4711,castle,-1\n", "t.csv:2: days: -1, want 1 to 3660"},
		{"hours for ever", "t.csv", "code,attraction,hours\nCANARY4711,castle,87841\n", "t.csv:2: hours: 87841, want 1 to 87840"},
		{"several", "t.csv", "code,attraction\n,castle\nA1,castle\nB2,\n", "t.csv:2: code: missing\nt.csv:4: attraction: missing"},
		{"in a folder", "/data/lists/t.csv", "code,attraction\n,castle\n", "t.csv:2: code: missing"},

		{"JSON list", "t.jsonl", `["CANARY4711"]`, "t.jsonl:1: not a JSON object"},
		{"JSON text", "t.jsonl", `"CANARY4711"`, "t.jsonl:1: not a JSON object"},
		{"no JSON", "t.jsonl", "{}\nCANARY4711,castle", "t.jsonl:1: code: missing\nt.jsonl:2: not a JSON object"},
		{"JSON null", "t.jsonl", `null`, "t.jsonl:1: code: missing"},
		{"JSON cut off", "t.jsonl", `{"code":"CANARY4711"`, "t.jsonl:1: not a JSON object"},
		{"JSON unknown member", "t.jsonl", `{"code":"CANARY4711","CANARY4712":1}`, "t.jsonl:1: a member is none of " + known},
		{"JSON text for a list", "t.jsonl", `{"code":"CANARY4711","attraction":"castle"}`, "t.jsonl:1: attraction: found a JSON string, want a list of texts"},
		{"JSON number in a list", "t.jsonl", `{"code":"CANARY4711","packages":[1]}`, "t.jsonl:1: packages: found a JSON number, want a list of texts"},
		{"JSON text for a number", "t.jsonl", `{"code":"CANARY4711","seats":"2"}`, "t.jsonl:1: seats: found a JSON string, want a whole number"},
		{"JSON broken number", "t.jsonl", `{"code":"CANARY4711","seats":2.5}`, "t.jsonl:1: seats: found a JSON number, want a whole number"},
		{"JSON number for a code", "t.jsonl", `{"code":4711}`, "t.jsonl:1: code: found a JSON number, want a text"},
		{"JSON no time", "t.jsonl", `{"code":"CANARY4711","valid_until":"tomorrow"}`, "t.jsonl:1: a time is not RFC 3339, like 2026-07-01T18:00:00+02:00"},
		{"JSON number for a time", "t.jsonl", `{"code":"CANARY4711","valid_until":1782900000}`, "t.jsonl:1: a time is not RFC 3339, like 2026-07-01T18:00:00+02:00"},
		{"JSON text for days", "t.jsonl", `{"code":"CANARY4711","days":"3"}`, "t.jsonl:1: days: found a JSON string, want a whole number"},
		{"JSON no day", "t.jsonl", `{"code":"CANARY4711","attraction":["castle"],"day":"today"}`, `t.jsonl:1: day: "today" is not a day like 2026-07-01`},
		{"JSON two a line", "t.jsonl", `{"code":"CANARY4711","attraction":["castle"]}{}`, "t.jsonl:1: something follows the ticket, want one a line"},
		{"JSON empty package", "t.jsonl", `{"code":"CANARY4711","attraction":["castle"],"packages":[""]}`, `t.jsonl:1: packages: "" names no package`},
		{"JSON long line", "t.jsonl", `{"note":"` + strings.Repeat("x", 64<<10) + `"}`, "t.jsonl:1: 65547 bytes, at most 65536"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := roll.Parse(tt.file, []byte(tt.text), roll.Options{})
			var problems *roll.Error
			if r != nil || !errors.As(err, &problems) {
				t.Fatalf("Parse = %v, %v, want no roll and a *roll.Error", r, err)
			}
			if err.Error() != tt.want {
				t.Errorf("Parse says\n%v\nwant\n%s", err, tt.want)
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("Parse = %v, which shows a code", err)
			}
		})
	}
}

func TestParseListsTwentyProblems(t *testing.T) {
	_, err := roll.Parse("t.csv", []byte("code,attraction\n"+strings.Repeat(",castle\n", 25)), roll.Options{})
	var problems *roll.Error
	if !errors.As(err, &problems) || len(problems.Problems) != 20 || problems.More != 5 || !strings.HasSuffix(err.Error(), "t.csv:21: code: missing\nand 5 more") {
		t.Errorf("Parse = %v, want 20 problems and 5 more", err)
	}
}

func TestParseChecksProducts(t *testing.T) {
	opts := roll.Options{Check: func(p gate.Product) error {
		if p.Attraction == "castle" && (p.Package == "" || p.Package == "audio") {
			return nil
		}
		return fmt.Errorf("attraction %q has no package %q", p.Attraction, p.Package)
	}}
	if _, err := roll.Parse("t.csv", []byte("code,attraction,packages\nA1,castle,\nB2,castle,audio\n"), opts); err != nil {
		t.Errorf("Parse = %v, want nil", err)
	}
	_, err := roll.Parse("t.csv", []byte("code,attraction,packages\nA1,castle,audio;gold\nB2,zoo,\n"), opts)
	if want := "t.csv:2: attraction \"castle\" has no package \"gold\"\nt.csv:3: attraction \"zoo\" has no package \"\""; err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tickets.jsonl")
	if err := os.WriteFile(file, []byte(`{"code":"A1","attraction":["castle"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := roll.Load(file, roll.Options{}); err != nil || r.Len() != 1 {
		t.Errorf("Load = %v, %v, want one ticket", r, err)
	}
	if r, err := roll.Load(filepath.Join(dir, "missing.csv"), roll.Options{}); r != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load of nothing = %v, %v, want os.ErrNotExist", r, err)
	}
	if r, err := roll.Load(dir, roll.Options{}); r != nil || err == nil {
		t.Errorf("Load of a folder = %v, %v, want an error", r, err)
	}
	huge := filepath.Join(dir, "huge.csv")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 256<<20+1); err != nil { // sparse
		t.Fatal(err)
	}
	if r, err := roll.Load(huge, roll.Options{}); r != nil || err == nil || !strings.HasSuffix(err.Error(), "at most 268435456 fit into memory") {
		t.Errorf("Load of a huge file = %v, %v, want a refusal", r, err)
	}
}

// A list that is printed by mistake shows no code.
func TestRollDoesNotPrintCodes(t *testing.T) {
	r := parse(t, "t.csv", "code,attraction\nCANARY4711,castle\n")
	if said := fmt.Sprintf("%v %+v %#v", r, r, *r); strings.Contains(strings.ToUpper(said), "CANARY") || strings.Contains(said, "43414e415259") {
		t.Errorf("a print of the roll shows a code: %s", said)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"code,attraction\nA1,castle\n",
		"code,attraction,packages,seats,valid_from,valid_until,note\nA1,castle;zoo,zoo/a;b,2,,2026-07-01T18:00:00Z,=1+1\n",
		"code,attraction\nA\"1,castle\n",
		"code,attraction\n\"A\"1,castle\n",
		"code,attraction\n\n\n\"A1\n",
		"\ufeffcode,attraction\r\nA1,castle\r\n",
		`{"code":"A1","attraction":["castle"],"packages":["audio"],"seats":2,"valid_until":"2026-07-01T18:00:00Z"}`,
		"code,attraction,day,slot_from,slot_until,days,hours\nA1,castle,2026-07-01,2026-07-01T18:00:00Z,2026-07-01T19:00:00Z,3,72\n",
		`{"code":"A1","attraction":["castle"],"day":"2026-07-01","slot_from":"2026-07-01T18:00:00Z","days":3,"hours":72}`,
		"{\"code\":1}\n[]\nnull\n{\"code\":\"\\ud800\"}",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		name := "t.csv"
		if isJSON {
			name = "t.jsonl"
		}
		r, err := roll.Parse(name, []byte(text), roll.Options{})
		var problems *roll.Error
		switch {
		case err == nil && r == nil, err != nil && r != nil:
			t.Fatalf("Parse(%q) = %v, %v, want one of them", text, r, err)
		case err != nil && (!errors.As(err, &problems) || len(problems.Problems) == 0 || len(problems.Problems) > 20):
			t.Fatalf("Parse(%q) = %v, want 1 to 20 problems", text, err)
		}
		// A code that is added to the list is found, or refused without being shown.
		const canary = "CANARYCANARY4711"
		line := "\n" + canary + ",castle\n"
		if isJSON {
			line = "\n" + `{"code":"` + canary + `","attraction":["castle"]}` + "\n"
		}
		if r, err = roll.Parse(name, []byte(text+line), roll.Options{}); err != nil {
			if strings.Contains(strings.ToUpper(err.Error()), canary) {
				t.Errorf("Parse(%q) = %v, which shows the code", text+line, err)
			}
		} else if isJSON && strings.HasPrefix(text, "{") {
			if _, err := r.Verify(t.Context(), gate.Credential{Code: canary}); err != nil {
				t.Errorf("Parse(%q), Verify = %v, want the last ticket", text+line, err)
			}
		}
	})
}
