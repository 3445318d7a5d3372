package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A question is what a viewer shows, in the form in which the API is asked.
type question struct {
	normal     gate.Secret
	attraction string
	factors    map[string]string
	now        time.Time
	known      bool // the factors that are compared here were the right ones before
}

// values are what the placeholders stand for.
func (q *question) values() map[string]string {
	values := map[string]string{
		"code": q.normal.Reveal(), "attraction": q.attraction, "uuid": newUUID(), "now": q.now.UTC().Format(time.RFC3339),
	}
	for name, text := range q.factors {
		values["factor."+name] = text
	}
	return values
}

// newUUID returns a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // does not fail
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// A form is a Request whose templates are parsed.
type form struct {
	method string
	target target
	header map[string]template // by canonical name
	body   template
	escape func(string) string
	media  string // Content-Type of the body; empty means no body
}

// ours are headers that the transport writes.
var ours = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Te", "Upgrade", "Accept-Encoding", "Expect"}

func newForm(r Request, names []string) (*form, error) {
	f := &form{method: cmp.Or(r.Method, http.MethodGet), header: map[string]template{}}
	if r.Method == "" && r.Body != "" {
		f.method = http.MethodPost
	}
	if f.method != http.MethodGet && f.method != http.MethodPost {
		return nil, fmt.Errorf("request.method: %q, want GET or POST", r.Method)
	}
	if f.method == http.MethodGet && r.Body != "" {
		return nil, errors.New("request.body: a GET has none")
	}
	var err error
	if f.target, err = parseTarget(r.URL, names); err != nil {
		return nil, fmt.Errorf("request.url: %w", err)
	}
	if err := f.readHeader(r.Header, names); err != nil {
		return nil, err
	}
	return f, f.readBody(r, names)
}

func (f *form) readHeader(header map[string]string, names []string) error {
	for name, text := range header {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if !httpguts.ValidHeaderFieldName(name) || slices.Contains(ours, canonical) {
			return fmt.Errorf("request.header: %q cannot be set", name)
		}
		t, err := parseTemplate(text, names)
		if err == nil && !printable(text) {
			err = errors.New("want printable ASCII")
		}
		if err != nil {
			return fmt.Errorf("request.header.%s: %w", name, err)
		}
		f.header[canonical] = t
	}
	return nil
}

func (f *form) readBody(r Request, names []string) error {
	if r.Body == "" {
		return nil
	}
	var err error
	if f.escape, err = escaper(r.Type); err != nil {
		return fmt.Errorf("request.type: %w", err)
	}
	if f.body, err = parseTemplate(r.Body, names); err == nil {
		err = checkBody(f.body, r.Type)
	}
	if err != nil {
		return fmt.Errorf("request.body: %w", err)
	}
	f.media = mediaOf(r.Type)
	return nil
}

func mediaOf(t BodyType) string {
	switch t {
	case XML:
		return "application/xml; charset=utf-8"
	case Form:
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

// printable reports whether text may stand in a header.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// request returns the request for a question, without authentication. It denies
// a question whose values have no place in it.
func (f *form) request(ctx context.Context, q *question, accept string) (*http.Request, error) {
	values := q.values()
	u, err := f.target.url(values)
	if err != nil {
		return nil, err
	}
	body := ""
	if f.media != "" {
		body = f.body.fill(values, f.escape)
	}
	req, err := http.NewRequestWithContext(ctx, f.method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, errors.New("the request cannot be made")
	}
	if f.media != "" {
		req.Header.Set("Content-Type", f.media)
	} else {
		req.Body, req.GetBody = http.NoBody, nil
	}
	req.Header.Set("Accept", accept)
	for name, t := range f.header {
		text := t.fill(values, func(s string) string { return s })
		if !printable(text) {
			return nil, malformed("a value cannot stand in the header " + name)
		}
		req.Header.Set(name, text)
	}
	return req, nil
}

// places returns the names of all placeholders.
func (f *form) places() []string {
	all := slices.Concat(f.target.path.names, f.target.query.names, f.body.names)
	for _, t := range f.header {
		all = append(all, t.names...)
	}
	return all
}

// sends reports whether a factor stands in the request.
func (f *form) sends(factor string) bool { return slices.Contains(f.places(), "factor."+factor) }
