package ticket_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

func TestNormalise(t *testing.T) {
	tests := []struct {
		name, code string
		want       string // empty means malformed
	}{
		{"as it is", "ABC123", "ABC123"},
		{"lower case", "abc123", "ABC123"},
		{"groups", "ABC-123", "ABC123"},
		{"spaces and tabs", " a b\tc 123 ", "ABC123"},
		{"hyphens outside", "--ABC-123-", "ABC123"},
		{"one character", "7", "7"},
		{"punctuation of sellers", "a.b_c:d/e+f=", "A.B_C:D/E+F="},
		{"confusables stay apart", "O0I1l", "O0I1L"},
		{"128 characters", strings.Repeat("a", 128), strings.Repeat("A", 128)},
		{"128 characters in groups", strings.Repeat("aa-", 64), strings.Repeat("A", 128)},
		{"leading zeros", "000", "000"},

		{"empty", "", ""},
		{"spaces", "   ", ""},
		{"hyphens", "---", ""},
		{"129 characters", strings.Repeat("a", 129), ""},
		{"513 bytes, mostly spaces", "a" + strings.Repeat(" ", 512), ""},
		{"a megabyte", strings.Repeat("a", 1<<20), ""},
		{"full-width digits", "１２３４", ""},
		{"accent", "É123", ""},
		{"dotless i", "ı23", ""}, // would be I in upper case
		{"long s", "ſ23", ""},    // would be S
		{"Kelvin sign", "\u212a23", ""},
		{"NUL", "A\x00B", ""},
		{"replacement character", "A\uFFFDB", ""},
		{"invalid UTF-8", "A\xffB", ""},
		{"emoji", "A🎫", ""},
		{"right-to-left mark", "A\u200fB", ""},
		{"zero-width space", "A\u200bB", ""},
		{"no-break space", "A\u00a0B", ""},
		{"byte order mark", "\ufeffABC", ""},
		{"en dash", "ABC–123", ""},
		{"minus sign", "ABC−123", ""},
		{"new line", "ABC\n123", ""},
		{"wildcard", "ABC*", ""},
		{"quote", `ABC"`, ""},
		{"apostrophe", "' OR 1", ""},
		{"percent", "A%20B", ""},
		{"backslash", `A\B`, ""},
		{"semicolon", "A;B", ""},
		{"comma", "A,B", ""},
		{"angle", "<script>", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ticket.Normalise(gate.Secret(tt.code))
			if tt.want != "" {
				if err != nil || got.Reveal() != tt.want {
					t.Errorf("Normalise(%q) = %q, %v, want %q", tt.code, got.Reveal(), err, tt.want)
				}
				return
			}
			var denial *gate.Denial
			if !errors.As(err, &denial) || denial.Reason != gate.ReasonMalformed || denial.Proven || got != "" {
				t.Errorf("Normalise(%q) = %q, %v, want a denial malformed", tt.code, got.Reveal(), err)
			}
		})
	}
}

func TestNormaliseDoesNotShowTheCode(t *testing.T) {
	for _, code := range []string{"CANARY4711!", "!CANARY4711", strings.Repeat("CANARY4711", 20), strings.Repeat("CANARY4711", 100)} {
		if _, err := ticket.Normalise(gate.Secret(code)); err == nil || strings.Contains(err.Error(), "CANARY") || len(err.Error()) > 100 {
			t.Errorf("Normalise = %v, want a short error without the code", err)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"ABC-123", " a b c ", "", "É", "\xff", "a.b_c:d/e+f=", strings.Repeat("-", 600), "ｆ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		normal, err := ticket.Normalise(gate.Secret(typed))
		if err != nil {
			var denial *gate.Denial
			if !errors.As(err, &denial) || denial.Reason != gate.ReasonMalformed {
				t.Fatalf("Normalise(%q) = %v, want malformed", typed, err)
			}
			return
		}
		if n := len(normal.Reveal()); n == 0 || n > 128 || strings.Trim(normal.Reveal(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/+=") != "" {
			t.Errorf("Normalise(%q) = %q, which is no normal form", typed, normal.Reveal())
		}
		// However the same code is written, its fingerprint is one.
		want := (&gate.Ticket{Normal: normal}).Fingerprint(nil)
		for _, again := range []string{normal.Reveal(), strings.ToLower(typed), strings.ToUpper(typed), " " + typed + "-", strings.ReplaceAll(typed, "-", " ")} {
			other, err := ticket.Normalise(gate.Secret(again))
			if len(again) > 512 {
				continue
			}
			if err != nil || (&gate.Ticket{Normal: other}).Fingerprint(nil) != want {
				t.Errorf("Normalise(%q) = %q, but Normalise(%q) = %q, %v", typed, normal.Reveal(), again, other.Reveal(), err)
			}
		}
	})
}

func TestProven(t *testing.T) {
	tests := []struct {
		code string
		want bool
	}{
		{"", false},
		{strings.Repeat("7", 19), false},
		{strings.Repeat("7", 20), true},
		{"ABCDEFGHJKLM", false},
		{"ABCDEFGHJKLMN", true},
		{"A" + strings.Repeat("7", 11), false},
		{"A" + strings.Repeat("7", 12), true},
		{strings.Repeat("7", 12) + "A", true},
		{strings.Repeat("A", 128), true},
		{strings.Repeat(":", 128), false},
		{"A" + strings.Repeat("=", 127), false},
		{"HTTPS://" + strings.Repeat("7", 7), false},
		{"TICKET:" + strings.Repeat("7", 6), false},
		{"TICKET:" + strings.Repeat("7", 7), true},
		{strings.Repeat("7", 19) + "/", false}, // punctuation makes no letters of digits
		{strings.Repeat("7", 20) + "/", true},
	}
	for _, tt := range tests {
		if got := ticket.Proven(gate.Secret(tt.code)); got != tt.want {
			t.Errorf("Proven(%q) = %v, want %v", tt.code, got, tt.want)
		}
	}
}
