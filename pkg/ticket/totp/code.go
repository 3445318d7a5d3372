package totp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// maxPass is the longest id of a pass, in characters.
const maxPass = 64

// Match is a pattern for ticket.Source: codes that may be of passes.
const Match = `[A-Za-z0-9_ -]+\.[0-9 ]+`

var errForm = errors.New("want PASSID.DIGITS")

// Split returns the two parts of a code: the id of the pass in its normal form,
// upper case without spaces and hyphens, and the password. It denies with
// gate.ReasonMalformed what has another form. No error shows the code.
func Split(code gate.Secret, digits int) (pass, password string, err error) {
	normal, err := ticket.Normalise(code)
	if err != nil {
		return "", "", err
	}
	pass, password, ok := strings.Cut(normal.Reveal(), ".")
	switch {
	case !ok || !isPass(pass):
		return "", "", gate.Deny(gate.ReasonMalformed, errForm)
	case len(password) != digits || strings.Trim(password, "0123456789") != "":
		return "", "", gate.Deny(gate.ReasonMalformed, fmt.Errorf("%w, with %d digits", errForm, digits))
	}
	return pass, password, nil
}

// normalPass returns the normal form of an id alone.
func normalPass(id string) (string, error) {
	normal, err := ticket.Normalise(gate.Secret(id))
	if err != nil || !isPass(normal.Reveal()) {
		return "", fmt.Errorf("%.80q is no id of a pass, want 1 to %d letters, digits and _", id, maxPass)
	}
	return normal.Reveal(), nil
}

func isPass(id string) bool {
	return id != "" && len(id) <= maxPass && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// Fingerprint returns what a book keeps of a pass, for book.Record.Code: the
// gate.Fingerprint of every ticket that a Source with the id source makes of
// it. pepper is that of gate.Options. An id that no code can have is an error.
func Fingerprint(pepper []byte, source, pass string) (gate.Fingerprint, error) {
	pass, err := normalPass(pass)
	if err != nil {
		return gate.Fingerprint{}, err
	}
	return passTicket(source, pass).Fingerprint(pepper), nil
}

// passTicket is a pass before anything is known of it. Its normal form is
// without the password, so that all codes of a pass are one ticket.
func passTicket(source, pass string) *gate.Ticket {
	return &gate.Ticket{Source: source, Kind: Kind, Normal: gate.Secret("pass " + pass)}
}
