package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/admin"
)

func TestOnlyOneExactBearerHeader(t *testing.T) {
	t.Parallel()
	root := secrets["root"].Reveal()
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"as it should be", []string{"Authorization", "Bearer " + root}, 200},
		{"nothing", nil, 401},
		{"empty", []string{"Authorization", ""}, 401},
		{"the scheme alone", []string{"Authorization", "Bearer"}, 401},
		{"an empty key", []string{"Authorization", "Bearer "}, 401},
		{"lower case", []string{"Authorization", "bearer " + root}, 401},
		{"upper case", []string{"Authorization", "BEARER " + root}, 401},
		{"two spaces", []string{"Authorization", "Bearer  " + root}, 401},
		{"a tab", []string{"Authorization", "Bearer\t" + root}, 401},
		{"a space behind", []string{"Authorization", "Bearer " + root + " "}, 401},
		{"the key alone", []string{"Authorization", root}, 401},
		{"another scheme", []string{"Authorization", "Basic " + root}, 401},
		{"two schemes", []string{"Authorization", "Basic x, Bearer " + root}, 401},
		{"twice", []string{"Authorization", "Bearer " + root, "Authorization", "Bearer " + root}, 401},
		{"twice, a wrong one first", []string{"Authorization", "Bearer x", "Authorization", "Bearer " + root}, 401},
		{"cookie", []string{"Cookie", "Authorization=Bearer " + root + "; key=" + root}, 401},
		{"other headers", []string{"X-Api-Key", root, "Proxy-Authorization", "Bearer " + root}, 401},
		{"a character less", []string{"Authorization", "Bearer " + root[:len(root)-1]}, 401},
		{"a character more", []string{"Authorization", "Bearer " + root + "A"}, 401},
		{"another case", []string{"Authorization", "Bearer " + strings.ToLower(root)}, 401},
		{"an id", []string{"Authorization", "Bearer root"}, 401},
		{"very long", []string{"Authorization", "Bearer " + strings.Repeat("A", 30_000)}, 401},
	}
	s := newSite(t)
	for i, tt := range tests {
		headers := append(tt.headers, "Remote", fmt.Sprintf("192.0.2.%d:1", i)) // so that nobody is locked out
		for _, path := range []string{ticketsPath, ticketsPath + "?key=" + root + "&access_token=" + root} {
			r := s.do(t, "", http.MethodGet, path, "", headers...)
			want := tt.want
			if want == 200 && path != ticketsPath {
				want = 400 // unknown parameters
			}
			if r.status != want {
				t.Errorf("%s: %d %s, want %d", tt.name, r.status, r.body, want)
			}
			if challenge := r.header.Get("WWW-Authenticate"); want == 401 && !strings.HasPrefix(challenge, "Bearer realm=") {
				t.Errorf("%s: WWW-Authenticate %q, want Bearer", tt.name, challenge)
			}
		}
	}
}

// Without a key nobody learns which paths there are.
func TestNoPathWithoutAKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/", "/admin", "/admin/v1/tickets/x", "/admin/v1/nothing", "/admin/v1/audit/verify", "/metrics", "/debug/pprof/", "/healthz/", "/openapi.yaml/x"} {
		for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS", "PROPFIND"} {
			if r := s.do(t, "", method, path, ""); r.status != 401 {
				t.Errorf("%s %s = %d, want 401", method, path, r.status)
			}
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/openapi.yaml": 200} {
		if r := s.get(t, "", path); r.status != want {
			t.Errorf("GET %s = %d, want %d", path, r.status, want)
		}
	}
	for path, want := range map[string]int{"/": 404, "/admin/v1/nothing": 404, "/metrics": 404, "/admin/v1/tickets/": 404, "/admin/v1/TICKETS": 404,
		"/admin/v1/tickets//": 400, "/admin/v1/audit/../tickets": 400, "/admin/v1/tickets%2f": 400, "/admin/v1/tickets;x": 400} {
		if r := s.get(t, "root", path); r.status != want {
			t.Errorf("GET %s with a key = %d, want %d", path, r.status, want)
		}
	}
	r := s.do(t, "root", http.MethodDelete, ticketsPath, "")
	if allow := r.header.Values("Allow"); r.status != 405 || !slices.Equal(allow, []string{"GET", "POST"}) {
		t.Errorf("DELETE = %d, Allow %q, want 405, GET and POST", r.status, allow)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	allowed := map[string][]string{
		"POST /admin/v1/tickets":                    {"root", "tower", "both", "issuer"},
		"GET /admin/v1/tickets":                     {"root", "tower", "both", "reader"},
		"POST /admin/v1/tickets/find":               {"root", "tower", "both", "reader"},
		"GET /admin/v1/tickets/X":                   {"root", "tower", "both", "reader"},
		"POST /admin/v1/tickets/X/revoke":           {"root", "tower", "both", "revoker"},
		"GET /admin/v1/admissions":                  {"root", "tower", "both", "clerk"},
		"GET /admin/v1/admissions/X":                {"root", "tower", "both", "clerk"},
		"POST /admin/v1/admissions/X/revoke":        {"root", "tower", "both"},
		"POST /admin/v1/devices/X/revoke":           {"root", "tower", "both"},
		"POST /admin/v1/attractions/tower-2/revoke": {"root", "tower", "both"},
		"GET /admin/v1/audit":                       {"root", "auditor"},
		"GET /admin/v1/audit/verify":                {"root", "auditor"},
	}
	if want := len(documented()) - 4; len(allowed) != want { // those for everybody
		t.Fatalf("the table has %d routes, want %d", len(allowed), want)
	}
	for route, who := range allowed {
		method, path, _ := strings.Cut(route, " ")
		for id := range secrets {
			r := s.do(t, id, method, path, "")
			if got, want := r.status != 403, slices.Contains(who, id); got != want {
				t.Errorf("%s as %s = %d %s, want allowed %v", route, id, r.status, r.body, want)
			}
		}
	}
	if r := s.get(t, "issuer", ticketsPath); !strings.Contains(r.header.Get("WWW-Authenticate"), `scope="tickets:read"`) {
		t.Errorf("WWW-Authenticate %q, want the scope that it takes", r.header.Get("WWW-Authenticate"))
	}
}

func TestBrowsersAndForeignHosts(t *testing.T) {
	t.Parallel()
	const page = "https://office.example.org"
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"a program", nil, 200},
		{"localhost, a port", []string{"Host", "localhost:9090"}, 200},
		{"upper case", []string{"Host", "LOCALHOST"}, 200},
		{"IPv4", []string{"Host", "127.0.0.1:9090"}, 200},
		{"IPv6", []string{"Host", "[::1]:9090"}, 200},
		{"rebound name", []string{"Host", "evil.example"}, 421},
		{"a name that begins like ours", []string{"Host", "localhost.evil.example"}, 421},
		{"trailing dot", []string{"Host", "localhost."}, 421},
		{"another loopback address", []string{"Host", "127.0.0.2"}, 421},
		{"any address", []string{"Host", "0.0.0.0:9090"}, 421},
		{"userinfo", []string{"Host", "localhost@evil.example"}, 421},
		{"empty", []string{"Host", ""}, 421},
		{"forwarded", []string{"Host", "evil.example", "X-Forwarded-Host", "localhost"}, 421},

		{"listed page", []string{"Origin", page}, 200},
		{"listed page, cross site", []string{"Origin", page, "Sec-Fetch-Site", "cross-site"}, 200},
		{"a page", []string{"Origin", "https://evil.example"}, 403},
		{"a page of ours", []string{"Origin", "http://localhost"}, 403},
		{"null", []string{"Origin", "null"}, 403},
		{"empty origin", []string{"Origin", ""}, 403},
		{"listed page twice", []string{"Origin", page, "Origin", page}, 403},
		{"listed page and another", []string{"Origin", page, "Origin", "https://evil.example"}, 403},
		{"a longer one", []string{"Origin", page + ".evil.example"}, 403},
		{"another port", []string{"Origin", page + ":444"}, 403},
		{"http", []string{"Origin", "http://office.example.org"}, 403},
		{"no origin, same-origin", []string{"Sec-Fetch-Site", "same-origin"}, 403},
		{"no origin, none", []string{"Sec-Fetch-Site", "none"}, 403},
		{"no origin, cross-site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"empty site", []string{"Sec-Fetch-Site", ""}, 403},
		{"a page at a foreign host", []string{"Host", "evil.example", "Origin", page}, 421},
	}
	s := newSite(t, func(s *site) { s.opts.Origins = []string{page} })
	for _, tt := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			path, body, want := ticketsPath, "", tt.want
			if method == http.MethodPost {
				body = `{"attraction":"tower"}`
				want = map[int]int{200: 201}[want]
				want = max(want, tt.want)
			}
			r := s.do(t, "root", method, path, body, tt.headers...)
			if r.status != want {
				t.Errorf("%s: %s = %d %s, want %d", tt.name, method, r.status, r.body, want)
			}
			if cors := r.header.Get("Access-Control-Allow-Origin"); cors != "" && cors != page || r.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: readable for %q", tt.name, cors)
			}
		}
	}
	preflight := []string{"Access-Control-Request-Method", "POST", "Origin"}
	if r := s.do(t, "", http.MethodOptions, ticketsPath, "", append(preflight, page)...); r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != page {
		t.Errorf("preflight of a listed page = %d %v", r.status, r.header)
	}
	if r := s.do(t, "", http.MethodOptions, ticketsPath, "", append(preflight, "https://evil.example")...); r.status != 403 || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight of another page = %d %v", r.status, r.header)
	}
	if r := s.do(t, "", http.MethodGet, "/healthz", "", "Host", "10.0.0.1"); r.status != 200 {
		t.Errorf("health by address = %d, want 200", r.status)
	}
	named := newSite(t, func(s *site) { s.opts.Hosts = []string{"admin.example.org"} })
	for host, want := range map[string]int{"admin.example.org": 200, "admin.example.org:8443": 200, "localhost": 421} {
		if r := named.do(t, "root", http.MethodGet, ticketsPath, "", "Host", host); r.status != want {
			t.Errorf("host %s = %d, want %d", host, r.status, want)
		}
	}
}

// guess shows a wrong key from an address.
func (s *site) guess(t *testing.T, from string, n int) *reply {
	t.Helper()
	return s.do(t, "", http.MethodGet, ticketsPath, "", "Remote", from, "Authorization", fmt.Sprint("Bearer wrong ", n))
}

func TestLockout(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const bad, good = "203.0.113.7:1000", "198.51.100.1:1000"
	for n := range 10 {
		if r := s.guess(t, bad, n); r.status != 401 {
			t.Fatalf("wrong key %d = %d, want 401", n+1, r.status)
		}
	}
	r := s.guess(t, bad, 11)
	if wait, _ := strconv.Atoi(r.header.Get("Retry-After")); r.status != 429 || wait != 15*60 || r.problem(t).Code != "locked_out" {
		t.Errorf("wrong key 11 = %d, Retry-After %q, want 429 and 900", r.status, r.header.Get("Retry-After"))
	}
	// Nor would the right one be told apart.
	if r := s.do(t, "root", http.MethodGet, ticketsPath, "", "Remote", bad); r.status != 429 {
		t.Errorf("a good key from there = %d, want 429", r.status)
	}
	if r := s.do(t, "root", http.MethodGet, ticketsPath, "", "Remote", good); r.status != 200 {
		t.Errorf("a good key from elsewhere = %d, want 200", r.status)
	}
	if got, want := s.admin.Stats(), (admin.Stats{WrongKeys: 10, Lockouts: 1, Refused: 2, Addresses: 1}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
	s.at(noon.Add(15*time.Minute - time.Second))
	if r := s.do(t, "root", http.MethodGet, ticketsPath, "", "Remote", bad); r.status != 429 || r.header.Get("Retry-After") != "1" {
		t.Errorf("a second before = %d, Retry-After %q", r.status, r.header.Get("Retry-After"))
	}
	s.at(noon.Add(15 * time.Minute))
	if r := s.do(t, "root", http.MethodGet, ticketsPath, "", "Remote", bad); r.status != 200 {
		t.Errorf("afterwards = %d, want 200", r.status)
	}
}

// Wrong keys are forgotten after a while; right ones in between do not help;
// requests that show nothing are none.
func TestLockoutCounts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const from = "203.0.113.7:1000"
	for n := range 9 {
		s.guess(t, from, n)
		s.do(t, "root", http.MethodGet, ticketsPath, "", "Remote", from)
		s.do(t, "", http.MethodGet, ticketsPath, "", "Remote", from)
	}
	s.at(noon.Add(15 * time.Minute))
	for n := range 9 {
		if r := s.guess(t, from, n); r.status != 401 {
			t.Fatalf("wrong key %d in another quarter = %d, want 401", n+1, r.status)
		}
		s.do(t, "root", http.MethodGet, ticketsPath, "", "Remote", from)
	}
	s.guess(t, from, 10)
	if r := s.guess(t, from, 11); r.status != 429 {
		t.Errorf("wrong key 11 = %d, want 429", r.status)
	}
}

func TestLockoutNetworks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 10 { // one house has a /64
		s.guess(t, fmt.Sprintf("[2001:db8:1:2::%x]:1", n+1), n)
	}
	for from, want := range map[string]int{"[2001:db8:1:2:ffff::1]:1": 429, "[2001:db8:1:3::1]:1": 200, "192.0.2.1:1": 200} {
		if r := s.do(t, "root", http.MethodGet, ticketsPath, "", "Remote", from); r.status != want {
			t.Errorf("%s = %d, want %d", from, r.status, want)
		}
	}
	// The address is what the operator's function says.
	proxied := newSite(t, func(s *site) {
		s.opts.Client = func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.Header.Get("X-Test-Client")) }
	})
	for n := range 10 {
		proxied.do(t, "", http.MethodGet, ticketsPath, "", "X-Test-Client", "192.0.2.1", "Authorization", fmt.Sprint("Bearer ", n))
	}
	for client, want := range map[string]int{"192.0.2.1": 429, "::ffff:192.0.2.1": 429, "192.0.2.2": 200} {
		if r := proxied.do(t, "root", http.MethodGet, ticketsPath, "", "X-Test-Client", client); r.status != want {
			t.Errorf("client %s = %d, want %d", client, r.status, want)
		}
	}
}

// Over a Unix socket everybody has the same address, which is none.
func TestLockoutSocket(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 10 {
		if r := s.guess(t, []string{"@", ""}[n%2], n); r.status != 401 {
			t.Fatalf("wrong key %d = %d, want 401", n+1, r.status)
		}
	}
	for from, want := range map[string]int{"@": 429, "192.0.2.1:1": 200, "[::]:1": 200, "0.0.0.0:1": 200} {
		if r := s.do(t, "root", http.MethodGet, ticketsPath, "", "Remote", from); r.status != want {
			t.Errorf("%q = %d, want %d", from, r.status, want)
		}
	}
}

// However many addresses there are, no more are remembered; who is locked out
// is not the first to be forgotten.
func TestLockoutMemory(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(s *site) { s.opts.Entries = 50 })
	for n := range 10 {
		s.guess(t, "203.0.113.7:1", n)
	}
	for n := range 300 {
		s.guess(t, fmt.Sprintf("10.%d.%d.1:1", n/256, n%256), n)
		if got := s.admin.Stats().Addresses; got > 50 {
			t.Fatalf("%d addresses are remembered, want at most 50", got)
		}
	}
	if r := s.guess(t, "203.0.113.7:1", 0); r.status != 429 {
		t.Errorf("who was locked out = %d, want 429", r.status)
	}
}

// A thousand guesses at once are no more than in a row.
func TestLockoutAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var mu sync.Mutex
	seen := map[int]int{}
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "http://localhost"+ticketsPath, nil)
			r.Header.Set("Authorization", fmt.Sprint("Bearer ", n))
			s.admin.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			seen[w.Code]++
		})
	}
	all.Wait()
	if seen[401] != 10 || seen[429] != 190 {
		t.Errorf("%v, want 10 times 401 and 190 times 429", seen)
	}
}
