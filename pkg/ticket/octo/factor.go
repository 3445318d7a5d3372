package octo

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A contact is who booked, or who a unit is for: compared and dropped.
type contact struct {
	FullName string `json:"fullName"`
	LastName string `json:"lastName"`
	Email    string `json:"emailAddress"`
	Postcode string `json:"postalCode"`
}

// known returns what a contact has for a factor, folded. Of a full name every
// ending is a surname: "Zoë van der Berg" is found as Berg, der Berg and so on.
func (c contact) known(f Factor) []string {
	switch f {
	case Email:
		return []string{foldEmail(c.Email)}
	case Postcode:
		return []string{fold(c.Postcode)}
	}
	names := []string{fold(c.LastName)}
	words := strings.Fields(c.FullName)
	for i := range words {
		names = append(names, fold(strings.Join(words[i:], " ")))
	}
	return names
}

// maxFactor is the longest text, in bytes, that is looked at.
const maxFactor = 320

// shown returns the factors that count among those that a viewer gave, folded.
func shown(accepted []Factor, given map[string]gate.Secret) map[Factor]string {
	factors := map[Factor]string{}
	for _, f := range accepted {
		text := given[string(f)].Reveal()
		if len(text) > maxFactor {
			continue
		}
		folded := fold(text)
		if f == Email {
			folded = foldEmail(text)
		}
		if utf8.RuneCountInString(folded) >= minFactor {
			factors[f] = folded
		}
	}
	return factors
}

// minFactor is the fewest characters, folded, that prove anything.
const minFactor = 2

// proves reports whether every factor fits the booking or one of its units. No
// factor proves nothing.
func (b *booking) proves(factors map[Factor]string) bool {
	all := len(factors) > 0
	for f, text := range factors {
		fits := b.Contact.fits(f, text)
		for _, u := range b.Units {
			fits = u.Contact.fits(f, text) || fits
		}
		all = fits && all
	}
	return all
}

// fits takes the same time wherever two texts differ.
func (c contact) fits(f Factor, text string) bool {
	found := 0
	want := sha256.Sum256([]byte(text))
	for _, known := range c.known(f) {
		got := sha256.Sum256([]byte(known))
		found |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return found == 1
}

// fold returns text as it is compared: without accents, case, spaces and
// punctuation.
func fold(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(cases.Fold().String(norm.NFKC.String(text))) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// foldEmail keeps punctuation, which tells addresses apart.
func foldEmail(text string) string {
	return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(text)))
}
