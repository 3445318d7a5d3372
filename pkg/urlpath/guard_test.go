package urlpath_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/urlpath"
)

func TestTarget(t *testing.T) {
	tests := []struct{ uri, want string }{
		{"/castle/x", "/castle/x"},
		{"/castle/%7e?a=1&b;c", "/castle/%7e?a=1&b;c"},
		{"/castle/x?", "/castle/x?"},
		{"http://host/castle/x?q", "/castle/x?q"},
		{"HTTPS://user@host:1/castle", "/castle"},
		{"http://host//x", "//x"},
		{"*", ""},
		{"host:443", ""},
		{"http://host", ""},
		{"http://host?x=/castle/", ""},
		{"http://host#/castle/", ""},
		{"ftp://host/castle/x", ""},
		{"urn:castle", ""},
		{"castle/x", ""},
		{"/castle/x#y", ""},
		{"/castle/x?q#y", ""},
	}
	for _, tt := range tests {
		got, err := urlpath.Target(&http.Request{RequestURI: tt.uri, URL: &url.URL{Path: "/other"}})
		if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, urlpath.ErrAmbiguous) {
			t.Errorf("Target(%q) = %q, %v, want %q", tt.uri, got, err, tt.want)
		}
	}
}

// Without a RequestURI the URL counts, in its escaped form.
func TestTargetWithoutConnection(t *testing.T) {
	for raw, want := range map[string]string{
		"https://host/castle/a%2fb?q=%31": "/castle/a%2fb?q=%31",
		"https://host/castle/a?":          "/castle/a?",
		"https://host/castle/caf%C3%A9":   "/castle/caf%C3%A9",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := urlpath.Target(&http.Request{URL: u}); err != nil || got != want {
			t.Errorf("Target(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
}

// guarded answers 200 with the path that got through, or 400.
func guarded() http.Handler {
	return urlpath.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path)
	}), func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusBadRequest)
	})
}

// All spellings over a real connection. What net/http itself refuses is
// refused as well.
func TestGuardOnTheWire(t *testing.T) {
	srv := httptest.NewUnstartedServer(guarded())
	srv.Config.DisableGeneralOptionsHandler = true
	srv.Start()
	defer srv.Close()
	address := srv.Listener.Addr().String()
	for _, tt := range spellings {
		want := tt.want
		switch tt.raw {
		case "/castle/x?y", "http://host/castle/x": // a query, an absolute form
			want = "/castle/x"
		}
		expect(t, address, tt.raw, want)
		if strings.HasPrefix(tt.raw, "/") {
			expect(t, address, tt.raw+"?q=/../", want)
			expect(t, address, "http://host"+tt.raw, want)
		}
	}
}

func expect(t *testing.T, address, target, want string) {
	t.Helper()
	status, body := ask(t, address, target)
	if want == "" && status != 400 || want != "" && (status != 200 || body != want) {
		t.Errorf("GET %q = %d %q, want %q or 400", target, status, body, want)
	}
}

func ask(t *testing.T, address, target string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: host\r\nConnection: close\r\n\r\n", target)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("GET %q: %v", target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("GET %q: %v", target, err)
	}
	return resp.StatusCode, string(text)
}

// What is routed must be what was looked at.
func TestGuardComparesURL(t *testing.T) {
	tests := []struct {
		uri, path string
		want      int
	}{
		{"/v1/castle/x", "/v1/castle/x", 200},
		{"/v1/castle/x", "/castle/x", 200}, // a stripped prefix
		{"/v1/castle/x", "/x", 200},
		{"/castle/x", "/tower/x", 400},
		{"/castle/x", "x", 400},
		{"/castle/x", "", 400},
		{"*", "*", 400},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		guarded().ServeHTTP(w, &http.Request{Method: "GET", RequestURI: tt.uri, URL: &url.URL{Path: tt.path}})
		if w.Code != tt.want {
			t.Errorf("Guard of %q with URL.Path %q = %d, want %d", tt.uri, tt.path, w.Code, tt.want)
		}
	}
}
