package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// The page has every operation, type and code of the document, loads nothing and
// runs nothing.
func TestDocs(t *testing.T) {
	s := newSite(t)
	r := s.do(t, s.client, http.MethodGet, "/docs", nil)
	page := string(r.body)
	if r.status != 200 || r.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("GET /docs = %d %s", r.status, r.header)
	}
	for path, methods := range document()["paths"].(object) {
		for method := range methods.(object) {
			want := `<b class="` + strings.ToUpper(method) + `">` + strings.ToUpper(method) + `</b> <code>` + path + `</code></h3>`
			if got := strings.Count(page, want); method != "head" && method != "parameters" && got != 1 {
				t.Errorf("%s %s stands %d times in the page, want 1", method, path, got)
			}
		}
	}
	for name := range at(document(), "components", "schemas") {
		if !strings.Contains(page, "<h3>"+name+"</h3>") {
			t.Errorf("the page does not have the type %s", name)
		}
	}
	for _, code := range at(document(), "components", "schemas", "Code")["enum"].([]any) {
		if !strings.Contains(page, "<td><code>"+code.(string)+"</code></td>") {
			t.Errorf("the page does not explain the code %v", code)
		}
	}
	for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if strings.Count(page, ` id="`+m[1]+`"`) != 1 {
			t.Errorf("the link to #%s leads nowhere, or to more than one place", m[1])
		}
	}
	for _, bad := range []string{"<script", "src=", "@import", "url(", "http-equiv", "javascript:", "style=", "$ref", "`"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q in it", bad)
		}
	}
	_, style, _ := strings.Cut(page, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := r.header.Get("Content-Security-Policy"); got != want {
		t.Errorf("Content-Security-Policy %q, want %q", got, want)
	}
}

// Every element is closed.
func TestDocsIsWhole(t *testing.T) {
	s := newSite(t)
	page := string(s.do(t, s.client, http.MethodGet, "/docs", nil).body)
	var open []string
	for _, m := range regexp.MustCompile(`<(/?)([a-z0-9]+)[^>]*>`).FindAllStringSubmatch(page, -1) {
		switch {
		case m[2] == "meta":
		case m[1] == "" && (m[2] == "dt" || m[2] == "dd" || m[2] == "li"):
		case m[1] == "/" && (m[2] == "dt" || m[2] == "dd" || m[2] == "li"):
		case m[1] == "":
			open = append(open, m[2])
		case len(open) == 0 || open[len(open)-1] != m[2]:
			t.Fatalf("</%s> ends none of %v", m[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("never ended: %v", open)
	}
}
