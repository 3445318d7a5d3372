package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// AgeToken makes the clock of s's token go on by age from now.
func AgeToken(s *Source, age time.Duration) {
	s.badge.token.busy <- struct{}{}
	defer func() { <-s.badge.token.busy }()
	s.badge.token.now = func() time.Time { return time.Now().Add(age) }
}

// OnToken calls f with the context of every request for a token.
func OnToken(s *Source, f func(context.Context)) {
	ask := s.badge.token.ask
	s.badge.token.ask = func(ctx context.Context) (*http.Request, error) {
		f(ctx)
		return ask(ctx)
	}
}

// Wire returns what s sends for a code, as it goes over the wire.
func Wire(s *Source, code gate.Secret) (string, error) {
	q, err := s.question(gate.Credential{Code: code})
	if err != nil {
		return "", err
	}
	req, err := s.form.request(context.Background(), q, "*/*")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = req.Write(&b)
	return b.String(), err
}
