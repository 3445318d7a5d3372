package explain

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ReadCurl reads what "curl -v" prints, and returns the requests in it. The
// scheme is https if the transcript has a TLS handshake.
func ReadCurl(text []byte) ([]Input, error) {
	t := &transcript{}
	for line := range strings.Lines(string(text)) {
		t.line(strings.TrimRight(line, "\r\n"))
	}
	t.end()
	if len(t.inputs) == 0 {
		return nil, fmt.Errorf(`%w: no request, want the output of "curl -v" with lines that begin with ">"`, errInput)
	}
	return t.inputs, nil
}

// A transcript collects one exchange after another.
type transcript struct {
	inputs  []Input
	set     []SetCookie
	current *Input
	path    string
	host    string
	secure  bool
	replied bool
	body    strings.Builder
}

func (t *transcript) line(s string) {
	mark, rest := "", s
	if len(s) > 0 {
		mark, rest = s[:1], strings.TrimPrefix(s[1:], " ")
	}
	switch mark {
	case "*":
		if strings.Contains(rest, "TLS") || strings.Contains(rest, "SSL connection") || strings.Contains(rest, "port 443") {
			t.secure = true
		}
	case ">":
		t.request(rest)
	case "<":
		t.reply(rest)
	case "{", "}":
	default:
		if t.current != nil && t.replied && t.body.Len() < 64<<10 {
			t.body.WriteString(s + "\n")
		}
	}
}

func (t *transcript) request(line string) {
	words := strings.Fields(line)
	if len(words) == 3 && strings.HasPrefix(words[2], "HTTP/") {
		t.end()
		t.current, t.path = &Input{Method: words[0]}, words[1]
		return
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || t.current == nil {
		return
	}
	switch value = strings.TrimSpace(value); strings.ToLower(name) {
	case "host":
		t.host = value
	case "cookie":
		t.current.Cookies = append(t.current.Cookies, value)
	case "origin", "referer":
		t.current.Page = value
	}
}

func (t *transcript) reply(line string) {
	if t.current == nil {
		return
	}
	t.replied = true
	if strings.HasPrefix(line, "HTTP/") {
		words := strings.Fields(line)
		if len(words) > 1 {
			_, _ = fmt.Sscanf(words[1], "%d", &t.current.Response.Status)
		}
		t.current.Response.Arrived = true
		return
	}
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	t.current.Response.header(name, value)
	switch strings.ToLower(name) {
	case "date": // the server's clock is the one that judged
		t.current.At, _ = http.ParseTime(value)
	case "set-cookie":
		t.set = append(t.set, SetCookie{From: t.address(), Header: value})
	}
}

func (t *transcript) address() string {
	scheme := "http"
	if t.secure {
		scheme = "https"
	}
	if strings.Contains(t.path, "://") {
		return t.path
	}
	return scheme + "://" + t.host + t.path
}

// end closes the exchange that is open.
func (t *transcript) end() {
	if t.current == nil {
		return
	}
	t.current.URL, t.current.Response.Body = t.address(), t.body.String()
	t.current.SetCookies = t.set[:len(t.set):len(t.set)]
	if t.current.At.IsZero() {
		t.current.At = time.Now()
	}
	t.inputs = append(t.inputs, *t.current)
	t.current, t.replied = nil, false
	t.body.Reset()
}
