package edge_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

// protocols are behaviors with each viewer protocol policy, restricted or not.
func protocols(t *testing.T) []edge.Behavior {
	desk, origin := newDesk(t, "KCASTLE"), named("x")
	return []edge.Behavior{
		{PathPattern: "/moved/*", Origin: origin, ViewerProtocol: edge.RedirectToHTTPS, TrustedKeyGroup: desk.group},
		{PathPattern: "/secure/*", Origin: origin, ViewerProtocol: edge.HTTPSOnly, TrustedKeyGroup: desk.group},
		{PathPattern: "/both/*", Origin: origin, ViewerProtocol: edge.AllowAll},
		{PathPattern: "*", Origin: origin},
	}
}

// A redirect comes before the signature and the method are looked at, and
// keeps everything of the URL.
func TestViewerProtocol(t *testing.T) {
	e, err := edge.New(edge.Config{Behaviors: protocols(t), Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	srv := serve(t, e)
	for _, tt := range []struct {
		method, target string
		want           int
	}{
		{"GET", "/moved/a%20b?q=1&Signature=x", 301},
		{"HEAD", "/moved/a%20b?q=1", 301},
		{"POST", "/moved/a", 307},
		{"OPTIONS", "/moved/a", 307},
		{"GET", "/moved/../x", 400},
		{"GET", "/secure/x", 403},
		{"POST", "/secure/x", 403},
		{"GET", "/both/x", 200},
		{"GET", "/x", 200},
	} {
		got := ask(t, srv, tt.method, tt.target)
		wantStatus(t, tt.method+" "+tt.target, got, tt.want)
		location := ""
		if tt.want/100 == 3 {
			location = "https://media.example.org" + tt.target
		}
		if got.Header.Get("Location") != location {
			t.Errorf("%s %s: Location %q, want %q", tt.method, tt.target, got.Header.Get("Location"), location)
		}
		if tt.want == 301 && (got.Header.Get("X-Cache") != "Redirect from cloudfront" || got.ContentLength != 167 || got.Header.Get("X-Handstamp-Reason") != "") {
			t.Errorf("%s %s: %d bytes, %v, want CloudFront's 167", tt.method, tt.target, got.ContentLength, got.Header)
		}
		if strings.HasPrefix(tt.target, "/secure/") && got.Header.Get("X-Handstamp-Reason") != "https-only T47" {
			t.Errorf("%s %s: X-Handstamp-Reason %q", tt.method, tt.target, got.Header.Get("X-Handstamp-Reason"))
		}
	}
}

// With a site, the scheme of the site counts: a proxy in front ended TLS.
func TestViewerProtocolBehindProxy(t *testing.T) {
	srv := serve(t, newEdge(t, edge.Config{Behaviors: protocols(t)}))
	for target, want := range map[string]int{"/moved/x": 403, "/secure/x": 403, "/both/x": 200} {
		got := ask(t, srv, "GET", target)
		if wantStatus(t, target, got, want); want == 403 && !strings.Contains(got.body, "MissingKey") {
			t.Errorf("GET %s = %q, want a refusal for the signature", target, got.body)
		}
	}
	_, err := edge.New(edge.Config{Site: "http://127.0.0.1:8081", Behaviors: protocols(t)})
	if err == nil || !strings.Contains(err.Error(), "circles") {
		t.Errorf("New with a site of http and a redirect = %v, want an error", err)
	}
}

// startBoth serves h on a port that speaks http and https.
func startBoth(t *testing.T, h http.Handler) (address string, client *http.Client) {
	t.Helper()
	certificate, err := edge.SelfSigned(time.Now(), "localhost", "127.0.0.1", "::1")
	if err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := edge.HTTPAndHTTPS(inner, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}})
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(edge.CertificatePEM(certificate)) {
		t.Fatal("no certificate in the PEM text")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		srv.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve = %v", err)
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Close = %v, want net.ErrClosed", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close = %v, want net.ErrClosed", err)
		}
	})
	return inner.Addr().String(), &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// One port for both: the redirect of one is answered by the other.
func TestHTTPAndHTTPS(t *testing.T) {
	e, err := edge.New(edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x"), ViewerProtocol: edge.RedirectToHTTPS}}})
	if err != nil {
		t.Fatal(err)
	}
	address, client := startBoth(t, e)
	silent, err := net.Dial("tcp", address) // keeps nobody waiting
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, url := range []string{"http://" + address + "/a", "https://" + address + "/a", "https://localhost" + address[strings.LastIndex(address, ":"):] + "/a"} {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || string(body) != "x /a" || resp.TLS == nil || resp.ProtoMajor != 2 {
			t.Errorf("GET %s = %d %q by %s, %v, want 200 by HTTP/2 over TLS", url, resp.StatusCode, body, resp.Proto, err)
		}
	}
}

// A viewer that shows no protocol does not hold up the end.
func TestHTTPAndHTTPSCloses(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := edge.HTTPAndHTTPS(inner, &tls.Config{})
	silent, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	waiting, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	if _, err := io.WriteString(waiting, "GET"); err != nil { // nobody accepts it
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	if err := l.Close(); err != nil || time.Since(start) > 2*time.Second {
		t.Errorf("Close = %v after %v", err, time.Since(start))
	}
	for _, conn := range []net.Conn{silent, waiting} {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := conn.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the connection is still open: %d, %v", n, err)
		}
	}
}

func TestSelfSigned(t *testing.T) {
	if _, err := edge.SelfSigned(noon); err == nil {
		t.Error("SelfSigned without hosts succeeds")
	}
	c, err := edge.SelfSigned(noon, "media.example.org", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	for host, good := range map[string]bool{"media.example.org": true, "192.0.2.1": true, "other.example.org": false, "192.0.2.2": false} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: noon}); (err == nil) != good {
			t.Errorf("certificate for %s: %v, want good %v", host, err, good)
		}
	}
	other, err := edge.SelfSigned(noon, "media.example.org")
	if err != nil || edge.Fingerprint(c) == edge.Fingerprint(other) || len(edge.Fingerprint(c)) != 64 {
		t.Errorf("fingerprints %s and %s, %v", edge.Fingerprint(c), edge.Fingerprint(other), err)
	}
}
