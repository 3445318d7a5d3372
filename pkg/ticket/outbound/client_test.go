package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
)

func client(t *testing.T, opts outbound.Options) *outbound.Client {
	t.Helper()
	c, err := outbound.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// near returns a client that may ask loopback addresses.
func near(t *testing.T, opts outbound.Options) *outbound.Client {
	t.Helper()
	opts.Allow = boxoffice.Loopback
	return client(t, opts)
}

func get(t *testing.T, c *outbound.Client, url string) (*outbound.Answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(req)
}

func TestDo(t *testing.T) {
	office := boxoffice.New(t, boxoffice.JSON(200, `{"valid":true}`))
	a, err := get(t, near(t, outbound.Options{}), office.URL+"/a?b=c")
	if err != nil || a.Status != 200 || string(a.Body) != `{"valid":true}` {
		t.Fatalf("Do = %+v, %v, want the answer", a, err)
	}
	r := office.Requests()[0]
	if r.URI != "/a?b=c" || r.Header.Get("User-Agent") != outbound.DefaultAgent || r.Header.Get("Accept-Encoding") != "" {
		t.Errorf("was asked %+v", r)
	}
}

// TestDoMisbehaving: whatever a server does, there is a whole answer or an error
// in time, and the error quotes nothing.
func TestDoMisbehaving(t *testing.T) {
	const good = `{"note":"CANARY"}`
	wants := map[string]error{
		boxoffice.Hang.Name: outbound.ErrTimeout, boxoffice.Drip.Name: outbound.ErrTimeout,
		boxoffice.Endless.Name: outbound.ErrTooLarge, boxoffice.Huge.Name: outbound.ErrTooLarge, boxoffice.Bomb.Name: outbound.ErrTooLarge,
		boxoffice.Drop.Name: outbound.ErrTruncated, boxoffice.TooLong.Name: outbound.ErrTruncated, boxoffice.BadChunk.Name: outbound.ErrTruncated,
		boxoffice.NotHTTP.Name: outbound.ErrProtocol, boxoffice.Headers.Name: outbound.ErrProtocol,
		boxoffice.NotPacked.Name: outbound.ErrEncoding, boxoffice.Packing.Name: outbound.ErrEncoding,
		boxoffice.Redirect("").Name: outbound.ErrRedirect,
	}
	for _, status := range []int{300, 301, 307, 308} {
		wants[boxoffice.Status(status).Name] = outbound.ErrRedirect
	}
	for _, fault := range boxoffice.Faults() {
		t.Run(fault.Name, func(t *testing.T) {
			office := boxoffice.New(t, boxoffice.JSON(200, good))
			office.Misbehave(fault)
			opts := outbound.Options{}
			if fault.Slow {
				opts.Timeout = 200 * time.Millisecond
			}
			begin := time.Now()
			a, err := get(t, near(t, opts), office.URL+"/CANARY")
			if took := time.Since(begin); took > outbound.DefaultTimeout+time.Second {
				t.Errorf("Do took %v", took)
			}
			if want := wants[fault.Name]; !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("Do = %+v, %v, want error %v", a, err, want)
			}
			if a != nil && len(a.Body) > outbound.DefaultMaxBody {
				t.Errorf("Do returned %d bytes", len(a.Body))
			}
			if err != nil && (strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "secret-banner")) {
				t.Errorf("Do quotes: %v", err)
			}
			if office.Asked() > 1 {
				t.Errorf("Do asked %d times", office.Asked())
			}
		})
	}
}

func TestDoUnpacks(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(`{"a":1}`)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	office := boxoffice.New(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "GZIP")
		boxoffice.Write(w, 200, b.String())
	})
	if a, err := get(t, near(t, outbound.Options{}), office.URL); err != nil || string(a.Body) != `{"a":1}` {
		t.Errorf("Do = %+v, %v, want the body unpacked", a, err)
	}
}

func TestDoCancelled(t *testing.T) {
	office := boxoffice.New(t, boxoffice.JSON(200, `{}`))
	office.Misbehave(boxoffice.Hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, office.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := near(t, outbound.Options{}).Do(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Do = %v, want the context's error", err)
	}
}

func TestDoRefusesURLs(t *testing.T) {
	c := near(t, outbound.Options{})
	for _, url := range []string{"ftp://example.org/", "https://user:pw@example.org/", "/path", "file:///etc/passwd", "mailto:a"} {
		if _, err := get(t, c, url); !errors.Is(err, outbound.ErrRequest) {
			t.Errorf("Do(%q) = %v, want ErrRequest", url, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, opts := range []outbound.Options{{Timeout: -1}, {MaxBody: -1}, {Conns: -1}, {Allow: []netip.Prefix{{}}}} {
		if _, err := outbound.New(opts); err == nil {
			t.Errorf("New(%+v) succeeded", opts)
		}
	}
}

func TestTLS(t *testing.T) {
	authority, stranger := boxoffice.NewAuthority(t), boxoffice.NewAuthority(t)
	hour := time.Now().Add(time.Hour)
	good := authority.Certificate(t, hour, "127.0.0.1")
	shown := authority.Certificate(t, hour, "gateway")
	pin := sha256.Sum256(good.Leaf.RawSubjectPublicKeyInfo)
	mutual := &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool}
	with := func(cert tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{cert}} }
	tests := []struct {
		name   string
		server *tls.Config
		opts   outbound.Options
		want   error
	}{
		{"good", with(good), outbound.Options{CA: authority.Pool}, nil},
		{"good and pinned", with(good), outbound.Options{CA: authority.Pool, Pins: [][32]byte{pin}}, nil},
		{"another pin", with(good), outbound.Options{CA: authority.Pool, Pins: [][32]byte{{1}}}, outbound.ErrTLS},
		{"unknown authority", with(good), outbound.Options{CA: stranger.Pool}, outbound.ErrTLS},
		{"authorities of the system", with(good), outbound.Options{}, outbound.ErrTLS},
		{"expired", with(authority.Certificate(t, time.Now().Add(-time.Minute), "127.0.0.1")), outbound.Options{CA: authority.Pool}, outbound.ErrTLS},
		{"another name", with(authority.Certificate(t, hour, "other.example")), outbound.Options{CA: authority.Pool}, outbound.ErrTLS},
		{"TLS 1.1", &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, outbound.Options{CA: authority.Pool}, outbound.ErrTLS},
		{"client certificate", mutual, outbound.Options{CA: authority.Pool, Certificate: &shown}, nil},
		{"client certificate not shown", mutual, outbound.Options{CA: authority.Pool}, outbound.ErrTLS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			office := boxoffice.NewTLS(t, tt.server, boxoffice.JSON(200, `{}`))
			_, err := get(t, near(t, tt.opts), office.URL)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("Do = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestPlainOverTLS: a server that does not speak TLS.
func TestPlainOverTLS(t *testing.T) {
	office := boxoffice.New(t, boxoffice.JSON(200, `{}`))
	_, err := get(t, near(t, outbound.Options{}), strings.Replace(office.URL, "http:", "https:", 1))
	if !errors.Is(err, outbound.ErrTLS) {
		t.Errorf("Do = %v, want ErrTLS", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "1.5": 0, "soon": 0, "86400": time.Hour, "99999999999999999999": 0,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		a := &outbound.Answer{Header: http.Header{"Retry-After": {text}}}
		if got := a.RetryAfter(now); got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v", text, got, want)
		}
	}
}

// TestConnections: a request that nobody answered is not sent again, and what
// comes behind an answer is nobody's.
func TestConnections(t *testing.T) {
	office := boxoffice.New(t, boxoffice.JSON(200, `{"ticket":"CANARY"}`))
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	c := near(t, outbound.Options{})
	for _, fault := range []boxoffice.Fault{{}, boxoffice.TooShort, {}, boxoffice.Drop} {
		office.Misbehave(fault)
		_, _ = get(t, c, office.URL)
	}
	if office.Asked() != 4 {
		t.Errorf("4 requests were sent %d times", office.Asked())
	}
	if logged.Len() > 0 {
		t.Errorf("was logged: %s", &logged)
	}
}

func ExampleClient() {
	client, err := outbound.New(outbound.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	req, err := http.NewRequest(http.MethodGet, "https://127.0.0.1/latest/meta-data", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Do(req)
	fmt.Println(err)
	// Output: GET 127.0.0.1: the address may not be asked: 127.0.0.1 is not public and not allowed by name
}
