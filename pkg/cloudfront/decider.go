package cloudfront

import (
	"net/netip"
	"time"
)

// Limits of a request (Developer Guide, "Quotas"), in bytes.
const (
	maxURL     = 8192
	maxRequest = 32768
)

// A Request is what matters of a viewer's request, as it stands on the wire.
type Request struct {
	URL     string     // scheme to query, not decoded and not normalised
	Cookies []string   // the values of the Cookie headers
	IP      netip.Addr // the viewer's; the zero value satisfies no address condition
}

// A Decider decides about requests. The zero value is ready for use; NewDecider
// adds a cache of verified signatures. It is safe for concurrent use.
type Decider struct {
	Parity Parity
	cache  *verifiedCache
}

// NewDecider returns a Decider that remembers about size verified signatures, at
// least 32, so that a stream of segments does not cost a signature check each.
// Only positive results are kept, and never beyond the policy's end.
func NewDecider(parity Parity, size int) *Decider {
	return &Decider{Parity: parity, cache: newVerifiedCache(size)}
}

// Decide says what CloudFront would answer to r at a behavior that trusts group.
func (d *Decider) Decide(r Request, group KeyGroup, at time.Time) Decision {
	j := judge{decider: d, request: r, group: group, at: at}
	j.read()
	for i := range checks {
		if code := checks[i].check(&j); code != "" {
			return Decision{Code: code, Rule: checks[i].rule}
		}
	}
	return Decision{Allowed: true}
}

// Trace is Decide with the steps. It goes on after a rule that fails, so that
// everything wrong with a request is seen at once; the first failure is the
// answer. It uses no cache.
func (d *Decider) Trace(r Request, group KeyGroup, at time.Time) *Trace {
	j := judge{decider: &Decider{Parity: d.Parity}, request: r, group: group, at: at, tracing: true}
	j.read()
	t := &Trace{Decision: Decision{Allowed: true}}
	for _, c := range checks {
		j.found, j.skipped = "", false
		code := c.check(&j)
		t.Steps = append(t.Steps, Step{Rule: c.rule, Looked: c.looked, Found: j.found,
			Passed: code == "" && !j.skipped, Skipped: j.skipped, Code: code, Basis: c.basis})
		if code != "" && t.Allowed {
			t.Decision = Decision{Code: code, Rule: c.rule}
		}
	}
	t.Facts = j.facts()
	return t
}
