package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/httpapi"
)

func TestForeignPages(t *testing.T) {
	s := newSite(t)
	host := strings.TrimPrefix(s.url, "https://")
	tests := []struct {
		name    string
		headers []string
		ok      bool
	}{
		{"no browser", nil, true},
		{"own page", []string{"Origin", s.url}, true},
		{"own page, new browser", []string{"Origin", s.url, "Sec-Fetch-Site", "same-origin"}, true},
		{"own page, no Origin", []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"typed by the user", []string{"Sec-Fetch-Site", "none"}, true},
		{"trusted page", []string{"Origin", trustedOrigin}, true},
		{"trusted page, same site", []string{"Origin", trustedOrigin, "Sec-Fetch-Site", "same-site"}, true},
		{"trusted page, cross site", []string{"Origin", trustedOrigin, "Sec-Fetch-Site", "cross-site"}, true},
		{"empty Origin", []string{"Origin", ""}, true},

		{"cross site, no Origin", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"same site, no Origin", []string{"Sec-Fetch-Site", "same-site"}, false},
		{"unheard-of site", []string{"Sec-Fetch-Site", "same-planet"}, false},
		{"another case of the site", []string{"Sec-Fetch-Site", "Same-Origin"}, false},
		{"two sites", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"}, false},
		{"evil page", []string{"Origin", "https://evil.test"}, false},
		{"evil page, cross site", []string{"Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"}, false},
		{"evil page that says same origin", []string{"Origin", "https://evil.test", "Sec-Fetch-Site", "same-origin"}, false},
		{"evil page that says none", []string{"Origin", "https://evil.test", "Sec-Fetch-Site", "none"}, false},
		{"null", []string{"Origin", "null"}, false},
		{"null, same origin", []string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, false},
		{"http twin of ours", []string{"Origin", "http://" + host}, false},
		{"http twin of a trusted page", []string{"Origin", "http://app.example.org"}, false},
		{"our host, other port", []string{"Origin", "https://127.0.0.1:1"}, false},
		{"our host, no port", []string{"Origin", "https://127.0.0.1"}, false},
		{"trusted host, other port", []string{"Origin", trustedOrigin + ":8443"}, false},
		{"trusted host, its own port spelled out", []string{"Origin", trustedOrigin + ":443"}, false},
		{"upper case", []string{"Origin", "https://APP.example.org"}, false},
		{"upper case scheme", []string{"Origin", "HTTPS://app.example.org"}, false},
		{"trailing slash", []string{"Origin", trustedOrigin + "/"}, false},
		{"trailing dot", []string{"Origin", trustedOrigin + "."}, false},
		{"longer", []string{"Origin", trustedOrigin + ".evil.test"}, false},
		{"prefix", []string{"Origin", "https://evil-app.example.org"}, false},
		{"parent", []string{"Origin", "https://example.org"}, false},
		{"child", []string{"Origin", "https://x.app.example.org"}, false},
		{"dot for a letter", []string{"Origin", "https://appXexample.org"}, false},
		{"with userinfo", []string{"Origin", "https://app.example.org@evil.test"}, false},
		{"in a query", []string{"Origin", "https://evil.test/?" + trustedOrigin}, false},
		{"two Origins", []string{"Origin", trustedOrigin, "Origin", "https://evil.test"}, false},
		{"two Origins, both trusted", []string{"Origin", trustedOrigin, "Origin", trustedOrigin}, false},
		{"two Origins in one", []string{"Origin", trustedOrigin + " https://evil.test"}, false},
		{"wildcard", []string{"Origin", "*"}, false},
		{"foreign Referer does not help", []string{"Sec-Fetch-Site", "cross-site", "Referer", s.url + "/"}, false},
		{"override does not help", []string{"Origin", "https://evil.test", "X-HTTP-Method-Override", "GET"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for method, path := range map[string]string{http.MethodPost: verifyPath, http.MethodDelete: admissionPath} {
				client := s.device(t)
				r := s.do(t, client, method, path, strings.NewReader(`{"ticket":"`+weakZoo+`","attraction":"zoo"}`), append([]string{"Content-Type", "application/json"}, tt.headers...)...)
				refused := r.status == http.StatusForbidden && r.problem(t).Code == "forbidden"
				if refused == tt.ok {
					t.Errorf("%s = %d %s, want ok %v", method, r.status, r.body, tt.ok)
				}
				if refused && len(r.cookies) != 0 {
					t.Errorf("%s is refused but sets %v", method, r.cookies)
				}
			}
			// Reading is not refused; a foreign page cannot read the reply.
			if r := s.do(t, s.client, http.MethodGet, "/v1/attractions", nil, tt.headers...); r.status != 200 {
				t.Errorf("GET = %d, want 200", r.status)
			}
		})
	}
}

// A form on a foreign page can send text/plain that looks like JSON, to log the
// viewer in with somebody else's ticket.
func TestLoginForgery(t *testing.T) {
	s := newSite(t)
	for _, headers := range [][]string{
		{"Content-Type", "text/plain", "Origin", "https://evil.test"},
		{"Content-Type", "text/plain"},
		{"Content-Type", "application/x-www-form-urlencoded"},
	} {
		if r := s.post(t, s.client, `{"ticket":"`+strongCode+`","x":"="}`, headers...); r.status != 403 && r.status != 415 || len(r.cookies) != 0 {
			t.Errorf("%v: %d, cookies %v, want 403 or 415 and none", headers, r.status, r.cookies)
		}
	}
}

// Methods are what they say: neither a header nor a parameter makes a GET a POST.
func TestMethodsAreNotOverridden(t *testing.T) {
	s := newSite(t)
	before := s.admit(t, s.client, strongCode)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, path := range []string{verifyPath, verifyPath + "?_method=POST", verifyPath + "?ticket=" + strongCode} {
			r := s.do(t, s.client, method, path, nil, "X-HTTP-Method-Override", "POST", "X-Method-Override", "POST", "X-HTTP-Method", "POST")
			if r.status != http.StatusMethodNotAllowed || len(r.cookies) != 0 || r.header.Get("Allow") != "POST" {
				t.Errorf("%s %s = %d, Allow %q, want 405 and POST", method, path, r.status, r.header.Get("Allow"))
			}
		}
		r := s.do(t, s.client, method, admissionPath+"?_method=DELETE", nil, "X-HTTP-Method-Override", "DELETE")
		if r.status != 200 || len(r.cookies) != 0 {
			t.Errorf("%s %s = %d, want 200 and no change", method, admissionPath, r.status)
		}
	}
	if after := s.do(t, s.client, http.MethodGet, admissionPath, nil).pass(t); after.Admission.ID != before.Admission.ID || after.Admission.Devices != 1 {
		t.Errorf("admission %+v, want it unchanged", after.Admission)
	}
}

func TestOriginsAreChecked(t *testing.T) {
	for _, origin := range []string{
		"*", "https://*.example.org", "null", "app.example.org", "//app.example.org", "https://", "https://app.example.org/", "https://app.example.org/path",
		"https://app.example.org?", "https://app.example.org?x", "https://app.example.org#", "https://user@app.example.org", "https://user:pass@app.example.org",
		"https://App.example.org", "HTTPS://app.example.org", " https://app.example.org", "https://app.example.org ", "https://app.example.org\n", "https://app example.org",
		"https://app.example.org, https://b.example.org", "https://[::1", "https://app.example.org:port", "javascript:alert(1)", "https:app.example.org",
	} {
		for name, opts := range map[string]httpapi.Options{"trusted": {TrustedOrigins: []string{trustedOrigin, origin}}, "own": {PublicOrigin: origin}} {
			if api, err := httpapi.New(nil, nil, opts); err == nil || api != nil || !strings.Contains(err.Error(), "want scheme://host[:port] in lower case and nothing else") {
				t.Errorf("New with the %s origin %q = %v, want an error", name, origin, err)
			}
		}
	}
	for _, origin := range []string{"", "https://app.example.org", "https://app.example.org:8443", "http://127.0.0.1:8080", "http://[::1]:8080", "capacitor://localhost"} {
		if _, err := httpapi.New(nil, nil, httpapi.Options{PublicOrigin: origin, TrustedOrigins: []string{origin}}); err != nil {
			t.Errorf("New with the origin %q = %v", origin, err)
		}
	}
}

// Without an origin of its own the API takes the host's pages for its own.
func TestAnyOrigin(t *testing.T) {
	s := newSite(t, func(s *site) { s.opts.PublicOrigin = "" })
	host := strings.TrimPrefix(s.url, "https://")
	for origin, want := range map[string]int{"https://" + host: 200, "http://" + host: 200, "https://evil.test": 403, "null": 403, trustedOrigin: 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+verifyPath, strings.NewReader(`{"ticket":"`+weakZoo+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"application/json"}, "Origin": {origin}}
		response, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := readReply(t, response); got.status != want {
			t.Errorf("Origin %s: %d, want %d", origin, got.status, want)
		}
	}
}

// allows lists the headers that let a page of another origin read a reply.
func allows(r *reply) (list []string) {
	for name, values := range r.header {
		if strings.HasPrefix(name, "Access-Control-") {
			list = append(list, name+": "+strings.Join(values, " | "))
		}
	}
	return list
}

func TestCORS(t *testing.T) {
	s := newSite(t)
	for _, origin := range []string{
		"https://evil.test", "https://app.example.org.evil.test", "https://appXexample.org", "https://evil/?https://app.example.org", "null",
		"https://app.example.org.", "https://app.example.org:443", "http://app.example.org", "https://APP.EXAMPLE.ORG", "*", "", s.url,
	} {
		for _, path := range []string{"/v1/attractions", admissionPath, "/nothing"} {
			if r := s.do(t, s.client, http.MethodGet, path, nil, "Origin", origin); len(allows(r)) != 0 {
				t.Errorf("Origin %q, %s: %v, want nothing", origin, path, allows(r))
			}
		}
		r := s.do(t, s.client, http.MethodOptions, verifyPath, nil, "Origin", origin, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "content-type", "Access-Control-Request-Private-Network", "true")
		if r.status != http.StatusNoContent || len(allows(r)) != 0 {
			t.Errorf("preflight of %q = %d %v, want 204 and nothing", origin, r.status, allows(r))
		}
	}
	for _, path := range []string{"/v1/attractions", admissionPath, "/nothing"} {
		r := s.do(t, s.client, http.MethodGet, path, nil, "Origin", trustedOrigin)
		for header, want := range map[string]string{"Allow-Origin": trustedOrigin, "Allow-Credentials": "true", "Expose-Headers": "X-Request-Id, Retry-After, Accept-Ranges, Content-Range, ETag"} {
			if got := r.header.Values("Access-Control-" + header); len(got) != 1 || got[0] != want {
				t.Errorf("%s for a trusted origin: %s %q, want %q", path, header, got, want)
			}
		}
	}
	r := s.do(t, s.client, http.MethodOptions, verifyPath, nil, "Origin", trustedOrigin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Private-Network", "true")
	for header, want := range map[string]string{"Allow-Origin": trustedOrigin, "Allow-Credentials": "true", "Allow-Methods": "GET, POST, DELETE",

		"Allow-Headers": "Content-Type, Authorization, Idempotency-Key, Range, If-Match, If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since", "Max-Age": "600", "Allow-Private-Network": ""} {
		if got := r.header.Get("Access-Control-" + header); got != want {
			t.Errorf("preflight of a trusted origin: %s %q, want %q", header, got, want)
		}
	}
	if r.status != http.StatusNoContent || len(r.cookies) != 0 {
		t.Errorf("preflight = %d, cookies %v, want 204 and none", r.status, r.cookies)
	}
	// A refusal can be read by the trusted page as well.
	if r := s.show(t, s.client, weakUnknown, "", "Origin", trustedOrigin); r.status != 403 || r.header.Get("Access-Control-Allow-Origin") != trustedOrigin {
		t.Errorf("refusal = %d %v, want the trusted page to read it", r.status, allows(r))
	}
}
