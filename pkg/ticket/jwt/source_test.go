package jwt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

var (
	_ gate.Verifier  = (*jwt.Source)(nil)
	_ gate.Rechecker = (*jwt.Source)(nil)
)

// A denylist is one that can fail.
type denylist struct {
	mu  sync.Mutex
	ids map[string]bool
	err error
}

func (d *denylist) Denied(_ context.Context, iss, id string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return iss == issuer && d.ids[id], d.err
}

func (d *denylist) deny(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids[id] = true
}

func newDenylist() *denylist { return &denylist{ids: map[string]bool{}} }

func TestVerifier(t *testing.T) {
	ec := token(`{"alg":"ES256"}`, claims(`"jti":"A"`, `"products":["castle/audio","zoo"]`, `"seats":3`), ecKey())
	unnamed := token(`{"alg":"ES256","kid":"ec"}`, claims(), ecKey())
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		cfg := config(t)
		cfg.Denied = []string{"TAKEN-BACK"}
		castle := []gate.Product{{Attraction: "castle"}}
		return tickettest.Fixture{
			Verifier: open(t, cfg, options()),
			Good: []tickettest.Good{
				{
					Spellings: []gate.Credential{credential(ec), credential(" " + ec + "\n"), credential(twin(t, ec)),
						credential(token(`{"kid":"ed","alg":"EdDSA"}`, claims(`"jti":"A"`, `"products":["castle/audio","zoo"]`, `"seats":3`), edKey()))},
					Buys: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "zoo"}}, Seats: 3, Proven: true,
				},
				{Spellings: []gate.Credential{credential(unnamed), credential(twin(t, unnamed))}, Buys: castle, Proven: true},
				{Spellings: []gate.Credential{credential(token(`{"alg":"RS256","kid":"rsa"}`, claims(), rsaKey()))}, Buys: castle, Proven: true},
				{Spellings: []gate.Credential{credential(good(`"jti":"a"`))}, Buys: castle, Proven: true},
			},
			Unknown:   []gate.Credential{credential(token(edHeader, claims(), otherEd())), credential(good(`"iss":"https://other.example.org"`)), credential(good(`"aud":"other"`))},
			Malformed: []gate.Credential{credential(""), credential("CASTLE-4711"), credential("a.b.c"), credential(ec + "="), credential(strings.Repeat("A", 5000))},
			Refused: []tickettest.Refused{
				{Credential: credential(good(fmt.Sprintf(`"exp":%d`, noon.Add(-time.Hour).Unix()))), Reason: gate.ReasonExpired},
				{Credential: credential(good(fmt.Sprintf(`"nbf":%d`, noon.Add(time.Hour).Unix()))), Reason: gate.ReasonNotYetValid},
				{Credential: credential(good(`"jti":"TAKEN-BACK"`)), Reason: gate.ReasonRevoked},
				{Credential: credential(token(edHeader, without("products"), edKey())), Reason: gate.ReasonNotIncluded},
			},
		}
	})
}

func TestRechecker(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		list, opts := newDenylist(), options()
		opts.Denylist = list
		s := open(t, config(t), opts)
		return tickettest.RecheckFixture{
			Verifier: s, Source: "shop",
			Good: []gate.Credential{credential(good(`"jti":"A"`, `"seats":2`, `"valid_from":"2026-07-01T09:00:00Z"`)), credential(good(`"jti":"B"`)), credential(good())},
			// The ref of another configuration is none of ours.
			Unknown: []string{"", "A", refOf(t, open(t, config(t), jwt.Options{Secret: []byte("another secret of 32 characters."), Now: newClock().now}), good(`"jti":"A"`))},
			Refund: func(t *testing.T, c gate.Credential) gate.Reason {
				id, err := jwt.ID(c.Code)
				if err != nil {
					t.Fatal(err)
				}
				list.deny(id)
				return gate.ReasonRevoked
			},
		}
	})
}

func refOf(t *testing.T, s *jwt.Source, code string) string {
	t.Helper()
	got, err := s.Verify(t.Context(), credential(code))
	if err != nil {
		t.Fatalf("Verify = %v", err)
	}
	return got.Ref
}

func TestVerifySaysWhatTheTokenSays(t *testing.T) {
	opts := options()
	opts.Terms = gate.Validity{Days: 3, OneDay: true}
	s := open(t, config(t), opts)
	code := good(`"jti":"A"`, `"seats":4`, `"products":["castle/audio"]`, `"attraction":"zoo"`, `"packages":["birds","castle/premium"]`,
		`"valid_from":"2026-07-01T11:00:00+02:00"`, `"valid_until":1782907200`, `"first_use":1782900000`)
	_, err := s.Verify(t.Context(), credential(code))
	wantDenied(t, "Verify, package of an attraction that is not named", nil, err, gate.ReasonMalformed, false)

	code = strings.Replace(claims(`"jti":"A"`, `"seats":4`, `"products":["castle/audio"]`, `"attraction":["zoo","castle"]`, `"packages":["birds","castle/premium"]`,
		`"valid_from":"2026-07-01T11:00:00+02:00"`, `"valid_until":1782907200.5`, `"first_use":1782900000`), "{", `{"nbf":1782900000,`, 1)
	got, err := s.Verify(t.Context(), credential(token(edHeader, code, edKey())))
	if err != nil {
		t.Fatalf("Verify = %v", err)
	}
	want := &gate.Ticket{Kind: jwt.Kind, Normal: issuer + "\nA", Seats: 4, Terms: opts.Terms, Proven: true, Ref: got.Ref,
		Buys: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "zoo", Package: "birds"}, {Attraction: "castle", Package: "birds"}, {Attraction: "castle", Package: "premium"}},
		// 12:00 UTC and half a second
		ValidFrom: noon.Add(-3 * time.Hour), ValidUntil: noon.Add(500 * time.Millisecond), FirstUse: noon.Add(-2 * time.Hour)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Verify = %+v, want %+v", got, want)
	}
	if got.Ref == "" || strings.Contains(got.Ref, "castle") {
		t.Errorf("Verify: ref %q, want a sealed one", got.Ref)
	}
}

// Validity is that of the claims, with the leeway at both ends and no more.
func TestTimes(t *testing.T) {
	minute := func(n int) int64 { return noon.Add(time.Duration(n) * time.Minute).Unix() }
	tests := []struct {
		name   string
		leeway time.Duration
		claims []string
		after  time.Duration
		want   gate.Reason // empty means good
	}{
		{"before exp", 0, []string{fmt.Sprintf(`"exp":%d`, minute(1))}, 0, ""},
		{"in the leeway after exp", 0, []string{fmt.Sprintf(`"exp":%d`, minute(1))}, 89 * time.Second, ""},
		{"end of the leeway", 0, []string{fmt.Sprintf(`"exp":%d`, minute(1))}, 90 * time.Second, gate.ReasonExpired},
		{"exp itself, no leeway", -1, []string{fmt.Sprintf(`"exp":%d`, minute(1))}, time.Minute, gate.ReasonExpired},
		{"nbf itself, no leeway", -1, []string{fmt.Sprintf(`"nbf":%d`, minute(1))}, time.Minute, ""},
		{"just before nbf, no leeway", -1, []string{fmt.Sprintf(`"nbf":%d`, minute(1))}, time.Minute - time.Second, gate.ReasonNotYetValid},
		{"in the leeway before nbf", 0, []string{fmt.Sprintf(`"nbf":%d`, minute(1))}, 30 * time.Second, ""},
		{"before the leeway of nbf", 0, []string{fmt.Sprintf(`"nbf":%d`, minute(1))}, 29 * time.Second, gate.ReasonNotYetValid},
		{"nbf after exp", 0, []string{fmt.Sprintf(`"nbf":%d`, minute(120))}, 0, gate.ReasonNotYetValid},
		{"begins when it ends", -1, []string{fmt.Sprintf(`"exp":%d`, minute(1)), `"valid_from":"2026-07-01T12:01:00Z"`}, 0, gate.ReasonMalformed},
		{"two years ahead", 0, []string{fmt.Sprintf(`"exp":%d`, noon.Add(jwt.DefaultMaxLife).Unix())}, 0, ""},
		{"more than that", 0, []string{fmt.Sprintf(`"exp":%d`, noon.Add(jwt.DefaultMaxLife).Unix()+1)}, 0, gate.ReasonMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, cfg := newClock(), config(t)
			cfg.Leeway = tt.leeway
			s := open(t, cfg, jwt.Options{Now: c.now})
			c.advance(tt.after)
			got, err := s.Verify(t.Context(), credential(good(tt.claims...)))
			if tt.want != "" {
				wantDenied(t, "Verify", got, err, tt.want, tt.want != gate.ReasonMalformed)
			} else if err != nil || !got.ValidUntil.After(c.now()) {
				t.Errorf("Verify = %+v, %v, want a ticket that is valid now", got, err)
			}
		})
	}
}

// What a ticket that was admitted says later: the same, until it ends.
func TestRecheckLater(t *testing.T) {
	c := newClock()
	s := open(t, config(t), jwt.Options{Now: c.now, Secret: secret})
	ref := refOf(t, s, good(`"jti":"A"`))
	c.advance(time.Hour + 29*time.Second)
	if _, err := s.Recheck(t.Context(), "", ref); err != nil {
		t.Errorf("Recheck = %v, want a ticket", err)
	}
	c.advance(time.Second)
	got, err := s.Recheck(t.Context(), "", ref)
	wantDenied(t, "Recheck after the end", got, err, gate.ReasonExpired, true)
}

// A key that leaves the configuration takes the visits with it.
func TestRecheckAfterAKeyIsGone(t *testing.T) {
	cfg := config(t)
	ref := refOf(t, open(t, cfg, options()), good())
	cfg.Keys = cfg.Keys[1:]
	got, err := open(t, cfg, options()).Recheck(t.Context(), "", ref)
	wantDenied(t, "Recheck", got, err, gate.ReasonBlocked, true)
}

func TestNoSecretNoRef(t *testing.T) {
	s := open(t, config(t), jwt.Options{Now: newClock().now})
	got, err := s.Verify(t.Context(), credential(good()))
	if err != nil || got.Ref != "" {
		t.Errorf("Verify = %+v, %v, want a ticket without a ref", got, err)
	}
	again, err := s.Recheck(t.Context(), "", "")
	wantDenied(t, "Recheck", again, err, gate.ReasonUnknown, false)
}

func TestDenylistFails(t *testing.T) {
	opts := options()
	opts.Denylist = &denylist{err: gate.Deny(gate.ReasonRevoked, errors.New("disk is gone"))}
	s := open(t, config(t), opts)
	got, err := s.Verify(t.Context(), credential(good()))
	var denial *gate.Denial
	if got != nil || err == nil || errors.As(err, &denial) || !strings.Contains(err.Error(), "disk is gone") {
		t.Errorf("Verify = %+v, %v, want a failure that is no denial", got, err)
	}
}

func TestDeniedFile(t *testing.T) {
	cfg, c := config(t), newClock()
	cfg.DeniedFile = file(t, "# taken back\n\n  A  \nB # no remark\r\n")
	s := open(t, cfg, jwt.Options{Now: c.now})
	verify := func(jti string, want gate.Reason) {
		t.Helper()
		got, err := s.Verify(t.Context(), credential(good(`"jti":"`+jti+`"`)))
		if want != "" {
			wantDenied(t, "Verify("+jti+")", got, err, want, true)
		} else if err != nil {
			t.Errorf("Verify(%s) = %v, want a ticket", jti, err)
		}
	}
	verify("A", gate.ReasonRevoked)
	verify("B", "")
	if err := os.WriteFile(cfg.DeniedFile, []byte("B\nC"), 0o600); err != nil {
		t.Fatal(err)
	}
	verify("B", "") // not looked at again yet
	c.advance(10 * time.Second)
	verify("A", "")
	verify("B", gate.ReasonRevoked)
	verify("C", gate.ReasonRevoked)
	if err := os.Remove(cfg.DeniedFile); err != nil {
		t.Fatal(err)
	}
	c.advance(10 * time.Second)
	verify("B", gate.ReasonRevoked) // the list before counts
	if _, err := jwt.New(cfg, jwt.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("New without the file = %v, want os.ErrNotExist", err)
	}
}

func TestMapping(t *testing.T) {
	cfg := config(t)
	cfg.Claims = jwt.Claims{Products: "/ticket/items", Seats: "/ticket/p~1x", Attraction: "https://shop.example.org/place"}
	cfg.Names = map[string][]string{"AUDIO-ADULT": {"castle/audio"}, "ALL": {"castle", "zoo"}}
	opts := options()
	opts.Check = func(p gate.Product) error {
		if p.Attraction == "moon" || p.Package == "crater" {
			return fmt.Errorf("%q is not configured", p)
		}
		return nil
	}
	s := open(t, cfg, opts)
	castle, zoo, audio := gate.Product{Attraction: "castle"}, gate.Product{Attraction: "zoo"}, gate.Product{Attraction: "castle", Package: "audio"}
	tests := []struct {
		name, claims string
		buys         []gate.Product
		seats        int
		want         gate.Reason
	}{
		{"a name", `"ticket":{"items":["AUDIO-ADULT"],"p/x":2}`, []gate.Product{audio}, 2, ""},
		{"a name twice", `"ticket":{"items":["AUDIO-ADULT","AUDIO-ADULT","ALL","zoo"]}`, []gate.Product{audio, castle, zoo}, 0, ""},
		{"a text", `"ticket":{"items":"castle/audio"}`, []gate.Product{audio}, 0, ""},
		{"an attraction", `"https://shop.example.org/place":"zoo"`, []gate.Product{zoo}, 0, ""},
		{"with packages", `"https://shop.example.org/place":["castle"],"packages":"audio"`, []gate.Product{audio}, 0, ""},
		{"nothing", `"x":1`, nil, 0, gate.ReasonNotIncluded},
		{"null", `"ticket":null`, nil, 0, gate.ReasonNotIncluded},
		{"under a text", `"ticket":"items"`, nil, 0, gate.ReasonNotIncluded},
		{"no such name", `"ticket":{"items":["AUDIO-CHILD"]}`, nil, 0, gate.ReasonMalformed},
		{"an unknown attraction", `"ticket":{"items":["castle","moon"]}`, nil, 0, gate.ReasonWrongAttraction},
		{"an unknown package", `"ticket":{"items":["castle/crater"]}`, nil, 0, gate.ReasonNotIncluded},
		{"a wildcard", `"ticket":{"items":["*"]}`, nil, 0, gate.ReasonMalformed},
		{"no package", `"ticket":{"items":["castle/"]}`, nil, 0, gate.ReasonMalformed},
		{"a path", `"ticket":{"items":["castle/../zoo"]}`, nil, 0, gate.ReasonMalformed},
		{"an empty list", `"ticket":{"items":[]}`, nil, 0, gate.ReasonMalformed},
		{"an empty text", `"ticket":{"items":""}`, nil, 0, gate.ReasonMalformed},
		{"numbers", `"ticket":{"items":[1]}`, nil, 0, gate.ReasonMalformed},
		{"an object", `"ticket":{"items":{"castle":true}}`, nil, 0, gate.ReasonMalformed},
		{"packages of nothing", `"packages":["audio"]`, nil, 0, gate.ReasonMalformed},
		{"no seats", `"ticket":{"items":"zoo","p/x":0}`, nil, 0, gate.ReasonMalformed},
		{"half a seat", `"ticket":{"items":"zoo","p/x":1.5}`, nil, 0, gate.ReasonMalformed},
		{"seats as text", `"ticket":{"items":"zoo","p/x":"2"}`, nil, 0, gate.ReasonMalformed},
		{"seats for a city", `"ticket":{"items":"zoo","p/x":100000}`, nil, 0, gate.ReasonMalformed},
		{"no time", `"ticket":{"items":"zoo"},"valid_until":"tomorrow"`, nil, 0, gate.ReasonMalformed},
		{"year 10000", `"ticket":{"items":"zoo"},"valid_from":1e15`, nil, 0, gate.ReasonMalformed},
		{"a time of true", `"ticket":{"items":"zoo"},"first_use":true`, nil, 0, gate.ReasonMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Verify(t.Context(), credential(good(tt.claims)))
			if tt.want != "" {
				wantDenied(t, "Verify", got, err, tt.want, tt.want != gate.ReasonMalformed)
			} else if err != nil || !reflect.DeepEqual(got.Buys, tt.buys) || got.Seats != tt.seats {
				t.Errorf("Verify = %+v, %v, want %v with %d seats", got, err, tt.buys, tt.seats)
			}
		})
	}
	cfg.Buys = []string{"castle/audio"}
	if got, err := open(t, cfg, opts).Verify(t.Context(), credential(good())); err != nil || !reflect.DeepEqual(got.Buys, []gate.Product{audio}) {
		t.Errorf("Verify = %+v, %v, want what every token buys", got, err)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*jwt.Config, *jwt.Options)
		want   string
	}{
		{"no issuer", func(c *jwt.Config, _ *jwt.Options) { c.Issuer = "" }, "issuer"},
		{"no audience", func(c *jwt.Config, _ *jwt.Options) { c.Audience = "" }, "audience"},
		{"no keys", func(c *jwt.Config, _ *jwt.Options) { c.Keys = nil }, "keys"},
		{"two kinds of keys", func(c *jwt.Config, _ *jwt.Options) { c.KeySet = "https://shop.example.org/keys" }, "keys"},
		{"a long leeway", func(c *jwt.Config, _ *jwt.Options) { c.Leeway = 6 * time.Minute }, "leeway"},
		{"fetching all the time", func(c *jwt.Config, _ *jwt.Options) { c.Refresh = time.Second }, "refresh"},
		{"a short outage", func(c *jwt.Config, _ *jwt.Options) { c.Outage = time.Minute }, "outage"},
		{"a short secret", func(_ *jwt.Config, o *jwt.Options) { o.Secret = secret[:15] }, "15 bytes"},
		{"a key that is not there", func(c *jwt.Config, _ *jwt.Options) { c.Keys[0].File += "x" }, "no such file"},
		{"buys what is no product", func(c *jwt.Config, _ *jwt.Options) { c.Buys = []string{"*"} }, "buys"},
		{"a name for nothing", func(c *jwt.Config, _ *jwt.Options) { c.Names = map[string][]string{"A": nil} }, "buys nothing"},
		{"an attraction that is not configured", func(c *jwt.Config, o *jwt.Options) {
			c.Buys = []string{"moon"}
			o.Check = func(gate.Product) error { return errors.New("not configured") }
		}, "not configured"},
		{"a key set without TLS", func(c *jwt.Config, _ *jwt.Options) { c.Keys, c.KeySet = nil, "http://shop.example.org/keys" }, "https"},
		{"a key set on this machine without TLS", func(c *jwt.Config, _ *jwt.Options) { c.Keys, c.KeySet = nil, "http://127.0.0.1/keys" }, "https"},
		{"a key set with a password", func(c *jwt.Config, _ *jwt.Options) { c.Keys, c.KeySet = nil, "https://u:CANARY@shop.example.org/" }, "user name"},
		{"a key set that is no URL", func(c *jwt.Config, _ *jwt.Options) { c.Keys, c.KeySet = nil, "https://CANARY%zz/" }, "not a URL"},
		{"a key set in a file", func(c *jwt.Config, _ *jwt.Options) { c.Keys, c.KeySet = nil, "file:///etc/passwd" }, "no host"},
		{"nothing wrong", func(*jwt.Config, *jwt.Options) {}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, opts := config(t), options()
			tt.change(&cfg, &opts)
			s, err := jwt.New(cfg, opts)
			if tt.want == "" && err != nil || tt.want != "" && (s != nil || err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "CANARY")) {
				t.Errorf("New = %v, %v, want an error about %q", s, err, tt.want)
			}
		})
	}
}
