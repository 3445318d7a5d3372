package explain

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A question is what the page posts. Text is anything that Read takes.
type question struct {
	Text   string        `json:"text"`
	Keys   []questionKey `json:"keys"`
	At     string        `json:"at"` // RFC 3339 or Unix seconds
	IP     string        `json:"ip"`
	Method string        `json:"method"`
	Page   string        `json:"page"`
}

type questionKey struct {
	ID  string `json:"id"`
	PEM string `json:"pem"`
}

type keyInfo struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
}

// answer is what the page gets.
type answer struct {
	Reports []*Report `json:"reports"`
	Found   int       `json:"found"` // requests in the text, also those that were not refused
}

func readQuestion(w http.ResponseWriter, r *http.Request, q *question) (status int, err error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return http.StatusUnsupportedMediaType, errors.New("want JSON")
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion))
	dec.DisallowUnknownFields()
	err = dec.Decode(q)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, errors.New("that is more than 1 MiB; keep only the requests that were refused")
	case err != nil || dec.More():
		return http.StatusBadRequest, errors.New("that is not the JSON that this page sends")
	}
	return http.StatusOK, nil
}

// complete adds to an input what the question says besides its text.
func (q *question) complete(in *Input, now time.Time) error {
	if q.At != "" {
		at, err := ParseInstant(q.At)
		if err != nil {
			return fmt.Errorf("time: %w", err)
		}
		in.At = at
	}
	if in.At.IsZero() && in.Response.Date.IsZero() {
		in.At = now
	}
	if q.IP != "" {
		ip, err := netip.ParseAddr(strings.TrimSpace(q.IP))
		if err != nil {
			return fmt.Errorf("%.60q is not an IP address", q.IP)
		}
		in.IP = ip
	}
	if q.Page != "" {
		in.Page = q.Page
	}
	if q.Method != "" {
		in.Method = q.Method
	}
	return nil
}

// ParseInstant reads RFC 3339 or Unix seconds; empty is the zero time.
func ParseInstant(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%.60q, want RFC 3339 like 2026-07-01T12:00:00Z, or Unix seconds", s)
	}
	return t, nil
}
