package jwt

import (
	"errors"
	"fmt"
	"net/url"
)

// checkURL returns an error for an address that keys cannot be had from safely.
// plain permits http, which the client then speaks with allowed networks only.
func checkURL(text string, plain bool) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("not a URL") // the message would show what is in it
	}
	switch {
	case u.Hostname() == "" || u.Opaque != "":
		return fmt.Errorf("%.80q has no host", u.Redacted())
	case u.User != nil:
		return fmt.Errorf("%.80q has a user name in it, want none", u.Redacted())
	case u.Fragment != "":
		return fmt.Errorf("%.80q has a fragment, want none", u.Redacted())
	case u.Scheme != "https" && (u.Scheme != "http" || !plain):
		return fmt.Errorf("%.80q is not an https URL", u.Redacted())
	}
	return nil
}
