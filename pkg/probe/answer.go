package probe

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// An answer is what came back, as far as a probe looks at it.
type answer struct {
	err    error
	status int
	header http.Header
	code   string // of an XML error, such as "MissingKey"
	store  bool   // the error is the bucket's own, not CloudFront's
	size   int64
}

// maxBody is how much of an answer is read, in bytes.
const maxBody = 8 << 10

// ask sends a GET for one byte of a URL.
func (p *prober) ask(ctx context.Context, url string, cookies string) answer {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set("Range", "bytes=0-0")
	req.Header.Set("User-Agent", "handstamp-probe")
	if cookies != "" {
		req.Header.Set("Cookie", cookies)
	}
	sent := p.opts.Now()
	res, err := p.opts.Client.Do(req) // #nosec G704 -- the operator names the distribution
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	p.watchClock(res, sent)
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	a := answer{err: err, status: res.StatusCode, header: res.Header, size: int64(len(body))}
	a.read(body)
	return a
}

// watchClock notes how far the clock at the edge is from ours. A Date has whole
// seconds, and cached answers may have an old one.
func (p *prober) watchClock(res *http.Response, sent time.Time) {
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil || res.Header.Get("Age") != "" {
		return
	}
	middle := sent.Add(p.opts.Now().Sub(sent) / 2)
	p.ahead = append(p.ahead, date.Add(time.Second/2).Sub(middle))
}

// read looks for an XML error. S3 signs its own with a RequestId and a HostId.
func (a *answer) read(body []byte) {
	var e struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		RequestID string `xml:"RequestId"`
		HostID    string `xml:"HostId"`
	}
	if a.status < 400 || xml.Unmarshal(body, &e) != nil {
		return
	}
	a.code, a.store = e.Code, e.RequestID != "" && e.HostID != ""
}

// open reports whether content came.
func (a answer) open() bool { return a.err == nil && (a.status == 200 || a.status == 206) }

// refused reports whether CloudFront itself said no.
func (a answer) refused() bool { return a.err == nil && a.status == 403 && !a.store }

// said describes the answer in a few words.
func (a answer) said() string {
	switch {
	case a.err != nil:
		return "no answer: " + shorten(a.err.Error())
	case plain(a.code) && a.store:
		return fmt.Sprintf("%d %s from the bucket", a.status, a.code)
	case plain(a.code):
		return fmt.Sprintf("%d %s", a.status, a.code)
	}
	said := fmt.Sprintf("%d", a.status)
	if cache := a.header.Get("X-Cache"); plain(cache) {
		said += ", X-Cache: " + cache
	}
	return said
}

// plain reports whether s is a word or a few, fit to be quoted: an answer may
// send cookies back.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != ' ' {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

func shorten(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:120], "") + "..."
	}
	return s
}
