package admin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/gate"
)

const goodSecret = "q7XJ0vYwT3mRzP9kLd2HnB5sGc8FaE4u"

func TestNewRefusesKeys(t *testing.T) {
	t.Parallel()
	key := func(change func(*admin.Key)) []admin.Key {
		k := admin.Key{ID: "desk", Secret: goodSecret, Scopes: []admin.Scope{admin.TicketsRead}}
		change(&k)
		return []admin.Key{k}
	}
	secret := func(s string) []admin.Key { return key(func(k *admin.Key) { k.Secret = gate.Secret(s) }) }
	tests := []struct {
		name string
		keys []admin.Key
		want string // in the error
	}{
		{"none", nil, "there is none"},
		{"empty", secret(""), "empty"},
		{"one character less", secret(goodSecret[:31]), "31 characters"},
		{"changeme", secret("changeme"), "8 characters"},
		{"changeme, long", secret("changeme-changeme-changeme-changeme"), "default"},
		{"change me in disguise", secret("Change_Me-0123456789-XyZ-qwrtpsdfgh"), "default"},
		{"a word of the documentation", secret("q7XJ0vYwT3mRzP9kLd2H-example-key"), "default"},
		{"all the same", secret(strings.Repeat("a", 64)), "pattern"},
		{"two characters", secret(strings.Repeat("ab", 32)), "pattern"},
		{"a text over and over", secret(strings.Repeat("q7XJ0vYwT3mR", 4)), "pattern"},
		{"the alphabet", secret("abcdefghijklmnopqrstuvwxyz0123456789"), "pattern"},
		{"backwards", secret("9876543210zyxwvutsrqponmlkjihgfedcba"), "pattern"},
		{"a space", secret("q7XJ0vYwT3mRzP9k Ld2HnB5sGc8FaE4u"), "space"},
		{"a line break at the end", secret(goodSecret + "\n"), "space"},
		{"not ASCII", secret(goodSecret + "ä"), "ASCII"},
		{"no id", key(func(k *admin.Key) { k.ID = "" }), "id"},
		{"an id with a line break", key(func(k *admin.Key) { k.ID = "a\nb" }), "id"},
		{"no scopes", key(func(k *admin.Key) { k.Scopes = nil }), "no scopes"},
		{"unknown scope", key(func(k *admin.Key) { k.Scopes = []admin.Scope{"tickets:*"} }), "tickets:*"},
		{"empty scope", key(func(k *admin.Key) { k.Scopes = []admin.Scope{""} }), "scope"},
		{"no slug", key(func(k *admin.Key) { k.Attractions = []string{"*"} }), `"*"`},
		{"empty attraction", key(func(k *admin.Key) { k.Attractions = []string{""} }), "slug"},
		{"attraction that there is not", key(func(k *admin.Key) { k.Attractions = []string{"moon"} }), "moon"},
		{"the audit, limited", key(func(k *admin.Key) { k.Scopes, k.Attractions = []admin.Scope{admin.AuditRead}, []string{"tower"} }), "audit:read"},
		{"an id twice", append(secret(goodSecret), admin.Key{ID: "desk", Secret: goodSecret + "x", Scopes: []admin.Scope{admin.Everything}}), "same id"},
		{"a secret twice", append(secret(goodSecret), admin.Key{ID: "other", Secret: goodSecret, Scopes: []admin.Scope{admin.Everything}}), "same id"},
	}
	s := newSite(t)
	office := admin.Office{Book: s.book, Gate: s.keeper, Issuer: issuer{s}, Attractions: attractions()}
	for _, tt := range tests {
		_, err := admin.New(office, tt.keys, admin.Options{})
		if !errors.Is(err, admin.ErrKey) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New = %v, want an ErrKey with %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), goodSecret[:12]) {
			t.Errorf("%s: the error shows the secret: %v", tt.name, err)
		}
	}
	for _, good := range []string{goodSecret, "0f1e9c7a5b3d8e2f4a6c0b1d9e7f5a3c", "ab.cd-EF_gh~ij+kl/mn=0987654321zQ"} {
		if _, err := admin.New(office, secret(good), admin.Options{}); err != nil {
			t.Errorf("New with %q = %v, want a server", good, err)
		}
	}
}

func TestNewRefusesTheRest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	office := admin.Office{Book: s.book, Gate: s.keeper, Issuer: issuer{s}, Attractions: attractions()}
	for _, broken := range []admin.Office{{}, {Gate: office.Gate, Issuer: office.Issuer}, {Book: office.Book, Issuer: office.Issuer}, {Book: office.Book, Gate: (*gate.Keeper)(nil), Issuer: office.Issuer}} {
		if _, err := admin.New(broken, keys(), admin.Options{}); err == nil {
			t.Errorf("New(%+v) succeeds", broken)
		}
	}
	for _, opts := range []admin.Options{
		{Hosts: []string{"*"}}, {Hosts: []string{""}}, {Hosts: []string{"admin.example.org:443"}}, {Hosts: []string{"https://admin.example.org"}},
		{Origins: []string{"*"}}, {Origins: []string{"null"}}, {Origins: []string{"https://a.example/"}}, {Origins: []string{"https://*.example"}}, {Origins: []string{"https://A.example"}}, {Origins: []string{""}},
	} {
		if _, err := admin.New(office, keys(), opts); err == nil {
			t.Errorf("New with %+v succeeds", opts)
		}
	}
}

func TestCheckListen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		address     string
		tls, public bool
		ok          bool
	}{
		{"127.0.0.1:9090", false, false, true},
		{"127.8.9.10:9090", false, false, true},
		{"[::1]:9090", false, false, true},
		{"[::ffff:127.0.0.1]:9090", false, false, true},
		{"localhost:0", false, false, true},
		{"LOCALHOST:9090", false, false, true},
		{"unix:/run/handstamp/admin.sock", false, false, true},
		{"0.0.0.0:9090", true, false, true},
		{"0.0.0.0:9090", false, true, true},
		{"admin.example.org:443", true, false, true},

		{":9090", false, false, false},
		{"0.0.0.0:9090", false, false, false},
		{"[::]:9090", false, false, false},
		{"10.0.0.1:9090", false, false, false},
		{"192.168.1.5:9090", false, false, false},
		{"169.254.169.254:9090", false, false, false},
		{"[fe80::1%eth0]:9090", false, false, false},
		{"admin.example.org:443", false, false, false},
		{"localhost.example.org:9090", false, false, false},
		{"127.0.0.1.example.org:9090", false, false, false},
		{"127.1:9090", false, false, false},
		{"", true, true, false},
		{"127.0.0.1", true, true, false},
		{"127.0.0.1:", true, true, false},
		{"127.0.0.1:http", true, true, false},
		{"127.0.0.1:65536", true, true, false},
		{"unix:", true, true, false},
		{"unix:admin.sock", true, true, false},
		{"unix:@handstamp", true, true, false},
	}
	for _, tt := range tests {
		err := admin.CheckListen(tt.address, tt.tls, tt.public)
		if tt.ok && err != nil || !tt.ok && !errors.Is(err, admin.ErrListen) {
			t.Errorf("CheckListen(%q, %v, %v) = %v, want ok %v", tt.address, tt.tls, tt.public, err, tt.ok)
		}
	}
}
