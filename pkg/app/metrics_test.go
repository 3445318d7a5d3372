package app_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/telemetry/prom"
)

// numbers are what a scrape shows, by name with labels.
type numbers map[string]float64

// scrape asks for the metrics as Prometheus does.
func scrape(t testing.TB, r *prom.Registry) (numbers, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /metrics = %d %s", w.Code, w.Body)
	}
	all := numbers{}
	for line := range strings.Lines(w.Body.String()) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), "} ")
		if series += "}"; !ok {
			series, value, ok = strings.Cut(strings.TrimSpace(line), " ")
		}
		if n, err := strconv.ParseFloat(value, 64); ok && err == nil && !strings.HasPrefix(line, "#") {
			all[series] = n
		}
	}
	return all, w.Body.String()
}

// want says which of the numbers differ.
func (n numbers) want(t *testing.T, when string, want numbers) {
	t.Helper()
	for _, series := range slices.Sorted(maps.Keys(want)) {
		got, ok := n[series]
		if !ok || got != want[series] {
			t.Errorf("%s: %s = %v (shown: %v), want %v", when, series, got, ok, want[series])
		}
	}
}

// newSeenVenue is a venue whose metrics are kept.
func newSeenVenue(t *testing.T, book string, change func(*config.Config)) (*venue, *prom.Registry) {
	v := newVenue(t, book, change)
	r := prom.New("test", nil)
	v.opts.Meter = r
	v.restart()
	return v, r
}

func (b *browser) verifyAt(ticket, attraction string) *answer {
	return b.ask("POST", "/v1/tickets/verify", fmt.Sprintf(`{"ticket":%q,"attraction":%q}`, ticket, attraction))
}

// TestVisitIsCounted follows two visitors from the door to the end.
func TestVisitIsCounted(t *testing.T) {
	v, r := newSeenVenue(t, "sqlite", nil)
	first, second := v.enter(nil), v.enter(nil)
	visit := first.verifyAt(code, "castle").Admission.ID
	first.verifyAt(code, "castle") // has its seat
	first.verifyAt("NO-SUCH-TICKET-0001", "castle")
	first.verifyAt(code, "moon")
	first.ask("GET", "/castle/audio/hall.m4a", "")
	second.ask("GET", "/castle/audio/hall.m4a", "")
	second.ask("GET", "/castle/free/welcome.m4a", "")
	first.ask("POST", "/v1/urls", `{"paths":["/castle/audio/hall.m4a"]}`)
	first.ask("POST", "/v1/urls", `{"paths":["/castle/audio/hall.m4a"]}`)
	v.pass(11 * time.Minute)
	first.renew()
	v.booth.away.Store(true)
	v.pass(11 * time.Minute)
	first.renew()
	second.verifyAt(code, "castle")
	first.ask("DELETE", "/v1/admission", "")

	v.booth.away.Store(false)
	ticket := v.sell(1)
	second.verify(ticket.Code) // castle only
	var r1, r2 revoked
	v.office("POST", "/admin/v1/tickets/"+ticket.ID+"/revoke", "{}", &r1)
	v.office("POST", "/admin/v1/admissions/"+visit+"/revoke", "{}", &r2)
	v.pass(11 * time.Minute)
	second.renew()

	got, _ := scrape(t, r)
	got.want(t, "after the visit", numbers{
		`handstamp_admissions_total{attraction="castle"}`:                                       3,
		`handstamp_admissions_total{attraction="zoo"}`:                                          0,
		`handstamp_seats_taken_total{attraction="castle"}`:                                      2,
		`handstamp_refusals_total{attraction="castle",reason="unknown"}`:                        1,
		`handstamp_refusals_total{attraction="other",reason="wrong_attraction"}`:                1,
		`handstamp_failures_total{act="admit",cause="unavailable"}`:                             1,
		`handstamp_renewals_total{outcome="ok"}`:                                                1,
		`handstamp_renewals_total{outcome="degraded"}`:                                          1,
		`handstamp_renewal_refusals_total{reason="revoked"}`:                                    1,
		`handstamp_leaves_total`:                                                                1,
		`handstamp_revocations_total{target="ticket"}`:                                          1,
		`handstamp_revocations_total{target="admission"}`:                                       1,
		`handstamp_edge_decisions_total{code="allowed"}`:                                        1,
		`handstamp_edge_decisions_total{code="MissingKey"}`:                                     1,
		`handstamp_signatures_total{outcome="made",purpose="links"}`:                            1,
		`handstamp_signatures_total{outcome="shared",purpose="links"}`:                          1,
		`handstamp_sign_duration_seconds_count{outcome="made",purpose="links"}`:                 1,
		`handstamp_key_active{key="KTEST0000001"}`:                                              1,
		`handstamp_http_requests_total{method="POST",route="/v1/tickets/verify",status="2xx"}`:  3,
		`handstamp_http_requests_total{method="POST",route="/v1/tickets/verify",status="4xx"}`:  2,
		`handstamp_http_requests_total{method="POST",route="/v1/tickets/verify",status="5xx"}`:  1,
		`handstamp_http_requests_total{method="POST",route="/v1/admission/renew",status="2xx"}`: 2,
		`handstamp_http_requests_total{method="DELETE",route="/v1/admission",status="2xx"}`:     1,
		`handstamp_http_requests_total{method="GET",route="media",status="2xx"}`:                2,
		`handstamp_http_requests_total{method="GET",route="media",status="4xx"}`:                1,
		`handstamp_http_requests_total{method="POST",route="/admin/v1/",status="2xx"}`:          3,
		`handstamp_http_requests_in_flight`:                                                     0,
		`handstamp_line_answering{line="verify"}`:                                               0,
		`handstamp_line_waiting{line="renew"}`:                                                  0,
		`handstamp_line_turned_away_total{line="files"}`:                                        0,
		`handstamp_source_duration_seconds_count{outcome="failed",source="booth"}`:              2,
		`handstamp_source_duration_seconds_count{outcome="answered",source="desk"}`:             1,
		`handstamp_book_duration_seconds_count{operation="enter",outcome="ok"}`:                 3,
		`handstamp_throttle_turns_total{outcome="succeeded"}`:                                   got[`handstamp_throttle_turns_total{outcome="allowed"}`] - got[`handstamp_throttle_turns_total{outcome="failed"}`] - got[`handstamp_throttle_turns_total{outcome="cancelled"}`],
		`handstamp_admin_wrong_keys_total`:                                                      0,
		`handstamp_build_info{go="` + runtime.Version() + `",version="test"}`:                   1,
	})
	if got["handstamp_book_commits_total"] == 0 {
		t.Error("handstamp_book_commits_total = 0, want those of the SQLite book")
	}
}

// Nothing that a visitor shows, and nothing that a visitor gets, is in a metric.
func TestMetricsKeepSecrets(t *testing.T) {
	v, r := newSeenVenue(t, "sqlite", nil)
	b := v.enter(nil)
	a := b.verify(code, "Idempotency-Key", "CANARY-KEY")
	secrets := []string{code, "CANARY", adminKey, a.Admission.ID, b.addr, "192.0.2.7", "hall.m4a"}
	for _, c := range a.header["Set-Cookie"] {
		_, value, _ := strings.Cut(c, "=")
		if value, _, _ = strings.Cut(value, ";"); len(value) > 8 && value != "KTEST0000001" {
			secrets = append(secrets, value)
		}
	}
	b.verifyAt("CANARY-TICKET", "canary-place")
	b.ask("GET", "/castle/audio/hall.m4a?Policy=CANARY", "", "Traceparent", "00-CANARY", "User-Agent", "CANARY")
	b.ask("GET", "/v1/attractions/CANARY/content", "")
	b.ask("CANARY", "/CANARY", "")
	b.ask("GET", "/v1/CANARY", "")
	b.ask("GET", "/v1/admission", "", "Authorization", "Bearer CANARY")
	_, text := scrape(t, r)
	for _, secret := range secrets {
		if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			t.Errorf("the metrics have %q in them", secret)
		}
	}
}

// What comes from outside makes no series of its own.
func TestMetricsStayBounded(t *testing.T) {
	v, r := newSeenVenue(t, "memory", func(c *config.Config) { c.Throttle.Enabled = false })
	b := v.enter(nil)
	hostile := func(from, to int) {
		for n := from; n < to; n++ {
			b.verifyAt(fmt.Sprint("HOSTILE-CODE-", n), fmt.Sprint("place-", n))
			b.ask("GET", fmt.Sprint("/v1/attractions/place-", n, "/content"), "")
			b.ask("GET", fmt.Sprint("/v1/hostile/", n), "")
			b.ask(fmt.Sprint("HOSTILE", n), "/v1/admission", "")
		}
	}
	hostile(0, 10)
	before, _ := scrape(t, r)
	hostile(10, 2500) // 10,000 requests
	after, _ := scrape(t, r)
	for series := range after {
		if _, ok := before[series]; !ok && strings.HasPrefix(series, "handstamp_") {
			t.Errorf("a new series: %s", series)
		}
	}
	if n := len(after); n > 2000 {
		t.Errorf("%d series, want a few hundred", n)
	}
	after.want(t, "made-up attractions", numbers{`handstamp_refusals_total{attraction="other",reason="wrong_attraction"}`: 2500})
}

// A thousand at once are a thousand in the end, and a scrape among them is right.
func TestMetricsOfACrowd(t *testing.T) {
	v, r := newSeenVenue(t, "memory", func(c *config.Config) { c.Throttle.Enabled = false })
	const crowd = 1000
	var wg sync.WaitGroup
	for n := range crowd {
		wg.Go(func() {
			b := v.enter(nil)
			if n%2 == 0 {
				b.verifyAt("NO-SUCH-TICKET-0001", "castle")
			} else {
				b.ask("GET", "/readyz", "")
			}
		})
	}
	for range 20 {
		scrape(t, r)
	}
	wg.Wait()
	got, _ := scrape(t, r)
	got.want(t, "after the crowd", numbers{
		`handstamp_refusals_total{attraction="castle",reason="unknown"}`:                       crowd / 2,
		`handstamp_http_requests_total{method="POST",route="/v1/tickets/verify",status="4xx"}`: crowd / 2,
		`handstamp_http_requests_total{method="GET",route="/readyz",status="2xx"}`:             crowd / 2,
		`handstamp_http_request_duration_seconds_count{route="/v1/tickets/verify"}`:            crowd / 2,
		`handstamp_http_requests_in_flight`:                                                    0,
		`handstamp_source_duration_seconds_count{outcome="refused",source="booth"}`:            crowd / 2,
	})
}

// Viewers find no metrics, on whatever listener they are.
func TestMetricsAreNotPublic(t *testing.T) {
	v, _ := newSeenVenue(t, "sqlite", nil)
	for _, path := range []string{"/metrics", "/v1/metrics", "/app/metrics", "/metrics/"} {
		if a := v.enter(nil).ask("GET", path, ""); a.status != http.StatusNotFound || strings.Contains(string(a.body), "handstamp_admissions") {
			t.Errorf("GET %s = %v, want 404", path, a)
		}
	}
	w := httptest.NewRecorder()
	q := httptest.NewRequest("GET", "http://localhost/metrics", nil)
	q.Header.Set("Authorization", "Bearer "+adminKey)
	if v.app.Load().Admin.ServeHTTP(w, q); w.Code != http.StatusNotFound {
		t.Errorf("GET /metrics of the administration = %d, want 404", w.Code)
	}
}

// Counts go on over a change of the configuration, which is counted too.
func TestMetricsOverReloads(t *testing.T) {
	s := newLiveSite(t, time.Hour)
	r := prom.New("test", nil)
	load := func() (*config.Config, error) { return config.Load(s.file, config.Options{}) }
	live, err := app.NewLive(t.Context(), load, app.LiveOptions{App: app.Options{Meter: r}, File: s.file, Every: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.Live, live = live, s.Live
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	defer func() { stop(); <-done; _ = s.Close(); s.Live = live }()

	s.verify()
	s.write(s.config("Palace"))
	s.Hangup(t.Context())
	s.verify()
	s.write("colour: blue\n")
	s.Hangup(t.Context())
	s.verify()
	got, _ := scrape(t, r)
	got.want(t, "after two reloads", numbers{
		`handstamp_admissions_total{attraction="castle"}`:                       3,
		`handstamp_config_reloads_total{outcome="ok"}`:                          1,
		`handstamp_config_reloads_total{outcome="failed"}`:                      1,
		`handstamp_throttle_turns_total{outcome="allowed"}`:                     3,
		`handstamp_throttle_turns_total{outcome="succeeded"}`:                   3,
		`handstamp_book_duration_seconds_count{operation="enter",outcome="ok"}`: 3,
	})
	made, shared := got[`handstamp_signatures_total{outcome="made",purpose="cookies"}`], got[`handstamp_signatures_total{outcome="shared",purpose="cookies"}`]
	if made < 2 || made+shared != 3 {
		t.Errorf("%v signatures made, %v shared; want 3 together and at least one by each configuration", made, shared)
	}
}

// A manifest says what its keys are; keys.interval is nothing to a scrape.
func TestMetricsOfKeys(t *testing.T) {
	dir := t.TempDir()
	activate := manifest(t, dir, time.Now().Add(-48*time.Hour))
	cfg := config.Default()
	cfg.Keys.Dir, cfg.Keys.Manifest = dir, "file"
	cfg.Sources = []config.Source{{ID: "booth", Kind: "roll"}}
	cfg.Attractions = []config.Attraction{{ID: "castle", Timezone: "UTC", Sources: []string{"booth"}}}
	r := prom.New("test", nil)
	a, err := app.New(t.Context(), cfg, app.Options{Meter: r, Sources: map[string]gate.Verifier{"booth": newBooth(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	states := func() (all []string) {
		got, _ := scrape(t, r)
		for series := range got {
			if strings.HasPrefix(series, "handstamp_key_state{") || strings.HasPrefix(series, "handstamp_key_active{") && got[series] == 1 {
				all = append(all, strings.TrimPrefix(series, "handstamp_key_"))
			}
		}
		slices.Sort(all)
		return all
	}
	before := states()
	activate()
	if err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := states()
	if len(before) != 3 || len(after) != 3 || slices.Equal(before, after) {
		t.Errorf("key states %q, and %q after another key began to sign; want two keys with one that signs each time", before, after)
	}
}

// A stub is a source whose tickets have a name, by which nobody can ask again.
type stub struct{ till }

func (s stub) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	t, err := s.till.Verify(ctx, c)
	t.Ref = "a name"
	return t, err
}

// A source that cannot be asked again does not seem to be one that can, or its
// tickets would come with a Ref.
func TestWatchedSourcesCanWhatTheyCould(t *testing.T) {
	cfg := config.Default()
	cfg.Sources = []config.Source{{ID: "till", Kind: "roll"}, {ID: "booth", Kind: "roll"}}
	cfg.Attractions = []config.Attraction{{ID: "castle", Timezone: "UTC", Sources: []string{"till", "booth"}}}
	r := prom.New("test", nil)
	now := time.Now()
	a, err := app.New(t.Context(), cfg, app.Options{Meter: r, Ring: newRing(t, keyring.ECDSA), Now: func() time.Time { return now },
		Sources: map[string]gate.Verifier{"till": stub{}, "booth": newBooth(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	pass, err := a.Keeper().Admit(t.Context(), gate.Credential{Code: "A-TICKET-OF-THE-TILL"})
	if err != nil || pass.Admission.Ref != "" {
		t.Fatalf("Admit = %+v, %v, want an admission without a Ref", pass, err)
	}
	now = now.Add(time.Hour)
	if pass, err = a.Keeper().Renew(t.Context(), pass.Session); err != nil || pass.Degraded {
		t.Errorf("Renew = %+v, %v, want a visit that goes on, not degraded", pass, err)
	}
	var denial *gate.Denial
	if _, err := a.Keeper().Renew(t.Context(), gate.NewSession()); !errors.As(err, &denial) {
		t.Errorf("Renew of no session = %v, want a denial", err)
	}
	got, _ := scrape(t, r)
	got.want(t, "in the end", numbers{
		`handstamp_renewals_total{outcome="ok"}`:                1,
		`handstamp_renewal_refusals_total{reason="no_session"}`: 1,
	})
	if n := got[`handstamp_source_duration_seconds_count{outcome="failed",source="till"}`]; n != 0 {
		t.Errorf("%v failures of a source that was not asked", n)
	}
}
