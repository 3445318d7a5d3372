package jwt_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// A shop publishes its keys.
type shop struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  int
	clock  *clock
}

func newShop(t *testing.T) *shop {
	s := &shop{clock: newClock()}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	s.publish("ed", "ec", "rsa")
	return s
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	answer := s.answer
	s.mu.Unlock()
	answer(w, r)
}

func (s *shop) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *shop) serve(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// publish puts the keys with these names into the set.
func (s *shop) publish(names ...string) {
	var keys []string
	for _, name := range names {
		keys = append(keys, jwkOf(name))
	}
	s.serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"keys":[%s]}`, strings.Join(keys, ",")) })
}

func (s *shop) fail(status int) {
	s.serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func jwkOf(name string) string {
	b64 := func(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
	switch name {
	case "ed":
		return `{"kty":"OKP","crv":"Ed25519","kid":"ed","use":"sig","x":"` + b64(edKey()[32:]) + `"}`
	case "new":
		return `{"kty":"OKP","crv":"Ed25519","kid":"new","x":"` + b64(otherEd()[32:]) + `"}`
	case "ec":
		point, err := ecKey().PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		return `{"kty":"EC","crv":"P-256","kid":"ec","alg":"ES256","x":"` + b64(point[1:33]) + `","y":"` + b64(point[33:]) + `"}`
	}
	return `{"kty":"RSA","kid":"rsa","n":"` + b64(rsaKey().N.Bytes()) + `","e":"AQAB"}`
}

func (s *shop) config() jwt.Config {
	return jwt.Config{Issuer: issuer, Audience: audience, KeySet: s.URL, Allow: loopback}
}

func (s *shop) open(t *testing.T) *jwt.Source {
	return open(t, s.config(), jwt.Options{Now: s.clock.now, Secret: secret})
}

// by returns a token that lives for two days, by the key with a name.
func by(name string) gate.Credential {
	key := map[string]crypto.Signer{"ed": edKey(), "new": otherEd(), "ec": ecKey(), "rsa": rsaKey(), "nobody": otherEd()}[name]
	alg := map[string]string{"ec": "ES256", "rsa": "RS256"}[name]
	if alg == "" {
		alg = "EdDSA"
	}
	return credential(token(`{"alg":"`+alg+`","kid":"`+name+`"}`, claims(fmt.Sprintf(`"exp":%d`, noon.Add(48*time.Hour).Unix())), key))
}

const (
	taken   = "good"
	unknown = "unknown"
	nobody  = "nobody knows"
)

// verdict is how a verification ended.
func verdict(_ *gate.Ticket, err error) string {
	var denial *gate.Denial
	switch {
	case err == nil:
		return taken
	case errors.As(err, &denial):
		return string(denial.Reason)
	}
	return nobody
}

func verify(t *testing.T, s *jwt.Source, name, want string) {
	t.Helper()
	got, err := s.Verify(t.Context(), by(name))
	if verdict(got, err) != want {
		t.Errorf("Verify(by %s) = %v, %v, want %s", name, got, err, want)
	}
}

func TestVerifierWithKeySet(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		sh, down := newShop(t), newShop(t)
		down.fail(500)
		cfg := down.config()
		cfg.Issuer = "https://down.example.org"
		castle := []gate.Product{{Attraction: "castle"}}
		return tickettest.Fixture{
			Verifier: either{sh.open(t), open(t, cfg, jwt.Options{Now: sh.clock.now})},
			Good: []tickettest.Good{
				{Spellings: []gate.Credential{by("ed")}, Buys: castle, Proven: true},
				{Spellings: []gate.Credential{by("ec")}, Buys: castle, Proven: true},
				{Spellings: []gate.Credential{by("rsa")}, Buys: castle, Proven: true},
			},
			Unknown: []gate.Credential{by("new"), by("nobody")},
			Down:    []gate.Credential{credential(good(`"iss":"https://down.example.org"`))},
		}
	})
}

// either asks the second source about what the first does not know.
type either struct{ a, b *jwt.Source }

func (e either) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	t, err := e.a.Verify(ctx, c)
	if id, _ := jwt.ID(c.Code); verdict(t, err) == unknown && id != "" && strings.Contains(decoded(c), "down.example.org") {
		return e.b.Verify(ctx, c)
	}
	return t, err
}

func decoded(c gate.Credential) string {
	raw, _ := base64.RawURLEncoding.DecodeString(strings.Split(c.Code.Reveal(), ".")[1])
	return string(raw)
}

// A new key is found when its first token comes, and an old one counts for the
// overlap.
func TestRotation(t *testing.T) {
	sh := newShop(t)
	s := sh.open(t)
	verify(t, s, "ed", taken)
	verify(t, s, "ed", taken)
	if sh.count() != 1 {
		t.Errorf("%d requests for two tokens, want 1", sh.count())
	}
	verify(t, s, "new", unknown)
	sh.publish("new", "rsa")
	verify(t, s, "new", unknown) // the set was read less than a minute ago
	if sh.count() != 1 {
		t.Errorf("%d requests within a minute, want 1", sh.count())
	}
	ref := refOf(t, s, by("ed").Code.Reveal())
	sh.clock.advance(time.Minute)
	verify(t, s, "new", taken)
	verify(t, s, "ed", taken)
	sh.clock.advance(time.Hour - time.Second)
	verify(t, s, "ed", taken)
	if got, err := s.Recheck(t.Context(), "", ref); err != nil {
		t.Errorf("Recheck in the overlap = %v, %v, want a ticket", got, err)
	}
	sh.clock.advance(time.Second)
	verify(t, s, "ed", unknown)
	got, err := s.Recheck(t.Context(), "", ref)
	wantDenied(t, "Recheck after the overlap", got, err, gate.ReasonBlocked, true)
	verify(t, s, "rsa", taken)
}

// Unknown keys cause a request a minute, whatever happens.
func TestHostileKeyNames(t *testing.T) {
	sh := newShop(t)
	s := sh.open(t)
	for minute := range 5 {
		var done sync.WaitGroup
		for i := range 40 {
			done.Go(func() {
				got, err := s.Verify(t.Context(), credential(token(fmt.Sprintf(`{"alg":"EdDSA","kid":"k%d-%d"}`, minute, i), claims(), otherEd())))
				if verdict(got, err) != unknown {
					t.Errorf("Verify = %v, %v, want unknown", got, err)
				}
			})
		}
		done.Wait()
		verify(t, s, "ed", taken)
		if got := sh.count(); got != minute+1 {
			t.Errorf("%d requests in minute %d, want %d", got, minute, minute+1)
		}
		sh.clock.advance(time.Minute)
	}
}

// Tokens that are not of this issuer, or no tokens, cause no request.
func TestNoRequestForOthers(t *testing.T) {
	sh := newShop(t)
	s := sh.open(t)
	for name, text := range hostile(sh.URL) {
		if strings.HasPrefix(name, "iss") || strings.HasPrefix(name, "jwk") || strings.HasPrefix(name, "jku") || strings.HasPrefix(name, "x5") || strings.HasPrefix(strings.ToLower(name), "none") {
			if _, err := s.Verify(t.Context(), credential(text)); err == nil {
				t.Errorf("%s: Verify took it", name)
			}
		}
	}
	if sh.count() != 0 {
		t.Errorf("%d requests, want none", sh.count())
	}
}

// While the set cannot be had, the keys that are known count for the outage,
// and of others nobody knows.
func TestOutage(t *testing.T) {
	sh := newShop(t)
	sh.fail(503)
	s := sh.open(t)
	verify(t, s, "ed", nobody)
	sh.publish("ed")
	verify(t, s, "ed", nobody) // once a minute
	sh.clock.advance(time.Minute)
	verify(t, s, "ed", taken)
	sh.fail(503)
	sh.clock.advance(time.Minute)
	verify(t, s, "new", nobody)
	verify(t, s, "ed", taken)
	sh.clock.advance(23 * time.Hour)
	verify(t, s, "ed", taken)
	sh.clock.advance(time.Hour)
	verify(t, s, "ed", nobody)
	sh.publish("ed")
	sh.clock.advance(time.Minute)
	verify(t, s, "ed", taken)
}

func TestBadKeySets(t *testing.T) {
	set := func(w http.ResponseWriter) { fmt.Fprintf(w, `{"keys":[%s]}`, jwkOf("ed")) }
	elsewhere := newShop(t)
	tests := map[string]http.HandlerFunc{
		"204":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"201":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); set(w) },
		"404":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); set(w) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"HTML":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"empty":    func(http.ResponseWriter, *http.Request) {},
		"no keys":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[]}`) },
		"endless":  func(w http.ResponseWriter, _ *http.Request) { set(w); fmt.Fprint(w, strings.Repeat(" ", 10<<20)) },
		"cut":      func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9000"); set(w) },
		"gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "\x1f\x8b\x08")
		},
		"private keys": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`)
		},
		"shared keys": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"keys":[{"kty":"oct","kid":"ed","k":"AAAA"}]}`)
		},
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			sh := newShop(t)
			sh.serve(answer)
			s := sh.open(t)
			verify(t, s, "ed", nobody)
			if err := s.Probe(t.Context()); err == nil {
				t.Error("Probe = nil, want an error")
			}
		})
	}
	if elsewhere.count() != 0 {
		t.Errorf("a redirect was followed")
	}
}

func TestProbe(t *testing.T) {
	sh := newShop(t)
	s := sh.open(t)
	for range 2 { // now, whenever it was last
		if err := s.Probe(t.Context()); err != nil {
			t.Errorf("Probe = %v", err)
		}
	}
	if sh.count() != 2 {
		t.Errorf("%d requests, want 2", sh.count())
	}
	if err := open(t, config(t), options()).Probe(t.Context()); err != nil {
		t.Errorf("Probe with fixed keys = %v", err)
	}
}

// A viewer who goes away does not spoil it for the others, and Close ends what
// hangs.
func TestSlowKeySet(t *testing.T) {
	sh := newShop(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	sh.serve(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		fmt.Fprintf(w, `{"keys":[%s]}`, jwkOf("ed"))
	})
	s := sh.open(t)
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := s.Verify(impatient, by("ed"))
		left <- err
	}()
	<-arrived
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("Verify of one who left = %v, want context.Canceled", err)
	}
	var done sync.WaitGroup
	for range 99 {
		done.Go(func() {
			if _, err := s.Verify(t.Context(), by("ed")); err != nil {
				t.Errorf("Verify of one who stayed = %v", err)
			}
		})
	}
	close(release)
	done.Wait()
	if sh.count() != 1 {
		t.Errorf("%d requests, want 1", sh.count())
	}
}

func TestCloseEndsAFetch(t *testing.T) {
	sh := newShop(t)
	arrived := make(chan struct{})
	sh.serve(func(_ http.ResponseWriter, r *http.Request) { close(arrived); <-r.Context().Done() })
	s := sh.open(t)
	ended := make(chan error)
	go func() {
		_, err := s.Verify(t.Context(), by("ed"))
		ended <- err
	}()
	<-arrived
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("Verify = nil after Close, want an error")
	}
}

// Keys are not had from inside, whatever a name leads to, nor without TLS, nor
// by a proxy that the environment names.
func TestWhereKeysComeFrom(t *testing.T) {
	sh := newShop(t)
	secure := httptest.NewTLSServer(sh)
	defer secure.Close()
	t.Setenv("HTTPS_PROXY", sh.URL)
	t.Setenv("HTTP_PROXY", sh.URL)
	tests := map[string]func(*jwt.Config){
		"loopback": func(c *jwt.Config) { c.KeySet, c.Allow = secure.URL, nil },
		"a name for it": func(c *jwt.Config) {
			c.KeySet, c.Allow = strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), nil
		},
		"metadata service":  func(c *jwt.Config) { c.KeySet = "https://169.254.169.254/latest" },
		"unknown authority": func(c *jwt.Config) { c.KeySet = secure.URL },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := sh.config()
			change(&cfg)
			s := open(t, cfg, jwt.Options{Now: sh.clock.now})
			verify(t, s, "ed", nobody)
		})
	}
	if sh.count() != 0 {
		t.Errorf("%d requests, want none", sh.count())
	}
	cfg := sh.config()
	cfg.KeySet = secure.URL
	pool := secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	verify(t, open(t, cfg, jwt.Options{Now: sh.clock.now, CA: pool}), "ed", taken)
}
