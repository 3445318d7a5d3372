// Package explain says why CloudFront refuses a request. CloudFront's answer is
// one word, AccessDenied for most mistakes; this package looks at the same
// request, names the causes it can see and says what to change.
//
// The verdict comes from pkg/cloudfront. The causes come from trying what
// somebody might have meant: another key, another hash, other bytes, another
// alphabet, and from working out which cookies a browser would send. A cause
// that was proved by such a try stands before one that is only likely. The ids,
// T1 to T48, S1 to S18 and E1 to E3, are explained in docs/errors.md.
//
// Explain looks at one request. Read, ReadHAR and ReadCurl find requests in
// what people paste or record, and Handler is the same as a web page. Nothing
// here talks to the network or keeps what it is given, and no report holds a
// signature.
package explain

import (
	"net/netip"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// An Input is one request with what is known about its surroundings. Only URL
// is needed.
type Input struct {
	URL     string                  // as asked for
	Method  string                  // empty means GET
	Cookies []string                // values of the Cookie headers that were sent
	Keys    []*cloudfront.PublicKey // that the cache behavior trusts; without any, no signature can be checked
	IP      netip.Addr              // the viewer's; the zero value is not known
	Page    string                  // URL of the page that asked; empty means one on the same site
	Parity  cloudfront.Parity

	// At is the time by which to judge; zero means the date of Response, or now.
	At time.Time
	// Clock is what the viewer's own clock said; zero means At, if that is given.
	Clock time.Time

	// Recorded says that Cookies are all that was sent, even if there are none.
	// Otherwise, without Cookies, a browser's choice among those of Earlier is
	// worked out.
	Recorded bool
	Earlier  []Answer // that set cookies, in their order
	Response Response // what came back
	Stripped bool     // the recording was saved without any cookies
}

// An Answer is an earlier answer, with the cookies that it set.
type Answer struct {
	URL       string
	Method    string
	SetCookie []string // values of the Set-Cookie headers
	Response
}

// A Response is what came back. The zero value means that nothing is known.
type Response struct {
	Status       int
	Type         string // Content-Type
	Server       string
	Via          string
	XCache       string
	Age          string
	CacheControl string
	Date         time.Time
	Body         string // its beginning is enough
}

// A Report says what CloudFront would answer and why.
type Report struct {
	Allowed  bool              `json:"allowed"`
	Code     cloudfront.Code   `json:"code"` // empty when allowed
	URL      string            `json:"url"`  // without CloudFront's own parameters
	Method   string            `json:"method"`
	At       time.Time         `json:"at"`                 // by which it was judged
	Answered *Answered         `json:"answered,omitempty"` // what did come back, if known
	Causes   []Cause           `json:"causes"`
	Warnings []Cause           `json:"warnings,omitempty"` // what is no cause, but should not be left so
	Policy   *Policy           `json:"policy,omitempty"`
	Steps    []cloudfront.Step `json:"steps"`
}

// Answered is the answer that a recording has.
type Answered struct {
	Status int             `json:"status"`
	Code   cloudfront.Code `json:"code,omitempty"` // from CloudFront's refusal
}

// A Cause is one reason for a refusal, or one reason for concern.
type Cause struct {
	ID        string           `json:"id"`
	Says      string           `json:"says"`
	Fix       string           `json:"fix"`
	Basis     cloudfront.Basis `json:"basis"` // how well CloudFront's rule is known
	Certainty Certainty        `json:"certainty"`
}

// A Certainty says how sure it is that a cause applies to this request.
type Certainty string

// The certainties.
const (
	Proved   Certainty = "proved"   // by a try, or by the facts alone
	Likely   Certainty = "likely"   // the facts point to it
	Possible Certainty = "possible" // nothing speaks against it
)

func (c Certainty) rank() int {
	switch c {
	case Proved:
		return 0
	case Likely:
		return 1
	}
	return 2
}

// A Policy is what the credentials say, readable.
type Policy struct {
	Form      string          `json:"form"` // custom or canned
	In        string          `json:"in"`   // cookies, url, or unsent: cookies that a browser kept to itself
	KeyPairID string          `json:"key_pair_id,omitempty"`
	Hash      cloudfront.Hash `json:"hash,omitempty"`
	Resource  string          `json:"resource,omitempty"`
	NotBefore *time.Time      `json:"not_before,omitempty"`
	Expires   *time.Time      `json:"expires,omitempty"`
	IPAddress string          `json:"ip_address,omitempty"`
	Text      string          `json:"text,omitempty"` // its bytes, if they could be decoded
}

// Explain judges in and looks for causes. It never fails: an input that makes
// no sense is refused like any other.
func Explain(in Input) *Report {
	p := newProblem(in)
	r := &Report{
		Allowed: p.trace.Allowed, Code: p.trace.Code, URL: p.trace.Facts.URL, Method: p.Method, At: p.At.UTC(),
		Answered: p.answered(), Causes: p.causes(), Warnings: p.warnings(), Policy: p.policy(), Steps: p.trace.Steps,
	}
	p.redact(r)
	return r
}

// policy is the policy that was sent or, if no cookies were, the one of those
// that a browser had and kept.
func (p *problem) policy() *Policy {
	if p.facts.HasAnything {
		return newPolicy(p.facts)
	}
	var pairs []string
	for _, s := range p.jar {
		pairs = append(pairs, s.cookie.Name+"="+s.cookie.Value)
	}
	kept := p.decide(p.URL, []string{strings.Join(pairs, "; ")}).Facts
	if kept.Text == nil || kept.SignedURL {
		return nil
	}
	policy := newPolicy(kept)
	policy.In = "unsent"
	return policy
}

func newPolicy(f cloudfront.Facts) *Policy {
	p := &Policy{Form: "custom", In: "cookies", KeyPairID: shorten(f.KeyPairID, 64), Hash: f.Hash, Resource: f.Resource, Text: string(f.Text)}
	if f.Canned {
		p.Form = "canned"
	}
	if f.SignedURL {
		p.In = "url"
	}
	if !f.End.IsZero() && f.End.Year() < 10_000 { // beyond that, it is not JSON
		p.Expires = &f.End
	}
	if !f.NotBefore.IsZero() && f.NotBefore.Year() < 10_000 {
		p.NotBefore = &f.NotBefore
	}
	if f.Network.IsValid() {
		p.IPAddress = f.Network.String()
	}
	return p
}
