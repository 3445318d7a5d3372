package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

const (
	// margin is how long before its end a token is replaced.
	margin = 10 * time.Second
	// patience is how old a token must be before a 401 is taken for its end. A
	// younger one was refused for another reason, and to fetch the next one at
	// every question would only lock the account.
	patience = 5 * time.Second
)

// A token is fetched once and used by all questions until it ends.
type token struct {
	client *outbound.Client
	ask    func(ctx context.Context) (*http.Request, error)
	read   func(body []byte) (granted, error)
	now    func() time.Time

	busy    chan struct{} // holds one: whoever has it may look and fetch
	current granted
	since   time.Time
}

// granted is what an endpoint for tokens answers.
type granted struct {
	text gate.Secret
	life time.Duration // 0 means that it does not say
}

func newToken(client *outbound.Client, ask func(context.Context) (*http.Request, error), read func([]byte) (granted, error)) *token {
	t := &token{client: client, ask: ask, read: read, now: time.Now, busy: make(chan struct{}, 1)}
	return t
}

// get returns the token, fetched if there is none. Questions that come
// meanwhile wait for it; one that is given up leaves the next to fetch.
func (t *token) get(ctx context.Context) (gate.Secret, error) {
	select {
	case t.busy <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-t.busy }()
	if age := t.now().Sub(t.since); t.current.text != "" && (t.current.life == 0 || age < t.current.life-margin) {
		return t.current.text, nil
	}
	next, err := t.fetch(ctx)
	if err != nil {
		return "", err
	}
	t.current, t.since = next, t.now()
	return next.text, nil
}

func (t *token) fetch(ctx context.Context) (granted, error) {
	req, err := t.ask(ctx)
	if err != nil {
		return granted{}, errors.New("the request for a token cannot be made")
	}
	answer, err := t.client.Do(req)
	if err != nil {
		return granted{}, fmt.Errorf("get a token: %w", err)
	}
	switch {
	case slices.Contains([]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}, answer.Status):
		return granted{}, fmt.Errorf("get a token: %w: status %d", ErrCredentials, answer.Status)
	case answer.Status != http.StatusOK && answer.Status != http.StatusCreated:
		return granted{}, fmt.Errorf("get a token: %w", statusError(req, answer, t.now()))
	}
	next, err := t.read(answer.Body)
	if err != nil || !httpguts.ValidHeaderFieldValue(next.text.Reveal()) || next.text == "" {
		return granted{}, fmt.Errorf("get a token: %w: there is none in the answer", ErrBody)
	}
	return next, nil
}

// drop forgets a token that was refused, and reports whether another one may be
// had: it is not that one any more, or it was old enough to have ended.
func (t *token) drop(used gate.Secret) bool {
	t.busy <- struct{}{} // never for long: a fetch ends with the client's time
	defer func() { <-t.busy }()
	if t.current.text != used {
		return true
	}
	if t.now().Sub(t.since) < patience {
		return false
	}
	t.current = granted{}
	return true
}

func statusError(req *http.Request, a *outbound.Answer, now time.Time) error {
	return &outbound.StatusError{Host: req.URL.Host, Status: a.Status, After: a.RetryAfter(now)}
}
