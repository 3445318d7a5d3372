package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/handstamp/handstamp/pkg/gate"
)

func (o *OAuth2) check() error {
	if o.ID == "" || o.Secret == "" {
		return errors.New("oauth2: id or secret is missing")
	}
	return checkEndpoint("oauth2.url", o.URL)
}

func checkEndpoint(key, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: is no URL", key)
	}
	if err := checkURL(u); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (o *OAuth2) request(ctx context.Context) (*http.Request, error) {
	values := url.Values{"grant_type": {"client_credentials"}}
	for name, value := range map[string]string{"scope": o.Scope, "audience": o.Audience} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if o.InBody {
		values.Set("client_id", o.ID)
		values.Set("client_secret", o.Secret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.URL, strings.NewReader(values.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mediaOf(Form))
	req.Header.Set("Accept", mediaOf(JSON))
	if !o.InBody { // RFC 6749, section 2.3.1
		req.SetBasicAuth(url.QueryEscape(o.ID), url.QueryEscape(o.Secret.Reveal()))
	}
	return req, nil
}

// oauth2Shape is of RFC 6749, section 5.1. Some servers say expires_in as text.
var oauth2Shape = &shape{kind: kindObject, fields: map[string]*shape{
	"access_token": {kind: kindString}, "token_type": {kind: kindString, optional: true}, "expires_in": {kind: kindInt, optional: true},
}}

func readOAuth2(body []byte) (granted, error) {
	tree, err := parse(JSON, body)
	if err != nil {
		return granted{}, err
	}
	fitted, err := oauth2Shape.fit(tree, "the token", true)
	if err != nil {
		return granted{}, err
	}
	answer, _ := fitted.(map[string]any)
	if kind, _ := answer["token_type"].(string); kind != "" && !strings.EqualFold(kind, "bearer") {
		return granted{}, fmt.Errorf("%w: the token is no bearer token", ErrBody)
	}
	text, _ := answer["access_token"].(string)
	seconds, _ := answer["expires_in"].(int)
	return granted{gate.Secret(text), time.Duration(max(0, min(seconds, 1<<30))) * time.Second}, nil
}

func (l *Login) check() error {
	switch {
	case l.Body == "" || l.Token == "":
		return errors.New("login: body or token is missing")
	case !httpguts.ValidHeaderFieldName(l.name()) || !printable(l.Prefix):
		return errors.New("login: name or prefix cannot stand in a header")
	}
	for name, value := range l.Header {
		if !httpguts.ValidHeaderFieldName(name) || !printable(value) {
			return fmt.Errorf("login.header: %q cannot be set", name)
		}
	}
	return checkEndpoint("login.url", l.URL)
}

func (l *Login) name() string {
	if l.Name == "" {
		return "Authorization"
	}
	return l.Name
}

func (l *Login) request(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.URL, strings.NewReader(l.Body.Reveal()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mediaOf(l.Type))
	req.Header.Set("Accept", mediaOf(JSON))
	for name, value := range l.Header {
		req.Header.Set(name, value)
	}
	return req, nil
}

func (l *Login) read(body []byte) (granted, error) {
	tree, err := parse(JSON, body)
	if err != nil {
		return granted{}, err
	}
	for name := range strings.SplitSeq(l.Token, ".") {
		object, _ := tree.(map[string]any)
		tree = object[name]
	}
	text, _ := tree.(string)
	return granted{text: gate.Secret(text)}, nil
}
