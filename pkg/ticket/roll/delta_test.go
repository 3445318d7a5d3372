package roll_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// listed returns which of the codes are on a list, and where the list is.
func listed(t *testing.T, v gate.Verifier, codes ...string) string {
	t.Helper()
	var on []string
	for _, code := range codes {
		ticket, err := v.Verify(t.Context(), credential(code))
		var denial *gate.Denial
		switch {
		case err == nil:
			on = append(on, code+"@"+ticket.Buys[0].Attraction)
		case !errors.As(err, &denial):
			on = append(on, code+"?")
		}
	}
	return strings.Join(on, " ")
}

func TestApply(t *testing.T) {
	const full = "#full,41,2\ncode,attraction\nA1,castle\nB2,castle\n"
	tests := []struct {
		name, file, delta string
		on                string // afterwards
		sequence          uint64
		want              string // the error
	}{
		{"added, changed, removed", "d.csv", "#delta,41,42\ncode,attraction,change\nC3,zoo,put\nB2,zoo,put\nA1,,remove\n", "B2@zoo C3@zoo", 42, ""},
		{"JSON", "d.jsonl", `{"delta":[41,42],"rows":2}` + "\n" + `{"code":"C3","attraction":["zoo"],"change":"put"}` + "\n" + `{"code":"A1","change":"remove"}`, "B2@castle C3@zoo", 42, ""},
		{"from before", "d.csv", "#delta,30,43\ncode,attraction,change\nA1,,remove\n", "B2@castle", 43, ""},
		{"known already", "d.csv", "#delta,40,41\ncode,attraction,change\nA1,,remove\n", "A1@castle B2@castle", 41, ""},
		{"removed what is not there", "d.csv", "#delta,41,42\ncode,attraction,change\nX9,,remove\n", "A1@castle B2@castle", 42, ""},
		{"no changes", "d.csv", "#delta,41,42,0\ncode,attraction,change\n", "A1@castle B2@castle", 42, ""},
		{"filled up by a spreadsheet", "\ufeffd.csv", "\ufeff#delta,41,42,,\ncode,attraction,change\nA1,,remove\n", "B2@castle", 42, ""},

		{"gap", "d.csv", "#delta,42,43\ncode,attraction,change\nA1,,remove\n", "", 0, "changes are missing before these: they begin at 42, the list is at 41"},
		{"cut off", "d.csv", "#delta,41,42,2\ncode,attraction,change\nA1,,remove\n", "", 0, "d.csv:1: 1 rows, but the first line says 2"},
		{"no head", "d.csv", "code,attraction,change\nA1,,remove\n", "", 0, "d.csv:1: no delta, want a first line like #delta,41,42"},
		{"a full list", "d.csv", full, "", 0, "d.csv:1: no delta, want a first line like #delta,41,42"},
		{"backwards", "d.csv", "#delta,42,42\ncode,attraction,change\n", "", 0, "d.csv:1: a delta from 42 to 42, want one that leads forward"},
		{"no numbers", "d.csv", "#delta,CANARY,42\ncode,attraction,change\n", "", 0, "d.csv:1: want a first line like #full,41 or #delta,41,42, with the number of rows behind it or not"},
		{"below zero", "d.csv", "#delta,-1,42\ncode,attraction,change\n", "", 0, "d.csv:1: want a first line like #full,41 or #delta,41,42, with the number of rows behind it or not"},
		{"JSON, one number", "d.jsonl", `{"delta":[41]}`, "", 0, "d.jsonl:1: want a first line like #full,41 or #delta,41,42, with the number of rows behind it or not"},
		{"no change", "d.csv", "#delta,41,42\ncode,attraction\nA1,castle\n", "", 0, `d.csv:3: change: "", want put or remove`},
		{"other change", "d.csv", "#delta,41,42\ncode,attraction,change\nA1,castle,delete\n", "", 0, `d.csv:3: change: "delete", want put or remove`},
		{"put and removed", "d.csv", "#delta,41,42\ncode,attraction,change\nA1,castle,put\na-1,,remove\n", "", 0, "d.csv:4: code: stands on the list already"},
		{"removed twice", "d.csv", "#delta,41,42\ncode,attraction,change\nA1,,remove\na-1,,remove\n", "", 0, "d.csv:4: code: stands on the list already"},
		{"removed nothing", "d.csv", "#delta,41,42\ncode,attraction,change\n,,remove\n", "", 0, "d.csv:3: code: missing"},
		{"put nowhere", "d.csv", "#delta,41,42\ncode,attraction,change\nA1,,put\n", "", 0, "d.csv:3: attraction: missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := parse(t, "t.csv", full)
			got, err := r.Apply(tt.file, []byte(tt.delta), roll.Options{})
			if tt.want != "" {
				if got != nil || err == nil || err.Error() != tt.want {
					t.Errorf("Apply = %v, %v, want %s", got, err, tt.want)
				}
				if errors.Is(err, roll.ErrGap) != (tt.name == "gap") {
					t.Errorf("Apply = %v, a gap or not", err)
				}
			} else if err != nil {
				t.Fatalf("Apply = %v", err)
			} else if n, ok := got.Sequence(); listed(t, got, "A1", "B2", "C3") != tt.on || n != tt.sequence || !ok {
				t.Errorf("Apply leaves %s at %d, want %s at %d", listed(t, got, "A1", "B2", "C3"), n, tt.on, tt.sequence)
			}
			if was := listed(t, r, "A1", "B2", "C3"); was != "A1@castle B2@castle" {
				t.Errorf("Apply made the roll before it %s", was)
			}
		})
	}
}

func TestHeads(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"no head", "t.csv", "code,attraction\nA1,castle\n", ""},
		{"head", "t.csv", "#full,7\r\ncode,attraction\r\nA1,castle\r\n", ""},
		{"JSON head", "t.jsonl", `{"full":7,"rows":1}` + "\n" + `{"code":"A1","attraction":["castle"]}`, ""},
		{"cut off", "t.csv", "#full,7,2\ncode,attraction\nA1,castle\n", "t.csv:1: 1 rows, but the first line says 2"},
		{"JSON cut off", "t.jsonl", `{"full":7,"rows":2}` + "\n" + `{"code":"A1","attraction":["castle"]}`, "t.jsonl:1: 1 rows, but the first line says 2"},
		{"delta", "t.csv", "#delta,7,8\ncode,attraction,change\nA1,castle,put\n", "t.csv:1: a delta, want a full list"},
		{"change in a full list", "t.csv", "code,attraction,change\nA1,castle,put\n", "t.csv:2: change: only a delta has changes"},
		{"the lines keep their numbers", "t.csv", "#full,7\ncode,attraction\n,castle\n", "t.csv:3: code: missing"},
		{"a head of its own", "t.csv", "#tickets of July\ncode,attraction\n", "t.csv:1: want a first line like #full,41 or #delta,41,42, with the number of rows behind it or not"},
	}
	for _, tt := range tests {
		r, err := roll.Parse(tt.file, []byte(tt.text), roll.Options{})
		if tt.want != "" && (err == nil || err.Error() != tt.want) || tt.want == "" && (err != nil || listed(t, r, "A1") != "A1@castle") {
			t.Errorf("Parse of %s = %v, %v, want %q", tt.name, r, err, tt.want)
		}
		if tt.want != "" {
			continue
		}
		if codes, problems, err := stream(tt.file, strings.NewReader(tt.text)); strings.Join(codes, "") != "A1" || len(problems) > 0 || err != nil {
			t.Errorf("Each of %s = %q, %q, %v, want A1", tt.name, codes, problems, err)
		}
	}
	if _, _, err := stream("t.csv", strings.NewReader("#delta,7,8\ncode,attraction,change\nA1,castle,put\n")); !errors.Is(err, roll.ErrHeader) {
		t.Errorf("Each of a delta = %v, want ErrHeader", err)
	}
}

// The changes beside a file are read with it, whichever of the two is written.
func TestFileDelta(t *testing.T) {
	dir := t.TempDir()
	full, delta := filepath.Join(dir, "full.csv"), filepath.Join(dir, "delta.csv")
	write := func(file, text string, at int) {
		t.Helper()
		when := time.Date(2026, 7, 1, 12, at, 0, 0, time.UTC)
		if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.Chtimes(file, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		write(full, "#full,1\ncode,attraction\nA1,castle\nB2,castle\n", 1)
		var log journal
		f := open(t, full, roll.Options{Delta: delta, Log: logger(&log)})
		defer closed(t, f)
		steps := []struct{ file, text, on, log string }{
			{delta, "#delta,1,2\ncode,attraction,change\nC3,castle,put\nA1,,remove\n", "B2@castle C3@castle", "read again"},
			{delta, "#delta,1,3\ncode,attraction,change\nC3,zoo,put\nA1,,remove\n", "B2@castle C3@zoo", "read again"},
			{delta, "#delta,7,8\ncode,attraction,change\nB2,,remove\n", "B2@castle C3@zoo", "changes are missing before these"},
			{full, "#full,7\ncode,attraction\nA1,castle\nB2,castle\n", "A1@castle", "read again"},
			{delta, "", "A1@castle B2@castle", "read again"},
		}
		for i, step := range steps {
			if step.text == "" {
				if err := os.Remove(step.file); err != nil {
					t.Fatal(err)
				}
			} else {
				write(step.file, step.text, i+2)
			}
			time.Sleep(3 * roll.DefaultPoll)
			synctest.Wait()
			if on := listed(t, f, "A1", "B2", "C3"); on != step.on {
				t.Errorf("step %d: %s, want %s", i, on, step.on)
			}
			if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], step.log) {
				t.Errorf("step %d: logged %q, want one line with %q", i, lines, step.log)
			}
		}
	})
}
