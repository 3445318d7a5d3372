package outbound

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// Defaults of Options.
const (
	DefaultTimeout = 2 * time.Second
	DefaultMaxBody = 64 << 10
	DefaultConns   = 16
	DefaultAgent   = "handstamp"
)

// Options tunes a Client. The zero value asks public servers over https.
type Options struct {
	Allow   []netip.Prefix // networks that may be asked though they are not public, and by plain http; none by default
	Timeout time.Duration  // for a whole exchange; 0 means DefaultTimeout
	MaxBody int64          // bytes of an answer, as sent and unpacked; 0 means DefaultMaxBody
	Conns   int            // at a time for each host; further requests wait; 0 means DefaultConns
	Agent   string         // User-Agent, unless the request has one; empty means DefaultAgent

	CA          *x509.CertPool      // who may vouch for the server; nil means the system's authorities
	Certificate *tls.Certificate    // shown to servers that ask for one (mTLS); nil means none
	Pins        [][sha256.Size]byte // SHA-256 of public keys (SubjectPublicKeyInfo), one of which must be in the server's verified chain; none means any
	Resolver    *net.Resolver       // nil means the system's
}

// A Client asks servers. It is safe for concurrent use and keeps neither cookies
// nor connections.
type Client struct {
	opts   Options
	secure *http.Transport
	plain  *http.Transport // http, with addresses in Options.Allow only
}

// New returns a Client. It returns an error for options that contradict
// themselves.
func New(opts Options) (*Client, error) {
	if opts.Timeout < 0 || opts.MaxBody < 0 || opts.Conns < 0 {
		return nil, errors.New("outbound: a limit is below zero")
	}
	for _, p := range opts.Allow {
		if !p.IsValid() {
			return nil, fmt.Errorf("outbound: allow: %v is not a network", p)
		}
	}
	opts.Timeout = cmp.Or(opts.Timeout, DefaultTimeout)
	opts.MaxBody = cmp.Or(opts.MaxBody, DefaultMaxBody)
	opts.Conns = cmp.Or(opts.Conns, DefaultConns)
	opts.Agent = cmp.Or(opts.Agent, DefaultAgent)
	opts.Allow, opts.Pins = plainest(opts.Allow), slices.Clone(opts.Pins)
	return &Client{opts: opts, secure: transport(opts, guard{allow: opts.Allow}), plain: transport(opts, guard{allow: opts.Allow, only: true})}, nil
}

// Close gives back what the client holds when nobody asks, which is nothing yet.
func (c *Client) Close() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

func transport(opts Options, g guard) *http.Transport {
	dialer := &net.Dialer{Timeout: opts.Timeout, Control: g.control, Resolver: opts.Resolver}
	return &http.Transport{
		Proxy:                  nil, // not that of the environment
		DialContext:            dialer.DialContext,
		TLSClientConfig:        tlsConfig(opts),
		TLSHandshakeTimeout:    opts.Timeout,
		ResponseHeaderTimeout:  opts.Timeout,
		DisableKeepAlives:      true,
		DisableCompression:     true, // Do unpacks, with a limit
		MaxConnsPerHost:        opts.Conns,
		MaxResponseHeaderBytes: 32 << 10,
	}
}

func tlsConfig(opts Options) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: opts.CA, Renegotiation: tls.RenegotiateNever}
	if opts.Certificate != nil {
		config.Certificates = []tls.Certificate{*opts.Certificate}
	}
	if len(opts.Pins) > 0 {
		config.VerifyConnection = func(s tls.ConnectionState) error { return pinned(s, opts.Pins) }
	}
	return config
}

// pinned returns nil if a public key of a verified chain is one of pins.
func pinned(s tls.ConnectionState, pins [][sha256.Size]byte) error {
	for _, chain := range s.VerifiedChains {
		for _, cert := range chain {
			if slices.Contains(pins, sha256.Sum256(cert.RawSubjectPublicKeyInfo)) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: no key of its certificates is pinned", ErrTLS)
}

// Do sends req and returns the whole answer, whatever its status but a redirect.
// The error is an *Error. The time limit is that of the client or of req's
// context, whichever is earlier.
func (c *Client) Do(req *http.Request) (*Answer, error) {
	asked := req.Context()
	ctx, cancel := context.WithTimeout(asked, c.opts.Timeout)
	defer cancel()
	answer, err := c.exchange(req.Clone(ctx))
	if err != nil {
		return nil, newError(req, err.in(asked))
	}
	return answer, nil
}

// A fault is an error before it is known whose deadline it was.
type fault struct{ err error }

func (f *fault) in(asked context.Context) error {
	if errors.Is(f.err, ErrRequest) || errors.Is(f.err, ErrRedirect) {
		return f.err
	}
	return classify(asked, f.err)
}

func (c *Client) exchange(req *http.Request) (*Answer, *fault) {
	carrier, err := c.carrier(req)
	if err != nil {
		return nil, &fault{err}
	}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.opts.Agent)
	}
	resp, err := carrier.RoundTrip(req)
	if err != nil {
		return nil, &fault{err}
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.StatusCode != http.StatusNotModified {
		return nil, &fault{fmt.Errorf("%w (%d)", ErrRedirect, resp.StatusCode)}
	}
	body, err := c.read(resp)
	if err != nil {
		return nil, &fault{err}
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

func (c *Client) carrier(req *http.Request) (*http.Transport, error) {
	switch {
	case req.URL == nil || req.URL.Host == "" || req.URL.Opaque != "":
		return nil, fmt.Errorf("%w: its URL names no host", ErrRequest)
	case req.URL.User != nil:
		return nil, fmt.Errorf("%w: its URL has a user", ErrRequest)
	case req.URL.Scheme == "https":
		return c.secure, nil
	case req.URL.Scheme == "http":
		return c.plain, nil
	}
	return nil, fmt.Errorf("%w: the scheme is %.20q, want https", ErrRequest, req.URL.Scheme)
}
