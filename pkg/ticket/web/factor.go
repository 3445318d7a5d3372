package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/handstamp/handstamp/pkg/gate"
)

// maxFactor is the longest factor, in bytes.
const maxFactor = 256

// errFactor is in the denial of a viewer who did not show what belongs to the
// code. It is the same whether something else was shown or nothing.
var errFactor = errors.New("a factor is missing or another one")

// checkFactor returns a denial for what cannot be a factor.
func checkFactor(name, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return gate.Deny(gate.ReasonUnknown, errFactor)
	case len(text) > maxFactor || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return malformed(fmt.Sprintf("the factor %q has control characters or more than %d bytes", name, maxFactor))
	}
	return nil
}

// sameFactor compares what a viewer typed with what is on record, in a time
// that does not depend on where they differ.
func sameFactor(typed, want string) bool {
	a, b := sha256.Sum256([]byte(plain(typed))), sha256.Sum256([]byte(plain(want)))
	return plain(want) != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// plain returns the letters and digits of a text, without case and accents.
func plain(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(cases.Fold().String(norm.NFKC.String(text))) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}
