package web

import (
	"errors"
	"fmt"

	"github.com/handstamp/handstamp/pkg/gate"
)

// ErrOther is in the error of an answer about another ticket than the one that
// was asked about, or about none.
var ErrOther = errors.New("the answer is not about the code that was asked")

// A hearing is one answer to one question.
type hearing struct {
	source *Source
	asked  *question
	env    map[string]any
	trace  *Trace
}

// run evaluates a rule; where there is none the result is the zero T.
func run[T any](h *hearing, r *rule) (value T, err error) {
	if r == nil {
		return value, nil
	}
	result, err := r.run(h.env)
	if err != nil {
		h.trace.step(r, nil, err)
		return value, err
	}
	value, ok := result.(T)
	if !ok {
		err = fmt.Errorf("%w: %s: the result is a %T", ErrExpression, r.name, result)
	}
	h.trace.step(r, value, err)
	return value, err
}

// decide returns the ticket that the items are, or why there is none.
func (h *hearing) decide() (*gate.Ticket, error) {
	items, err := h.items()
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, gate.Deny(gate.ReasonUnknown, nil)
	}
	var (
		found   *gate.Ticket
		refused error
	)
	for i, item := range items {
		h.env["item"] = item
		h.trace.item(i, len(items))
		t, err := h.item()
		var denial *gate.Denial
		switch {
		case errors.As(err, &denial):
			refused = orElse(refused, err)
		case errors.Is(err, errSkip):
		case err != nil:
			return nil, err
		case found == nil:
			found = t
		default:
			if err := join(found, t); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case found != nil:
		return found, nil
	case refused != nil:
		return nil, refused
	}
	return nil, ErrOther
}

func orElse(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// items returns what Select picked.
func (h *hearing) items() ([]any, error) {
	picked := h.env["body"]
	if r := h.source.rules.selects; r != nil {
		var err error
		if picked, err = run[any](h, r); err != nil {
			return nil, err
		}
	}
	if list, ok := picked.([]any); ok {
		return list, nil
	}
	return []any{picked}, nil
}

// errSkip is for an item that is about another code.
var errSkip = errors.New("about another code")

func (h *hearing) item() (*gate.Ticket, error) {
	echo, err := run[string](h, h.source.rules.echo)
	if err != nil {
		return nil, err
	}
	if echo != "" && !h.source.speller.same(echo, h.asked.normal) {
		return nil, errSkip
	}
	valid, err := run[bool](h, h.source.rules.valid)
	if err != nil {
		return nil, err
	}
	if valid && echo == "" && h.source.rules.echo != nil {
		return nil, ErrOther
	}
	proven, err := h.factors(valid)
	if err != nil {
		return nil, err
	}
	if !valid {
		return nil, h.refusal(h.source.rules.reasons, proven)
	}
	return h.ticket(proven)
}

// factors compares what the viewer showed and reports whether it proves that
// the ticket is theirs. A factor that the API compares is one if it says yes.
func (h *hearing) factors(valid bool) (proven bool, err error) {
	proven = h.source.speller.proven(h.asked.normal)
	for _, f := range h.source.rules.factors {
		if f.equals == nil {
			proven = proven || valid
			continue
		}
		if h.asked.known {
			proven = true
			continue
		}
		want, err := f.equals.run(h.env)
		if err != nil {
			return false, err
		}
		text, _ := want.(string)
		same := sameFactor(h.asked.factors[f.name], text)
		h.trace.factor(f.equals, text, same)
		if !same {
			return false, gate.Deny(gate.ReasonUnknown, errFactor)
		}
		proven = true
	}
	return proven, nil
}

// refusal returns the denial for the first reason that holds.
func (h *hearing) refusal(list []reasonRule, proven bool) error {
	reason, err := h.reason(list)
	if err != nil {
		return err
	}
	if reason == "" {
		return &gate.Denial{Reason: gate.ReasonSeeStaff, Proven: proven, Err: errNoReason}
	}
	return &gate.Denial{Reason: reason, Proven: proven && reason != gate.ReasonUnknown && reason != gate.ReasonMalformed}
}

var errNoReason = errors.New("the ticket is refused, and no reason that is configured holds")

func (h *hearing) reason(list []reasonRule) (gate.Reason, error) {
	for _, r := range list {
		holds := r.when == nil
		if !holds {
			var err error
			if holds, err = run[bool](h, r.when); err != nil {
				return "", err
			}
		}
		if holds {
			return r.reason, nil
		}
	}
	return "", nil
}
