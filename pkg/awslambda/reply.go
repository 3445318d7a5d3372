package awslambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// A reply is what the platform turns into an answer. Each form has members of
// its own for what comes more than once.
type reply struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription,omitempty"`
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Cookies           []string            `json:"cookies,omitempty"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// encode returns the reply in the form of the event, or errTooLarge.
func (w *recorder) encode(f form) ([]byte, error) {
	if w.excess {
		return nil, errTooLarge
	}
	r := reply{StatusCode: w.status}
	header := w.sent.Clone()
	for _, name := range []string{"Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "Trailer", "Upgrade"} {
		header.Del(name) // the platform's own affair
	}
	r.setHeader(header, f)
	if r.Body = w.body.String(); !plain(header, w.body.Bytes()) {
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // six bytes for one would count against the limit
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// setHeader puts the headers where the form has them. Cookies are the only ones
// that cannot be joined by commas.
func (r *reply) setHeader(h http.Header, f form) {
	switch f {
	case restAPI, httpAPI1, loadBalancer:
		r.MultiValueHeaders = h
		if f == loadBalancer {
			r.StatusDescription = description(r.StatusCode)
		}
		return
	case loadBalancerSingle:
		r.StatusDescription = description(r.StatusCode)
	}
	r.Cookies = h["Set-Cookie"]
	r.Headers = map[string]string{}
	for name, values := range h {
		if name != "Set-Cookie" {
			r.Headers[name] = strings.Join(values, ", ")
		}
	}
}

func description(status int) string { return fmt.Sprintf("%d %s", status, http.StatusText(status)) }

// plain reports whether a body may go as it is. All that is not known to be
// text goes in base64, from which it comes out the same.
func plain(h http.Header, body []byte) bool {
	if len(body) == 0 {
		return true
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || h.Get("Content-Encoding") != "" || !utf8.Valid(body) {
		return false
	}
	switch kind {
	case "application/json", "application/yaml", "application/xml", "application/javascript", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}
