package edge_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

// sending is an origin that sends headers of its own.
func sending(headers ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Add(name, value)
		}
		fmt.Fprint(w, "BYTES")
	})
}

func TestHeadersOfBehavior(t *testing.T) {
	desk := newDesk(t, "KCASTLE")
	add := []edge.Header{{Name: "X-Kept", Value: "edge"}, {Name: "x-replaced", Value: "edge", Override: true}, {Name: "X-New", Value: "edge"}}
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{
		{PathPattern: "/castle/*", Origin: sending("X-Kept: origin", "X-Replaced: origin", "X-Replaced: again"), TrustedKeyGroup: desk.group, Headers: add},
		{PathPattern: "/gone/*", Origin: proxy(t, rawOrigin(t, "", false), edge.ProxyOptions{}), Headers: add},
		{PathPattern: "*", Origin: sending()},
	}}))
	got := ask(t, srv, "GET", "/castle/x", "Cookie: "+desk.cookie(t, "castle"))
	for name, want := range map[string]string{"X-Kept": "[origin]", "X-Replaced": "[edge]", "X-New": "[edge]"} {
		if fmt.Sprint(got.Header.Values(name)) != want {
			t.Errorf("%s = %v, want %s", name, got.Header.Values(name), want)
		}
	}
	for target, want := range map[string]int{"/castle/x": 403, "/gone/x": 502, "/other": 200} {
		if got := ask(t, srv, "GET", target); got.StatusCode != want || got.Header.Get("X-New") != "" {
			t.Errorf("GET %s = %d with %v, want %d without the headers", target, got.StatusCode, got.Header, want)
		}
	}
}

func TestHeaderFaults(t *testing.T) {
	for _, tt := range []struct {
		header edge.Header
		want   string
	}{
		{edge.Header{Name: "", Value: "x"}, "not a header name"},
		{edge.Header{Name: "X Y", Value: "x"}, "not a header name"},
		{edge.Header{Name: "X", Value: "a\r\nSet-Cookie: b"}, "control characters"},
		{edge.Header{Name: "set-cookie", Value: "x"}, "cannot be set"},
		{edge.Header{Name: "Content-Length", Value: "1"}, "cannot be set"},
		{edge.Header{Name: "x-amz-cf-pop", Value: "1"}, "cannot be set"},
		{edge.Header{Name: "Access-Control-Allow-Origin", Value: "*"}, "belongs to cors"},
	} {
		_, err := edge.New(edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x"), Headers: []edge.Header{tt.header}}}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New with header %+v = %v, want an error with %q", tt.header, err, tt.want)
		}
	}
}

// corsHeaders are those of an answer, sorted, with Vary.
func corsHeaders(h http.Header) string {
	var all []string
	for name, values := range h {
		if short, ok := strings.CutPrefix(name, "Access-Control-"); ok || name == "Vary" {
			all = append(all, fmt.Sprintf("%s=%s", short, strings.Join(values, "|")))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestCORS(t *testing.T) {
	named := edge.CORS{Origins: []string{"https://app.example.org", "https://*.example.net", "http://localhost:3000"}, Credentials: true,
		Methods: []string{"GET", "HEAD"}, Headers: []string{"Range"}, Expose: []string{"Content-Range", "Etag"}, MaxAge: 10 * time.Minute, Override: true}
	kept, anybody := named, edge.CORS{Origins: []string{"*"}}
	kept.Override = false
	own := []string{"Access-Control-Allow-Origin: https://other.example.org", "Access-Control-Allow-Methods: PUT"}
	methods := edge.AllMethods()
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{
		{PathPattern: "/named/*", Origin: sending(own...), CORS: &named, AllowedMethods: methods},
		{PathPattern: "/kept/*", Origin: sending(own...), CORS: &kept, AllowedMethods: methods},
		{PathPattern: "/quiet/*", Origin: sending(), CORS: &kept, AllowedMethods: methods},
		{PathPattern: "/anybody/*", Origin: sending(), CORS: &anybody},
		{PathPattern: "*", Origin: sending(own...)},
	}}))
	const (
		plain  = "Allow-Credentials=true Allow-Origin=https://app.example.org Expose-Headers=Content-Range, Etag Vary=Origin"
		before = "Allow-Credentials=true Allow-Headers=Range Allow-Methods=GET, HEAD Allow-Origin=https://app.example.org Max-Age=600 Vary=Origin"
		theirs = "Allow-Methods=PUT Allow-Origin=https://other.example.org"
	)
	for _, tt := range []struct{ method, target, origin, want string }{
		{"GET", "/named/x", "https://app.example.org", plain},
		{"OPTIONS", "/named/x", "https://app.example.org", before},
		{"OPTIONS", "/named/x", "https://app.example.org", plain}, // no preflight
		{"GET", "/named/x", "https://evil.example.org", "Vary=Origin"},
		{"GET", "/named/x", "null", "Vary=Origin"},
		{"GET", "/named/x", "http://app.example.org", "Vary=Origin"},
		{"GET", "/named/x", "https://app.example.org.evil.test", "Vary=Origin"},
		{"GET", "/named/x", "https://APP.example.org", "Vary=Origin"},
		{"GET", "/named/x", "https://appXexample.org", "Vary=Origin"},
		{"GET", "/named/x", "https://a.example.net", strings.ReplaceAll(plain, "app.example.org", "a.example.net")},
		{"GET", "/named/x", "https://a.b.example.net", "Vary=Origin"},
		{"GET", "/named/x", "https://.example.net", "Vary=Origin"},
		{"GET", "/named/x", "https://example.net", "Vary=Origin"},
		{"GET", "/named/x", "http://localhost:3000", strings.ReplaceAll(plain, "https://app.example.org", "http://localhost:3000")},
		{"GET", "/named/x", "", theirs + " Vary=Origin"},
		{"GET", "/kept/x", "https://app.example.org", theirs + " Vary=Origin"},
		{"GET", "/quiet/x", "https://app.example.org", plain},
		{"OPTIONS", "/quiet/x", "https://app.example.org", before},
		{"GET", "/anybody/x", "https://evil.example.org", "Allow-Origin=*"},
		{"GET", "/x", "https://app.example.org", theirs},
	} {
		headers := []string{"X-None: "}
		if tt.origin != "" {
			headers = append(headers, "Origin: "+tt.origin)
		}
		if tt.method == "OPTIONS" && tt.want != plain {
			headers = append(headers, "Access-Control-Request-Method: GET")
		}
		got := ask(t, srv, tt.method, tt.target, headers...)
		if corsHeaders(got.Header) != tt.want || got.StatusCode != 200 {
			t.Errorf("%s %s from %q = %d %s, want %s", tt.method, tt.target, tt.origin, got.StatusCode, corsHeaders(got.Header), tt.want)
		}
	}
}

func TestCORSFaults(t *testing.T) {
	good := []string{"https://app.example.org"}
	for want, c := range map[string]edge.CORS{
		"no origins":              {},
		"want scheme://host":      {Origins: []string{"app.example.org"}},
		"want scheme://host like": {Origins: []string{"https://app.example.org/"}},
		"origin \"https://a.*.b":  {Origins: []string{"https://a.*.b"}},
		"which browsers refuse":   {Origins: []string{"*"}, Credentials: true},
		"refuse; name them":       {Origins: good, Headers: []string{"*"}, Credentials: true},
		"name of a method":        {Origins: good, Methods: []string{"GET,HEAD"}},
		"whole seconds":           {Origins: good, MaxAge: time.Millisecond},
	} {
		_, err := edge.New(edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x"), CORS: &c}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New with %+v = %v, want an error with %q", c, err, want)
		}
	}
}

// T4, E-56: a preflight needs a signature unless a setting says otherwise, and
// gets no bytes either way.
func TestPreflight(t *testing.T) {
	desk := newDesk(t, "KCASTLE")
	root := tree(t, map[string]string{"castle/x": castleText})
	for _, pass := range []bool{false, true} {
		c := edge.Config{Parity: edge.Parity{AllowPreflights: pass}, Behaviors: []edge.Behavior{
			{PathPattern: "/castle/*", Origin: folder(t, root), TrustedKeyGroup: desk.group, AllowedMethods: []string{"GET", "HEAD", "OPTIONS"},
				CORS: &edge.CORS{Origins: []string{"https://app.example.org"}, Credentials: true, Methods: []string{"GET"}}},
			{PathPattern: "/server/*", Origin: sending(), TrustedKeyGroup: desk.group, AllowedMethods: edge.AllMethods()},
			{PathPattern: "*", Origin: folder(t, root), AllowedMethods: edge.AllMethods()},
		}}
		srv := serve(t, newEdge(t, c))
		cookie := "Cookie: " + desk.cookie(t, "castle")
		asked := []string{"Origin: https://app.example.org", "Access-Control-Request-Method: GET"}
		want := map[bool]int{false: 403, true: 200}[pass]
		for _, target := range []string{"/castle/x", "/server/x"} {
			got := ask(t, srv, "OPTIONS", target, asked...)
			if wantStatus(t, target, got, want); pass && got.body != "" || strings.Contains(got.body, "BYTES") {
				t.Errorf("OPTIONS %s = %q, want no bytes", target, got.body)
			}
			allowed := got.Header.Get("Access-Control-Allow-Credentials") == "true"
			if allowed != (pass && target == "/castle/x") {
				t.Errorf("pass %v: OPTIONS %s has %v", pass, target, got.Header)
			}
		}
		for _, forged := range []string{strings.Replace(cookie, "Signature=", "Signature=AAAA", 1), strings.Replace(cookie, "KCASTLE", "KOTHER", 1)} {
			wantStatus(t, "OPTIONS with a bad signature", ask(t, srv, "OPTIONS", "/castle/x", append(asked, forged)...), 403)
		}
		if got := ask(t, srv, "OPTIONS", "/castle/x", append(asked, cookie)...); got.StatusCode != 200 || got.body != "" || got.Header.Get("Access-Control-Allow-Methods") != "GET" {
			t.Errorf("signed OPTIONS = %d %q %v", got.StatusCode, got.body, got.Header)
		}
		wantStatus(t, "GET without a signature", ask(t, srv, "GET", "/castle/x", asked...), 403)
		wantStatus(t, "OPTIONS for a folder without CORS", ask(t, srv, "OPTIONS", "/x", asked...), 405)
		wantStatus(t, "OPTIONS that is no preflight", ask(t, srv, "OPTIONS", "/castle/x", cookie), 405)
	}
}
