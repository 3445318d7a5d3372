package web_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

// TestHostileCodes: ten thousand codes that try to leave their place, through a
// path, a query, a header, and bodies in JSON, XML and as a form. What arrives is
// one value in its place.
func TestHostileCodes(t *testing.T) {
	office := boxoffice.New(t, boxoffice.JSON(404, `{}`))
	request := func(r web.Request) *web.Source {
		cfg := config(office.URL)
		cfg.Code, cfg.Request = web.Code{Exact: true}, r
		return source(t, cfg, options())
	}
	sources := []*web.Source{
		request(web.Request{URL: office.URL + "/tickets/{code}/state"}),
		request(web.Request{URL: office.URL + "/tickets?code={code}&k=1"}),
		request(web.Request{URL: office.URL + "/x", Header: map[string]string{"X-Code": "c={code}"}}),
		request(web.Request{URL: office.URL + "/x", Body: `{"code":"{code}","k":1}`}),
		request(web.Request{URL: office.URL + "/x", Type: web.XML, Body: `<r a="{code}"><code>{code}</code></r>`}),
		request(web.Request{URL: office.URL + "/x", Type: web.Form, Body: `code={code}&k=1`}),
	}
	random := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- the same codes at every run
	host, sent := strings.TrimPrefix(office.URL, "http://"), 0
	for i := range 10_000 {
		code, s := gate.Secret(hostile(random)), sources[i%len(sources)]
		text, err := web.Wire(s, code)
		if err == nil {
			sent++
			err = inPlace(received(t, text), host)
		}
		if err != nil && denied(err) != gate.ReasonMalformed {
			t.Fatalf("code %d: %v in %q", i, err, text)
		}
		if i%50 == 0 { // and over a connection
			if _, err := s.Verify(t.Context(), gate.Credential{Code: code}); denied(err) == "" {
				t.Fatalf("Verify(code %d) = %v, want a denial", i, err)
			}
		}
	}
	for _, r := range office.Requests() {
		if err := inPlace(r, host); err != nil {
			t.Fatalf("%v in %q", err, fmt.Sprint(r))
		}
	}
	if sent < 5000 || office.Asked() < 100 {
		t.Errorf("only %d of the codes were sent, %d of them over a connection", sent, office.Asked())
	}
}

// received reads a request as a server does.
func received(t *testing.T, text string) boxoffice.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return boxoffice.Request{Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header, Body: string(body)}
}

// hostile returns a code of what injections are made of.
func hostile(random *rand.Rand) string {
	parts := []string{
		"A", "7", "/", "../", "..", "/..;/", `\`, "%2e%2e%2f", "%00", "%0d%0a", "\r\nX-Evil: 1", "\n", "?", "#", "&", "&admin=1", "=", ";", ":", "@evil.example",
		"//evil.example", "'", `"`, `","valid":true,"x":"`, `\u0000`, "<", ">", "</code><admin/>", "]]>", "<!--", "&lt;", "{code}", "${x}", "{{x}}", "' OR 1=1--",
		"é", "\x00", "\x7f", "|", "`", "^", "~", "+", "*", "$", "xn--", "１",
	}
	var b strings.Builder
	for range 1 + random.IntN(5) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}

func inPlace(r boxoffice.Request, host string) error {
	path, query, _ := strings.Cut(r.URI, "?")
	switch {
	case r.Host != host || r.Header.Get("X-Evil") != "":
		return fmt.Errorf("another host or header")
	case strings.ContainsAny(r.URI, " \\\"<>{}|^`'#;@") || strings.ContainsFunc(r.URI, func(c rune) bool { return c < '!' || c > '~' }):
		return fmt.Errorf("something unescaped in the URL")
	case strings.HasPrefix(path, "/tickets/"):
		segments := strings.Split(path, "/")
		code, err := url.PathUnescape(segments[2])
		if err != nil || len(segments) != 4 || segments[3] != "state" || code == ".." || strings.Contains(code, "/../") {
			return fmt.Errorf("another path")
		}
	case path == "/tickets":
		if v, err := url.ParseQuery(query); err != nil || len(v) != 2 || len(v["code"]) != 1 || v.Get("k") != "1" {
			return fmt.Errorf("another query")
		}
	case path != "/x":
		return fmt.Errorf("another path")
	}
	return bodyInPlace(r)
}

func bodyInPlace(r boxoffice.Request) error {
	switch r.Header.Get("Content-Type") {
	case "application/json":
		if !strings.HasPrefix(r.Body, `{"code":"`) || !strings.HasSuffix(r.Body, `","k":1}`) || strings.Count(strings.ReplaceAll(strings.ReplaceAll(r.Body, `\\`, ""), `\"`, ""), `"`) != 6 {
			return fmt.Errorf("another JSON")
		}
	case "application/xml; charset=utf-8":
		if strings.Count(r.Body, "<") != 4 || strings.Count(r.Body, ">") != 4 || strings.Count(r.Body, `"`) != 2 {
			return fmt.Errorf("another XML")
		}
	case "application/x-www-form-urlencoded":
		if v, err := url.ParseQuery(r.Body); err != nil || len(v) != 2 || len(v["code"]) != 1 {
			return fmt.Errorf("another form")
		}
	default:
		if r.Method != http.MethodGet || r.Body != "" {
			return fmt.Errorf("another method")
		}
	}
	return nil
}
