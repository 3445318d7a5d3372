package awslambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// request returns the request that e is about, as a server would have read it.
func (a *Adapter) request(ctx context.Context, e *event) (*http.Request, error) {
	if e.form == loadBalancerSingle {
		return nil, errOneCookie
	}
	header, err := e.header()
	if err != nil {
		return nil, err
	}
	body, err := e.body(a.opts.MaxBody)
	if err != nil {
		return nil, err
	}
	target := e.target(a.opts.BasePath)
	u, err := url.ParseRequestURI(target)
	if err != nil || !strings.HasPrefix(target, "/") || !httpguts.ValidHeaderFieldName(e.method()) {
		return nil, malformed(errors.New("the event has no path and method as requests have them"))
	}
	r := &http.Request{
		Method: e.method(), URL: u, RequestURI: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: http.NoBody, Host: e.host(header, a.opts.Host), RemoteAddr: e.source(header), ContentLength: int64(len(body)),
	}
	if len(body) > 0 {
		r.Body = readCloser{bytes.NewReader(body)}
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	header.Del("Host")
	return r.WithContext(ctx), nil
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// header returns the headers, each checked as a server checks them, with one
// Cookie that has every cookie once.
func (e *event) header() (http.Header, error) {
	h := http.Header{}
	if e.MultiValueHeaders == nil || e.second() {
		for name, value := range e.Headers {
			h[http.CanonicalHeaderKey(name)] = []string{value}
		}
	} else {
		for name, values := range e.MultiValueHeaders {
			name = http.CanonicalHeaderKey(name)
			h[name] = append(h[name], values...)
		}
	}
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) || slices.ContainsFunc(values, func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }) {
			return nil, malformed(fmt.Errorf("header %.40q is none", name))
		}
	}
	for _, c := range e.Cookies {
		if !httpguts.ValidHeaderFieldValue(c) {
			return nil, malformed(errors.New("a cookie is none"))
		}
	}
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection"} { // of the connection that ended at the platform
		h.Del(name)
	}
	if cookies := cookies(slices.Concat(e.Cookies, h["Cookie"])); cookies != "" {
		h.Set("Cookie", cookies)
	}
	return h, nil
}

// cookies returns one header of all cookies in lists, each pair of name and
// value once.
func cookies(lists []string) string {
	var pairs []string
	for _, list := range lists {
		for pair := range strings.SplitSeq(list, ";") {
			if pair = strings.TrimSpace(pair); pair != "" && !slices.Contains(pairs, pair) {
				pairs = append(pairs, pair)
			}
		}
	}
	return strings.Join(pairs, "; ")
}

// body returns the body, at most limit bytes.
func (e *event) body(limit int) ([]byte, error) {
	text := e.Body
	if e.IsBase64Encoded {
		if base64.StdEncoding.DecodedLen(len(text)) > limit+2 {
			return nil, malformed(errors.New("the body is too large"))
		}
		body, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, malformed(errors.New("the body is not base64"))
		}
		text = string(body)
	}
	if len(text) > limit {
		return nil, malformed(errors.New("the body is too large"))
	}
	return []byte(text), nil
}

// host returns which host the request is for: public if it names the API's own
// domain, which is ours alone and only the platform can say.
func (e *event) host(h http.Header, public string) string {
	host := h.Get("Host")
	if public != "" && e.Context.DomainName != "" && strings.EqualFold(host, e.Context.DomainName) {
		return public
	}
	return host
}

// source returns the address that the platform saw, with a port as RemoteAddr
// has it, or nothing. It is that of the request context, which no viewer can
// write. Load balancers have none there: they append it to X-Forwarded-For,
// from where it is taken.
func (e *event) source(h http.Header) string {
	text := e.Context.Identity.SourceIP
	switch e.form {
	case httpAPI, functionURL:
		text = e.Context.HTTP.SourceIP
	case loadBalancer:
		text = takeLast(h, "X-Forwarded-For")
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(addr.WithZone(""), 0).String()
	}
	if both, err := netip.ParseAddrPort(text); err == nil { // a load balancer that preserves client ports
		return netip.AddrPortFrom(both.Addr().WithZone(""), both.Port()).String()
	}
	return ""
}

// takeLast takes the last entry off a header that is a list.
func takeLast(h http.Header, name string) string {
	list := strings.Join(h[name], ",")
	i := strings.LastIndexByte(list, ',')
	h.Del(name)
	if i >= 0 {
		h.Set(name, strings.TrimSpace(list[:i]))
	}
	return strings.TrimSpace(list[i+1:])
}
