package edge_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/edge"
)

func TestSignedCookiesOpenTheirPrefix(t *testing.T) {
	p := newPark(t, nil)
	castle, tower := "Cookie: "+p.castle.cookie(t, "castle"), "Cookie: "+p.tower.cookie(t, "tower")
	tests := []struct {
		target, cookie string
		want           int
		body           string
	}{
		{"/castle/01.m4a", castle, 200, castleText},
		{"/castle/01.m4a?v=2", castle, 200, castleText},
		{"/castle/a%20b.txt", castle, 200, castleText},
		{"/castle/missing", castle, 404, "NoSuchKey"},
		{"/castle/", castle, 404, "NoSuchKey"},
		{"/tower/01.m4a", tower, 200, towerText},
		{"/free/x", "X-None: ", 200, freeText},
		{"/free/x", castle, 200, freeText},
		{"/castle/01.m4a", "X-None: ", 403, "MissingKey"},
		{"/castle/missing", "X-None: ", 403, "MissingKey"},
		{"/castle/01.m4a", tower, 403, "InvalidKey"},
		{"/tower/01.m4a", castle, 403, "InvalidKey"},
		{"/castle-2/01.m4a", tower, 403, "AccessDenied"},
		{"/castle-2/01.m4a", "Cookie: " + p.tower.cookie(t, "castle"), 403, "AccessDenied"},
	}
	for _, tt := range tests {
		got := ask(t, p.srv, "GET", tt.target, tt.cookie)
		if got.StatusCode != tt.want || !strings.Contains(got.body, tt.body) {
			t.Errorf("GET %s with %.40s = %d %q, want %d %q", tt.target, tt.cookie, got.StatusCode, got.body, tt.want, tt.body)
		}
	}
}

// The refusals, byte for byte as they were captured.
func TestRefusalAsCloudFront(t *testing.T) {
	p := newPark(t, nil)
	good := p.castle.cookie(t, "castle")
	tests := []struct {
		cookie, code, message string
		length                int
	}{
		{"other=1", "MissingKey", "Missing Key-Pair-Id query parameter or cookie value", 146},
		{strings.Replace(good, "KCASTLE", "KNOBODY", 1), "InvalidKey", "Unknown Key", 106},
		{strings.Replace(good, "Signature=", "Signature=!", 1), "MalformedSignature", "Could not unencode Signature", 131},
		{strings.Replace(good, "Policy=", "Policy=!", 1), "MalformedPolicy", "Malformed Policy", 116},
		{strings.Replace(good, "SHA256", "SHA1", 1), "AccessDenied", "Access denied", 110},
	}
	for _, tt := range tests {
		got := ask(t, p.srv, "GET", "/castle/01.m4a", "Cookie: "+tt.cookie)
		want := `<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + tt.code + `</Code><Message>` + tt.message + `</Message></Error>`
		if got.StatusCode != 403 || got.body != want || got.ContentLength != int64(tt.length) {
			t.Errorf("%s: %d, %d bytes %q, want 403, %d bytes %q", tt.code, got.StatusCode, got.ContentLength, got.body, tt.length, want)
		}
		for name, value := range map[string]string{
			"Server": "CloudFront", "Content-Type": "text/xml", "X-Cache": "Error from cloudfront", "Cache-Control": "no-store",
			"X-Handstamp-Reason": "", "Etag": "", "Last-Modified": "", "Accept-Ranges": "",
		} {
			if got.Header.Get(name) != value {
				t.Errorf("%s: header %s = %q, want %q", tt.code, name, got.Header.Get(name), value)
			}
		}
		if id := got.Header.Get("X-Amz-Cf-Id"); !regexp.MustCompile(`^[\w-]{54}==$`).MatchString(id) || got.Header.Get("Via") == "" {
			t.Errorf("%s: X-Amz-Cf-Id %q, Via %q", tt.code, id, got.Header.Get("Via"))
		}
		head := ask(t, p.srv, "HEAD", "/castle/01.m4a", "Cookie: "+tt.cookie)
		if head.StatusCode != 403 || head.body != "" || head.ContentLength != int64(tt.length) {
			t.Errorf("%s: HEAD = %d, length %d, %q, want 403, %d and no body", tt.code, head.StatusCode, head.ContentLength, head.body, tt.length)
		}
	}
}

func TestSuccessHeaders(t *testing.T) {
	p := newPark(t, nil)
	a, b := ask(t, p.srv, "GET", "/free/x"), ask(t, p.srv, "GET", "/free/x")
	if a.Header.Get("X-Cache") != "Miss from cloudfront" || a.Header.Get("Via") == "" || a.Header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("GET /free/x has %v", a.Header)
	}
	if a.Header.Get("X-Amz-Cf-Id") == b.Header.Get("X-Amz-Cf-Id") {
		t.Error("two answers with one X-Amz-Cf-Id")
	}
	if got := ask(t, p.srv, "GET", "/free/missing"); got.StatusCode != 404 || got.Header.Get("X-Cache") != "Error from cloudfront" {
		t.Errorf("GET /free/missing = %d, %v", got.StatusCode, got.Header)
	}
}

// E-55: a validator that fits opens nothing without a cookie.
func TestConditionalsNeedCookies(t *testing.T) {
	p := newPark(t, nil)
	cookie := "Cookie: " + p.castle.cookie(t, "castle")
	whole := ask(t, p.srv, "GET", "/castle/01.m4a", cookie)
	etag, modified := whole.Header.Get("Etag"), whole.Header.Get("Last-Modified")
	if etag == "" || modified == "" {
		t.Fatalf("GET has Etag %q and Last-Modified %q", etag, modified)
	}
	tests := []struct {
		method, header string
		with           int
	}{
		{"GET", "If-None-Match: " + etag, 304},
		{"GET", "If-None-Match: *", 304},
		{"HEAD", "If-None-Match: " + etag, 304},
		{"GET", "If-Modified-Since: " + modified, 304},
		{"GET", `If-Match: "other"`, 412},
		{"GET", "If-None-Match: \"other\"", 200},
		{"GET", "Range: bytes=0-1", 206},
		{"GET", "Range: bytes=9999-", 416},
		{"HEAD", "Range: bytes=0-1", 200},
		{"GET", "Range: bytes=0-1\nIf-Range: " + etag, 206},
		{"GET", "Range: bytes=0-1\nIf-Range: \"other\"", 200},
		{"GET", "Range: bytes=0-1\nIf-Range: W/" + etag, 200},
		{"GET", "Accept-Encoding: gzip", 200},
	}
	for _, tt := range tests {
		wantStatus(t, tt.method+" "+tt.header+" with a cookie", ask(t, p.srv, tt.method, "/castle/01.m4a", tt.header, cookie), tt.with)
		wantStatus(t, tt.method+" "+tt.header+" without", ask(t, p.srv, tt.method, "/castle/01.m4a", tt.header), 403)
	}
}

// E-30, E-31, T9: one of CloudFront's parameters, and cookies do not count.
func TestSignedURLBeatsCookies(t *testing.T) {
	p := newPark(t, nil)
	signed := p.castle.sign(t, site, "castle")
	full, err := signed.URL(site + "/castle/01.m4a?v=1")
	if err != nil {
		t.Fatal(err)
	}
	target := strings.TrimPrefix(full, site)
	cookie := "Cookie: " + cookieHeader(signed)
	tests := []struct {
		name, target, cookie string
		want                 int
	}{
		{"good URL", target, "X-None: ", 200},
		{"good URL, bad cookies", target, "Cookie: CloudFront-Policy=bad; CloudFront-Signature=bad; CloudFront-Key-Pair-Id=KBAD", 200},
		{"bad URL, good cookies", strings.Replace(target, "Signature=", "Signature=AAAA", 1), cookie, 403},
		{"lone Expires", "/castle/01.m4a?Expires=1", cookie, 403},
		{"lone Policy", "/castle/01.m4a?a=b&Policy=x", cookie, 403},
		{"lone Hash-Algorithm", "/castle/01.m4a?Hash-Algorithm=SHA256", cookie, 403},
		{"disguised", "/castle/01.m4a?%50olicy=x", cookie, 403},
		{"good cookies", "/castle/01.m4a?v=1", cookie, 200},
	}
	for _, tt := range tests {
		wantStatus(t, tt.name, ask(t, p.srv, "GET", tt.target, tt.cookie), tt.want)
	}
}

// E-29: what runs may finish, what comes later may not.
func TestExpiry(t *testing.T) {
	now := noon
	p := newPark(t, func(c *edge.Config) { c.Now = func() time.Time { return now } })
	cookie := "Cookie: " + p.castle.cookie(t, "castle")
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{time.Hour - time.Second, 200}, {time.Hour, 403}, {2 * time.Hour, 403}} {
		now = noon.Add(tt.after)
		wantStatus(t, "after "+tt.after.String(), ask(t, p.srv, "GET", "/castle/01.m4a", cookie, "Range: bytes=0-"), map[int]int{200: 206, 403: 403}[tt.want])
	}
}

func TestMethods(t *testing.T) {
	p := newPark(t, func(c *edge.Config) {
		api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "API %s %s", r.Method, body)
		})
		c.Behaviors = append([]edge.Behavior{{PathPattern: "/v1/*", Origin: api, AllowedMethods: edge.AllMethods()}}, c.Behaviors...)
	})
	cookie := "Cookie: " + p.castle.cookie(t, "castle")
	tests := []struct {
		method, target, header string
		want                   int
		says                   string
	}{
		{"GET", "/free/x", "X-None: ", 200, freeText},
		{"OPTIONS", "/free/x", "X-None: ", 403, "request method"},
		{"POST", "/free/x", "Content-Length: 0", 403, "request method"},
		{"DELETE", "/free/x", "X-None: ", 403, "request method"},
		{"get", "/free/x", "X-None: ", 403, "request method"},
		{"TRACE", "/free/x", "X-None: ", 403, "request method"},
		{"BREW", "/v1/x", "X-None: ", 403, "request method"},
		{"GET", "/free/x", "Content-Length: 2\n\nab", 403, "Bad request"},
		{"GET", "/free/x", "Transfer-Encoding: chunked\n\n2\nab\n0\n", 403, "Bad request"},
		{"HEAD", "/free/x", "Content-Length: 2\n\nab", 403, ""},
		{"GET", "/castle/01.m4a", cookie + "\nContent-Length: 2\n\nab", 403, "Bad request"},
		{"OPTIONS", "/castle/01.m4a", "Origin: https://app.example.org", 403, "MissingKey"},
		{"OPTIONS", "/castle/01.m4a", cookie, 405, "MethodNotAllowed"},
		{"POST", "/castle/01.m4a", cookie, 403, "request method"},
		{"POST", "/v1/x", "Content-Length: 2\n\nab", 200, "API POST ab"},
		{"PUT", "/v1/x", "Content-Length: 2\n\nab", 200, "API PUT ab"},
		{"OPTIONS", "/v1/x", "X-None: ", 200, "API OPTIONS"},
		{"PATCH", "/v1/x", "X-None: ", 200, "API PATCH"},
		{"DELETE", "/v1/x", "X-None: ", 200, "API DELETE"},
	}
	for _, tt := range tests {
		got := ask(t, p.srv, tt.method, tt.target, tt.header)
		if got.StatusCode != tt.want || !strings.Contains(got.body, tt.says) || strings.Contains(got.body, castleText) {
			t.Errorf("%s %s, %.60q = %d %q, want %d %q", tt.method, tt.target, tt.header, got.StatusCode, got.body, tt.want, tt.says)
		}
		if tt.want == 403 && strings.Contains(tt.says, "request") && got.Header.Get("Content-Type") != "text/html" {
			t.Errorf("%s %s has Content-Type %q, want text/html", tt.method, tt.target, got.Header.Get("Content-Type"))
		}
	}
}

// E-37.
func TestSizes(t *testing.T) {
	p := newPark(t, nil)
	pad := func(n int) string { return strings.Repeat("a", n) }
	longest := 8192 - len(site) - len("/free/x?")
	tests := []struct {
		name, target, header string
		want                 int
	}{
		{"longest URL", "/free/x?" + pad(longest), "X: y", 200},
		{"longer URL", "/free/x?" + pad(longest+1), "X: y", 413},
		{"longer URL, restricted", "/castle/x?" + pad(8192), "X: y", 413},
		{"large headers", "/free/x", "X: " + pad(32000), 200},
		{"larger headers", "/free/x", "X: " + pad(32768), 413},
		{"larger cookies", "/castle/01.m4a", "Cookie: x=" + pad(32768), 413},
	}
	for _, tt := range tests {
		got := send(t, p.srv, "GET", "GET "+tt.target+" HTTP/1.1\nHost: media.example.org\n"+tt.header+"\n\n")
		wantStatus(t, tt.name, got, tt.want)
		if got.Close != (tt.want == 413) {
			t.Errorf("%s = %d, closes the connection: %v", tt.name, got.StatusCode, got.Close)
		}
	}
}

// Without the option Site, scheme and host come from the request, and nothing
// in the Host header moves the path that is compared with a policy.
func TestSiteFromRequest(t *testing.T) {
	desk := newDesk(t, "KCASTLE")
	origin := folder(t, tree(t, map[string]string{"castle/x": castleText, "tower/x": towerText}))
	e, err := edge.New(edge.Config{Now: at(noon), Behaviors: []edge.Behavior{{PathPattern: "*", Origin: origin, TrustedKeyGroup: desk.group}}})
	if err != nil {
		t.Fatal(err)
	}
	srv := serve(t, e)
	host := srv.Listener.Addr().String()
	cookie := cookieHeader(desk.sign(t, "http://"+host, "castle"))
	ask := func(target, host string) answer {
		return send(t, srv, "GET", "GET "+target+" HTTP/1.1\nHost: "+host+"\nCookie: "+cookie+"\nConnection: close\n\n")
	}
	for _, tt := range []struct {
		target, host string
		want         int
	}{
		{"/castle/x", host, 200},
		{"/castle/x", strings.ToUpper(host), 200},
		{"http://" + host + "/castle/x", "other.example.org", 200}, // RFC 9112, section 3.2.2
		{"/castle/x", "other.example.org", 403},
		{"/tower/x", host, 403},
		{"/tower/x", host + "/castle", 400},
		{"/tower/x", host + "/castle/a?", 400},
		{"/tower/x", "user@" + host, 400},
		{"/tower/x", "a%2fb", 400},
		{"/castle/x", "", 400},
	} {
		wantStatus(t, tt.target+" at "+tt.host, ask(tt.target, tt.host), tt.want)
	}
	hostile := httptest.NewRequest("GET", "/tower/x", nil) // past net/http's own check
	hostile.Host = host + "/castle"
	hostile.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	if e.ServeHTTP(w, hostile); w.Code != 400 {
		t.Errorf("Host %q = %d, want 400", hostile.Host, w.Code)
	}
}

func TestSchemeFromTLS(t *testing.T) {
	desk := newDesk(t, "KCASTLE")
	origin := folder(t, tree(t, map[string]string{"castle/x": castleText}))
	e, err := edge.New(edge.Config{Now: at(noon), Behaviors: []edge.Behavior{{PathPattern: "*", Origin: origin, TrustedKeyGroup: desk.group}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		scheme string
		tls    *tls.ConnectionState
		want   int
	}{{"https", &tls.ConnectionState{}, 200}, {"https", nil, 403}, {"http", nil, 200}, {"http", &tls.ConnectionState{}, 403}} {
		r := httptest.NewRequest("GET", "/castle/x", nil)
		r.Host, r.TLS = "localhost", tt.tls
		r.Header.Set("Cookie", cookieHeader(desk.sign(t, tt.scheme+"://localhost", "castle")))
		w := httptest.NewRecorder()
		if e.ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("policy for %s, TLS %v = %d, want %d", tt.scheme, tt.tls != nil, w.Code, tt.want)
		}
	}
}

// The viewer's address comes from the connection.
func TestAddress(t *testing.T) {
	desk := newDesk(t, "KCASTLE")
	resource, err := cloudfront.ParseResource(site + "/castle/*")
	if err != nil {
		t.Fatal(err)
	}
	e := newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", TrustedKeyGroup: desk.group,
		Origin: folder(t, tree(t, map[string]string{"castle/x": castleText}))}}})
	for network, want := range map[string]int{"192.0.2.0/24": 200, "198.51.100.7/32": 403} {
		signed, err := desk.signer.Sign(cloudfront.Policy{Resource: resource, DateLessThan: noon.Add(time.Hour), IPAddress: prefix(t, network)})
		if err != nil {
			t.Fatal(err)
		}
		for _, remote := range []string{"192.0.2.1:1234", "[::ffff:192.0.2.1]:1234"} {
			r := httptest.NewRequest("GET", "/castle/x", nil)
			r.RemoteAddr = remote
			r.Header.Set("X-Forwarded-For", "198.51.100.7")
			r.Header.Set("Cookie", cookieHeader(signed))
			w := httptest.NewRecorder()
			if e.ServeHTTP(w, r); w.Code != want {
				t.Errorf("policy for %s, viewer %s = %d, want %d", network, remote, w.Code, want)
			}
		}
	}
}

func TestExplain(t *testing.T) {
	var log bytes.Buffer
	p := newPark(t, func(c *edge.Config) {
		c.Explain = true
		c.Log = slog.New(slog.NewJSONHandler(&log, nil))
	})
	good := p.castle.cookie(t, "castle")
	for _, tt := range []struct{ method, target, cookie, want string }{
		{"GET", "/castle/x?secret=1", "a=b", "key-pair-id"},
		{"GET", "/castle/x?Expires=1", good, "key-pair-id T9"},
		{"OPTIONS", "/castle/x", "a=b", "key-pair-id T4"},
		{"GET", "/castle/x", good + "; CloudFront-Signature=AAAA", "duplicates T42"},
		{"GET", "/castle/x", strings.Replace(good, "SHA256", "MD5", 1), "hash T36"},
		{"GET", "/castle/x", strings.Replace(good, "Signature=", "Signature=!", 1), "signature-encoding T15"},
		{"GET", "/castle/x", strings.Replace(good, "CloudFront-Policy=", "Policy=", 1), "policy-present T41"},
		{"GET", "/castle/x?policy=1", good, "query-names T9"},
		{"GET", "/tower/x", good, "key-group T12"},
		{"GET", "/castle/x", strings.Replace(good, "SHA256", "SHA1", 1), "signature"},
		{"GET", "/castle-2/x", strings.Replace(good, "KCASTLE", "KTOWER", 1), "signature"},
		{"GET", "/a/../b", "a=b", "path"},
		{"POST", "/x", "a=b", "method T47"},
		{"GET", "/x?" + strings.Repeat("a", 9000), "a=b", "size"},
	} {
		log.Reset()
		got := ask(t, p.srv, tt.method, tt.target, "Cookie: "+tt.cookie).Header.Get("X-Handstamp-Reason")
		if got != tt.want {
			t.Errorf("%s %.30s: X-Handstamp-Reason %q, want %q", tt.method, tt.target, got, tt.want)
		}
		line := log.String()
		rule, _, _ := strings.Cut(tt.want, " ")
		if !strings.Contains(line, `"reason":"`+rule+`"`) || strings.Contains(line, "secret") || strings.Contains(line, "Signature=") {
			t.Errorf("%s %.30s logs %s", tt.method, tt.target, line)
		}
	}
	if got := ask(t, p.srv, "GET", "/free/x").Header.Get("X-Handstamp-Reason"); got != "" {
		t.Errorf("a success has X-Handstamp-Reason %q", got)
	}
}

// The reasons that a policy's conditions give.
func TestExplainConditions(t *testing.T) {
	p := newPark(t, func(c *edge.Config) { c.Explain = true })
	resource, err := cloudfront.ParseResource(site + "/castle/*")
	if err != nil {
		t.Fatal(err)
	}
	for want, policy := range map[string]cloudfront.Policy{
		"end T29":     {DateLessThan: noon},
		"start T30":   {DateLessThan: noon.Add(time.Hour), DateGreaterThan: noon.Add(time.Minute)},
		"address T34": {DateLessThan: noon.Add(time.Hour), IPAddress: prefix(t, "192.0.2.0/24")},
		"":            {DateLessThan: noon.Add(time.Hour)},
	} {
		policy.Resource = resource
		signed, err := p.castle.signer.Sign(policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, p.srv, "GET", "/castle/01.m4a", "Cookie: "+cookieHeader(signed)).Header.Get("X-Handstamp-Reason"); got != want {
			t.Errorf("X-Handstamp-Reason %q, want %q", got, want)
		}
	}
}

// A request that came by no connection has a URL only.
func TestRequestWithoutTarget(t *testing.T) {
	e := newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: folder(t, tree(t, map[string]string{"free/x": freeText}))}}})
	for path, want := range map[string]int{"/free/x": 200, "/free/../free/x": 400, "*": 400} {
		w := httptest.NewRecorder()
		if e.ServeHTTP(w, &http.Request{Method: "GET", Host: "h", URL: &url.URL{Path: path}}); w.Code != want {
			t.Errorf("GET %s = %d, want %d", path, w.Code, want)
		}
	}
}
