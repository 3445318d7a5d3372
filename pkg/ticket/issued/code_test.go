package issued_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/issued"
)

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var key = []byte("0123456789abcdef")

// fresh returns the nth of a row of codes.
func fresh(t *testing.T, n int) string {
	t.Helper()
	code, err := issued.Derive(key, "test", n)
	if err != nil {
		t.Fatalf("Derive = %v", err)
	}
	return code.Reveal()
}

// valid is Parse for a code that is written as it should be.
func valid(code string) bool {
	got, err := issued.Parse(gate.Secret(code))
	return err == nil && got.Reveal() == code
}

func TestNew(t *testing.T) {
	seen := map[gate.Secret]bool{}
	for range 1000 {
		code, err := issued.New(nil)
		if err != nil || !valid(code.Reveal()) || seen[code] {
			t.Fatalf("New = %q, %v, known %v, want a new code that Parse takes", code.Reveal(), err, seen[code])
		}
		seen[code] = true
	}
}

// Worked out by hand from the definition: the last character counts x times,
// the one before it x² times, and x⁵ is x²+1.
func TestNewKnownCodes(t *testing.T) {
	tests := []struct {
		name string
		bits []byte
		want string
	}{
		{"zero", make([]byte, 17), strings.Repeat("0", 27)},
		{"the last bit that counts", append(make([]byte, 16), 0b01000000), strings.Repeat("0", 25) + "12"},
		{"the bits behind it do not", append(make([]byte, 16), 0b00111111), strings.Repeat("0", 27)},
		{"the bit five places before", append(make([]byte, 15), 0b00001000, 0), strings.Repeat("0", 24) + "104"},
		{"the highest of a character", append(make([]byte, 15), 0b00000100, 0), strings.Repeat("0", 25) + "G5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := issued.New(bytes.NewReader(tt.bits)); err != nil || got.Reveal() != tt.want {
				t.Errorf("New(%08b) = %q, %v, want %q", tt.bits, got.Reveal(), err, tt.want)
			}
		})
	}
}

func TestNewWithoutRandomBits(t *testing.T) {
	broken := errors.New("no entropy")
	if got, err := issued.New(iotest.ErrReader(broken)); got != "" || !errors.Is(err, broken) {
		t.Errorf("New = %q, %v, want the reader's error", got.Reveal(), err)
	}
	if got, err := issued.New(bytes.NewReader(make([]byte, 16))); got != "" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("New from 16 bytes = %q, %v, want io.ErrUnexpectedEOF", got.Reveal(), err)
	}
}

func TestDerive(t *testing.T) {
	seen := map[gate.Secret]string{}
	for _, k := range []string{"0123456789abcdef", "0123456789abcdeg"} {
		for _, request := range []string{"", "a", "a\x00", "b", "ab"} {
			for _, n := range []int{0, 1, 2, 255, 256, 1 << 20} {
				what := fmt.Sprintf("key %q, request %q, n %d", k, request, n)
				code, err := issued.Derive([]byte(k), request, n)
				if err != nil || !valid(code.Reveal()) {
					t.Fatalf("Derive(%s) = %q, %v", what, code.Reveal(), err)
				}
				if other, ok := seen[code]; ok {
					t.Errorf("Derive(%s) is the code of %s", what, other)
				}
				seen[code] = what
				if again, err := issued.Derive([]byte(k), request, n); err != nil || again != code {
					t.Errorf("Derive(%s) = %q, then %q, %v", what, code.Reveal(), again.Reveal(), err)
				}
			}
		}
	}
}

// Codes that were issued stay what they are in later versions.
func TestDeriveStays(t *testing.T) {
	const want = "6YXPJ5VKWWAPEY0F5Q0HMA41GV8"
	if got := fresh(t, 7); got != want {
		t.Errorf("Derive = %q, want %q", got, want)
	}
}

func TestDeriveWantsAKey(t *testing.T) {
	for _, k := range [][]byte{nil, {}, key[:15]} {
		if got, err := issued.Derive(k, "a", 1); got != "" || !errors.Is(err, issued.ErrKey) {
			t.Errorf("Derive with %d bytes = %q, %v, want ErrKey", len(k), got.Reveal(), err)
		}
	}
}

// Every wrong character is found, at every place, whatever it is.
func TestCheckFindsSubstitutions(t *testing.T) {
	for n := range 20 {
		code := fresh(t, n)
		for i := range len(code) {
			for _, c := range alphabet {
				if wrong := code[:i] + string(c) + code[i+1:]; wrong != code && valid(wrong) {
					t.Errorf("Parse(%q) takes %q with a wrong character at %d", wrong, code, i)
				}
			}
		}
	}
}

// So is every exchange of two characters, neighbours or not, the check
// character included, and every pair that became another: AA for BB.
func TestCheckFindsTranspositions(t *testing.T) {
	for n := range 20 {
		code := fresh(t, n)
		for i := range len(code) {
			for j := range i {
				wrong := []byte(code)
				wrong[i], wrong[j] = wrong[j], wrong[i]
				if string(wrong) != code && valid(string(wrong)) {
					t.Errorf("Parse(%q) takes %q with %d and %d exchanged", wrong, code, j, i)
				}
			}
		}
	}
	twins := 0
	for n := range 2000 {
		code := fresh(t, n)
		for i := range len(code) - 1 {
			if code[i] != code[i+1] {
				continue
			}
			twins++
			for _, c := range alphabet {
				if wrong := code[:i] + string(c) + string(c) + code[i+2:]; wrong != code && valid(wrong) {
					t.Errorf("Parse(%q) takes %q with other twins at %d", wrong, code, i)
				}
			}
		}
	}
	if twins < 100 {
		t.Errorf("looked at %d twins only", twins)
	}
}

func TestGrouped(t *testing.T) {
	tests := []struct{ normal, want string }{
		{"0123456789ABCDEFGHJKMNPQRST", "01234-56789-ABCDE-FGHJK-MNPQR-ST"},
		{"01234", "01234"},
		{"", ""},
	}
	for _, tt := range tests {
		got := issued.Grouped(gate.Secret(tt.normal))
		if got.Reveal() != tt.want {
			t.Errorf("Grouped(%q) = %q, want %q", tt.normal, got.Reveal(), tt.want)
		}
	}
	code := fresh(t, 1)
	if got, err := issued.Parse(issued.Grouped(gate.Secret(code))); err != nil || got.Reveal() != code {
		t.Errorf("Parse(Grouped(%q)) = %q, %v", code, got.Reveal(), err)
	}
}
