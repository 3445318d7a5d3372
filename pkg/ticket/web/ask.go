package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

func (s *Source) answer(ctx context.Context, q *question, tr *Trace) (*gate.Ticket, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Outbound.Timeout)
	defer cancel()
	req, answer, err := s.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	tr.answer(s, answer)
	a := s.cfg.Answer
	h := &hearing{source: s, asked: q, trace: tr, env: map[string]any{
		"status": answer.Status, "headers": flat(answer.Header), "code": q.normal.Reveal(), "attraction": q.attraction, "now": q.now,
	}}
	switch {
	case slices.Contains(a.Verdicts, answer.Status):
		return h.verdict(answer)
	case slices.Contains(a.Refusals, answer.Status):
		return nil, h.refused(req, answer)
	case slices.Contains(a.Unknown, answer.Status):
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	case answer.Status == http.StatusUnauthorized, answer.Status == http.StatusForbidden:
		return nil, fmt.Errorf("%s: %w: status %d", req.URL.Host, ErrCredentials, answer.Status)
	}
	return nil, statusError(req, answer, q.now)
}

// ask sends the question, and once more with a new token if the old one has ended.
func (s *Source) ask(ctx context.Context, q *question) (*http.Request, *outbound.Answer, error) {
	for again := false; ; again = true {
		req, err := s.form.request(ctx, q, accepts(s.cfg.Answer.Format))
		if err != nil {
			return nil, nil, err
		}
		used, err := s.badge.show(ctx, req)
		if err != nil {
			return nil, nil, err
		}
		answer, err := s.client.Do(req)
		if err != nil {
			return nil, nil, err
		}
		if again || answer.Status != http.StatusUnauthorized || !s.badge.again(used) {
			return req, answer, nil
		}
	}
}

func accepts(format BodyType) string {
	switch format {
	case XML:
		return "application/xml, text/xml"
	case Text:
		return "text/plain"
	}
	return "application/json"
}

func flat(h http.Header) map[string]string {
	headers := map[string]string{}
	for name, values := range h {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return headers
}

// read returns what of a body is declared.
func (h *hearing) read(a *outbound.Answer, s *shape) (any, error) {
	format := h.source.cfg.Answer
	if !media(format.Format, a.Header.Get("Content-Type"), format.MediaTypes) {
		return nil, fmt.Errorf("%w: its media type is not that of %s", ErrBody, format.Format)
	}
	tree, err := parse(format.Format, a.Body)
	if err != nil {
		return nil, err
	}
	h.trace.outline(tree)
	return s.fit(tree, "the answer", format.Format == XML)
}

func (h *hearing) verdict(a *outbound.Answer) (*gate.Ticket, error) {
	body, err := h.read(a, h.source.body)
	if err != nil {
		return nil, err
	}
	h.env["body"] = body
	return h.decide()
}

// refused returns the denial that a status in Refusals is, or a failure.
func (h *hearing) refused(req *http.Request, a *outbound.Answer) error {
	problem, err := h.read(a, h.source.problem)
	if err != nil {
		return err
	}
	h.env = maps.Clone(h.env)
	h.env["problem"] = problem
	reason, err := h.reason(h.source.rules.refusals)
	if err != nil {
		return err
	}
	if reason == "" {
		return statusError(req, a, h.asked.now)
	}
	proven := h.source.speller.proven(h.asked.normal)
	return &gate.Denial{Reason: reason, Proven: proven && reason != gate.ReasonUnknown && reason != gate.ReasonMalformed}
}
