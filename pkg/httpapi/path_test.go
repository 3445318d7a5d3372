package httpapi_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestOddPaths(t *testing.T) {
	s := newSite(t)
	tests := []struct {
		path string
		want int
	}{
		{"/", 404},
		{"/v1", 404},
		{"/v1/", 404},
		{"/v1/tickets/verify/", 404},
		{"/v1/tickets/verify/x.css", 404},
		{"/v1/tickets/verify.css", 404},
		{"/v1/tickets/verify;.js", 400},
		{"/v1/tickets/verify%3b.js", 400},
		{"/v1/tickets/verify%2f", 400},
		{"/v1/tickets/verify%2Fx.css", 400},
		{"/v1/tickets/verify%00", 400},
		{"/v1/tickets/verify%0a", 400},
		{"/v1/tickets/verify%20", 404},
		{"/v1/tickets/verify%23", 404},
		{"/v1/tickets/verify%3f", 404},
		{"/v1/tickets/verify%ff", 400},
		{`/v1/tickets\verify`, 400},
		{"/v1/tickets%5cverify", 400},
		{"/V1/TICKETS/VERIFY", 404},
		{"/v1/tickets/Verify", 404},
		{"//v1/tickets/verify", 400},
		{"/v1//tickets/verify", 400},
		{"/v1/./tickets/verify", 400},
		{"/v1/x/../tickets/verify", 400},
		{"/v1/%2e%2e/v1/tickets/verify", 400},
		{"/v1/%252e%252e/v1/tickets/verify", 400},
		{"/..", 400},
		{"/v1/admission/", 404},
		{"/v1/admission/renew/x", 404},
		{"/healthz/", 404},
		{"/openapi.yaml/x", 404},
		{"/openapi%2eyaml", 400},
		{"/v1/attractions/", 404},
		{"/v1/attractions/castle", 404},
		{"/v1/attractions/castle/content/", 404},
		{"/v1/attractions/castle/content/x", 404},
		{"/v1/attractions//content", 400},
		{"/v1/attractions/*/content", 404},
		{"/v1/attractions/%2a/content", 404},
		{"/v1/attractions/%3f/content", 404},
		{"/v1/attractions/?/content", 404},
		{"/v1/attractions/../content", 400},
		{"/v1/attractions/%2e%2e/content", 400},
		{"/v1/attractions/%2f/content", 400},
		{"/v1/attractions/castle%2f/content", 400},
		{"/v1/attractions/cas/tle/content", 404},
		{"/v1/attractions/Castle/content", 404},
		{"/v1/attractions/castle%00/content", 400},
		{"/v1/attractions/{id}/content", 404},
		{"/v1/attractions/" + strings.Repeat("a", 5000) + "/content", 404},
		{"/metrics", 404},
		{"/debug/pprof/", 404},
		{"/admin/v1/tickets", 404},
		{"/.git/config", 404},
	}
	for _, tt := range tests {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
			r := s.wire(t, method+" "+tt.path+" HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n")
			bare, _, _ := strings.Cut(tt.path, "?")
			checkContract(t, method, bare, r)
			want := tt.want
			if name, _ := template(bare); name != "" && want == 404 && method != http.MethodGet && method != http.MethodHead {
				want = 405 // the path of some attraction, there or not
			}
			if r.status != want || len(r.cookies) != 0 {
				t.Errorf("%s %.100s = %d, cookies %v, want %d", method, tt.path, r.status, r.cookies, want)
			}
		}
	}
}

// What is spelled in an odd way but has one reading is answered.
func TestEscapedLetters(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/v1/attractions/%63astle/content", "/v1/attractions/castle/content?x=/../*", "/v1/attractions/castle/content?"} {
		if r := s.wire(t, "GET "+path+" HTTP/1.1\r\nHost: HOST\r\n\r\n"); r.status != 200 {
			t.Errorf("GET %s = %d, want 200", path, r.status)
		}
	}
}

func TestMethodNotAllowed(t *testing.T) {
	s := newSite(t)
	for path := range at(document(), "paths") {
		want := documentedMethods(path)
		path = strings.NewReplacer("{id}", "castle", "{key}", "photos/1").Replace(path)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "get"} {
			if strings.Contains(strings.Join(want, " "), method) {
				continue
			}
			r := s.wire(t, method+" "+path+" HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n")
			checkContract(t, method, path, r)
			if allow := strings.Join(r.header.Values("Allow"), " "); r.status != 405 || allow != strings.Join(want, " ") {
				t.Errorf("%s %s = %d, Allow %q, want 405 and %q", method, path, r.status, allow, want)
			}
			if strings.Contains(string(r.body), "Host") {
				t.Errorf("%s %s echoes the request: %s", method, path, r.body)
			}
		}
	}
}

// HEAD answers as GET does, without the body.
func TestHead(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	for path := range at(document(), "paths") {
		path = strings.NewReplacer("{id}", "castle", "{key}", "photos/1").Replace(path)
		get, head := s.do(t, s.client, http.MethodGet, path, nil), s.do(t, s.client, http.MethodHead, path, nil)
		for _, name := range []string{"X-Request-Id", "Date", "Content-Length"} {
			get.header.Del(name)
			head.header.Del(name)
		}
		if get.status != head.status || fmt.Sprint(get.header) != fmt.Sprint(head.header) {
			t.Errorf("%s: GET %d %v, HEAD %d %v, want the same", path, get.status, get.header, head.status, head.header)
		}
	}
}

func TestRequestID(t *testing.T) {
	s := newSite(t)
	seen := map[string]bool{}
	for _, id := range []string{"", "abc", "<script>alert(1)</script>", strings.Repeat("A", 4096), "AAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		r := s.do(t, s.client, http.MethodGet, "/nothing", nil, "X-Request-Id", id)
		got := r.header.Get("X-Request-Id")
		if got == id || seen[got] || r.problem(t).RequestID != got {
			t.Errorf("request ID %q was answered with %q, want a fresh one", id, got)
		}
		seen[got] = true
	}
	r := s.wire(t, "GET /nothing HTTP/1.1\r\nHost: HOST\r\nX-Request-Id: a\rSet-Cookie: b=c\r\n\r\n")
	if len(r.cookies) != 0 || strings.Contains(string(r.body), "b=c") {
		t.Errorf("a bare CR in the request ID: %d %v %s", r.status, r.header, r.body)
	}
}

// wire sends bytes as they are, with HOST for the host, and reads one reply.
func (s *site) wire(t *testing.T, request string) *reply {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	return s.exchange(t, conn, request)
}

func (s *site) dial(t *testing.T) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", s.server.Listener.Addr().String(), s.tlsConfig())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func (s *site) exchange(t *testing.T, conn *tls.Conn, request string) *reply {
	t.Helper()
	request = strings.ReplaceAll(request, "HOST", strings.TrimPrefix(s.url, "https://"))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	return readReply(t, response)
}

// What net/http lets through to us must not be mistaken for a proper request.
func TestWire(t *testing.T) {
	s := newSite(t)
	const json = "Content-Type: application/json\r\n"
	const body = `{"ticket":"WEAK-1"}`
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	tests := []struct {
		name, request string
		want          int
		ours          bool // answered by us, not by net/http
	}{
		{"as it should be", "POST /v1/tickets/verify HTTP/1.1\r\nHost: HOST\r\n" + json + length + "\r\n" + body, 200, true},
		{"foreign host", "GET /v1/attractions HTTP/1.1\r\nHost: evil.test\r\n\r\n", 421, true},
		{"our host and another port", "GET /v1/attractions HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", 421, true},
		{"trailing dot", "GET /v1/attractions HTTP/1.1\r\nHost: HOST.\r\n\r\n", 421, true},
		{"forwarded host", "GET /v1/attractions HTTP/1.1\r\nHost: evil.test\r\nX-Forwarded-Host: HOST\r\nForwarded: host=HOST\r\n\r\n", 421, true},
		{"foreign host, health", "GET /healthz HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 200, true},
		{"foreign host, readiness", "GET /readyz HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 200, true},
		{"foreign host, nothing there", "GET /healthz/x HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 421, true},
		{"HTTP/1.0 without Host", "GET /v1/attractions HTTP/1.0\r\n\r\n", 421, true},
		{"HTTP/1.0 with an empty Host", "GET /v1/attractions HTTP/1.0\r\nHost:\r\n\r\n", 421, true},
		{"empty Host", "GET /v1/attractions HTTP/1.1\r\nHost:\r\n\r\n", 421, true},
		{"absolute form, ours", "GET https://HOST/v1/attractions HTTP/1.1\r\nHost: HOST\r\n\r\n", 200, true},
		{"absolute form, foreign", "GET https://evil.test/v1/attractions HTTP/1.1\r\nHost: HOST\r\n\r\n", 421, true},
		{"absolute form beats Host", "GET https://HOST/v1/attractions HTTP/1.1\r\nHost: evil.test\r\n\r\n", 200, true},
		{"absolute form without a path", "GET https://HOST HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, true},
		{"absolute form, other scheme", "GET ftp://HOST/v1/attractions HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, true},
		{"CONNECT", "CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, true},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, true},
		{"TRACE", "TRACE /v1/admission HTTP/1.1\r\nHost: HOST\r\n\r\n", 405, true},
		{"PROPFIND", "PROPFIND /v1/admission HTTP/1.1\r\nHost: HOST\r\n\r\n", 405, true},
		{"fragment", "GET /v1/attractions#x HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, true},
		{"promised 10 GB", "POST /v1/tickets/verify HTTP/1.1\r\nHost: HOST\r\n" + json + "Content-Length: 10000000000\r\n\r\n" + strings.Repeat(" ", 16<<10+1), 413, true},
		{"bad chunk", "POST /v1/tickets/verify HTTP/1.1\r\nHost: HOST\r\n" + json + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + body, 400, true},
		{"chunk that is too short", "POST /v1/tickets/verify HTTP/1.1\r\nHost: HOST\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n3\r\n" + body + "\r\n0\r\n\r\n", 400, true},

		{"no Host", "GET /v1/attractions HTTP/1.1\r\n\r\n", 400, false},
		{"two Hosts", "GET /v1/attractions HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", 400, false},
		{"space in Host", "GET /v1/attractions HTTP/1.1\r\nHost: a b\r\n\r\n", 400, false},
		{"two lengths", "POST /v1/tickets/verify HTTP/1.1\r\nHost: HOST\r\n" + json + length + "Content-Length: 1\r\n\r\n" + body, 400, false},
		{"unheard-of coding", "POST /v1/tickets/verify HTTP/1.1\r\nHost: HOST\r\n" + json + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, false},
		{"broken escape", "GET /v1/attractions% HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, false},
		{"space before the colon", "GET /v1/attractions HTTP/1.1\r\nHost: HOST\r\nOrigin : x\r\n\r\n", 400, false},
		{"a megabyte of headers", "GET /v1/attractions HTTP/1.1\r\nHost: HOST\r\nX: " + strings.Repeat("a", 1<<20+8<<10) + "\r\n\r\n", 431, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.wire(t, tt.request)
			if r.status != tt.want || r.status != 200 && len(r.cookies) != 0 {
				t.Errorf("%d %.200s, want %d", r.status, r.body, tt.want)
			}
			if tt.ours {
				checkHeaders(t, tt.name, r)
			}
		})
	}
}

// A body that is too large ends the connection: what follows on it may be the
// rest of the body, and must not be taken for a request.
func TestTooLargeEndsTheConnection(t *testing.T) {
	s := newSite(t)
	conn := s.dial(t)
	defer conn.Close()
	request := "POST /v1/tickets/verify HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n" + strings.Repeat(" ", 16<<10+1)
	if r := s.exchange(t, conn, request); r.status != 413 || !r.closes {
		t.Errorf("%d, closes %v, want 413 and the end of the connection", r.status, r.closes)
	}
	if n, err := io.Copy(io.Discard, conn); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes follow the reply, then %v, want the end of the connection", n, err)
	}
}
