package explain

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Read finds the requests in text, which may be an HTTP archive, a transcript of
// "curl -v", a curl command as developer tools copy it, or a list: the URL in
// the first line and below it headers (Cookie, Set-Cookie, Referer, an answer
// that begins with "HTTP/") or cookies, one a line, as "handstamp sign cookies"
// and cookie jars have them.
func Read(text []byte) ([]Input, error) {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	switch {
	case len(trimmed) == 0:
		return nil, fmt.Errorf("%w: it is empty", errInput)
	case trimmed[0] == '{' && bytes.Contains(trimmed, []byte(`"entries"`)):
		return ReadHAR(trimmed)
	case transcriptLine.Match(trimmed):
		return ReadCurl(trimmed)
	case bytes.HasPrefix(trimmed, []byte("curl ")) || bytes.HasPrefix(trimmed, []byte("$ curl ")):
		return readCommand(string(trimmed))
	}
	return readList(string(trimmed))
}

var (
	transcriptLine = regexp.MustCompile(`(?m)^(?:\d\d:\d\d:\d\d\.\d+ (?:\[\d+-\d+\] )?)?> [A-Z]+ \S+ HTTP/`)
	firstLine      = regexp.MustCompile(`^(?:([A-Z]+) )?((?:https?://|/)\S*)(?: HTTP/\S+)?$`)
	jsonCookie     = regexp.MustCompile(`"(CloudFront-[A-Za-z-]+)"\s*:\s*"([^"]*)"`)
)

// A list is a request written down line by line.
type list struct {
	in     Input
	answer bool // the lines are those of the answer
	body   bool // and of its body
	host   string
	pairs  []string
	set    []string
	from   string
}

func readList(text string) ([]Input, error) {
	l := &list{}
	for line := range strings.Lines(text) {
		l.line(strings.TrimRight(line, "\r\n"))
	}
	in := l.in
	if strings.HasPrefix(in.URL, "/") && l.host != "" {
		in.URL = "https://" + l.host + in.URL
	}
	if !strings.Contains(in.URL, "://") {
		return nil, fmt.Errorf("%w: no URL in it, want one like https://media.example.org/castle/01.m4a in the first line", errInput)
	}
	if len(l.pairs) > 0 {
		in.Cookies = append(in.Cookies, strings.Join(l.pairs, "; "))
	}
	if len(l.set) > 0 {
		in.Earlier = append(in.Earlier, Answer{URL: l.from, SetCookie: l.set})
	}
	return []Input{in}, nil
}

func (l *list) line(s string) {
	trimmed := strings.TrimSpace(s)
	switch {
	case l.body || strings.HasPrefix(trimmed, "<"):
		l.body = true
		if len(l.in.Response.Body) < maxBody {
			l.in.Response.Body += s + "\n"
		}
	case trimmed == "":
		l.body = l.answer
	case strings.HasPrefix(trimmed, "HTTP/"):
		l.answer = true
		if words := strings.Fields(trimmed); len(words) > 1 {
			l.in.Response.Status, _ = strconv.Atoi(words[1])
		}
	case l.in.URL == "" && firstLine.MatchString(trimmed):
		m := firstLine.FindStringSubmatch(trimmed)
		l.in.Method, l.in.URL = m[1], m[2]
	case l.cookie(s):
	default:
		l.header(trimmed)
	}
}

// cookie takes a line that is a cookie by itself.
func (l *list) cookie(s string) bool {
	if found := jsonCookie.FindAllStringSubmatch(s, -1); found != nil {
		for _, m := range found {
			l.pairs = append(l.pairs, m[1]+"="+m[2])
		}
		return true
	}
	fields := strings.Split(strings.TrimPrefix(strings.TrimSpace(s), "#HttpOnly_"), "\t")
	switch {
	case len(fields) == 7 && (fields[1] == "TRUE" || fields[1] == "FALSE"):
		l.jar(fields)
	case len(fields) >= 4 && strings.HasPrefix(fields[0], "CloudFront-"): // developer tools: name, value, domain, path
		l.set = append(l.set, fmt.Sprintf("%s=%s; Path=%s%s", fields[0], fields[1], fields[3], domainAttribute(fields[2])))
	case strings.HasPrefix(fields[0], "CloudFront-") && strings.Contains(fields[0], "="):
		l.pairs = append(l.pairs, strings.TrimSuffix(fields[0], ";"))
	default:
		return false
	}
	return true
}

// jar takes a line of a cookie jar in Netscape's form: domain, whether its hosts
// count, path, secure, expiry, name, value.
func (l *list) jar(fields []string) {
	host, line := strings.TrimPrefix(fields[0], "."), fields[5]+"="+fields[6]+"; Path="+fields[2]
	if fields[1] == "TRUE" {
		line += "; Domain=" + host
	}
	if fields[3] == "TRUE" {
		line += "; Secure"
	}
	l.in.Earlier = append(l.in.Earlier, Answer{URL: "https://" + host + "/", SetCookie: []string{line}})
}

// domainAttribute is the attribute of a cookie whose domain is shown with a dot
// before it.
func domainAttribute(domain string) string {
	if strings.HasPrefix(domain, ".") {
		return "; Domain=" + domain
	}
	return ""
}

func (l *list) header(line string) {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	value = strings.TrimSpace(value)
	switch strings.ToLower(name) {
	case "set-cookie":
		l.set = append(l.set, value)
	case "set-by", "from":
		l.from = value
	case "host":
		l.host = value
	default:
		if l.answer {
			l.in.Response.header(name, value)
			return
		}
		l.in.header(name, value)
	}
}
