package bucket_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

// P-10 and P-12: the store hears of the key, and of the bytes that are wanted.
func TestWhatReachesStore(t *testing.T) {
	s := newStore(t, map[string]stored{"castle/ten": {text: "0123456789"}, "a?acl&b=c+d ü%2f": {text: "odd"}})
	srv := serve(t, s.open(t, bucket.Options{Prefix: "castle/"}))
	got := ask(t, srv, "GET", "/ten?acl&versionId=1&list-type=2&X-Amz-Expires=5&response-content-type=text/html", "Range: bytes=2-3", `If-Match: `+etag,
		"If-Modified-Since: Wed, 01 Jul 2020 12:00:00 GMT", "Cookie: session=SECRET", "Authorization: Bearer SECRET", "X-Amz-Security-Token: SECRET",
		"X-Amz-Acl: public-read", "X-Amz-Server-Side-Encryption-Customer-Key: SECRET", "X-Forwarded-For: 192.0.2.1", "Accept-Encoding: gzip", "Referer: https://x.example/SECRET")
	if got.StatusCode != 206 || got.body != "23" {
		t.Fatalf("GET /ten = %d %q %v, want 206", got.StatusCode, got.body, got.err)
	}
	asked := s.requests()
	if len(asked) != 2 || asked[0].Method != "HEAD" || asked[1].Method != "GET" {
		t.Fatalf("the store was asked %d times, want HEAD and GET", len(asked))
	}
	allowed := []string{"Accept-Encoding", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "Authorization", "User-Agent", "X-Amz-Content-Sha256", "X-Amz-Date"}
	for i, r := range asked {
		extra := slices.DeleteFunc(slices.Sorted(maps.Keys(r.Header)), func(name string) bool { return slices.Contains(allowed, name) })
		if want := [][]string{nil, {"If-Match", "Range"}}[i]; !slices.Equal(extra, want) {
			t.Errorf("%s has the headers %q besides the SDK's, want %q", r.Method, extra, want)
		}
		if r.RequestURI != "/media/castle/ten" && r.RequestURI != "/media/castle/ten?x-id=GetObject" {
			t.Errorf("%s asks for %s", r.Method, r.RequestURI)
		}
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/") || r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%s has %v", r.Method, r.Header)
		}
	}
	if h := asked[1].Header; h.Get("Range") != "bytes=2-3" || h.Get("If-Match") != etag {
		t.Errorf("GET has Range %q, If-Match %q", h.Get("Range"), h.Get("If-Match"))
	}
	odd := serve(t, s.open(t, bucket.Options{}))
	if got := ask(t, odd, "GET", "/a%3Facl&b=c+d%20%C3%BC%252f"); got.body != "odd" {
		t.Errorf("a key with signs = %d %q, want it to be a key", got.StatusCode, got.body)
	}
}

// P-13.
func TestWhatReachesViewer(t *testing.T) {
	s := newStore(t, map[string]stored{"x": {text: "<zipped>", header: http.Header{
		"Content-Type": {"text/html"}, "Content-Encoding": {"gzip"}, "Content-Language": {"de"}, "Content-Disposition": {"inline"}, "Cache-Control": {"max-age=60"},
		"X-Amz-Meta-Owner": {"SECRET"}, "X-Amz-Version-Id": {"1"}, "X-Amz-Website-Redirect-Location": {"/"}, "Expires": {"Wed, 01 Jul 2026 12:00:00 GMT"},
		"Access-Control-Allow-Origin": {"*"}, "Location": {"https://x.example"}, "Refresh": {"0"},
	}}, "plain": {text: "x", header: http.Header{"Content-Type": nil}}})
	srv := serve(t, s.open(t, bucket.Options{}))
	want := http.Header{"Content-Type": {"text/html"}, "Content-Encoding": {"gzip"}, "Content-Language": {"de"}, "Content-Disposition": {"inline"},
		"Cache-Control": {"max-age=60"}, "Content-Length": {"8"}, "Etag": {etag}, "Last-Modified": {"Wed, 01 Jul 2026 12:00:00 GMT"}, "Accept-Ranges": {"bytes"}}
	for _, method := range []string{"GET", "HEAD"} {
		got := ask(t, srv, method, "/x")
		got.Header.Del("Date")
		if got.StatusCode != 200 || !maps.EqualFunc(got.Header, want, slices.Equal) {
			t.Errorf("%s /x = %d %v, want %v", method, got.StatusCode, got.Header, want)
		}
		if method == "GET" && got.body != "<zipped>" {
			t.Errorf("GET /x = %q", got.body)
		}
	}
	if got := ask(t, srv, "GET", "/plain"); got.Header.Get("Content-Type") != "binary/octet-stream" {
		t.Errorf("without a type: %q", got.Header.Get("Content-Type"))
	}
	if got := ask(t, srv, "GET", "/x", "Range: bytes=99-"); got.StatusCode != 416 || got.Header.Get("Content-Disposition")+got.Header.Get("Content-Encoding")+got.Header.Get("Cache-Control") != "" {
		t.Errorf("an error says %d %v", got.StatusCode, got.Header)
	}
}

// What the store says instead of an object.
func TestRefusals(t *testing.T) {
	status := func(code int, header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			refuse(w, code, "Whatever")
			return true
		}
	}
	onGet := func(next func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool { return r.Method == "GET" && next(w, r) }
	}
	for _, tt := range []struct {
		name    string
		trouble func(http.ResponseWriter, *http.Request) bool
		want    error // nil is an error of no kind
		status  int
		code    string
		retry   string
		logged  string
	}{
		{"absent", status(404), bucket.ErrNotFound, 404, "NoSuchKey", "", ""},
		{"forbidden", status(403), fs.ErrNotExist, 404, "NoSuchKey", "", "bucket denies access"},
		{"gone meanwhile", onGet(status(404)), bucket.ErrNotFound, 404, "NoSuchKey", "", ""},
		{"in the archive", onGet(status(403)), bucket.ErrNotFound, 404, "NoSuchKey", "", "bucket denies access"},
		{"slow down", status(503, "Retry-After", "7"), bucket.ErrBusy, 503, "SlowDown", "7", ""},
		{"slow down for ever", status(503, "Retry-After", "86400"), bucket.ErrBusy, 503, "SlowDown", "60", ""},
		{"slow down, bytes", onGet(status(503)), bucket.ErrBusy, 503, "SlowDown", "1", ""},
		{"too many", status(429, "Retry-After", "soon"), bucket.ErrBusy, 503, "SlowDown", "1", ""},
		{"replaced meanwhile", onGet(status(412)), bucket.ErrBusy, 503, "SlowDown", "1", ""},
		{"elsewhere", status(301, "X-Amz-Bucket-Region", "eu-west-1", "Location", "http://127.0.0.1:1/"), nil, 503, "ServiceUnavailable", "", `in another place, region \"eu-west-1\"`},
		{"elsewhere for now", status(307, "Location", "http://127.0.0.1:1/"), nil, 503, "ServiceUnavailable", "", `in another place`},
		{"bad request", status(400), nil, 503, "ServiceUnavailable", "", "StatusCode: 400"},
		{"broken", status(500), nil, 503, "ServiceUnavailable", "", "StatusCode: 500"},
		{"length unknown", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Etag", etag)
			return true
		}, nil, 503, "ServiceUnavailable", "", "does not say its length"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, map[string]stored{"x": {text: "0123456789"}})
			s.trouble = tt.trouble
			var log note
			b := s.client(bucket.Options{Log: log.log()})
			w := httptest.NewRecorder()
			err := b.ServeObject(w, httptest.NewRequest("GET", "/", nil), "x")
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && (errors.Is(err, bucket.ErrNotFound) || errors.Is(err, bucket.ErrBusy)) {
				t.Errorf("ServeObject = %v, want %v", err, tt.want)
			}
			if len(w.Header()) > 0 || w.Body.Len() > 0 {
				t.Errorf("ServeObject wrote %v %q before its error", w.Header(), w.Body)
			}
			got := ask(t, serve(t, b), "GET", "/x")
			if got.StatusCode != tt.status || !strings.Contains(got.body, "<Code>"+tt.code+"<") || got.Header.Get("Retry-After") != tt.retry || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("GET = %d %v %q, want %d %s, Retry-After %q", got.StatusCode, got.Header, got.body, tt.status, tt.code, tt.retry)
			}
			if !strings.Contains(log.String(), tt.logged) || tt.logged == "" && log.String() != "" {
				t.Errorf("logged %q, want %q", log.String(), tt.logged)
			}
		})
	}
}

// A store that shows nothing at all is 404 for viewers, and the log says so once a
// minute.
func TestDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log note
		client := s3.New(s3.Options{Region: "us-east-1", Retryer: aws.NopRetryer{}, HTTPClient: denial{},
			Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "example", "")})
		b := bucket.New(client, "media", bucket.Options{Log: log.log()})
		ask := func() {
			err := b.ServeObject(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), "x")
			if !errors.Is(err, bucket.ErrNotFound) || !strings.Contains(err.Error(), "403") {
				t.Errorf("ServeObject = %v, want ErrNotFound that says why", err)
			}
		}
		for range 10 {
			ask()
		}
		time.Sleep(time.Minute)
		for range 10 {
			ask()
		}
		if n := strings.Count(log.String(), "bucket denies access"); n != 2 || !strings.Contains(log.String(), "level=WARN") {
			t.Errorf("logged %q, want it twice", log.String())
		}
	})
}

// A denial is a store that lets nobody in.
type denial struct{}

func (denial) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// Looking at an object and fetching it have one time together.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := s3.New(s3.Options{Region: "us-east-1", Retryer: aws.NopRetryer{}, HTTPClient: delay(7 * time.Second),
			Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "example", "")})
		begun := time.Now()
		err := bucket.New(client, "media", bucket.Options{}).ServeObject(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), "x")
		if took := time.Since(begun); err == nil || took != bucket.DefaultCallTimeout {
			t.Errorf("ServeObject = %v after %v, want an error after %v", err, took, bucket.DefaultCallTimeout)
		}
	})
}

// A delay is a store that thinks before each answer.
type delay time.Duration

func (d delay) Do(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Duration(d)):
		return &http.Response{StatusCode: http.StatusOK, ContentLength: 1, Header: http.Header{"Content-Length": {"1"}, "Etag": {etag}},
			Body: io.NopCloser(strings.NewReader("x")), Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// P-05 and P-11: what is no key never reaches the store.
func TestNoKeys(t *testing.T) {
	s := newStore(t, map[string]stored{})
	b := s.client(bucket.Options{Prefix: "castle/"})
	for _, key := range []string{"", ".", "..", "../tower/x", "a/../../tower/x", "a//b", "/a", "a/", "./a", "a/.", "a\x00", "a\r\nb", "a\x7f", "\xff", strings.Repeat("k", 1018)} {
		r := httptest.NewRequest("GET", "/", nil)
		if err := b.ServeObject(httptest.NewRecorder(), r, key); !errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("ServeObject(%.40q) = %v, want ErrNotFound", key, err)
		}
		r.URL.Path = "/" + key
		w := httptest.NewRecorder()
		if b.ServeHTTP(w, r); w.Code != 404 {
			t.Errorf("GET %.40q = %d, want 404", r.URL.Path, w.Code)
		}
	}
	for _, method := range []string{"PUT", "POST", "DELETE", "OPTIONS", "PATCH"} {
		w := httptest.NewRecorder()
		if b.ServeHTTP(w, httptest.NewRequest(method, "/x", nil)); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s = %d %v, want 405", method, w.Code, w.Header())
		}
		if err := b.ServeObject(httptest.NewRecorder(), httptest.NewRequest(method, "/x", nil), "x"); err == nil {
			t.Errorf("ServeObject by %s has no error", method)
		}
	}
	if asked := s.requests(); len(asked) != 0 {
		t.Errorf("the store was asked for %s", asked[0].RequestURI)
	}
	if err := b.ServeObject(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), strings.Repeat("k", 1017)); !errors.Is(err, bucket.ErrNotFound) || len(s.requests()) != 1 {
		t.Errorf("a key of 1,024 bytes = %v, want that the store is asked", err)
	}
}

// A store that is silent from the start is given up.
func TestSilentStore(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		s := newStore(t, map[string]stored{"x": {text: "0123456789"}})
		s.trouble = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == method {
				<-r.Context().Done()
				return true
			}
			return false
		}
		b := s.client(bucket.Options{CallTimeout: 50 * time.Millisecond})
		if got := ask(t, serve(t, b), "GET", "/x"); got.StatusCode != 503 {
			t.Errorf("silent at %s: %d, want 503", method, got.StatusCode)
		}
	}
}
