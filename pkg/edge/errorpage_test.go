package edge_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/edge"
)

// failing answers with the status that the path ends in, with headers and an
// endless body that nobody may see.
var failing = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	var status int
	_, _ = fmt.Sscanf(r.URL.Path, "/api/%d", &status)
	w.Header().Set("Etag", `"old"`)
	w.Header().Set("Set-Cookie", "session=1")
	w.WriteHeader(status)
	for {
		if _, err := fmt.Fprint(w, "ORIGIN'S OWN PAGE"); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		if status < 400 || status == 503 {
			return
		}
	}
})

// A pageOrigin has the error pages, and notes what it was asked.
type pageOrigin struct{ asked []*http.Request }

func (o *pageOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked = append(o.asked, r)
	w.Header().Set("Content-Type", "text/html")
	if strings.HasSuffix(r.URL.Path, "missing.html") {
		http.Error(w, "NO SUCH PAGE", 404)
		return
	}
	fmt.Fprintf(w, "PAGE %s", r.URL.Path)
}

func TestErrorResponses(t *testing.T) {
	p, pages := newPark(t, nil), &pageOrigin{}
	remote := proxy(t, serve(t, failing).URL, edge.ProxyOptions{})
	e := newEdge(t, edge.Config{Explain: true, Chaos: edge.Chaos{}, Behaviors: []edge.Behavior{
		{PathPattern: "/castle/*", Origin: folder(t, p.root), TrustedKeyGroup: p.castle.group},
		{PathPattern: "/errors/*", Origin: pages},
		{PathPattern: "/api/*", Origin: failing, ForwardCookies: true, AllowedMethods: edge.AllMethods(), Headers: []edge.Header{{Name: "X-New", Value: "1"}}},
		{PathPattern: "*", Origin: remote},
	}, Errors: []edge.ErrorResponse{
		{Code: 403, Page: "/errors/403.html"},
		{Code: 404, Page: "/errors/missing.html", Response: 200},
		{Code: 400, Page: "/errors/a%20b.html", Response: 404},
		{Code: 500, Page: "/errors/500.html", Response: 200},
		{Code: 503},
	}})
	srv := serve(t, e)
	for _, tt := range []struct {
		method, target string
		want           int
		body, reason   string
	}{
		{"GET", "/castle/01.m4a", 403, "PAGE /errors/403.html", "key-pair-id"},
		{"HEAD", "/castle/01.m4a", 403, "", "key-pair-id"},
		{"POST", "/castle/01.m4a", 403, "PAGE /errors/403.html", "method T47"},
		{"GET", "/castle/../x", 404, "PAGE /errors/a b.html", "path"},
		{"GET", "/api/403", 403, "PAGE /errors/403.html", ""},
		{"POST", "/api/500", 200, "PAGE /errors/500.html", ""},
		{"GET", "/api/404", 404, "NO SUCH PAGE\n", ""},
		{"GET", "/api/200", 200, "ORIGIN'S OWN PAGE", ""},
		{"GET", "/api/503", 503, "ORIGIN'S OWN PAGE", ""}, // no page is configured
	} {
		pages.asked = nil
		got := ask(t, srv, tt.method, tt.target, "Range: bytes=0-1", "If-None-Match: *", "Cookie: own=1", "X-Custom: 1")
		if got.StatusCode != tt.want || got.body != tt.body || got.Header.Get("X-Handstamp-Reason") != tt.reason {
			t.Errorf("%s %s = %d %q, reason %q, want %d %q, %q", tt.method, tt.target, got.StatusCode, got.body, got.Header.Get("X-Handstamp-Reason"), tt.want, tt.body, tt.reason)
		}
		if tt.body == "ORIGIN'S OWN PAGE" {
			if got.Header.Get("X-New") != "1" || len(pages.asked) != 0 {
				t.Errorf("%s %s has %v, want the origin's answer as it is", tt.method, tt.target, got.Header)
			}
			continue
		}
		h := got.Header
		if h.Get("X-Cache") != "Error from cloudfront" || h.Get("Etag") != "" || h.Get("Set-Cookie") != "" || h.Get("X-New") != "" || !strings.HasPrefix(h.Get("Content-Type"), "text/") {
			t.Errorf("%s %s has %v", tt.method, tt.target, h)
		}
		if method := map[bool]string{true: "HEAD", false: "GET"}[tt.method == "HEAD"]; len(pages.asked) == 1 && pages.asked[0].Method != method {
			t.Errorf("%s %s asked for the page with %s", tt.method, tt.target, pages.asked[0].Method)
		}
		if len(pages.asked) != 1 || len(pages.asked[0].Header) != 0 || pages.asked[0].URL.RawQuery != "" {
			t.Errorf("%s %s asked for pages %+v, want one with nothing of the viewer's", tt.method, tt.target, pages.asked)
		}
	}
}

// What a server elsewhere streams is not read to its end once it is replaced.
func TestErrorResponseStopsOrigin(t *testing.T) {
	remote := proxy(t, serve(t, failing).URL, edge.ProxyOptions{})
	srv := serve(t, newEdge(t, edge.Config{Errors: []edge.ErrorResponse{{Code: 502, Page: "/page"}, {Code: 500, Page: "/page"}}, Behaviors: []edge.Behavior{
		{PathPattern: "/api/*", Origin: remote},
		{PathPattern: "/gone/*", Origin: proxy(t, rawOrigin(t, "", false), edge.ProxyOptions{})},
		{PathPattern: "*", Origin: named("PAGE")},
	}}))
	for target, want := range map[string]int{"/api/500": 500, "/gone/x": 502} {
		if got := ask(t, srv, "GET", target); got.StatusCode != want || got.body != "PAGE /page" {
			t.Errorf("GET %s = %d %q, want %d with the page", target, got.StatusCode, got.body, want)
		}
	}
}

// A panic of an origin is not hidden by an error page.
func TestErrorResponseKeepsPanics(t *testing.T) {
	broken := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		panic("broken")
	})
	e := newEdge(t, edge.Config{Errors: []edge.ErrorResponse{{Code: 500, Page: "/page"}}, Behaviors: []edge.Behavior{
		{PathPattern: "/x", Origin: broken}, {PathPattern: "*", Origin: named("PAGE")}}})
	defer func() {
		if p := recover(); p != "broken" {
			t.Errorf("recovered %v, want the origin's panic", p)
		}
	}()
	e.ServeHTTP(sink{http.Header{}}, newRequest("/x"))
}

func TestErrorResponseFaults(t *testing.T) {
	desk := newDesk(t, "KCASTLE")
	for want, r := range map[string]edge.ErrorResponse{
		"replaces":           {Code: 418, Page: "/x"},
		"want 200 or one of": {Code: 404, Page: "/x", Response: 302},
		"needs a page":       {Code: 404, Response: 200},
		"page: ambiguous":    {Code: 404, Page: "/a/../x"},
		"begins with /":      {Code: 404, Page: "x"},
		"behind signatures":  {Code: 404, Page: "/castle/x"},
		"is there already":   {Code: 403, Page: "/x"},
	} {
		_, err := edge.New(edge.Config{Errors: []edge.ErrorResponse{{Code: 403}, r}, Behaviors: []edge.Behavior{
			{PathPattern: "/castle/*", Origin: named("x"), TrustedKeyGroup: desk.group}, {PathPattern: "*", Origin: named("x")}}})
		if faults := edge.Faults(err); len(faults) != 1 || faults[0].Where != "errors[1]" || !strings.Contains(err.Error(), want) {
			t.Errorf("New with %+v = %v, want one fault of errors[1] with %q", r, err, want)
		}
	}
	_, err := edge.New(edge.Config{Site: "x", Errors: []edge.ErrorResponse{{Code: 403, Page: "/x"}}, Chaos: edge.Chaos{Refuse: 2}, Parity: edge.Parity{OversizeStatus: 500}})
	var where []string
	for _, f := range edge.Faults(err) {
		where = append(where, f.Where)
	}
	if fmt.Sprint(where) != "[site behaviors chaos parity]" {
		t.Errorf("Faults of %v are of %v", err, where)
	}
	if edge.Faults(nil) != nil || edge.Faults(fmt.Errorf("other")) != nil {
		t.Error("Faults finds some where there are none")
	}
}
