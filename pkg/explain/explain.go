// Package explain says why CloudFront refuses a request. CloudFront's answer is
// one word, AccessDenied for most mistakes; this package looks at the same
// request, names the causes it can see and says what to change.
//
// The verdict comes from pkg/cloudfront. The causes come from trying what
// somebody might have meant: another key, another hash, other bytes, another
// alphabet. A cause that was proved by such a try stands before one that is
// only likely. The ids T1 to T48 are explained in docs/errors.md.
package explain

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// An Input is one request with what is known about its surroundings.
type Input struct {
	URL     string                  // as asked for
	Cookies []string                // values of the Cookie headers that were sent
	Keys    []*cloudfront.PublicKey // that the cache behavior trusts
	At      time.Time               // zero means now
	IP      netip.Addr              // the viewer's; the zero value is not known
	Method  string                  // empty means GET
	Parity  cloudfront.Parity

	// SetCookies are answers that set cookies, in their order, if they are known.
	// Without Cookies, a browser's choice among them is worked out.
	SetCookies []SetCookie
	Page       string   // URL of the page that asked; empty means the same site
	Response   Response // what came back
}

// A Report says what CloudFront would answer and why.
type Report struct {
	Allowed  bool              `json:"allowed"`
	Code     cloudfront.Code   `json:"code"` // empty when allowed
	Causes   []Cause           `json:"causes"`
	Steps    []cloudfront.Step `json:"steps"`
	Policy   *Policy           `json:"policy,omitempty"`
	Warnings []Cause           `json:"warnings,omitempty"` // what is allowed but should not be left so
	At       time.Time         `json:"at"`
}

// A Cause is one reason for a refusal.
type Cause struct {
	ID    string           `json:"id"`
	Says  string           `json:"says"`
	Fix   string           `json:"fix"`
	Basis cloudfront.Basis `json:"basis"`

	weight int // how sure it is: proved, told by the facts, or possible
}

// How sure a cause is.
const (
	possible = iota + 1
	likely
	proved
)

// A Policy is what the credentials say, readable.
type Policy struct {
	Form      string          `json:"form"` // custom or canned
	In        string          `json:"in"`   // cookies or url
	KeyPairID string          `json:"key_pair_id,omitempty"`
	Hash      cloudfront.Hash `json:"hash,omitempty"`
	Resource  string          `json:"resource,omitempty"`
	NotBefore *time.Time      `json:"not_before,omitempty"`
	Expires   *time.Time      `json:"expires,omitempty"`
	IPAddress string          `json:"ip_address,omitempty"`
	Text      string          `json:"text,omitempty"`
}

// A problem is an input with CloudFront's verdict, for the rules to look at.
type problem struct {
	*Input
	trace *cloudfront.Trace
	facts cloudfront.Facts
	group cloudfront.KeyGroup
	url   *url.URL // nil if it cannot be parsed
	jar   []stored // what a browser keeps of SetCookies
}

// Explain judges in and looks for causes. It never fails: an input that makes
// no sense is refused like any other.
func Explain(in Input) *Report {
	if in.At.IsZero() {
		in.At = time.Now()
	}
	p := &problem{Input: &in, group: cloudfront.NewKeyGroup(in.Keys...)}
	p.url, _ = url.Parse(in.URL)
	p.useJar()
	p.trace = p.decide(in.URL, in.Cookies)
	p.facts = p.trace.Facts
	r := &Report{Allowed: p.trace.Allowed, Code: p.trace.Code, Steps: p.trace.Steps, Policy: newPolicy(p.facts),
		Causes: []Cause{}, Warnings: p.warnings(), At: in.At.UTC()}
	if r.Allowed {
		r.Causes = append(r.Causes, foreignRefusal(p)...)
		return r
	}
	for _, rule := range rules {
		r.Causes = append(r.Causes, rule(p)...)
	}
	slices.SortStableFunc(r.Causes, func(a, b Cause) int { return cmp.Compare(b.weight, a.weight) })
	r.Causes = slices.CompactFunc(r.Causes, func(a, b Cause) bool { return a.ID == b.ID && a.Says == b.Says })
	return r
}

func (p *problem) decide(address string, cookies []string) *cloudfront.Trace {
	decider := cloudfront.Decider{Parity: p.Parity}
	return decider.Trace(cloudfront.Request{URL: address, Cookies: cookies, IP: p.IP}, p.group, p.At)
}

// failed reports whether a rule was looked at and did not pass.
func (p *problem) failed(rule cloudfront.Rule) bool {
	return slices.ContainsFunc(p.trace.Steps, func(s cloudfront.Step) bool { return s.Rule == rule && s.Code != "" })
}

func newPolicy(f cloudfront.Facts) *Policy {
	if !f.HasAnything {
		return nil
	}
	p := &Policy{Form: "custom", In: "cookies", KeyPairID: f.KeyPairID, Hash: f.Hash, Resource: f.Resource, Text: string(f.Text)}
	if f.Canned {
		p.Form = "canned"
	}
	if f.SignedURL {
		p.In = "url"
	}
	if !f.End.IsZero() {
		p.Expires = &f.End
	}
	if !f.NotBefore.IsZero() {
		p.NotBefore = &f.NotBefore
	}
	if f.Network.IsValid() {
		p.IPAddress = f.Network.String()
	}
	return p
}
