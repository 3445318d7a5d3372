package issued

import (
	"errors"
	"fmt"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// The kinds of credentials that a Source verifies.
const (
	Kind         = "issued"
	KindImported = "imported"
)

// Effect says that asking about a ticket does nothing to it.
const Effect = "read"

// ErrCheck is in the denial of a code whose characters do not belong together.
var ErrCheck = errors.New("the check character is wrong, want the code as it was issued")

// maxTyped is the longest text, in bytes, that is looked at.
const maxTyped = 512

// Parse returns the normal form of an issued code: upper case, without spaces,
// tabs and hyphens, O read as 0, I and L as 1, and full-width digits as plain
// ones. It denies everything else with gate.ReasonMalformed; ErrCheck is in the
// denial if only the check character is wrong. No error shows the code.
func Parse(typed gate.Secret) (gate.Secret, error) {
	text := typed.Reveal()
	if len(text) > maxTyped {
		return "", malformed(fmt.Errorf("%d bytes, want %d characters", len(text), Length))
	}
	var b strings.Builder
	place := 0
	for _, r := range text {
		place++
		if strings.ContainsRune(" -\t", r) {
			continue
		}
		c, ok := character(r)
		if !ok {
			return "", malformed(fmt.Errorf("character %d is none, want %d letters and digits without U", place, Length))
		}
		b.WriteByte(c)
	}
	switch normal := b.String(); {
	case len(normal) != Length:
		return "", malformed(fmt.Errorf("%d characters, want %d", len(normal), Length))
	case remainder(normal) != 0:
		return "", malformed(ErrCheck)
	default:
		return gate.Secret(normal), nil
	}
}

// character returns the one of the alphabet that r stands for.
func character(r rune) (byte, bool) {
	switch {
	case r >= '０' && r <= '９':
		r += '0' - '０'
	case r >= 'a' && r <= 'z':
		r += 'A' - 'a'
	}
	switch r {
	case 'O':
		r = '0'
	case 'I', 'L':
		r = '1'
	}
	i := strings.IndexRune(alphabet, r)
	if i < 0 {
		return 0, false
	}
	return alphabet[i], true
}

// Normalise returns the kind and the normal form of a code: Kind if Parse takes
// it, else KindImported and what ticket.Normalise returns. It denies with
// gate.ReasonMalformed what neither takes, and what looks like an issued code
// but for its check character.
func Normalise(typed gate.Secret) (kind string, normal gate.Secret, err error) {
	normal, err = Parse(typed)
	if err == nil {
		return Kind, normal, nil
	}
	if errors.Is(err, ErrCheck) {
		return "", "", err
	}
	if normal, err = ticket.Normalise(typed); err != nil {
		return "", "", err
	}
	return KindImported, normal, nil
}

// Fingerprint returns what a book keeps of a code, for book.Record.Code: the
// gate.Fingerprint of the ticket that a Source with the id source makes of it.
// pepper is that of gate.Options. The error is that of Normalise.
func Fingerprint(pepper []byte, source string, typed gate.Secret) (gate.Fingerprint, error) {
	kind, normal, err := Normalise(typed)
	if err != nil {
		return gate.Fingerprint{}, err
	}
	return (&gate.Ticket{Source: source, Kind: kind, Normal: normal}).Fingerprint(pepper), nil
}

func malformed(err error) error { return gate.Deny(gate.ReasonMalformed, err) }
