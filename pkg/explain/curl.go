package explain

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ReadCurl reads what "curl -v" prints, with or without --trace-time, and
// returns the requests in it. The scheme is https if the connection has a TLS
// handshake or goes to port 443.
func ReadCurl(text []byte) ([]Input, error) {
	t := &transcript{}
	for line := range strings.Lines(string(text)) {
		t.line(tracePrefix.ReplaceAllString(strings.TrimRight(line, "\r\n"), ""))
	}
	t.end()
	if len(t.inputs) == 0 {
		return nil, fmt.Errorf(`%w: no request, want the output of "curl -v" with lines that begin with ">"`, errInput)
	}
	return t.inputs, nil
}

var (
	// tracePrefix is what --trace-time and --trace-ids put before a line.
	tracePrefix = regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d+ (?:\[\d+-\d+\] )?`)
	// dataNote is how curl tells that there was data, such as "{ [110 bytes data]".
	dataNote = regexp.MustCompile(`^[{}] \[\d+ bytes data\]$`)
	// requestLine begins a request.
	requestLine = regexp.MustCompile(`^([A-Z]+) (\S+) HTTP/[0-9.]+$`)
)

// A transcript collects one exchange after another.
type transcript struct {
	recording
	current *Input // the exchange that is open
	set     []string
	path    string
	host    string
	scheme  string // of current
	secure  bool   // the connection
	body    strings.Builder
}

func (t *transcript) line(s string) {
	mark, rest, spaced := strings.Cut(s, " ")
	rest = strings.TrimRight(rest, " ")
	switch {
	case mark == "*":
		t.note(rest)
	case mark == ">":
		t.request(rest)
	case mark == "<" && (spaced || s == "<"):
		t.reply(rest)
	case dataNote.MatchString(s):
	case t.current != nil && t.current.Response.Status != 0 && t.body.Len() < maxBody:
		t.body.WriteString(s + "\n")
	}
}

// note reads a line about the connection.
func (t *transcript) note(s string) {
	switch {
	case strings.Contains(s, "Trying "):
		t.secure = strings.Contains(s, ":443...")
	case strings.Contains(s, "SSL connection using"), strings.Contains(s, "TLS handshake"), strings.Contains(s, "port 443"), strings.Contains(s, "existing https"):
		t.secure = true
	}
}

func (t *transcript) request(line string) {
	if m := requestLine.FindStringSubmatch(line); m != nil {
		t.end()
		t.current, t.path, t.host, t.scheme = &Input{Method: m[1]}, m[2], "", "http"
		if t.secure {
			t.scheme = "https"
		}
		return
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || t.current == nil {
		return
	}
	value = strings.TrimSpace(value)
	if strings.EqualFold(name, "host") {
		t.host = value
		return
	}
	t.current.header(name, value)
}

func (t *transcript) reply(line string) {
	if t.current == nil {
		return
	}
	if strings.HasPrefix(line, "HTTP/") {
		if words := strings.Fields(line); len(words) > 1 {
			t.current.Response.Status, _ = strconv.Atoi(words[1])
		}
		return
	}
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	if strings.EqualFold(name, "set-cookie") {
		t.set = append(t.set, value)
		return
	}
	t.current.Response.header(name, value)
}

// end closes the exchange that is open.
func (t *transcript) end() {
	if t.current == nil {
		return
	}
	t.current.URL = t.path
	if !strings.Contains(t.path, "://") {
		t.current.URL = t.scheme + "://" + t.host + t.path
	}
	t.current.Response.Body = t.body.String()
	if len(t.inputs) < maxRequests {
		t.add(*t.current, t.set)
	}
	t.current, t.set = nil, nil
	t.body.Reset()
}
