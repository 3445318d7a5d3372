package explain_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
)

// A trap is a mistake with what Explain must say about it.
type trap struct {
	name      string // begins with the id of the cause that must come first
	in        func() explain.Input
	code      cloudfront.Code // empty: allowed
	certainty explain.Certainty
	says      string   // part of the first cause
	also      []string // further ids that must be named
	not       []string // ids that must not be
}

const (
	missing  = cloudfront.MissingKey
	invalid  = cloudfront.InvalidKey
	badSig   = cloudfront.MalformedSignature
	badText  = cloudfront.MalformedPolicy
	denied   = cloudfront.AccessDenied
	secure   = "; Path=/castle/; Secure; HttpOnly; SameSite=Lax"
	proved   = explain.Proved
	likely   = explain.Likely
	possible = explain.Possible
)

// changed is the good cookie set with one change.
func changed(change func(*sent)) func() explain.Input {
	return func() explain.Input {
		s := good()
		change(&s)
		return request(inCastle, s)
	}
}

func asking(url string, s func() sent) func() explain.Input {
	return func() explain.Input { return request(url, s()) }
}

func over(text string) func() sent { return func() sent { return sealed(text) } }

func browsing(url, page string, answers ...func() explain.Answer) func() explain.Input {
	return func() explain.Input {
		var all []explain.Answer
		for _, a := range answers {
			all = append(all, a())
		}
		return fresh(url, page, all...)
	}
}

// setting is an answer from an address that sets the good cookies.
func setting(from, attributes string) func() explain.Answer {
	return func() explain.Answer { return answer(from, good().set(attributes)...) }
}

// answered is a request that came back with something.
func answered(in func() explain.Input, status int, kind, body string) func() explain.Input {
	return func() explain.Input {
		i := in()
		i.Response = explain.Response{Status: status, Type: kind, Body: body}
		return i
	}
}

func recorded(in func() explain.Input) func() explain.Input {
	return func() explain.Input {
		i := in()
		i.Recorded = true
		return i
	}
}

const epoch = 1782907200 // noon

var traps = slices.Concat(onTheWay, inTheRequest, aboutKeys, aboutEncoding, aboutText, aboutSignatures, aboutCanned, aboutTimes, aboutAddresses, aboutResources, aboutAnswers)

func TestTraps(t *testing.T) {
	for _, tt := range traps {
		t.Run(tt.name, func(t *testing.T) {
			r := explain.Explain(tt.in())
			if r.Code != tt.code || r.Allowed != (tt.code == "") {
				t.Errorf("Explain: allowed %v with code %q, want %q\n%s", r.Allowed, r.Code, tt.code, describe(r))
			}
			if len(r.Causes) == 0 {
				t.Fatalf("Explain found no cause\n%s", describe(r))
			}
			id, _, _ := strings.Cut(tt.name, " ")
			if first := r.Causes[0]; first.ID != id || first.Certainty != tt.certainty || !strings.Contains(first.Says, tt.says) {
				t.Errorf("first cause = %s, %s, %q, want %s, %s, %q\n%s", first.ID, first.Certainty, first.Says, id, tt.certainty, tt.says, describe(r))
			}
			found := ids(r.Causes)
			for _, id := range tt.also {
				if !slices.Contains(found, id) {
					t.Errorf("causes %v lack %s\n%s", found, id, describe(r))
				}
			}
			for _, id := range tt.not {
				if slices.Contains(found, id) {
					t.Errorf("causes %v have %s, which contradicts the first\n%s", found, id, describe(r))
				}
			}
			checkReport(t, r)
		})
	}
}

// checkReport checks what holds for every report.
func checkReport(t *testing.T, r *explain.Report) {
	t.Helper()
	rank := map[explain.Certainty]int{explain.Proved: 0, explain.Likely: 1, explain.Possible: 2}
	for i, c := range r.Causes {
		if c.Says == "" || c.Fix == "" || c.Basis == "" || c.ID == "" {
			t.Errorf("cause %+v is not complete", c)
		}
		if i > 0 && rank[c.Certainty] < rank[r.Causes[i-1].Certainty] {
			t.Errorf("%s (%s) stands behind %s (%s)", c.ID, c.Certainty, r.Causes[i-1].ID, r.Causes[i-1].Certainty)
		}
	}
	if !r.Allowed && len(r.Causes) == 0 {
		t.Errorf("refused with %s, and no cause is named:\n%s", r.Code, describe(r))
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("the report is no JSON: %v", err)
	}
}
