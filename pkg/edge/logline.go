package edge

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// logHeader begins a log, with the names of the 33 fields.
const logHeader = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status " +
	"cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes " +
	"time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status " +
	"fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n"

// logLocation stands for the airport code of CloudFront's houses.
const logLocation = "LOCAL1-HS"

// record adds the line of a request that was answered, or was not.
func (e *Edge) record(w *reply, r *http.Request, at, started time.Time) {
	h := w.Header()
	stem, query, _ := strings.Cut(r.RequestURI, "?")
	protocol, _, _ := strings.Cut(e.site, "://")
	if protocol == "" {
		protocol = map[bool]string{true: "https", false: "http"}[r.TLS != nil]
	}
	host := r.Host
	if e.site != "" {
		host = e.site[strings.Index(e.site, "://")+3:]
	}
	detail := w.detail
	if detail == "" {
		detail = string(w.result)
	}
	first, last := rangeSent(h)
	version, cipher := tlsNames(r.TLS)
	ip, port := peer(r)
	line := logLine(make([]byte, 0, 512))
	line.plain(at.UTC().Format("2006-01-02"))
	line.plain(at.UTC().Format("15:04:05"))
	line.plain(logLocation)
	line.plain(strconv.FormatInt(w.sent+int64(headerSize(h)), 10))
	line.plain(ip)
	line.text(r.Method)
	line.text(host)
	line.text(redactedPath(stem))
	line.plain(paddedStatus(w.status))
	line.text(redactedURL(r.Referer()))
	line.text(r.UserAgent())
	line.text(redacted(query))
	line.plain("") // cookies are never logged
	line.plain(string(w.result))
	line.plain(h.Get("X-Amz-Cf-Id"))
	line.text(r.Host)
	line.plain(protocol)
	line.plain(strconv.FormatInt(int64(requestSize(r))+max(0, r.ContentLength), 10))
	line.plain(seconds(time.Since(started)))
	line.text(strings.Join(r.Header["X-Forwarded-For"], ", "))
	line.plain(version)
	line.plain(cipher)
	line.plain(string(w.result))
	line.text(r.Proto)
	line.plain("") // field-level encryption: its status
	line.plain("") // and its number of fields
	line.plain(port)
	line.plain(firstByte(w.first, started))
	line.plain(detail)
	line.text(h.Get("Content-Type"))
	line.text(h.Get("Content-Length"))
	line.plain(first)
	line.plain(last)
	line[len(line)-1] = '\n'
	e.config.AccessLog.add(line)
}

// A logLine grows by one field at a time.
type logLine []byte

// plain adds a field that needs no encoding. An empty one is a hyphen.
func (l *logLine) plain(s string) {
	if s == "" {
		s = "-"
	}
	*l = append(append(*l, s...), '\t')
}

// text adds a field that a viewer or an origin chose, encoded as CloudFront
// does it.
func (l *logLine) text(s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"#%{}|\\^~[]`'", c) >= 0 {
			*l = append(*l, '%', hex[c>>4], hex[c&15])
		} else {
			*l = append(*l, c)
		}
	}
	if s == "" {
		*l = append(*l, '-')
	}
	*l = append(*l, '\t')
}

// redacted returns a query with the values of CloudFront's parameters, and of
// those that could be taken for one, gone: a signed URL in a log opens what it
// names until it expires.
func redacted(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		for j, part := range strings.Split(pair, ";") {
			name := pairName(part)
			if plain, err := url.QueryUnescape(name); err == nil && likeSigning(plain) && (j > 0 || len(part) > len(name)) {
				pairs[i] = pair[:strings.Index(pair, part)] + name + "=REDACTED"
				break
			}
		}
	}
	return strings.Join(pairs, "&")
}

// redactedPath takes a signed query out of a path, into which it gets when a
// link is escaped once too often.
func redactedPath(path string) string {
	i := strings.Index(strings.ToLower(path), "%3f")
	if i < 0 || !strings.Contains(strings.ToLower(path[i:]), "signature") {
		return path
	}
	return path[:i] + "%3FREDACTED"
}

// likeSigning is signingName for names in any case.
func likeSigning(name string) bool {
	for _, own := range [...]string{"Policy", "Expires", "Signature", "Key-Pair-Id", hashName} {
		if strings.EqualFold(strings.TrimSpace(name), own) {
			return true
		}
	}
	return false
}

// redactedURL is redacted for a whole URL.
func redactedURL(s string) string {
	address, rest, ok := strings.Cut(s, "?")
	if !ok {
		return s
	}
	query, _, _ := strings.Cut(rest, "#")
	return address + "?" + redacted(query)
}

// peer returns the viewer's address and port.
func peer(r *http.Request) (ip, port string) {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "", ""
	}
	return p.Addr().Unmap().String(), strconv.Itoa(int(p.Port()))
}

// paddedStatus returns 000 where a viewer left before the answer.
func paddedStatus(status int) string {
	if status == 0 {
		return "000"
	}
	return strconv.Itoa(status)
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

func firstByte(first, started time.Time) string {
	if first.IsZero() {
		return ""
	}
	return seconds(first.Sub(started))
}

// headerSize returns the bytes of an answer's headers, as far as they are known
// here: the server adds a date and what the connection needs.
func headerSize(h http.Header) int {
	size := len("HTTP/1.1 200 OK\r\n\r\n")
	for name, values := range h {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	return size
}

// rangeSent returns the first and last byte of an answer to a range.
func rangeSent(h http.Header) (first, last string) {
	span, ok := strings.CutPrefix(h.Get("Content-Range"), "bytes ")
	if !ok {
		return "", ""
	}
	span, _, _ = strings.Cut(span, "/")
	first, last, _ = strings.Cut(span, "-")
	if !digits(first) || !digits(last) {
		return "", ""
	}
	return first, last
}

// tlsNames returns protocol and cipher as OpenSSL calls them.
func tlsNames(s *tls.ConnectionState) (version, cipher string) {
	if s == nil {
		return "", ""
	}
	cipher = tls.CipherSuiteName(s.CipherSuite)
	if s.Version < tls.VersionTLS13 {
		cipher = strings.NewReplacer("TLS_", "", "_WITH_", "-", "AES_", "AES", "_", "-").Replace(cipher)
	}
	return strings.Replace(tls.VersionName(s.Version), "TLS 1", "TLSv1", 1), cipher
}

// detail returns what the access log calls a refusal.
func (f *refusal) detail() string {
	switch f {
	case refusedMethod:
		return "InvalidRequestMethod"
	case failedOrigin:
		return "OriginConnectError"
	case failedTimeout:
		return "OriginCommError"
	}
	if f.status/100 == 4 && f.code == "" && f != refusedHTTP {
		return "InvalidRequest"
	}
	return string(resultError)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
