package objects_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/objects"
)

const goodSecret = "q7XJ0vYwT3mRzP9kLd2HnB5sGc8FaE4u"

func TestNewTokensRefuses(t *testing.T) {
	t.Parallel()
	token := func(id, secret string, roles ...string) objects.Token {
		return objects.Token{ID: id, Secret: gate.Secret(secret), Roles: roles}
	}
	tests := []struct {
		name   string
		tokens []objects.Token
		want   string // in the error
	}{
		{"no id", []objects.Token{token("", goodSecret, "staff")}, "id"},
		{"an id with a line", []objects.Token{token("a\nb", goodSecret, "staff")}, "id"},
		{"no roles", []objects.Token{token("a", goodSecret)}, "no roles"},
		{"a role that is a word", []objects.Token{token("a", goodSecret, "staff", "owner")}, `"owner"`},
		{"everyone", []objects.Token{token("a", goodSecret, "everyone")}, `"everyone"`},
		{"no slug", []objects.Token{token("a", goodSecret, "Staff")}, `"Staff"`},
		{"empty", []objects.Token{token("a", "", "staff")}, "empty"},
		{"short", []objects.Token{token("a", goodSecret[:31], "staff")}, "31 characters"},
		{"a default", []objects.Token{token("a", "changeme-changeme-changeme-changeme", "staff")}, "default"},
		{"a pattern", []objects.Token{token("a", strings.Repeat("ab", 32), "staff")}, "pattern"},
		{"a line break", []objects.Token{token("a", goodSecret+"\n", "staff")}, "space"},
		{"an id twice", []objects.Token{token("a", goodSecret, "staff"), token("a", goodSecret+"x", "staff")}, "same id"},
		{"a secret twice", []objects.Token{token("a", goodSecret, "staff"), token("b", goodSecret, "staff")}, "same id"},
	}
	for _, tt := range tests {
		_, err := objects.NewTokens(tt.tokens)
		if !errors.Is(err, objects.ErrToken) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: NewTokens = %v, want an ErrToken with %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), goodSecret[:16]) {
			t.Errorf("%s: NewTokens = %v, which has the secret", tt.name, err)
		}
	}
}

func TestTokensFind(t *testing.T) {
	t.Parallel()
	tokens, err := objects.NewTokens([]objects.Token{
		{ID: "desk", Secret: goodSecret, Roles: []string{"staff"}},
		{ID: "office", Secret: goodSecret + "2", Roles: []string{"staff", "photo-desk"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if h, ok := tokens.Find(goodSecret + "2"); !ok || h.Token != "office" || !slices.Equal(h.Roles, []string{"staff", "photo-desk"}) || h.Admissions != nil {
		t.Errorf("Find of office = %+v, %v", h, ok)
	}
	for _, shown := range []gate.Secret{"", gate.Secret(goodSecret[:31]), goodSecret + "x", "desk"} {
		if h, ok := tokens.Find(shown); ok || h.Token != "" {
			t.Errorf("Find of a wrong token = %+v, %v, want nobody", h, ok)
		}
	}
	if h, ok := new(objects.Tokens).Find(""); ok {
		t.Errorf("Find of no tokens = %+v, want nobody", h)
	}
	if text := fmt.Sprintf("%+v", objects.Token{ID: "a", Secret: goodSecret}); strings.Contains(text, goodSecret) {
		t.Errorf("a token prints as %s", text)
	}
}
