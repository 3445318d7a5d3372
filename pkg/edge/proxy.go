package edge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/urlpath"
)

// DefaultResponseTimeout is how long an origin may take until its headers come,
// as at CloudFront (Developer Guide, "Response timeout").
const DefaultResponseTimeout = 30 * time.Second

// ProxyOptions tunes a Proxy. The zero value is ready for use.
type ProxyOptions struct {
	ResponseTimeout time.Duration // until the headers of an answer; 0 means DefaultResponseTimeout
	Log             *slog.Logger  // failures of the origin, at level warn; nil means none
}

// A Proxy is a custom origin: a web server elsewhere.
type Proxy struct {
	scheme, host, base string // base is a path before every other, or empty
	log                *slog.Logger
	transport          *http.Transport
	reverse            httputil.ReverseProxy
}

// HTTP returns an origin that asks the server at address, such as
// "http://127.0.0.1:8080" or "https://origin.example.org/media". It sends the
// path as it came, the server's own name as Host, and the viewer's address as
// the only X-Forwarded-For. It follows no redirects and uses no proxy.
func HTTP(address string, opts ProxyOptions) (*Proxy, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("origin: not a URL") // url.Error would quote a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("origin: found %q, want http or https, a host and at most a path", u.Redacted())
	}
	base := strings.TrimSuffix(u.EscapedPath(), "/")
	if _, err := urlpath.Canonical(base + "/"); err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	p := &Proxy{scheme: u.Scheme, host: u.Host, base: base, log: opts.Log}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.transport = newTransport(cmp.Or(opts.ResponseTimeout, DefaultResponseTimeout))
	p.reverse = httputil.ReverseProxy{Rewrite: p.rewrite, Transport: p.transport, ErrorHandler: p.failed,
		ErrorLog: log.New(io.Discard, "", 0)} // a body that breaks off aborts the viewer's connection
	return p, nil
}

func newTransport(response time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  response,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    32,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // the viewer's Accept-Encoding decides
	}
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.reverse.ServeHTTP(w, r) }

// Close closes idle connections to the server.
func (p *Proxy) Close() error {
	p.transport.CloseIdleConnections()
	return nil
}

// rewrite sends path and query byte for byte as they came: an opaque URL is not
// encoded again.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	path, query, _ := strings.Cut(pr.In.RequestURI, "?")
	pr.Out.URL = &url.URL{Scheme: p.scheme, Host: p.host, Opaque: p.base + path, RawQuery: query}
	pr.Out.Host = p.host
	if ip := viewerIP(pr.In); ip.IsValid() {
		pr.Out.Header.Set("X-Forwarded-For", ip.String())
	}
}

// failed answers for an origin that did not.
func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the viewer left
	}
	refused := failedOrigin
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		refused = failedTimeout
	}
	p.log.WarnContext(r.Context(), "origin failed", "origin", p.host, "err", err)
	if own, ok := w.(*reply); ok {
		own.policy, own.detail = nil, refused.detail() // this answer is the edge's
	}
	refused.write(w, r)
}
