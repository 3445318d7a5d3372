package outbound

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An Answer is what a server said, whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // unpacked
}

// maxRetryAfter is the longest that a server can ask to be left alone.
const maxRetryAfter = time.Hour

// RetryAfter returns for how long the server wants to be left alone, at most an
// hour, by the Retry-After header in either of its forms. 0 means that it does
// not say.
func (a *Answer) RetryAfter(now time.Time) time.Duration {
	text := strings.TrimSpace(a.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(0, at.Sub(now)), maxRetryAfter)
}

// read returns the body, unpacked. Neither it nor what was sent is longer than
// the client's limit.
func (c *Client) read(resp *http.Response) ([]byte, error) {
	sent, err := atMost(resp.Body, c.opts.MaxBody)
	if err != nil {
		return nil, err
	}
	encodings := resp.Header.Values("Content-Encoding")
	switch encoding := strings.ToLower(strings.TrimSpace(strings.Join(encodings, ","))); {
	case encoding == "", encoding == "identity", len(sent) == 0:
		return sent, nil
	case encoding == "gzip", encoding == "x-gzip":
		return unpack(sent, c.opts.MaxBody)
	default:
		return nil, ErrEncoding
	}
}

func unpack(packed []byte, limit int64) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: not gzip as announced", ErrEncoding)
	}
	text, err := atMost(reader, limit)
	if err != nil {
		return nil, fmt.Errorf("unpacked: %w", err)
	}
	return text, nil
}

// atMost reads all of r, or returns ErrTooLarge.
func atMost(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return text, nil
}
