package awslambda_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/awslambda"
	"github.com/handstamp/handstamp/pkg/urlpath"
)

// forms are the events in testdata that are answered.
var forms = []string{"http-api-2.0", "http-api-1.0", "rest-api", "function-url", "load-balancer"}

// A reply has the members of all forms.
type reply struct {
	StatusCode        int
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Cookies           []string
	Body              string
	IsBase64Encoded   bool
}

func (r *reply) body(t *testing.T) string {
	t.Helper()
	if !r.IsBase64Encoded {
		return r.Body
	}
	body, err := base64.StdEncoding.DecodeString(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func load(t testing.TB, form string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", form+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// edit returns an event with members changed; a dotted path leads to one, and
// nil takes it away.
func edit(t testing.TB, event []byte, changes map[string]any) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(event, &all); err != nil {
		t.Fatal(err)
	}
	for path, value := range changes {
		steps := strings.Split(path, "/")
		at := all
		for _, s := range steps[:len(steps)-1] {
			at = at[s].(map[string]any)
		}
		if last := steps[len(steps)-1]; value == nil {
			delete(at, last)
		} else {
			at[last] = value
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func invoke(t testing.TB, ctx context.Context, h http.Handler, opts awslambda.Options, event []byte) *reply {
	t.Helper()
	adapter, err := awslambda.New(h, opts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := adapter.Invoke(ctx, event)
	if err != nil {
		t.Fatalf("Invoke = %v, want a reply", err)
	}
	r := &reply{}
	if err := json.Unmarshal(text, r); err != nil {
		t.Fatalf("Invoke returned %.200q: %v", text, err)
	}
	return r
}

// seen returns a handler that keeps the request, with its body.
func seen(got **http.Request, body *string) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		*got, *body = r, string(text)
	})
}

func TestEveryFormIsTheSameRequest(t *testing.T) {
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			var r *http.Request
			var body string
			if got := invoke(t, t.Context(), seen(&r, &body), awslambda.Options{Host: "media.example.org"}, load(t, form)); got.StatusCode != 200 {
				t.Fatalf("status = %d, want 200: %s", got.StatusCode, got.Body)
			}
			address := "203.0.113.9:0"
			if form == "function-url" {
				address = "[2001:db8::7]:0"
			}
			if r.Method != "POST" || r.URL.Path != "/v1/tickets/verify" || r.Host != "media.example.org" || r.RemoteAddr != address {
				t.Errorf("request = %s %s at %s from %s, want POST /v1/tickets/verify at media.example.org from %s", r.Method, r.URL.Path, r.Host, r.RemoteAddr, address)
			}
			if got := r.URL.Query()["a"]; !slices.Equal(got, []string{"1", " 2"}) {
				t.Errorf("query a = %q, want 1 and a blank with 2", got)
			}
			if got := r.Header["Cookie"]; !slices.Equal(got, []string{"one=1; two=2"}) {
				t.Errorf("Cookie = %q, want every cookie once", got)
			}
			if want := `{"ticket":"CASTLE-TEST-TICKET-0001"}`; body != want || r.ContentLength != int64(len(want)) {
				t.Errorf("body = %q of %d, want %q", body, r.ContentLength, want)
			}
			if got, err := urlpath.Target(r); err != nil || !strings.HasPrefix(got, "/v1/tickets/verify?") {
				t.Errorf("urlpath.Target = %q, %v, want the path that was received", got, err)
			}
		})
	}
}

func TestCookiesSurviveEveryForm(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "CloudFront-Policy", Value: "p", Path: "/castle/"})
		http.SetCookie(w, &http.Cookie{Name: "CloudFront-Policy", Value: "q", Path: "/zoo/"})
		http.SetCookie(w, &http.Cookie{Name: "CloudFront-Expires", Path: "/castle/", MaxAge: -1})
		w.Header().Add("Vary", "Origin")
		w.Header().Add("Vary", "Cookie")
		w.WriteHeader(http.StatusOK)
		w.Header().Add("Set-Cookie", "too=late")
	})
	want := []string{"CloudFront-Policy=p; Path=/castle/", "CloudFront-Policy=q; Path=/zoo/", "CloudFront-Expires=; Path=/castle/; Max-Age=0"}
	for _, form := range forms {
		got := invoke(t, t.Context(), h, awslambda.Options{}, load(t, form))
		second := form == "http-api-2.0" || form == "function-url"
		cookies, vary := got.MultiValueHeaders["Set-Cookie"], strings.Join(got.MultiValueHeaders["Vary"], ", ")
		if second {
			cookies, vary = got.Cookies, got.Headers["Vary"]
		}
		if !slices.Equal(cookies, want) || vary != "Origin, Cookie" {
			t.Errorf("%s: cookies %q and Vary %q, want %q and both", form, cookies, vary, want)
		}
		for name := range maps.Keys(got.Headers) {
			if strings.EqualFold(name, "Set-Cookie") {
				t.Errorf("%s: %s stands in headers, where one would survive", form, name)
			}
		}
		if second != (got.MultiValueHeaders == nil) || second == (got.Cookies == nil) {
			t.Errorf("%s: reply mixes the forms: %+v", form, got)
		}
	}
}

func TestLoadBalancerWithoutMultiValueHeaders(t *testing.T) {
	var log bytes.Buffer
	called := false
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true })
	got := invoke(t, t.Context(), h, awslambda.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, load(t, "load-balancer-single"))
	if called || got.StatusCode != 500 || !strings.Contains(got.Body, "multi_value_headers") || got.Headers["Content-Type"] == "" {
		t.Errorf("reply = %+v, handler called %v, want a 500 that names the setting", got, called)
	}
	if !strings.Contains(log.String(), "multi_value_headers") {
		t.Errorf("log = %q, want the setting", log.String())
	}
}

func TestPaths(t *testing.T) {
	tests := []struct {
		name, form, base string
		change           map[string]any
		want             string // RequestURI; empty means that it is canonical nowhere
	}{
		{"stage in front", "http-api-2.0", "", map[string]any{"rawPath": "/prod/v1/x", "requestContext/stage": "prod", "rawQueryString": ""}, "/v1/x"},
		{"stage alone", "http-api-2.0", "", map[string]any{"rawPath": "/prod", "requestContext/stage": "prod", "rawQueryString": ""}, "/"},
		{"a longer name than the stage", "http-api-2.0", "", map[string]any{"rawPath": "/product/x", "requestContext/stage": "prod", "rawQueryString": ""}, "/product/x"},
		{"stage called like a route", "http-api-2.0", "", map[string]any{"rawPath": "/v1/v1/x", "requestContext/stage": "v1", "rawQueryString": ""}, "/v1/x"},
		{"base path behind a stage", "http-api-2.0", "/gate", map[string]any{"rawPath": "/prod/gate/v1/x", "requestContext/stage": "prod", "rawQueryString": ""}, "/v1/x"},
		{"a function URL has no stage", "function-url", "", map[string]any{"rawPath": "/prod/v1/x", "requestContext/stage": "prod", "rawQueryString": ""}, "/prod/v1/x"},
		{"a blank that was decoded", "http-api-2.0", "", map[string]any{"rawPath": "/v1/a b", "rawQueryString": ""}, "/v1/a%20b"},
		{"a question mark that was decoded", "http-api-2.0", "", map[string]any{"rawPath": "/v1/a?b#c", "rawQueryString": "q=1"}, "/v1/a%3Fb%23c?q=1"},
		{"an escape of an escape", "http-api-2.0", "", map[string]any{"rawPath": "/v1/%2e%2e/x", "rawQueryString": ""}, ""},
		{"dot segments that were decoded", "http-api-2.0", "", map[string]any{"rawPath": "/v1/../x", "rawQueryString": ""}, ""},
		{"an escaped slash", "function-url", "", map[string]any{"rawPath": "/castle%2faudio", "rawQueryString": ""}, ""},
		{"a blank as it was", "function-url", "", map[string]any{"rawPath": "/v1/a%20b", "rawQueryString": ""}, "/v1/a%20b"},
		{"mapped to all stages", "rest-api", "", map[string]any{"path": "/testStage/v1/x", "requestContext/path": "/testStage/v1/x", "multiValueQueryStringParameters": map[string]any{}}, "/v1/x"},
		{"mapped to one stage", "rest-api", "/gate", map[string]any{"path": "/gate/v1/x", "requestContext/path": "/gate/v1/x", "requestContext/stage": "v1", "multiValueQueryStringParameters": map[string]any{}}, "/v1/x"},
		{"stage called like a route, at its own domain", "rest-api", "", map[string]any{"path": "/v1/x", "requestContext/path": "/v1/v1/x", "requestContext/stage": "v1", "multiValueQueryStringParameters": map[string]any{}}, "/v1/x"},
		{"an escaped slash at a REST API", "rest-api", "", map[string]any{"path": "/castle%2faudio", "multiValueQueryStringParameters": map[string]any{}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			h := urlpath.Guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RequestURI }),
				func(http.ResponseWriter, *http.Request, error) {})
			invoke(t, t.Context(), h, awslambda.Options{BasePath: tt.base}, edit(t, load(t, tt.form), tt.change))
			if got != tt.want {
				t.Errorf("RequestURI = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSource(t *testing.T) {
	tests := []struct {
		name, form string
		change     map[string]any
		want       string
		forwarded  string
	}{
		{"made up by the viewer", "http-api-2.0", nil, "203.0.113.9:0", "198.51.100.66, 203.0.113.9"},
		{"missing", "http-api-2.0", map[string]any{"requestContext/http/sourceIp": nil}, "", "198.51.100.66, 203.0.113.9"},
		{"nonsense", "rest-api", map[string]any{"requestContext/identity/sourceIp": "test-invoke-source-ip"}, "", "198.51.100.66, 203.0.113.9"},
		{"IPv6", "rest-api", map[string]any{"requestContext/identity/sourceIp": "2001:db8::1"}, "[2001:db8::1]:0", "198.51.100.66, 203.0.113.9"},
		{"appended by the load balancer", "load-balancer", nil, "203.0.113.9:0", "198.51.100.66"},
		{"with its port", "load-balancer", map[string]any{"multiValueHeaders/x-forwarded-for": []string{"198.51.100.66", "[2001:db8::1]:4711"}}, "[2001:db8::1]:4711", "198.51.100.66"},
		{"not appended", "load-balancer", map[string]any{"multiValueHeaders/x-forwarded-for": nil}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r *http.Request
			var body string
			invoke(t, t.Context(), seen(&r, &body), awslambda.Options{}, edit(t, load(t, tt.form), tt.change))
			if r.RemoteAddr != tt.want || r.Header.Get("X-Forwarded-For") != tt.forwarded {
				t.Errorf("RemoteAddr = %q, X-Forwarded-For %q, want %q, %q", r.RemoteAddr, r.Header.Get("X-Forwarded-For"), tt.want, tt.forwarded)
			}
		})
	}
}

func TestHostIsOursOnlyAtTheDomainOfTheAPI(t *testing.T) {
	for host, want := range map[string]string{
		"aaaaaaaaaa.execute-api.us-west-2.amazonaws.com": "media.example.org", "evil.example": "evil.example",
	} {
		var r *http.Request
		var body string
		invoke(t, t.Context(), seen(&r, &body), awslambda.Options{Host: "media.example.org"}, edit(t, load(t, "http-api-2.0"), map[string]any{"headers/host": host}))
		if r.Host != want {
			t.Errorf("Host %q = %q, want %q", host, r.Host, want)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	good := string(load(t, "http-api-2.0"))
	tests := map[string]string{
		"nothing":            ``,
		"null":               `null`,
		"no object":          `[1]`,
		"no request":         `{"source":"aws.events"}`,
		"no context":         `{"version":"2.0"}`,
		"wrong type":         `{"version":"2.0","headers":[]}`,
		"broken off":         good[:len(good)/2],
		"bad base64":         string(edit(t, []byte(good), map[string]any{"isBase64Encoded": true, "body": "%%%"})),
		"large":              string(edit(t, []byte(good), map[string]any{"body": strings.Repeat("x", 2<<20)})),
		"large in base64":    string(edit(t, []byte(good), map[string]any{"isBase64Encoded": true, "body": strings.Repeat("AAAA", 1<<19)})),
		"no path":            string(edit(t, []byte(good), map[string]any{"rawPath": ""})),
		"no slash":           string(edit(t, []byte(good), map[string]any{"rawPath": "v1"})),
		"a whole URL":        string(edit(t, []byte(good), map[string]any{"rawPath": "http://evil.example/v1"})),
		"bad method":         string(edit(t, []byte(good), map[string]any{"requestContext/http/method": "GET /"})),
		"no method":          string(edit(t, []byte(good), map[string]any{"requestContext/http/method": nil})),
		"bad header":         string(edit(t, []byte(good), map[string]any{"headers/x": "a\r\nb: c"})),
		"bad header name":    string(edit(t, []byte(good), map[string]any{"headers/a b": "c"})),
		"bad cookie":         string(edit(t, []byte(good), map[string]any{"cookies": []string{"a=\nb"}})),
		"empty load balance": `{"requestContext":{"elb":{}},"multiValueHeaders":{},"httpMethod":""}`,
	}
	for name, event := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
			if got := invoke(t, t.Context(), h, awslambda.Options{}, []byte(event)); got.StatusCode != 400 {
				t.Errorf("status = %d, want 400: %+v", got.StatusCode, got)
			}
		})
	}
}

func TestNullsAreNothing(t *testing.T) {
	for _, event := range []string{
		`{"version":"2.0","rawPath":"/","headers":null,"cookies":null,"body":null,"requestContext":{"http":{"method":"GET"}}}`,
		`{"httpMethod":"GET","path":"/","headers":null,"multiValueHeaders":null,"queryStringParameters":null,"body":null,"requestContext":{"identity":null}}`,
		`{"httpMethod":"GET","path":"/","headers":{"a":null},"requestContext":{"elb":{}},"multiValueHeaders":{"a":null}}`,
	} {
		if got := invoke(t, t.Context(), http.NotFoundHandler(), awslambda.Options{}, []byte(event)); got.StatusCode != 404 {
			t.Errorf("%s = %d, want the handler's 404", event, got.StatusCode)
		}
	}
}

func TestPanic(t *testing.T) {
	var log bytes.Buffer
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "half=done")
		panic("canary-9f3b")
	})
	got := invoke(t, t.Context(), h, awslambda.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, load(t, "http-api-2.0"))
	if got.StatusCode != 500 || got.Cookies != nil || !strings.Contains(got.Body, `"code":"internal"`) {
		t.Errorf("reply = %+v, want a plain 500", got)
	}
	if text := log.String() + got.Body; strings.Contains(text, "canary-9f3b") || !strings.Contains(log.String(), "adapter_test.go") {
		t.Errorf("log = %q, want where it was and not with what", text)
	}
}

func TestDeadline(t *testing.T) {
	tests := []struct {
		name   string
		left   time.Duration
		took   time.Duration // what the handler takes after its context has ended; below 0 means before
		status int
		at     time.Duration
	}{
		{"in time", time.Second, -time.Second, 200, 0},
		{"stops when told", time.Second, 0, 418, 850 * time.Millisecond},
		{"a moment later", time.Second, 40 * time.Millisecond, 418, 890 * time.Millisecond},
		{"never", time.Second, time.Hour, 503, 900 * time.Millisecond},
		{"no time at all", 100 * time.Millisecond, 0, 503, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.left)
				defer cancel()
				h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tt.took < 0 {
						return
					}
					<-r.Context().Done()
					time.Sleep(tt.took)
					w.WriteHeader(http.StatusTeapot)
				})
				began := time.Now()
				got := invoke(t, ctx, h, awslambda.Options{}, load(t, "http-api-2.0"))
				if took := time.Since(began); got.StatusCode != tt.status || took != tt.at {
					t.Errorf("status %d after %v, want %d after %v", got.StatusCode, took, tt.status, tt.at)
				}
				if got.StatusCode == 503 && got.Headers["Retry-After"] == "" {
					t.Errorf("headers = %v, want Retry-After", got.Headers)
				}
				time.Sleep(2 * time.Hour) // the slowest handler ends, too
			})
		})
	}
}

func TestBodies(t *testing.T) {
	tests := []struct {
		name, method, kind, body string
		status                   int
		encoded                  bool
		want                     string
	}{
		{"json", "GET", "application/json", `{"a":"<&>"}`, 200, false, `{"a":"<&>"}`},
		{"problem", "GET", "application/problem+json", `{}`, 403, false, `{}`},
		{"text that is none", "GET", "text/plain", "\xff\xfe", 200, true, "\xff\xfe"},
		{"audio", "GET", "audio/mp4", "abc", 206, true, "abc"},
		{"no type", "GET", "", "hello", 200, false, "hello"},
		{"head", "HEAD", "application/json", `{}`, 200, false, ""},
		{"no content", "DELETE", "", "x", 204, false, ""},
	}
	for _, tt := range tests {
		for _, form := range forms {
			t.Run(tt.name+" "+form, func(t *testing.T) {
				h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if tt.kind != "" {
						w.Header().Set("Content-Type", tt.kind)
					}
					w.WriteHeader(103)
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})
				method := map[string]any{"httpMethod": tt.method}
				if form == "http-api-2.0" || form == "function-url" {
					method = map[string]any{"requestContext/http/method": tt.method}
				}
				got := invoke(t, t.Context(), h, awslambda.Options{}, edit(t, load(t, form), method))
				if body := got.body(t); got.StatusCode != tt.status || got.IsBase64Encoded != tt.encoded || body != tt.want {
					t.Errorf("reply = %d %q, base64 %v, want %d %q, %v", got.StatusCode, body, got.IsBase64Encoded, tt.status, tt.want, tt.encoded)
				}
			})
		}
	}
}

func TestReplyThatIsTooLarge(t *testing.T) {
	tests := []struct {
		name, form, kind string
		size, status     int
	}{
		{"5 MB of text", "http-api-2.0", "text/plain", 5 << 20, 200},
		{"7 MB of text", "http-api-2.0", "text/plain", 7 << 20, 500},
		{"5 MB that base64 makes larger", "rest-api", "audio/mp4", 5 << 20, 500},
		{"1 MB behind a load balancer", "load-balancer", "text/plain", 1 << 20, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var last error
			h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				w.Header().Set("Set-Cookie", "a=b")
				for range tt.size >> 10 {
					_, last = w.Write(bytes.Repeat([]byte("x"), 1<<10))
				}
			})
			got := invoke(t, t.Context(), h, awslambda.Options{}, load(t, tt.form))
			if got.StatusCode != tt.status {
				t.Fatalf("status = %d, want %d", got.StatusCode, tt.status)
			}
			if tt.status == 500 && (!strings.Contains(got.Body, "presigned") || got.Cookies != nil || got.MultiValueHeaders["Set-Cookie"] != nil) {
				t.Errorf("reply = %+v, want a hint to presigned URLs and no cookie", got)
			}
			if tt.size >= 7<<20 && last == nil {
				t.Error("the handler was not told that it writes in vain")
			}
		})
	}
}

func TestBasePathIsChecked(t *testing.T) {
	for _, base := range []string{"gate", "/a/../b", "/a%20b", "//"} {
		if _, err := awslambda.New(http.NotFoundHandler(), awslambda.Options{BasePath: base}); err == nil {
			t.Errorf("New with base path %q = nil, want an error", base)
		}
	}
}

// FuzzInvoke looks for an event that panics, is not answered, or gets a path to
// the handler that a server would not have read.
func FuzzInvoke(f *testing.F) {
	for _, form := range append(forms, "load-balancer-single") {
		f.Add(load(f, form))
	}
	f.Add([]byte(`{"version":"2.0","rawPath":"/%2e","requestContext":{"http":{"method":"GET"}}}`))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI == "" || r.RequestURI[0] != '/' || r.URL.Path == "" {
			panic("no path")
		}
		_, _ = io.Copy(w, r.Body)
	})
	adapter, err := awslambda.New(h, awslambda.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		text, err := adapter.Invoke(t.Context(), event)
		var got reply
		if err != nil || json.Unmarshal(text, &got) != nil {
			t.Fatalf("Invoke(%q) = %q, %v, want a reply", event, text, err)
		}
		if got.StatusCode != 200 && got.StatusCode != 400 && !strings.Contains(got.Body, "single_value_headers") {
			t.Errorf("Invoke(%q) = %s, want 200 or 400", event, text)
		}
	})
}
