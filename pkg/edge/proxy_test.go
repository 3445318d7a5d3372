package edge_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

// A fakeOrigin notes the request that came, as it came.
type fakeOrigin struct {
	*httptest.Server
	got atomic.Pointer[http.Request]
}

func newFakeOrigin(t testing.TB) *fakeOrigin {
	t.Helper()
	o := &fakeOrigin{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.got.Store(r)
		w.Header().Add("Set-Cookie", "session=1")
		w.Header().Add("Via", "1.0 inner")
		w.Header().Set("Server", "fake")
		if strings.HasSuffix(r.URL.Path, "/teapot") {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprint(w, "ORIGIN")
	}))
	t.Cleanup(o.Close)
	return o
}

func proxy(t testing.TB, address string, opts edge.ProxyOptions) *edge.Proxy {
	t.Helper()
	p, err := edge.HTTP(address, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// E-34: nothing of CloudFront's reaches an origin, everything else does.
func TestStrippedTowardsOrigin(t *testing.T) {
	desk, origin := newDesk(t, "KCASTLE"), newFakeOrigin(t)
	server := proxy(t, origin.URL+"/base/", edge.ProxyOptions{})
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{
		{PathPattern: "/castle/*", Origin: server, TrustedKeyGroup: desk.group},
		{PathPattern: "/kept/*", Origin: server, ForwardCookies: true},
		{PathPattern: "*", Origin: server},
	}}))
	signed := desk.sign(t, site, "castle")
	signedURL := func(path string) string {
		u, err := signed.URL(site + path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(u, site)
	}
	cookies := "own=1; " + cookieHeader(signed) + ";other=a=b"
	tests := []struct{ target, wantURI, wantCookie string }{
		{signedURL("/castle/x"), "/base/castle/x", ""},
		{signedURL("/castle/x?a=1&b=%2F&c;d"), "/base/castle/x?a=1&b=%2F&c;d", ""},
		{"/castle/%7Etilde%20%C3%A9'\"|<x>^`{", "/base/castle/%7Etilde%20%C3%A9'\"|<x>^`{", ""},
		{"/castle/x", "/base/castle/x", ""},
		{"/kept/x", "/base/kept/x", "own=1; other=a=b"},
		{"/kept/x?Policy=1&a=b&Signature&Key-Pair-Id=K&Expires=2&&policy=3&Hash-Algorithm=SHA1&c", "/base/kept/x?a=b&&policy=3&c", "own=1; other=a=b"},
		{"/kept/x?Policy", "/base/kept/x", "own=1; other=a=b"},
		{"/kept/x?Policyx=1&%50olicy=1", "/base/kept/x?Policyx=1&%50olicy=1", "own=1; other=a=b"},
		{"/kept/x?a&&b=%zz;c", "/base/kept/x?a&&b=%zz;c", "own=1; other=a=b"},
		{"/free/x?Expires=1", "/base/free/x", ""},
		{"http://media.example.org/free/x?a=b", "/base/free/x?a=b", ""},
	}
	for _, tt := range tests {
		answer := ask(t, srv, "GET", tt.target, "Cookie: "+cookies, "X-Custom: 1", "X-Forwarded-For: 198.51.100.1", "Upgrade: websocket", "Connection: Upgrade")
		got := origin.got.Load()
		if answer.StatusCode != 200 || got == nil {
			t.Errorf("GET %s = %d %q", tt.target, answer.StatusCode, answer.body)
			continue
		}
		if got.RequestURI != tt.wantURI || got.Header.Get("Cookie") != tt.wantCookie {
			t.Errorf("GET %s came to the origin as %q with Cookie %q, want %q with %q", tt.target, got.RequestURI, got.Header.Get("Cookie"), tt.wantURI, tt.wantCookie)
		}
		if text := fmt.Sprint(got.Header, got.RequestURI); strings.Contains(text, "Signature=") || strings.Contains(text, "CloudFront") {
			t.Errorf("GET %s hands credentials to the origin: %s", tt.target, text)
		}
		if got.Host != origin.Listener.Addr().String() || got.Header.Get("X-Custom") != "1" || got.Header.Get("Upgrade") != "" ||
			fmt.Sprint(got.Header["X-Forwarded-For"]) != "[127.0.0.1]" {
			t.Errorf("GET %s came with Host %s and %v", tt.target, got.Host, got.Header)
		}
		kept := strings.HasPrefix(tt.target, "/kept/")
		if answer.Header.Get("Set-Cookie") != map[bool]string{true: "session=1"}[kept] {
			t.Errorf("GET %s has Set-Cookie %q, cookies forwarded %v", tt.target, answer.Header.Get("Set-Cookie"), kept)
		}
	}
}

// An API in the process gets the same treatment, RequestURI included.
func TestStrippedTowardsHandler(t *testing.T) {
	desk := newDesk(t, "KCASTLE")
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		fmt.Fprintf(w, "%s|%s|%s|%s", r.RequestURI, r.URL, r.URL.Path, r.Header.Get("Cookie"))
	})
	srv := serve(t, newEdge(t, edge.Config{DefaultRootObject: "home.html", Behaviors: []edge.Behavior{
		{PathPattern: "/castle/*", Origin: echo, TrustedKeyGroup: desk.group},
		{PathPattern: "*", Origin: echo, ForwardCookies: true},
	}}))
	signed := desk.sign(t, site, "castle")
	u, err := signed.URL(site + "/castle/a%20b%23?q=1")
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		strings.TrimPrefix(u, site): "/castle/a%20b%23?q=1|/castle/a%20b%23?q=1|/castle/a b#|",
		"/":                         "/home.html|/home.html|/home.html|own=1",
		"http://h/x?Policy=1":       "/x|/x|/x|own=1",
		"/x%7Ey%2Bz":                "/x%7Ey%2Bz|/x%7Ey%2Bz|/x~y+z|own=1", // not as Go would escape it
	} {
		got := ask(t, srv, "GET", target, "Cookie: own=1; "+cookieHeader(signed))
		if got.body != want {
			t.Errorf("GET %s came to the handler as %q, want %q", target, got.body, want)
		}
		if restricted := strings.HasPrefix(target, "/castle/"); (got.Header.Get("Set-Cookie") == "") != restricted {
			t.Errorf("GET %s has Set-Cookie %q", target, got.Header.Get("Set-Cookie"))
		}
	}
}

func TestProxyAnswers(t *testing.T) {
	origin := newFakeOrigin(t)
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: proxy(t, origin.URL, edge.ProxyOptions{}), AllowedMethods: edge.AllMethods()}}}))
	got := ask(t, srv, "GET", "/x")
	if got.body != "ORIGIN" || got.Header.Get("Server") != "fake" || got.Header.Get("X-Cache") != "Miss from cloudfront" || len(got.Header["Via"]) != 2 {
		t.Errorf("GET = %q %v", got.body, got.Header)
	}
	got = ask(t, srv, "POST", "/teapot", "Content-Length: 3\n\nabc")
	if got.StatusCode != 418 || got.body != "ORIGIN" || got.Header.Get("X-Cache") != "Error from cloudfront" {
		t.Errorf("POST = %d %q %v", got.StatusCode, got.body, got.Header)
	}
}

// rawOrigin answers every connection with text, then closes it, or keeps it.
func rawOrigin(t testing.TB, text string, keep bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan bool)
	t.Cleanup(func() { close(stop); l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, text)
				if keep {
					<-stop
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestOriginFailures(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		keep         bool
		want         int
	}{
		{"closes", "", false, 502},
		{"babbles", "hello\r\n\r\n", false, 502},
		{"says nothing", "", true, 504},
		{"upgrades unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", false, 502},
	} {
		var log bytes.Buffer
		origin := proxy(t, rawOrigin(t, tt.answer, tt.keep), edge.ProxyOptions{ResponseTimeout: 200 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
		srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: origin}}}))
		for _, method := range []string{"GET", "HEAD"} {
			got := ask(t, srv, method, "/x?secret")
			wantStatus(t, tt.name, got, tt.want)
			if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Server") != "CloudFront" || got.Header.Get("X-Cache") != "Error from cloudfront" {
				t.Errorf("%s: %v", tt.name, got.Header)
			}
		}
		if !strings.Contains(log.String(), "origin failed") || strings.Contains(log.String(), "secret") {
			t.Errorf("%s logs %s", tt.name, log.String())
		}
	}
}

// A body that breaks off must not look whole.
func TestOriginBreaksOff(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"} {
		srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: proxy(t, rawOrigin(t, head, false), edge.ProxyOptions{})}}}))
		resp, err := srv.Client().Get(srv.URL + "/x")
		if err != nil {
			continue // nothing came at all
		}
		if body, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("%q arrives whole as %q", head, body)
		}
		resp.Body.Close()
	}
}

// Redirects of the origin go to the viewer.
func TestOriginRedirects(t *testing.T) {
	origin := rawOrigin(t, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", false)
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: proxy(t, origin, edge.ProxyOptions{})}}}))
	wantStatus(t, "redirect", ask(t, srv, "GET", "/x"), 302)
}

func TestProxyAddress(t *testing.T) {
	for _, address := range []string{"", "origin.example.org", "ftp://origin.example.org", "http://", "http://user:hunter2@host", "http://h?q", "http://h/?", "http://h/#f", "http://h/a/../b", "http://h/a//b", "http://h:x:hunter2"} {
		if p, err := edge.HTTP(address, edge.ProxyOptions{}); err == nil || p != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("HTTP(%q) = %v, want an error without the password", address, err)
		}
	}
}
