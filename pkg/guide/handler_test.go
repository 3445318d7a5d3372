package guide_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/guide"
)

func ask(method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	guide.Handler().ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	tests := []struct {
		method, target string
		status         int
		kind           string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/t", 200, "text/html; charset=utf-8"},
		{"GET", "/app/app.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/app/client.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/app/app.css", 200, "text/css; charset=utf-8"},
		{"GET", "/app/icon.svg", 200, "image/svg+xml"},
		{"GET", "/app/manifest.webmanifest", 200, "application/manifest+json"},
		{"GET", "/app/", 404, "text/plain; charset=utf-8"},
		{"GET", "/app", 404, "text/plain; charset=utf-8"},
		{"GET", "/app/index.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/app/demo.json", 404, "text/plain; charset=utf-8"},
		{"GET", "/app/../app/app.js", 404, "text/plain; charset=utf-8"},
		{"GET", "/castle", 404, "text/plain; charset=utf-8"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
	}
	for _, tt := range tests {
		w := ask(tt.method, tt.target)
		h := w.Header()
		if w.Code != tt.status || h.Get("Content-Type") != tt.kind {
			t.Errorf("%s %s = %d %q, want %d %q", tt.method, tt.target, w.Code, h.Get("Content-Type"), tt.status, tt.kind)
		}
		if empty := w.Body.Len() == 0; empty != (tt.method == "HEAD") {
			t.Errorf("%s %s has %d bytes of body", tt.method, tt.target, w.Body.Len())
		}
		if cached := h.Get("ETag") != "" && h.Get("Cache-Control") == "no-cache"; cached != (tt.status == 200) {
			t.Errorf("%s %s = %d with ETag %q, Cache-Control %q", tt.method, tt.target, w.Code, h.Get("ETag"), h.Get("Cache-Control"))
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
			if h.Get(name) == "" {
				t.Errorf("%s %s has no %s", tt.method, tt.target, name)
			}
		}
	}
}

func TestHandlerRevalidates(t *testing.T) {
	tag := ask("GET", "/app/app.js").Header().Get("ETag")
	if w := ask("GET", "/app/app.js", "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("GET with If-None-Match %s = %d with %d bytes, want 304 without a body", tag, w.Code, w.Body.Len())
	}
	if other := ask("GET", "/app/client.js").Header().Get("ETag"); other == tag {
		t.Errorf("two files have the ETag %s", tag)
	}
}

// Everything that the app's files name is served, and comes from here.
func TestAppIsWhole(t *testing.T) {
	imports := regexp.MustCompile(`(?:import|export)[^;]*? from "([^"]+)"`)
	links := regexp.MustCompile(`(?:href|src)="(/[^"]*)"`)
	page := ask("GET", "/").Body.String()
	for _, m := range links.FindAllStringSubmatch(page, -1) {
		if w := ask("GET", m[1]); w.Code != 200 {
			t.Errorf("index.html names %s: %d", m[1], w.Code)
		}
	}
	if m := regexp.MustCompile(`(?i)<style|<script>| style=| on[a-z]+=|https?://`).FindString(page); m != "" {
		t.Errorf("index.html has %q, which the policy forbids or takes the visitor elsewhere", m)
	}
	entries, err := os.ReadDir("app")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if path.Ext(entry.Name()) != ".js" {
			continue
		}
		for _, m := range imports.FindAllStringSubmatch(ask("GET", "/app/"+entry.Name()).Body.String(), -1) {
			if strings.HasPrefix(m[1], "/") {
				continue // an example in a comment
			}
			if w := ask("GET", path.Join("/app", m[1])); w.Code != 200 {
				t.Errorf("%s imports %s: %d", entry.Name(), m[1], w.Code)
			}
		}
	}
}
