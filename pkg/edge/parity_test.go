package edge_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/edge"
)

// Every setting has a default that changes nothing, and a row in the document.
func TestParitySettings(t *testing.T) {
	text, err := os.ReadFile("../../docs/edge.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range edge.ParitySettings() {
		if !strings.Contains(string(text), "`"+s.Name+"`") {
			t.Errorf("docs/edge.md does not name `%s`", s.Name)
		}
		for i, value := range s.Values {
			var p edge.Parity
			if err := p.Set(s.Name, value); err != nil || (p == edge.Parity{}) != (i == 0) {
				t.Errorf("Set(%q, %q) = %v, %+v, want the first value to be the zero value", s.Name, value, err, p)
			}
			if !strings.Contains(string(text), "`"+value+"`") {
				t.Errorf("docs/edge.md does not name the value `%s` of %s", value, s.Name)
			}
		}
	}
	for _, s := range [][2]string{{"nonsense", "x"}, {"oversize_status", "500"}, {"unsatisfiable_range", ""}} {
		var p edge.Parity
		if err := p.Set(s[0], s[1]); err == nil || p != (edge.Parity{}) {
			t.Errorf("Set(%q, %q) = %v, %+v, want an error and no change", s[0], s[1], err, p)
		}
	}
}

func withParity(t *testing.T, name, value string) func(*edge.Config) {
	return func(c *edge.Config) {
		if err := c.Parity.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParityOversize(t *testing.T) {
	for _, status := range []int{413, 414, 431, 494} {
		p := newPark(t, withParity(t, "oversize_status", fmt.Sprint(status)))
		long, cookie := "/castle/x?"+strings.Repeat("a", 9000), strings.Repeat("a", 32768)
		for _, got := range []answer{ask(t, p.srv, "GET", long), ask(t, p.srv, "GET", "/castle/x", "Cookie: x="+cookie)} {
			if wantStatus(t, "oversized", got, status); !got.Close {
				t.Errorf("%d does not close the connection", status)
			}
		}
	}
}

func TestParityUnsatisfiable(t *testing.T) {
	p := newPark(t, withParity(t, "unsatisfiable_range", "200"))
	for header, want := range map[string]int{"bytes=9999-": 200, "bytes=0-1": 206, "bytes=-0": 200, "bytes=-5": 206} {
		wantStatus(t, header, ask(t, p.srv, "GET", "/free/x", "Range: "+header), want)
	}
}

func TestParityForwardCredentials(t *testing.T) {
	for value, want := range map[string]string{"strip": "/x?a=1|own=1", "forward": "/x?a=1&Hash-Algorithm=SHA256|own=1; CloudFront-Policy=p"} {
		origin := newFakeOrigin(t)
		c := edge.Config{Behaviors: []edge.Behavior{{PathPattern: "/none", Origin: proxy(t, origin.URL, edge.ProxyOptions{})},
			{PathPattern: "*", Origin: proxy(t, origin.URL, edge.ProxyOptions{}), ForwardCookies: true}}}
		withParity(t, "forward_credentials", value)(&c)
		srv := serve(t, newEdge(t, c))
		ask(t, srv, "GET", "/x?a=1&Policy=p&Signature=s&Key-Pair-Id=k&Expires=1&Hash-Algorithm=SHA256", "Cookie: own=1; CloudFront-Policy=p")
		if got := origin.got.Load(); got.RequestURI+"|"+got.Header.Get("Cookie") != want {
			t.Errorf("%s: the origin got %s with %s, want %s", value, got.RequestURI, got.Header.Get("Cookie"), want)
		}
		ask(t, srv, "GET", "/none", "Cookie: CloudFront-Policy=p")
		if got := origin.got.Load(); got.Header.Get("Cookie") != "" {
			t.Errorf("%s: cookies %s reach an origin that gets none", value, got.Header.Get("Cookie"))
		}
	}
}
