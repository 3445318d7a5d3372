package ticket

import (
	"fmt"
	"math"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// maxCode is the longest code, in characters, that a person could have.
const maxCode = 128

// Normalise returns the one spelling of a typed or scanned code: upper case,
// without spaces and hyphens, which people add and drop. It denies with
// gate.ReasonMalformed what cannot be a code: nothing at all, more than 128
// characters, or anything but ASCII letters, digits and the characters ._:/+=
// that some sellers use.
func Normalise(code gate.Secret) (gate.Secret, error) {
	typed := code.Reveal()
	if len(typed) > 4*maxCode {
		return "", malformed(fmt.Errorf("%d bytes", len(typed)))
	}
	var b strings.Builder
	for i := range len(typed) {
		switch c := typed[i]; {
		case c == ' ' || c == '-' || c == '\t':
		case c >= 'a' && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("._:/+=", c) >= 0:
			b.WriteByte(c)
		default:
			return "", malformed(fmt.Errorf("byte %d is %#02x", i, c))
		}
	}
	if b.Len() == 0 || b.Len() > maxCode {
		return "", malformed(fmt.Errorf("%d characters, want 1 to %d", b.Len(), maxCode))
	}
	return gate.Secret(b.String()), nil
}

func malformed(err error) error { return gate.Deny(gate.ReasonMalformed, err) }

// provenBits is the strength from which a code needs no second proof (NIST SP
// 800-63B, section 5.1.2: look-up secrets under 64 bits must be throttled).
const provenBits = 64

// Proven reports whether a normal form is too long to be guessed, taking its
// letters and digits as random: 64 bits, so 20 digits, or 13 letters and digits
// with a letter among them. Other characters do not count, as every code of a
// seller may have the same ones. A seller whose codes are in sequence must not
// rely on it.
func Proven(normal gate.Secret) bool {
	letters, digits := 0, 0
	for _, c := range normal.Reveal() {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			letters++
		}
	}
	symbols := 10.0
	if letters > 0 {
		symbols = 32
	}
	return float64(letters+digits)*math.Log2(symbols) >= provenBits
}
