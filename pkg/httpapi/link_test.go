package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/throttle"
)

const urlsPath = "/v1/urls"

// An item is what one entry of a batch got.
type item struct {
	Path      string    `json:"path"`
	Key       string    `json:"key"`
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
	Code      string    `json:"code"`
}

func (r *reply) items(t *testing.T) []item {
	t.Helper()
	var body struct {
		URLs []item `json:"urls"`
	}
	if err := json.Unmarshal(r.body, &body); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %.300q has no URLs: %v", r.status, r.body, err)
	}
	return body.URLs
}

// batch sends a list under a name.
func (s *site) batch(t *testing.T, client *http.Client, path, name string, list []string, headers ...string) *reply {
	t.Helper()
	body, err := json.Marshal(map[string][]string{name: list})
	if err != nil {
		t.Fatal(err)
	}
	return s.do(t, client, http.MethodPost, path, strings.NewReader(string(body)), append(headers, "Content-Type", "application/json")...)
}

func (s *site) urls(t *testing.T, client *http.Client, paths ...string) []item {
	t.Helper()
	return s.batch(t, client, urlsPath, "paths", paths).items(t)
}

// fetchable asks CloudFront's rules whether a URL opens at some time, without cookies.
func (s *site) fetchable(url string, at time.Time) bool {
	var decider cloudfront.Decider
	return decider.Decide(cloudfront.Request{URL: url}, s.group, at).Allowed
}

func TestURLs(t *testing.T) {
	s := newSite(t)
	p := s.admit(t, s.client, strongCode)
	ends := p.Grants[0].ExpiresAt
	tests := []struct{ path, code, url string }{ // neither code nor url: signed
		{path: "/castle/audio/01.m4a"},
		{path: "/castle/audio/caf%C3%A9/a%2Ab.m4a"},
		{path: "/castle/audio/café.m4a"},
		{path: "/castle/audio/01.m4a"},
		{path: "/castle/free/map.svg", url: s.url + "/castle/free/map.svg"},
		{path: "/castle/premium/01.m4a", code: "not_found"},
		{path: "/castle/other/01.m4a", code: "not_found"},
		{path: "/castle/free", code: "not_found"},
		{path: "/castle/audio", code: "not_found"},
		{path: "/castle/audiobook/01.m4a", code: "not_found"},
		{path: "/Castle/audio/01.m4a", code: "not_found"},
		{path: "/spain/zoo/01.m4a", code: "not_found"},
		{path: "/tower/audio/01.m4a", code: "not_found"},
		{path: "/castle/audio/", code: "bad_request"},
		{path: "/castle/audio/../premium/01.m4a", code: "bad_request"},
		{path: "/castle/free/../audio/01.m4a", code: "bad_request"},
		{path: "/castle/audio/%2e%2e/premium/01.m4a", code: "bad_request"},
		{path: "/castle/audio/..%2Fpremium/01.m4a", code: "bad_request"},
		{path: "/castle//audio/01.m4a", code: "bad_request"},
		{path: "/castle/audio/01.m4a?lang=en", code: "bad_request"},
		{path: "/castle/audio/01.m4a#t=1", code: "bad_request"},
		{path: "/castle/audio/01.m4a;v=1", code: "bad_request"},
		{path: "castle/audio/01.m4a", code: "bad_request"},
		{path: s.url + "/castle/audio/01.m4a", code: "bad_request"},
		{path: "", code: "bad_request"},
		{path: "/castle/audio/" + strings.Repeat("x", 1024), code: "bad_request"},
	}
	var paths []string
	for _, tt := range tests {
		paths = append(paths, tt.path)
	}
	got := s.urls(t, s.client, paths...)
	if len(got) != len(tests) {
		t.Fatalf("%d results for %d paths", len(got), len(tests))
	}
	for i, tt := range tests {
		signed := tt.code == "" && tt.url == ""
		if got[i].Path != tt.path || got[i].Code != tt.code || tt.url != "" && got[i].URL != tt.url || signed != !got[i].ExpiresAt.IsZero() || (got[i].URL == "") != (tt.code != "") {
			t.Errorf("%.60q got %+v, want code %q, url %q", tt.path, got[i], tt.code, tt.url)
		}
		if !signed {
			continue
		}
		if !got[i].ExpiresAt.Equal(ends) || !s.fetchable(got[i].URL, ends.Add(-time.Second)) || s.fetchable(got[i].URL, ends) {
			t.Errorf("%.60q got %+v, want it to open until %v as the cookies do", tt.path, got[i], ends)
		}
	}
	if got[0].URL != got[3].URL {
		t.Errorf("the same path got %q and %q", got[0].URL, got[3].URL)
	}
	if strings.Contains(s.log.String(), "Signature") {
		t.Errorf("the log has a signature: %s", s.log.String())
	}
}

// One URL for all viewers of a window, another one in the next, and none that
// outlives the admission.
func TestURLsAreStable(t *testing.T) {
	s := newSite(t)
	other := s.device(t)
	s.admit(t, s.client, strongPass)
	s.admit(t, other, strongCode)
	ask := func(client *http.Client, at time.Time) item {
		s.at(at)
		return s.urls(t, client, "/castle/audio/01.m4a")[0]
	}
	first := ask(s.client, noon.Add(time.Second))
	for _, same := range []item{ask(s.client, noon.Add(30*time.Second)), ask(other, noon.Add(60*time.Second))} {
		if same != first {
			t.Errorf("within a window there are %+v and %+v", first, same)
		}
	}
	if next := ask(s.client, noon.Add(61*time.Second)); next.URL == first.URL || !next.ExpiresAt.Equal(first.ExpiresAt.Add(time.Minute)) {
		t.Errorf("the next window has %+v after %+v, want a minute more", next, first)
	}
	close := time.Date(2026, 7, 1, 18, 0, 0, 0, time.UTC) // of the ticket
	if last := ask(s.client, close.Add(-time.Second)); !last.ExpiresAt.Equal(close) || !s.fetchable(last.URL, close.Add(-time.Second)) {
		t.Errorf("a second before the end there is %+v, want it to end with the ticket", last)
	}
	s.at(close)
	if r := s.batch(t, s.client, urlsPath, "paths", []string{"/castle/audio/01.m4a"}); r.status != http.StatusUnauthorized {
		t.Errorf("after the end: %d %s, want 401", r.status, r.body)
	}
}

func TestURLsNeedASession(t *testing.T) {
	s := newSite(t)
	paths := []string{"/castle/audio/01.m4a", "/castle/free/map.svg"}
	if r := s.batch(t, s.client, urlsPath, "paths", paths); r.status != http.StatusUnauthorized || r.problem(t).Code != "session_required" {
		t.Errorf("without a session: %d %s, want 401", r.status, r.body)
	}
	native := s.show(t, s.device(t), strongZoo, "", "Content-Type", "application/json")
	if native.status != http.StatusOK {
		t.Fatal(native.status)
	}
	r := s.post(t, s.device(t), fmt.Sprintf(`{"ticket":%q,"delivery":"json"}`, strongCode))
	got := s.batch(t, s.device(t), urlsPath, "paths", paths, "Authorization", "Bearer "+r.pass(t).Session).items(t)
	if !s.fetchable(got[0].URL, noon) || got[1].URL == "" {
		t.Errorf("a native app got %+v, want both", got)
	}
	s.admit(t, s.client, strongCode)
	s.admit(t, s.client, strongZoo)
	if got := s.urls(t, s.client, "/castle/audio/1", "/spain/zoo/1"); !s.fetchable(got[0].URL, noon) || !s.fetchable(got[1].URL, noon) {
		t.Errorf("a device with two tickets got %+v, want both", got)
	}
	s.revokeTicket(t, s.client, 0)
	if got := s.urls(t, s.client, "/castle/audio/1", "/spain/zoo/1"); got[0].Code != "not_found" || got[1].URL == "" {
		t.Errorf("after one of two tickets was revoked the device got %+v, want the zoo alone", got)
	}
	s.revokeTicket(t, s.client, 1)
	if r := s.batch(t, s.client, urlsPath, "paths", paths); r.status != http.StatusUnauthorized || s.opens(t, s.client, "/spain/zoo/1", noon) {
		t.Errorf("after both were revoked: %d %s, want 401 and no cookies", r.status, r.body)
	}
}

func TestURLsBatch(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("/castle/audio/%04d/%s.m4a", i, strings.Repeat("x", 80))
	}
	got := s.urls(t, s.client, many...)
	for i := range many {
		if got[i].Path != many[i] || !strings.HasPrefix(got[i].URL, s.url+many[i]+"?Expires=") {
			t.Fatalf("result %d is %+v, want that of %s", i, got[i], many[i])
		}
	}
	for status, list := range map[int][]string{
		http.StatusBadRequest:            append(many, "/castle/audio/1"),
		http.StatusRequestEntityTooLarge: {"/castle/audio/" + strings.Repeat("x", 129<<10)},
	} {
		if r := s.batch(t, s.client, urlsPath, "paths", list); r.status != status {
			t.Errorf("%d paths: %d %s, want %d", len(list), r.status, r.body, status)
		}
	}
	for _, body := range []string{`{}`, `{"paths":[]}`, `{"paths":"/castle/audio/1"}`, `{"paths":[1]}`, `{"paths":[null]}`, `{"paths":["/a"],"x":1}`, `[]`} {
		if r := s.do(t, s.client, http.MethodPost, urlsPath, strings.NewReader(body), "Content-Type", "application/json"); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s, want 400", body, r.status, r.body)
		}
	}
}

// Where nobody knows, the viewer keeps what it has and hears 503.
func TestURLsNobodyKnows(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	ask := func() *reply {
		return s.batch(t, s.client, urlsPath, "paths", []string{"/castle/audio/1", "/spain/zoo/1"})
	}
	s.link = errors.New("CANARY: the key is away")
	if r := ask(); r.status != http.StatusServiceUnavailable || strings.Contains(string(r.body), "CANARY") || !strings.Contains(s.log.String(), "CANARY") {
		t.Errorf("without a key: %d %s, want 503 and the cause in the log", r.status, r.body)
	}
	s.link, s.book = nil, errors.New("disk full")
	if r := ask(); r.status != http.StatusServiceUnavailable || len(r.cookies) > 0 {
		t.Errorf("without a book: %d %s, want 503", r.status, r.body)
	}
	s.book = nil
	if r := ask(); r.status != http.StatusOK {
		t.Errorf("afterwards: %d %s, want 200", r.status, r.body)
	}
}

// A path that only an admission opens about which nobody knows is not refused.
func TestURLsOneAdmissionIsUncertain(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	s.admit(t, s.client, strongZoo)
	s.lost = gate.Session(strings.Split(s.sessionOf(t, s.client), ".")[1]).Hash()
	for path, status := range map[string]int{"/castle/audio/1": 200, "/castle/free/1": 200, "/spain/zoo/1": 503, "/tower/1": 503} {
		if r := s.batch(t, s.client, urlsPath, "paths", []string{path}); r.status != status || len(r.cookies) > 0 {
			t.Errorf("%s: %d %s, want %d and no cookies", path, r.status, r.body, status)
		}
	}
}

// A device that never renews does not outlive a refund.
func TestURLsAskTheSourceAgain(t *testing.T) {
	s := newSite(t, func(s *site) { s.recheck = func(string) error { return nil } })
	s.admit(t, s.client, strongCode)
	asked := 0
	s.recheck = func(string) error { asked++; return nil }
	for i := range 4 {
		s.at(noon.Add(time.Duration(i) * 4 * time.Minute))
		s.urls(t, s.client, "/castle/audio/1")
	}
	if asked != 1 {
		t.Errorf("the source was asked %d times in 12 minutes, want once its word was 10 minutes old", asked)
	}
	s.recheck = func(string) error { return gate.Deny(gate.ReasonCancelled, nil) }
	r := s.batch(t, s.client, urlsPath, "paths", []string{"/castle/audio/1"})
	if p := r.problem(t); r.status != http.StatusUnauthorized || p.Reason != "cancelled" {
		t.Errorf("after a refund: %d %s, want 401", r.status, r.body)
	}
	if r := s.renew(t, s.client); r.status != http.StatusUnauthorized {
		t.Errorf("renewal after a refund: %d %s, want 401", r.status, r.body)
	}
}

// Made-up sessions are counted here as everywhere.
func TestURLsThrottleSessions(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		asked := 0
		for i := range 200 {
			g := h.guest("198.51.100.7")
			r, _ := g.ask(http.MethodPost, urlsPath, `{"paths":["/castle/audio/1"]}`, "Authorization", fmt.Sprintf("Bearer MADEUP%020d", i))
			switch r.status {
			case http.StatusTooManyRequests:
			case http.StatusUnauthorized:
				asked++
			default:
				t.Fatalf("made-up session = %d %s", r.status, r.body)
			}
		}
		if asked != 80 {
			t.Errorf("%d made-up sessions were looked up, want 80 as everywhere", asked)
		}
	})
}

// A gateway without a linker has no such path.
func TestNoLinks(t *testing.T) {
	s := newSite(t, func(s *site) { s.unlinked = true })
	s.admit(t, s.client, strongCode)
	if r := s.batch(t, s.client, urlsPath, "paths", []string{"/castle/audio/1"}); r.status != http.StatusNotFound {
		t.Errorf("without a linker: %d %s, want 404", r.status, r.body)
	}
}
