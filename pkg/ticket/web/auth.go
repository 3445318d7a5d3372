package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

// ErrCredentials is in the error when the API does not accept what the gateway
// is configured to show. It says nothing of the ticket, and somebody has to be
// told.
var ErrCredentials = errors.New("the gateway's own credentials are refused")

// A badge shows the API who asks.
type badge struct {
	auth  Auth
	token *token // nil if nothing has to be fetched first
}

func newBadge(a Auth, client *outbound.Client) (*badge, error) {
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("auth.%w", err)
	}
	b := &badge{auth: a}
	switch {
	case a.OAuth2 != nil:
		b.token = newToken(client, a.OAuth2.request, readOAuth2)
	case a.Login != nil:
		b.token = newToken(client, a.Login.request, a.Login.read)
	}
	return b, nil
}

func (a Auth) check() error {
	kinds := 0
	for _, set := range []bool{a.Basic != nil, a.Bearer != "", a.OAuth2 != nil, a.Login != nil} {
		if set {
			kinds++
		}
	}
	if kinds > 1 {
		return errors.New("basic, bearer, oauth2 and login: more than one is set")
	}
	if err := errors.Join(checkFields("header", a.Header, true), checkFields("query", a.Query, false)); err != nil {
		return err
	}
	switch {
	case a.Basic != nil && (a.Basic.User == "" || a.Basic.Password == "" || strings.Contains(a.Basic.User, ":")):
		return errors.New(`basic: want a password and a user without ":"`)
	case a.Bearer != "" && !httpguts.ValidHeaderFieldValue(a.Bearer.Reveal()):
		return errors.New("bearer: cannot stand in a header")
	case a.OAuth2 != nil:
		return a.OAuth2.check()
	case a.Login != nil:
		return a.Login.check()
	}
	return nil
}

func checkFields(key string, fields []Field, header bool) error {
	for _, f := range fields {
		switch {
		case f.Name == "" || f.Value == "":
			return fmt.Errorf("%s: a name or a value is missing", key)
		case header && (!httpguts.ValidHeaderFieldName(f.Name) || !printable(f.Value.Reveal())):
			return fmt.Errorf("%s: %q or its value cannot stand in a header", key, f.Name)
		}
	}
	return nil
}

// show adds to req what is configured. It returns the token that was used.
func (b *badge) show(ctx context.Context, req *http.Request) (gate.Secret, error) {
	for _, f := range b.auth.Header {
		req.Header.Set(f.Name, f.Value.Reveal())
	}
	for _, f := range b.auth.Query {
		if req.URL.RawQuery != "" {
			req.URL.RawQuery += "&"
		}
		req.URL.RawQuery += escapeURL(f.Name) + "=" + escapeURL(f.Value.Reveal())
	}
	switch {
	case b.auth.Basic != nil:
		req.SetBasicAuth(b.auth.Basic.User, b.auth.Basic.Password.Reveal())
	case b.auth.Bearer != "":
		req.Header.Set("Authorization", "Bearer "+b.auth.Bearer.Reveal())
	}
	if b.token == nil {
		return "", nil
	}
	text, err := b.token.get(ctx)
	if err != nil {
		return "", err
	}
	name, prefix := "Authorization", "Bearer "
	if l := b.auth.Login; l != nil {
		name, prefix = l.name(), l.Prefix
	}
	req.Header.Set(name, prefix+text.Reveal())
	return text, nil
}

// again reports whether it makes sense to ask once more after a 401: the token
// that was shown is no longer good, and another one can be had.
func (b *badge) again(used gate.Secret) bool { return b.token != nil && b.token.drop(used) }

// names returns the headers and the query fields that show has secrets for.
func (b *badge) names() (headers, query []string) {
	for _, f := range b.auth.Header {
		headers = append(headers, f.Name)
	}
	for _, f := range b.auth.Query {
		query = append(query, f.Name)
	}
	switch {
	case b.auth.Login != nil:
		headers = append(headers, b.auth.Login.name())
	case b.auth.Basic != nil, b.auth.Bearer != "", b.token != nil:
		headers = append(headers, "Authorization")
	}
	return headers, query
}
