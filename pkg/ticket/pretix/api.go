package pretix

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

// An api asks one organizer's part of pretix.
type api struct {
	base   string // up to the organizer, without a slash at its end
	auth   string // the Authorization header
	client *outbound.Client
}

// A StatusError is an answer that says nothing about a ticket: the token is
// refused, too many requests, a broken server. Nothing of its body is kept.
type StatusError struct {
	Status int
	What   string        // that was asked
	After  time.Duration // what pretix asks for; 0 means nothing
}

// RetryAfter returns e.After.
func (e *StatusError) RetryAfter() time.Duration { return e.After }

// Summary returns what Error does: nothing in it is from the answer's text.
func (e *StatusError) Summary() string { return e.Error() }

func (e *StatusError) Error() string {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("%s: pretix answers %d (hint: the token lacks a permission, or an event or list is not its organizer's)", e.What, e.Status)
	case http.StatusTooManyRequests:
		return fmt.Sprintf("%s: pretix answers 429, asked too often", e.What)
	}
	return fmt.Sprintf("%s: pretix answers %d", e.What, e.Status)
}

// get reads path into to. Only 200 is an answer.
func (a *api) get(ctx context.Context, what, path string, query url.Values, to any) error {
	answer, err := a.ask(ctx, http.MethodGet, what, path, query, nil)
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return refused(what, answer)
	}
	return decode(what, answer, to)
}

func (a *api) ask(ctx context.Context, method, what, path string, query url.Values, body []byte) (*outbound.Answer, error) {
	target := a.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: the URL cannot be asked", what) // err quotes it
	}
	req.Header.Set("Authorization", a.auth)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	answer, err := a.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return answer, nil
}

func refused(what string, answer *outbound.Answer) error {
	return &StatusError{Status: answer.Status, What: what, After: answer.RetryAfter(time.Now())}
}

// decode quotes nothing of the answer, which has codes and names in it.
func decode(what string, answer *outbound.Answer, to any) error {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || json.Unmarshal(answer.Body, to) != nil {
		return fmt.Errorf("%s: pretix answers something else than the JSON of its API", what)
	}
	return nil
}

// A page is one of a list.
type page[T any] struct {
	Count   *int    `json:"count"`
	Next    *string `json:"next"`
	Results []T     `json:"results"`
}
