package objects

import (
	"regexp"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Holder is whoever asks for a file, as far as that is proved. The zero
// value is somebody who showed nothing.
type Holder struct {
	Admissions []*gate.Admission // living ones, of a viewer's sessions
	Token      string            // id of the API token that was shown; empty means none
	Roles      []string          // of the token: "staff", "photo-desk"
}

// What an owner in the file index begins with. A ticket's is the name that
// Options.Identify gives it.
const (
	ownerTicket    = "ticket:"
	ownerAdmission = "admission:"
	ownerDevice    = "device:"
	ownerToken     = "token:"
)

var ownerForm = regexp.MustCompile(`^(ticket|admission|device):[A-Za-z0-9_-]{1,128}$|^token:[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// placesOf returns the placeholders that an owner stands for.
func placesOf(owner string) places {
	kind, name, _ := strings.Cut(owner, ":")
	switch kind + ":" {
	case ownerTicket:
		return places{ticket: name}
	case ownerAdmission:
		return places{admission: name}
	case ownerDevice:
		return places{device: name}
	}
	return places{}
}
