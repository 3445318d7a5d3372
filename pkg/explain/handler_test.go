package explain_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
)

func ask(method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+target, strings.NewReader(body))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	explain.Handler(trusted(), func() time.Time { return noon }).ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	tests := []struct {
		method, target string
		status         int
		kind           string
	}{
		{"GET", "/explain", 200, "text/html; charset=utf-8"},
		{"HEAD", "/explain", 200, "text/html; charset=utf-8"},
		{"GET", "/explain/explain.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/explain/draw.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/explain/har.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/explain/explain.css", 200, "text/css; charset=utf-8"},
		{"GET", "/explain/icon.svg", 200, "image/svg+xml"},
		{"GET", "/explain/examples.json", 200, "application/json"},
		{"GET", "/explain/keys.json", 200, "application/json"},
		{"GET", "/explain/", 308, "text/html; charset=utf-8"},
		{"GET", "/explain/index.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/explain/judge", 405, "text/plain; charset=utf-8"},
		{"GET", "/", 404, "text/plain; charset=utf-8"},
		{"POST", "/explain", 405, "text/plain; charset=utf-8"},
	}
	for _, tt := range tests {
		w := ask(tt.method, tt.target, "")
		h := w.Header()
		if w.Code != tt.status || h.Get("Content-Type") != tt.kind {
			t.Errorf("%s %s = %d %q, want %d %q", tt.method, tt.target, w.Code, h.Get("Content-Type"), tt.status, tt.kind)
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'self';") || strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s %s has headers %v", tt.method, tt.target, h)
		}
		if cache := h.Get("Cache-Control"); cache != "no-store" && (cache != "no-cache" || h.Get("ETag") == "") {
			t.Errorf("%s %s has Cache-Control %q", tt.method, tt.target, cache)
		}
	}
	if w := ask("GET", "/explain", "", "If-None-Match", ask("GET", "/explain", "").Header().Get("ETag")); w.Code != 304 {
		t.Errorf("GET /explain again = %d, want 304", w.Code)
	}
	if body := ask("GET", "/explain/keys.json", "").Body.String(); !strings.Contains(body, `{"id":"`+ecID+`","kind":"ECDSA P-256"}`) {
		t.Errorf("keys = %s", body)
	}
	if body := explainHandlerBody(nil); strings.TrimSpace(body) != "[]" {
		t.Errorf("keys of nobody = %s, want []", body)
	}
}

func explainHandlerBody(keys []*cloudfront.PublicKey) string {
	w := httptest.NewRecorder()
	explain.Handler(keys, nil).ServeHTTP(w, httptest.NewRequest("GET", "/explain/keys.json", nil))
	return w.Body.String()
}

// The page uses its own files only: nothing inline, nothing from elsewhere.
func TestPageIsSelfContained(t *testing.T) {
	outside := regexp.MustCompile(`(?i)(?:src|href)="(?:https?:)?//|@import|url\(|style="|<style|\son[a-z]+="|javascript:|innerHTML|eval\(`)
	for _, name := range []string{"index.html", "explain.css", "explain.js", "draw.js", "har.js", "icon.svg"} {
		text, err := os.ReadFile("page/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if found := outside.Find(text); found != nil {
			t.Errorf("page/%s has %q", name, found)
		}
	}
	html := ask("GET", "/explain", "").Body.String()
	for _, m := range regexp.MustCompile(`(?:src|href)="(/explain/[^"]*)"`).FindAllStringSubmatch(html, -1) {
		if w := ask("GET", m[1], ""); w.Code != 200 {
			t.Errorf("the page asks for %s, and gets %d", m[1], w.Code)
		}
	}
	if regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(html) {
		t.Error("the page has an inline script")
	}
}

type judged struct {
	Reports []struct {
		Allowed bool
		Code    string
		URL     string
		At      time.Time
		Causes  []struct{ ID, Certainty string }
	}
	Found int
	Error string
}

func judge(t *testing.T, question map[string]any, header ...string) (int, judged) {
	t.Helper()
	body, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	w := ask("POST", "/explain/judge", string(body), header...)
	var got judged
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("POST /explain/judge = %d %s", w.Code, w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("POST /explain/judge has headers %v", w.Header())
	}
	return w.Code, got
}

func TestJudge(t *testing.T) {
	s := good()
	list := inCastle + "\nCookie: " + s.cookies()[0]
	code, got := judge(t, map[string]any{"text": list}, "Sec-Fetch-Site", "same-origin")
	if code != 200 || !got.Reports[0].Allowed || got.Found != 1 || !got.Reports[0].At.Equal(noon) {
		t.Errorf("a good request = %d %+v", code, got)
	}
	code, got = judge(t, map[string]any{"text": list, "at": "2026-07-01T13:00:00Z", "ip": " 192.0.2.7 ", "page": "https://app.example.org/", "method": "GET"})
	if code != 200 || got.Reports[0].Code != "AccessDenied" || got.Reports[0].Causes[0].ID != "T29" {
		t.Errorf("an hour later = %d %+v", code, got)
	}
	var many []map[string]any
	for range 60 {
		many = append(many, entry("GET", inCastle, 403, []header{{"Cookie", "a=b"}}, nil, missing.Body()))
	}
	if code, got = judge(t, map[string]any{"text": archive(many...)}); code != 200 || got.Found != 60 || len(got.Reports) != 50 {
		t.Errorf("an archive of 60 = %d, %d reports of %d, want 50 of 60", code, len(got.Reports), got.Found)
	}
	der, err := x509.MarshalPKIXPublicKey(lostKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]any{"id": "K9UNKNOWN", "pem": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
	foreign := changed(func(s *sent) {
		s.id, s.signature = "K9UNKNOWN", encode(sign(lostKey(), crypto.SHA256, policyText(castle, soon)))
	})()
	if code, got = judge(t, map[string]any{"text": inCastle + "\nCookie: " + foreign.Cookies[0], "keys": []any{key}}); code != 200 || !got.Reports[0].Allowed {
		t.Errorf("with a key of its own = %d %+v", code, got)
	}
}

func TestJudgeRefuses(t *testing.T) {
	key := func(id, text string) map[string]any {
		return map[string]any{"text": inCastle, "keys": []any{map[string]any{"id": id, "pem": text}}}
	}
	tests := []struct {
		name     string
		question map[string]any
		header   []string
		status   int
		says     string
	}{
		{"another site's page", map[string]any{"text": inCastle}, []string{"Sec-Fetch-Site", "cross-site"}, 403, "own requests only"},
		{"a neighbour's page", map[string]any{"text": inCastle}, []string{"Sec-Fetch-Site", "same-site"}, 403, "own requests only"},
		{"another origin", map[string]any{"text": inCastle}, []string{"Origin", "https://evil.example"}, 403, "own requests only"},
		{"a form", map[string]any{"text": inCastle}, []string{"Content-Type", "text/plain"}, 415, "want JSON"},
		{"too much", map[string]any{"text": strings.Repeat("x", 1<<20)}, nil, 413, "1 MiB"},
		{"unknown member", map[string]any{"text": inCastle, "more": 1}, nil, 400, "not the JSON"},
		{"no request", map[string]any{"text": "hello"}, nil, 400, "no URL"},
		{"empty", map[string]any{"text": ""}, nil, 400, "empty"},
		{"time", map[string]any{"text": inCastle, "at": "yesterday"}, nil, 400, "RFC 3339"},
		{"address", map[string]any{"text": inCastle, "ip": "home"}, nil, 400, "not an IP address"},
		{"private key", key("K1", "-----BEGIN PRIVATE KEY-----"), nil, 400, "private key"},
		{"no key", key("K1", "x"), nil, 400, "PEM"},
		{"too many keys", map[string]any{"text": inCastle, "keys": make([]map[string]any, 21)}, nil, 400, "20 keys"},
	}
	for _, tt := range tests {
		code, got := judge(t, tt.question, tt.header...)
		if code != tt.status || !strings.Contains(got.Error, tt.says) || got.Reports != nil {
			t.Errorf("%s: POST /explain/judge = %d %+v, want %d %q", tt.name, code, got, tt.status, tt.says)
		}
	}
	if w := ask("POST", "/explain/judge", `{"text":""} {}`); w.Code != http.StatusBadRequest {
		t.Errorf("two questions at once = %d, want 400", w.Code)
	}
}

// The page's examples show what they promise.
func TestExamples(t *testing.T) {
	text, err := os.ReadFile("page/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct {
		Title, Text, At, First string
		Keys                   []map[string]any
	}
	if err := json.Unmarshal(text, &examples); err != nil || len(examples) < 3 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, e := range examples {
		_, got := judge(t, map[string]any{"text": e.Text, "at": e.At, "keys": e.Keys})
		if c := got.Reports[0].Causes[0]; c.ID != e.First || c.Certainty != "proved" {
			t.Errorf("example %q: first cause %+v, want %s, proved", e.Title, c, e.First)
		}
	}
}

func TestParseInstant(t *testing.T) {
	for text, want := range map[string]time.Time{"": {}, "1782907200": noon, "2026-07-01T14:00:00+02:00": noon} {
		if got, err := explain.ParseInstant(text); err != nil || !got.Equal(want) {
			t.Errorf("ParseInstant(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	if _, err := explain.ParseInstant("noon"); err == nil {
		t.Error(`ParseInstant("noon") succeeded`)
	}
}
