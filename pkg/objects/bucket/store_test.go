package bucket_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mebibyte = 1 << 20

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// A store is a fake S3 with one bucket, "media". It knows what the real one
// does with the requests that are made here, and tells what it was asked.
type store struct {
	*httptest.Server
	objects map[string]stored
	trouble func(w http.ResponseWriter, r *http.Request) bool // answers instead, if it says so
	opened  atomic.Int32                                      // connections

	mu    sync.Mutex
	asked []*http.Request
}

// A stored is an object: text, or size bytes that are made when they are read.
type stored struct {
	text   string
	size   int64
	header http.Header // besides the usual
}

func newStore(t testing.TB, objects map[string]stored) *store {
	t.Helper()
	s := &store{objects: objects}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.opened.Add(1)
		}
	}
	s.Config.ConnContext = narrow
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // hostile answers
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *store) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r)
	s.mu.Unlock()
	w.Header().Set("Server", "AmazonS3")
	w.Header().Set("X-Amz-Request-Id", "0123456789")
	w.Header().Set("Set-Cookie", "store=1")
	if s.trouble != nil && s.trouble(w, r) {
		return
	}
	o, ok := s.objects[strings.TrimPrefix(r.URL.Path, "/media/")]
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	o.serve(w, r)
}

const etag = `"0123456789abcdef"`

func (o stored) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Etag", etag)
	for name, values := range o.header {
		h[name] = values
	}
	if match := r.Header.Get("If-Match"); match != "" && match != h.Get("Etag") {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	if h.Get("Content-Encoding") != "" { // of which http.ServeContent would not say the length
		h.Set("Content-Length", fmt.Sprint(len(o.text)))
	}
	if _, ok := h["Content-Type"]; !ok {
		h.Set("Content-Type", "binary/octet-stream")
	}
	var body io.ReadSeeker = strings.NewReader(o.text)
	if o.size > 0 {
		body = io.NewSectionReader(pattern{}, 0, o.size)
	}
	http.ServeContent(w, r, "", noon, body)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
}

// A pattern is bytes without end that differ from place to place.
type pattern struct{}

// period has a prime length, so that no two buffers begin with the same bytes.
var period = func() []byte {
	p := make([]byte, 65521)
	_, _ = rand.NewChaCha8([32]byte{}).Read(p)
	return p
}()

func (pattern) ReadAt(p []byte, at int64) (int, error) {
	for n := 0; n < len(p); {
		n += copy(p[n:], period[(at+int64(n))%int64(len(period)):])
	}
	return len(p), nil
}

// requests returns what was asked since the last call.
func (s *store) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// open returns the bucket "media" of s.
func (s *store) open(t testing.TB, opts bucket.Options) *bucket.Bucket {
	t.Helper()
	isolate(t)
	b, err := bucket.Open(t.Context(), bucket.Config{Name: "media", Endpoint: s.URL, PathStyle: true, Options: opts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// client returns the bucket "media" of s by a client that does not try again.
func (s *store) client(opts bucket.Options) *bucket.Bucket {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	s.Config.RegisterOnShutdown(transport.CloseIdleConnections)
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &s.URL, UsePathStyle: true, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "example", ""),
		HTTPClient:  &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	})
	return bucket.New(client, "media", opts)
}

// isolate keeps the settings of this machine out.
func isolate(t testing.TB) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// serve starts a server for viewers.
func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnContext = narrow
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// narrow gives a server small buffers, so that the kernel does not swallow what
// nobody reads.
func narrow(ctx context.Context, c net.Conn) context.Context {
	_ = c.(*net.TCPConn).SetWriteBuffer(64 << 10)
	return ctx
}

// An answer is what a viewer got. Err is what ended the body, nil if it is whole.
type answer struct {
	*http.Response
	body string
	err  error
}

func ask(t testing.TB, srv *httptest.Server, method, target string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, srv.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		if name, value, ok := strings.Cut(h, ": "); ok {
			r.Header.Add(name, value)
		}
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	return got(transport.RoundTrip(r))
}

func got(resp *http.Response, err error) answer {
	if err != nil {
		return answer{&http.Response{Header: http.Header{}}, "", err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp, string(body), err}
}

// A note is a log that tests read.
type note struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *note) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *note) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

func (n *note) log() *slog.Logger { return slog.New(slog.NewTextHandler(n, nil)) }

// eventually waits for something that happens after the viewer is gone.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("not within 5 s: %s", what)
}
