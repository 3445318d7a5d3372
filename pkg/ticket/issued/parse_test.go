package issued_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
	"github.com/handstamp/handstamp/pkg/ticket/issued"
)

// code is one that has the characters which people confuse.
const code = "CE01ZRPN0E7B0QJVWD1CWHJSJFG"

func TestParseSpellings(t *testing.T) {
	grouped := issued.Grouped(code).Reveal()
	full := strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９").Replace(grouped)
	tests := []struct{ name, typed string }{
		{"as it is", code},
		{"in groups", grouped},
		{"lower case", strings.ToLower(grouped)},
		{"spaces and tabs", "\t" + strings.ReplaceAll(grouped, "-", "  ") + " "},
		{"hyphens in other places", "--" + strings.Join(strings.Split(code, ""), "-") + "-"},
		{"O for 0", strings.ReplaceAll(code, "0", "O")},
		{"o for 0", strings.ReplaceAll(code, "0", "o")},
		{"I for 1", strings.ReplaceAll(code, "1", "I")},
		{"i for 1", strings.ReplaceAll(code, "1", "i")},
		{"L for 1", strings.ReplaceAll(code, "1", "L")},
		{"l for 1", strings.ReplaceAll(code, "1", "l")},
		{"full-width digits", full},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := issued.Parse(gate.Secret(tt.typed)); err != nil || got.Reveal() != code {
				t.Errorf("Parse(%q) = %q, %v, want %q", tt.typed, got.Reveal(), err, code)
			}
			if kind, got, err := issued.Normalise(gate.Secret(tt.typed)); err != nil || kind != issued.Kind || got.Reveal() != code {
				t.Errorf("Normalise(%q) = %q, %q, %v, want an issued %q", tt.typed, kind, got.Reveal(), err, code)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, typed, want string }{
		{"nothing", "", "denied: malformed: 0 characters, want 27"},
		{"hyphens", "-----", "denied: malformed: 0 characters, want 27"},
		{"too short", code[:26], "denied: malformed: 26 characters, want 27"},
		{"too long", code + "0", "denied: malformed: 28 characters, want 27"},
		{"a U", "U" + code[1:], "denied: malformed: character 1 is none, want 27 letters and digits without U"},
		{"a u at the end", code[:26] + "u", "denied: malformed: character 27 is none, want 27 letters and digits without U"},
		{"asterisk", code[:26] + "*", "denied: malformed: character 27 is none, want 27 letters and digits without U"},
		{"full-width letter", code[:26] + "Ａ", "denied: malformed: character 27 is none, want 27 letters and digits without U"},
		{"Arabic digit", "٣" + code[1:], "denied: malformed: character 1 is none, want 27 letters and digits without U"},
		{"Kelvin sign", "\u212a" + code[1:], "denied: malformed: character 1 is none, want 27 letters and digits without U"},
		{"dotless i", "ı" + code[1:], "denied: malformed: character 1 is none, want 27 letters and digits without U"},
		{"no-break space", "\u00a0" + code, "denied: malformed: character 1 is none, want 27 letters and digits without U"},
		{"en dash", code[:5] + "–" + code[5:], "denied: malformed: character 6 is none, want 27 letters and digits without U"},
		{"new line", code + "\n", "denied: malformed: character 28 is none, want 27 letters and digits without U"},
		{"NUL", "\x00" + code, "denied: malformed: character 1 is none, want 27 letters and digits without U"},
		{"no UTF-8", "\xff" + code, "denied: malformed: character 1 is none, want 27 letters and digits without U"},
		{"513 bytes", code + strings.Repeat(" ", 486), "denied: malformed: 513 bytes, want 27 characters"},
		{"check character", code[:25] + "ZZ", "denied: malformed: the check character is wrong, want the code as it was issued"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := issued.Parse(gate.Secret(tt.typed))
			var denial *gate.Denial
			if got != "" || !errors.As(err, &denial) || denial.Reason != gate.ReasonMalformed || denial.Proven || err.Error() != tt.want {
				t.Errorf("Parse(%q) = %q, %v, want %s", tt.typed, got.Reveal(), err, tt.want)
			}
		})
	}
}

func TestNormaliseKinds(t *testing.T) {
	mistyped := code[:25] + "ZZ"
	tests := []struct{ name, typed, kind, want string }{ // no kind means malformed
		{"another system's", "tour-0OIl/7", issued.KindImported, "TOUR0OIL/7"},
		{"a character lost", code[1:], issued.KindImported, code[1:]},
		{"a character more", code + "7", issued.KindImported, code + "7"},
		{"27 characters with a U", strings.Repeat("U", 27), issued.KindImported, strings.Repeat("U", 27)},
		{"27 digits", strings.Repeat("7", 27), "", ""},
		{"mistyped", mistyped, "", ""},
		{"mistyped in groups", issued.Grouped(gate.Secret(mistyped)).Reveal(), "", ""},
		{"no code", "A?", "", ""},
		{"nothing", " ", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kind, got, err := issued.Normalise(gate.Secret(tt.typed))
			var denial *gate.Denial
			if kind != tt.kind || got.Reveal() != tt.want || (err == nil) != (tt.kind != "") ||
				err != nil && (!errors.As(err, &denial) || denial.Reason != gate.ReasonMalformed) {
				t.Errorf("Normalise(%q) = %q, %q, %v, want %q, %q", tt.typed, kind, got.Reveal(), err, tt.kind, tt.want)
			}
			_, err = issued.Fingerprint(nil, "desk", gate.Secret(tt.typed))
			if (err == nil) != (tt.kind != "") {
				t.Errorf("Fingerprint(%q) = %v, want an error: %v", tt.typed, err, tt.kind == "")
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	print := func(pepper, source, code string) gate.Fingerprint {
		f, err := issued.Fingerprint([]byte(pepper), source, gate.Secret(code))
		if err != nil {
			t.Fatalf("Fingerprint(%q) = %v", code, err)
		}
		return f
	}
	if print("p", "desk", code) != print("p", "desk", issued.Grouped(gate.Secret(strings.ToLower(code))).Reveal()) {
		t.Error("two spellings have two fingerprints")
	}
	seen := map[gate.Fingerprint]bool{}
	for _, f := range []gate.Fingerprint{print("p", "desk", code), print("q", "desk", code), print("p", "shop", code), print("p", "desk", "A1"), print("p", "desk", "AI")} {
		if seen[f] {
			t.Error("two tickets have one fingerprint")
		}
		seen[f] = true
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{code, strings.ToLower(code), code[1:], "A1", "", "０１２", "\xff", strings.Repeat("-", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		kind, normal, err := issued.Normalise(gate.Secret(typed))
		_, other := ticket.Normalise(gate.Secret(typed))
		switch {
		case err != nil:
			var denial *gate.Denial
			if !errors.As(err, &denial) || denial.Reason != gate.ReasonMalformed {
				t.Errorf("Normalise(%q) = %v, want malformed", typed, err)
			}
			if other == nil && !errors.Is(err, issued.ErrCheck) {
				t.Errorf("Normalise(%q) = %v, but a list may have it", typed, err)
			}
			if len(normal) > 0 || len(err.Error()) > 150 || len(typed) > 40 && strings.Contains(err.Error(), typed) {
				t.Errorf("Normalise(%q) = %q, %v, want a short error only", typed, normal.Reveal(), err)
			}
		default: // a normal form stays what it is
			again, same, err := issued.Normalise(normal)
			if again != kind || same != normal || err != nil || kind == issued.Kind && len(normal) != issued.Length {
				t.Errorf("Normalise(%q) = %q, %q, but of that %q, %q, %v", typed, kind, normal.Reveal(), again, same.Reveal(), err)
			}
		}
	})
}
