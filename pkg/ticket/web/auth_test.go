package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

// A guarded office gives out tokens and wants the newest.
type guarded struct {
	tokens atomic.Int32 // given out
	good   atomic.Int32 // the one that is accepted
	life   int          // seconds
	ledger *ledger
}

func (g *guarded) answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/token":
		id, secret, _ := r.BasicAuth()
		if id != "me" || secret != "CANARY+key" && secret != "CANARY%2Bkey" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "read" {
			boxoffice.Write(w, 401, `{"error":"invalid_client"}`)
			return
		}
		n := g.tokens.Add(1)
		g.good.Store(n)
		boxoffice.Write(w, 200, fmt.Sprintf(`{"access_token":"CANARYTOKEN%d","token_type":"Bearer","expires_in":%d}`, n, g.life))
	case "/login":
		n := g.tokens.Add(1)
		g.good.Store(n)
		boxoffice.Write(w, 200, fmt.Sprintf(`{"data":{"apiKey":"CANARYTOKEN%d"}}`, n))
	default:
		want := fmt.Sprintf("CANARYTOKEN%d", g.good.Load())
		if r.Header.Get("Authorization") != "Bearer "+want && r.Header.Get("X-Api-Key") != want {
			boxoffice.Write(w, 401, `{}`)
			return
		}
		g.ledger.answer(w, r)
	}
}

func guardedSource(t *testing.T, g *guarded, login bool) *web.Source {
	t.Helper()
	g.ledger = newLedger()
	office := boxoffice.New(t, g.answer)
	cfg := config(office.URL)
	if login {
		cfg.Auth.Login = &web.Login{URL: office.URL + "/login", Body: `{"user":"me","password":"CANARY"}`, Token: "data.apiKey", Name: "X-Api-Key"}
	} else {
		cfg.Auth.OAuth2 = &web.OAuth2{URL: office.URL + "/token", ID: "me", Secret: "CANARY+key", Scope: "read"}
	}
	return source(t, cfg, options())
}

// TestToken: one token for all, until the API answers 401.
func TestToken(t *testing.T) {
	for _, login := range []bool{false, true} {
		g := &guarded{life: 3600}
		s := guardedSource(t, g, login)
		var done sync.WaitGroup
		for range 20 {
			done.Go(func() {
				if _, err := s.Verify(t.Context(), show(strong)); err != nil {
					t.Errorf("Verify = %v", err)
				}
			})
		}
		done.Wait()
		if n := g.tokens.Load(); n != 1 {
			t.Errorf("login %v: 20 questions took %d tokens, want 1", login, n)
		}
		g.good.Store(99) // the API has forgotten it
		ticket, err := s.Verify(t.Context(), show(strong))
		unknown(t, "Verify with a young token that is refused", ticket, err, web.ErrCredentials)
		if n := g.tokens.Load(); n != 1 {
			t.Errorf("login %v: a refused young token led to %d tokens", login, n)
		}
	}
}

// TestTokenEnds: the second token comes with a 401 to the old first one.
func TestTokenEnds(t *testing.T) {
	for _, login := range []bool{false, true} {
		g := &guarded{life: 3600}
		s := guardedSource(t, g, login)
		if _, err := s.Verify(t.Context(), show(strong)); err != nil {
			t.Fatal(err)
		}
		web.AgeToken(s, time.Minute)
		g.good.Store(99)
		if _, err := s.Verify(t.Context(), show(strong)); err != nil {
			t.Errorf("login %v: Verify after the token has ended = %v", login, err)
		}
		if n := g.tokens.Load(); n != 2 {
			t.Errorf("login %v: %d tokens, want 2", login, n)
		}
	}
}

// TestTokenExpires: a token that says when it ends is replaced before.
func TestTokenExpires(t *testing.T) {
	g := &guarded{life: 60}
	s := guardedSource(t, g, false)
	for _, age := range []time.Duration{0, 40 * time.Second, 55 * time.Second} {
		web.AgeToken(s, age)
		if _, err := s.Verify(t.Context(), show(strong)); err != nil {
			t.Fatal(err)
		}
	}
	if n := g.tokens.Load(); n != 2 {
		t.Errorf("%d tokens, want 2", n)
	}
}

// TestTokenRefused: no token is no verdict, and nothing secret is in the error.
func TestTokenRefused(t *testing.T) {
	for text, want := range map[string]error{
		`{"error":"invalid_client"}`: web.ErrCredentials, `{"access_token":""}`: web.ErrBody, `{"access_token":"a\r\nb"}`: web.ErrBody,
		`{"access_token":"CANARY","token_type":"mac"}`: web.ErrBody, `<html>`: web.ErrBody,
	} {
		office := boxoffice.New(t, func(w http.ResponseWriter, r *http.Request) {
			status := 200
			if strings.Contains(text, "invalid_client") {
				status = 400
			}
			boxoffice.Write(w, status, text)
		})
		cfg := config(office.URL)
		cfg.Auth.OAuth2 = &web.OAuth2{URL: office.URL + "/token", ID: "me", Secret: "CANARY"}
		ticket, err := source(t, cfg, options()).Verify(t.Context(), show(strong))
		unknown(t, "Verify with the token "+text, ticket, err, want)
	}
}

func TestStaticAuth(t *testing.T) {
	tests := []struct {
		name string
		auth web.Auth
		want func(r boxoffice.Request) bool
	}{
		{"basic", web.Auth{Basic: &web.Basic{User: "terminal", Password: "CANARY:pw"}}, func(r boxoffice.Request) bool {
			return r.Header.Get("Authorization") == "Basic dGVybWluYWw6Q0FOQVJZOnB3"
		}},
		{"bearer and key", web.Auth{Bearer: "CANARY", Header: []web.Field{{"PAC-API-Key", "CANARY2"}}}, func(r boxoffice.Request) bool {
			return r.Header.Get("Authorization") == "Bearer CANARY" && r.Header.Get("PAC-API-Key") == "CANARY2"
		}},
		{"query", web.Auth{Query: []web.Field{{"apikey", "CAN&ARY"}}}, func(r boxoffice.Request) bool {
			return strings.HasSuffix(r.URI, "/tickets/"+strong+"?apikey=CAN%26ARY")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			office := boxoffice.New(t, newLedger().answer)
			cfg := config(office.URL)
			cfg.Auth = tt.auth
			s := source(t, cfg, options())
			if _, err := s.Verify(t.Context(), show(strong)); err != nil || !tt.want(office.Requests()[0]) {
				t.Errorf("Verify = %v, sent %+v", err, office.Requests()[0])
			}
			office.Misbehave(boxoffice.Drop)
			_, err := s.Verify(t.Context(), show(strong))
			if said := fmt.Sprintf("%v %+v %v %+v", err, err, s, tt.auth); strings.Contains(said, "CANARY") || strings.Contains(said, "CAN&ARY") {
				t.Errorf("a secret is shown: %s", said)
			}
		})
	}
}

// TestTrace: everything that helps, nothing that is secret.
func TestTrace(t *testing.T) {
	g := &guarded{life: 60, ledger: newLedger()}
	g.ledger.put(strong, fmt.Sprintf(`{"code":%q,"valid":true,"state":"was %s here","name":"CANARYNAME","private":{"mail":"CANARY@example.org"}}`, strong, strings.ToLower(strong)))
	office := boxoffice.New(t, g.answer)
	cfg := config(office.URL)
	cfg.Auth = web.Auth{OAuth2: &web.OAuth2{URL: office.URL + "/token", ID: "me", Secret: "CANARY+key", Scope: "read"}, Query: []web.Field{{"k", "CANARYKEY"}}}
	cfg.Factors = []web.Factor{{Name: "surname", Equals: "item.name"}}
	cfg.Decide.Grants = append(cfg.Decide.Grants, web.Grant{When: `item.state == ""`, Attraction: "zoo"}, web.Grant{When: `len(item.state) > 3`, Attraction: "park"})
	s := source(t, cfg, options())
	tr, err := s.Trace(t.Context(), named(strong, "canaryname"))
	if err != nil || tr.Ticket == nil || tr.Status != 200 || tr.Method != "GET" || len(tr.Steps) < 8 {
		t.Fatalf("Trace = %+v, %v", tr, err)
	}
	said := fmt.Sprintf("%+v %v", tr, tr.Ticket)
	if strings.Contains(strings.ToUpper(said), "CANARY") {
		t.Errorf("Trace shows a secret: %s", said)
	}
	for _, want := range []string{"/tickets/{code}?k=[redacted]", "Authorization: [redacted]", ".private.mail: a string", ".valid: a bool", "AAAAAAAAAA9999AAAAAA", "the same"} {
		if !strings.Contains(said, want) {
			t.Errorf("Trace lacks %q: %s", want, said)
		}
	}
	tr, err = s.Trace(t.Context(), named(strong, "somebody else"))
	if denied(err) != gate.ReasonUnknown || tr.Err == nil || !strings.Contains(fmt.Sprintf("%+v", tr), "another one") {
		t.Errorf("Trace with another surname = %+v, %v", tr, err)
	}
	if tr, err = s.Trace(t.Context(), show("!")); denied(err) != gate.ReasonMalformed || tr == nil {
		t.Errorf("Trace(malformed) = %+v, %v", tr, err)
	}
}
