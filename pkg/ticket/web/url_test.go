package web

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

var fuzzTargets = []string{
	"https://api.example.org/v1/tickets/{code}", "https://api.example.org/v1/{code}/region?at={attraction}&k=1",
	"https://api.example.org/check?code={code}&name={factor.surname}", "https://api.example.org/v1/a-{code}.json",
}

// FuzzURL: whatever a value is, the host and every segment and field that is not
// its own stay as they are, and it comes out at the other end as it went in.
func FuzzURL(f *testing.F) {
	for _, code := range []string{
		"A1", "/../admin", "..", ".", "a/../../b", "?x=1", "#x", "%2e%2e", "%2f..%2f", "\r\nHost: evil", "@evil.example", "//evil.example/", "\\..\\",
		"a&code=b", "a;b", "a=b", "ä", "\x00", "a b", "://", "{attraction}", strings.Repeat("x", 500),
	} {
		f.Add(code, "castle", "Smith")
	}
	names := []string{"code", "attraction", "factor.surname"}
	f.Fuzz(func(t *testing.T, code, attraction, surname string) {
		values := map[string]string{"code": code, "attraction": attraction, "factor.surname": surname}
		for _, text := range fuzzTargets {
			target, err := parseTarget(text, names)
			if err != nil {
				t.Fatalf("parseTarget(%q) = %v", text, err)
			}
			u, err := target.url(values)
			if err != nil {
				continue
			}
			checkSent(t, target, u, values)
		}
	})
}

// checkSent reads what goes over the wire as a server would.
func checkSent(t *testing.T, target target, u *url.URL, values map[string]string) {
	t.Helper()
	var wire strings.Builder
	req := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}
	if err := req.Write(&wire); err != nil {
		t.Fatalf("write %q: %v", u, err)
	}
	got, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
	if err != nil {
		t.Fatalf("read %q: %v", wire.String(), err)
	}
	line, _, _ := strings.Cut(wire.String(), "\r\n")
	if strings.Count(line, " ") != 2 || strings.ContainsAny(line, "\\\"<>`{}|^") || got.Host != "api.example.org" || len(got.Header) != 1 {
		t.Fatalf("with %q was sent %q", values, wire.String())
	}
	want, have := strings.Split(target.base.EscapedPath(), "/"), strings.Split(got.URL.EscapedPath(), "/")
	if len(want) != len(have) || !strings.HasPrefix(got.URL.EscapedPath(), "/"+want[1]) {
		t.Fatalf("with %q the path is %q, want the form of %q", values, got.URL.EscapedPath(), target.base.EscapedPath())
	}
	for name, base := range target.base.Query() {
		if v := got.URL.Query()[name]; len(v) != 1 || v[0] != base[0] && v[0] != values["code"] && v[0] != values["attraction"] && v[0] != values["factor.surname"] {
			t.Fatalf("with %q the field %q is %q", values, name, v)
		}
	}
	if len(got.URL.Query()) != len(target.base.Query()) {
		t.Fatalf("with %q the query is %q", values, got.URL.RawQuery)
	}
}

func TestURLRefuses(t *testing.T) {
	target, err := parseTarget(fuzzTargets[0], []string{"code"})
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"", ".", "..", "../a", "a/..", "a/../b", "a/./b", `..\a`, `a\b`, "%2e%2e", "a%00"} {
		if u, err := target.url(map[string]string{"code": code}); err == nil {
			t.Errorf("url(%q) = %v, want a denial", code, u)
		}
	}
	u, err := target.url(map[string]string{"code": "a/b+c=?#&;:@ ü"})
	if err != nil || u.String() != "https://api.example.org/v1/tickets/a%2Fb%2Bc%3D%3F%23%26%3B%3A%40%20%C3%BC" {
		t.Errorf("url = %v, %v, want one escaped segment", u, err)
	}
}

func TestParseTargetRefuses(t *testing.T) {
	for _, text := range []string{
		"", "/tickets/{code}", "https://{code}/x", "https://{code}.example.org/", "https://example.org{code}/", "https://example.org:{code}/", "{code}", "https:{code}",
		"ftp://example.org/{code}", "https://user:pw@example.org/{code}", "https://example.org/{code}#a", "https://example.org/#{code}",
		"https://example.org/../{code}", "https://example.org/?{code}=1", "https://example.org/?{code}", "https://example.org/?a={code}&{code}=x",
		"https://example.org/{cod}", "https://example.org/{ code }", "https://example.org/{code", "https://example.org/a b/{code}", `https://example.org\{code}`,
	} {
		if target, err := parseTarget(text, []string{"code"}); err == nil {
			t.Errorf("parseTarget(%q) = %+v, want an error", text, target.base)
		}
	}
}

// TestFit: a value of another type is not converted.
func TestFit(t *testing.T) {
	values := map[string]any{"bool": true, "string": "x", "int": 7, "number": 1.5, "list": []any{"x"}, "object": map[string]any{}, "null": nil}
	fits := map[string]string{"bool": "bool", "string": "string", "int": "int", "number": "int number", "id": "string int", "[string]": "list", "{}": "object"}
	for declared, want := range fits {
		s, err := parseShape(declared)
		if err != nil {
			t.Fatalf("parseShape(%q) = %v", declared, err)
		}
		for name, value := range values {
			fitted, err := s.fit(value, "it", false)
			if fits := contains(strings.Fields(want), name); fits != (err == nil) {
				t.Errorf("%s.fit(%v) = %v, %v, want it to fit: %v", declared, value, fitted, err, fits)
			}
		}
	}
}

// FuzzParse: an answer is read or refused, and what is read has the declared
// shape.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"valid":true,"list":[{"id":1.5e3}]}`))
	f.Add([]byte(`<a><b c="1">x</b><b/></a>`))
	f.Add([]byte("\xef\xbb\xbftrue"))
	shape, err := parseShape(`{valid: bool?, list?: [{id: id?}], a?: {b?: [string]}}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, format := range []BodyType{JSON, XML, Text} {
			tree, err := parse(format, body)
			if err != nil {
				continue
			}
			fitted, err := shape.fit(tree, "the answer", format == XML)
			if err != nil {
				continue
			}
			object := fitted.(map[string]any)
			if _, ok := object["valid"].(bool); !ok || len(object) != 3 {
				t.Errorf("fit(%q) = %v", body, fitted)
			}
		}
	})
}
