package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/handstamp/handstamp/pkg/ticket/sealed"
)

func (s *Source) placeholders() []string {
	names := []string{"code", "attraction", "uuid", "now"}
	for _, f := range s.cfg.Factors {
		names = append(names, "factor."+f.Name)
	}
	return names
}

func (s *Source) checkEffect() error {
	switch {
	case s.cfg.Effect != Read && s.cfg.Effect != Consume:
		return fmt.Errorf("effect: %q, want read or consume", s.cfg.Effect)
	case s.cfg.Effect == Consume && !s.cfg.AllowConsume:
		return errors.New("effect: consume takes the visit away that the visitor paid for (hint: an API that can be asked without that is better; else set allow_consume)")
	case len(s.opts.Secret) > 0 && len(s.opts.Secret) < sealed.MinKey:
		return fmt.Errorf("the secret of a ticket source has %d bytes, want at least %d", len(s.opts.Secret), sealed.MinKey)
	}
	return nil
}

func (s *Source) checkFactors() error {
	seen := map[string]bool{}
	for _, f := range s.cfg.Factors {
		if seen[f.Name] || !placeholder.MatchString("{factor."+f.Name+"}") {
			return fmt.Errorf("factors: %q is there twice, or no name of small letters", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

// checkSends returns an error for a request that does not ask about the code,
// and for a factor that nobody compares.
func (s *Source) checkSends() error {
	if s.form == nil {
		return nil
	}
	if !slices.Contains(s.form.places(), "code") {
		return errors.New("request: {code} is nowhere in it")
	}
	for _, f := range s.cfg.Factors {
		if f.Equals == "" && !s.form.sends(f.Name) {
			return fmt.Errorf("factors.%s: is neither compared nor sent", f.Name)
		}
	}
	return nil
}

func (s *Source) checkAnswer() error {
	a := &s.cfg.Answer
	if len(a.Verdicts) == 0 {
		a.Verdicts = []int{http.StatusOK}
	}
	if len(a.Unknown) == 0 {
		a.Unknown = slices.DeleteFunc([]int{http.StatusNotFound, http.StatusGone}, func(status int) bool {
			return slices.Contains(a.Verdicts, status) || slices.Contains(a.Refusals, status)
		})
	}
	seen := map[int]bool{}
	for _, status := range slices.Concat(a.Verdicts, a.Refusals, a.Unknown) {
		if seen[status] {
			return fmt.Errorf("answer: the status %d has two meanings", status)
		}
		if status < 200 || status >= 500 || status >= 300 && status < 400 || slices.Contains(never, status) {
			return fmt.Errorf("answer: the status %d says nothing of a ticket", status)
		}
		seen[status] = true
	}
	switch {
	case a.Format != JSON && a.Format != XML && a.Format != Text:
		return fmt.Errorf("answer.format: %q, want json, xml or text", a.Format)
	case (len(a.Refusals) > 0) != (a.RefusalShape != "") || (len(a.Refusals) > 0) != (len(s.cfg.Decide.Refusals) > 0):
		return errors.New("answer.refusals, answer.refusal_shape, decide.refusals: want all three or none")
	}
	return nil
}

// never are statuses that are about the gateway or the server, not the ticket.
var never = []int{http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooManyRequests}

func (s *Source) buildRules() error {
	var err error
	if s.body, err = parseShape(s.cfg.Answer.Shape); err != nil {
		return fmt.Errorf("answer.shape: %w", err)
	}
	if s.cfg.Answer.RefusalShape != "" {
		if s.problem, err = parseShape(s.cfg.Answer.RefusalShape); err != nil {
			return fmt.Errorf("answer.refusal_shape: %w", err)
		}
	}
	switch d := s.cfg.Decide; {
	case d.Valid == "":
		return errors.New("decide.valid: missing")
	case d.Echo == "" && !d.InsecureNoEcho:
		return errors.New("decide.echo: missing, an answer about another ticket would not be noticed (hint: insecure_no_echo accepts that)")
	}
	s.rules, err = newRules(s.cfg, s.body, s.problem, clock{s.opts.Zone}, s.opts.Check)
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	return nil
}
