package roll

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

// A remote is a file at a server.
type remote struct {
	name   string // for messages, and for the format; not the URL, which may have a key in it
	url    string
	header http.Header
	mark   mark // of what was read and used
}

// A mark tells one version of a file from others.
type mark struct{ url, etag, modified string }

// sequenceMark stands for the sequence number in the URL of a delta.
const sequenceMark = "{sequence}"

func newRemote(text string, a Address) (*remote, error) {
	u, err := url.Parse(strings.ReplaceAll(text, sequenceMark, "0"))
	switch {
	case err != nil:
		return nil, errors.New("not a URL") // which may have a key in it
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil:
		return nil, errors.New("want a URL like https://tickets.example.org/list.csv, without a user")
	}
	r := &remote{name: u.Hostname() + "/" + path.Base(u.Path), url: text, header: a.Header.Clone()}
	if a.JSON && !isJSON(r.name) {
		r.name += ".jsonl"
	}
	return r, nil
}

// get returns the file, or nil if it is still the one of r.mark, and what marks
// it.
func (r *remote) get(ctx context.Context, client Client, sequence uint64) ([]byte, mark, error) {
	at := strings.ReplaceAll(r.url, sequenceMark, strconv.FormatUint(sequence, 10))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, mark{}, errors.New("not a URL")
	}
	if r.header != nil {
		req.Header = r.header.Clone()
	}
	if r.mark.url == at {
		r.mark.ask(req.Header)
	}
	answer, err := client.Do(req)
	if err != nil {
		return nil, mark{}, err
	}
	switch {
	case answer.Status == http.StatusNotModified && r.mark.url == at, answer.Status == http.StatusNoContent:
		return nil, r.mark, nil
	case answer.Status != http.StatusOK:
		return nil, mark{}, &outbound.StatusError{Host: req.URL.Host, Status: answer.Status, After: answer.RetryAfter(time.Now())}
	}
	return append([]byte{}, answer.Body...), mark{at, answer.Header.Get("ETag"), answer.Header.Get("Last-Modified")}, nil
}

// ask makes a request for a file other than the marked one.
func (m mark) ask(h http.Header) {
	if m.etag != "" {
		h.Set("If-None-Match", m.etag)
	}
	if m.modified != "" {
		h.Set("If-Modified-Since", m.modified)
	}
}
