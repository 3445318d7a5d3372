package web

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

// A Trace is one question and what became of it, for whoever connects an API.
// Nothing in it is secret: the code, factors, keys and tokens are masked, and of
// the answer only the declared fields have their values.
type Trace struct {
	Code     string   // the form of the code: A for a letter, 9 for a digit; empty if it is malformed
	Method   string   // of the request
	URL      string   // the template, with secrets of the query masked
	Header   []string // "Name: value", likewise
	Body     string   // the template
	Status   int      // of the answer; 0 means that there is none
	Answered []string // some of its headers, "Name: value"
	Outline  []string // every field of the answer as "path: type", declared or not, without values
	Steps    []Step   // the expressions, in their order
	Ticket   *gate.Ticket
	Err      error // why there is no ticket: a *gate.Denial, or nobody knows
}

// A Step is one expression and its result.
type Step struct {
	Name   string // "valid", or "item 2 of 3" where the next item begins
	Source string // empty for an item
	Result string // masked; empty if it failed
	Err    error
}

const mask = "[redacted]"

// Trace asks about c as Verify does, so it consumes the ticket if that does, and
// returns what happened beside the error that Verify would return.
func (s *Source) Trace(ctx context.Context, c gate.Credential) (*Trace, error) {
	tr := &Trace{}
	tr.Ticket, tr.Err = s.verify(ctx, c, tr)
	tr.hide(s, c)
	return tr, tr.Err
}

// ask notes the request. It is nil safe, as are the others: without a Trace
// nothing is noted.
func (tr *Trace) ask(s *Source, q *question) {
	if tr == nil {
		return
	}
	headers, query := s.badge.names()
	tr.Code, tr.Method, tr.URL, tr.Body = pattern(q.normal.Reveal()), s.form.method, s.cfg.Request.URL, s.cfg.Request.Body
	for _, name := range query {
		sign := "?"
		if strings.Contains(tr.URL, "?") {
			sign = "&"
		}
		tr.URL += sign + name + "=" + mask
	}
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Request.Header)) {
		tr.Header = append(tr.Header, name+": "+s.cfg.Request.Header[name])
	}
	for _, name := range headers {
		tr.Header = append(tr.Header, name+": "+mask)
	}
}

// pattern returns the form of a code.
func pattern(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			return '9'
		case unicode.IsUpper(r):
			return 'A'
		case unicode.IsLetter(r):
			return 'a'
		}
		return r
	}, code)
}

// telling are headers of an answer that hold nothing of a visitor.
var telling = []string{"Content-Type", "Content-Encoding", "Date", "Retry-After", "Server"}

func (tr *Trace) answer(_ *Source, a *outbound.Answer) {
	if tr == nil {
		return
	}
	tr.Status = a.Status
	for _, name := range telling {
		if value := a.Header.Get(name); value != "" {
			tr.Answered = append(tr.Answered, name+": "+value)
		}
	}
}

// maxOutline is the most lines of an outline.
const maxOutline = 200

func (tr *Trace) outline(tree any) {
	if tr == nil {
		return
	}
	seen := map[string]bool{}
	walk(tree, "", seen)
	tr.Outline = slices.Sorted(maps.Keys(seen))
	tr.Outline = tr.Outline[:min(len(tr.Outline), maxOutline)]
}

func walk(tree any, path string, seen map[string]bool) {
	switch v := tree.(type) {
	case map[string]any:
		for name, one := range v {
			walk(one, path+"."+name, seen)
		}
	case []any:
		for _, one := range v {
			walk(one, path+"[]", seen)
		}
	default:
		seen[path+": "+describe(tree)] = true
	}
}

func (tr *Trace) item(i, n int) {
	if tr == nil || n == 1 {
		return
	}
	tr.Steps = append(tr.Steps, Step{Name: fmt.Sprintf("item %d of %d", i+1, n)})
}

func (tr *Trace) step(r *rule, value any, err error) {
	if tr == nil {
		return
	}
	step := Step{Name: r.name, Source: r.source, Err: err}
	if err == nil {
		step.Result = show(value)
	}
	tr.Steps = append(tr.Steps, step)
}

// show prints a result. Of a Select it prints how many were found.
func show(value any) string {
	switch v := value.(type) {
	case time.Time:
		if v.IsZero() {
			return "none"
		}
		return v.Format(time.RFC3339)
	case []any:
		return fmt.Sprintf("%d items", len(v))
	case map[string]any:
		return "1 item"
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(value)
}

// factor notes a comparison without what was compared.
func (tr *Trace) factor(r *rule, want string, same bool) {
	if tr == nil {
		return
	}
	result := map[bool]string{true: "the same", false: "another one"}[same]
	if want == "" {
		result = "not in the answer"
	}
	tr.Steps = append(tr.Steps, Step{Name: r.name, Source: r.source, Result: result})
}

// hide takes the code and the factors out of results.
func (tr *Trace) hide(s *Source, c gate.Credential) {
	secrets := []string{c.Code.Reveal()}
	if normal, err := s.speller.normal(c.Code); err == nil {
		secrets = append(secrets, normal.Reveal())
	}
	for _, f := range c.Factors {
		secrets = append(secrets, f.Reveal())
	}
	holds := func(text string) bool {
		return slices.ContainsFunc(secrets, func(secret string) bool {
			return secret != "" && strings.Contains(strings.ToLower(text), strings.ToLower(secret))
		})
	}
	tr.Outline = slices.DeleteFunc(tr.Outline, holds) // an API may have codes as names
	for i, step := range tr.Steps {
		if holds(step.Result) {
			tr.Steps[i].Result = mask
		}
		if step.Name == "echo" && tr.Steps[i].Result != `""` && tr.Steps[i].Result != mask {
			tr.Steps[i].Result = mask + " (the code may be spelled in another way)"
		}
	}
}
