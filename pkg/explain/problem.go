package explain

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A problem is an input with CloudFront's verdict, for the rules to look at.
type problem struct {
	*Input
	url   *url.URL // nil if it cannot be parsed
	group cloudfront.KeyGroup
	jar   []stored          // what a browser makes of Earlier
	trace *cloudfront.Trace // of the request as it was sent

	// What was sent, as it was meant: read in another alphabet, without quotes,
	// where that makes sense of it. Without such a need, the same as in trace.
	facts    cloudfront.Facts
	steps    []cloudfront.Step
	misspelt []misspelling

	signature []Cause // what the tries about the signature found
}

func newProblem(in Input) *problem {
	if in.Clock.IsZero() {
		in.Clock = in.At
	}
	if in.At.IsZero() {
		in.At = in.Response.Date
	}
	if in.At.IsZero() {
		in.At = time.Now()
	}
	in.Method = strings.ToUpper(cmp.Or(in.Method, "GET"))
	if in.At.Year() > 9999 {
		in.At = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) // no later time is JSON
	}
	p := &problem{Input: &in, group: cloudfront.NewKeyGroup(in.Keys...)}
	p.url, _ = url.Parse(in.URL)
	p.useJar()
	p.trace = p.decide(in.URL, p.Cookies)
	p.facts, p.steps = p.trace.Facts, p.trace.Steps
	if p.trace.Code != cloudfront.TooLarge { // trying would take long, and is no use
		p.readAsMeant()
		p.signature = wrongSignature(p)
	}
	return p
}

// decide judges another request under the same circumstances.
func (p *problem) decide(address string, cookies []string) *cloudfront.Trace {
	decider := cloudfront.Decider{Parity: p.Parity}
	return decider.Trace(cloudfront.Request{URL: address, Cookies: cookies, IP: p.IP}, p.group, p.At)
}

// failed reports whether a rule was looked at and did not pass.
func (p *problem) failed(rule cloudfront.Rule) bool {
	return slices.ContainsFunc(p.steps, func(s cloudfront.Step) bool { return s.Rule == rule && s.Code != "" })
}

// passed reports whether a rule was looked at and passed.
func passed(steps []cloudfront.Step, rule cloudfront.Rule) bool {
	return slices.ContainsFunc(steps, func(s cloudfront.Step) bool { return s.Rule == rule && s.Passed })
}

// rules look for causes, each for one kind of mistake. They stand in the order
// of CloudFront's checks, and those about the way to CloudFront come first.
var rules = []func(*problem) []Cause{
	foreignRefusal, preflight, strippedRecording, withheld, leftOut, tooLarge,
	behindFragment, strangeParameters, parametersInTheWay,
	lostOnTheWay, nothingSent, somethingMissing, keyPairID, sentTwice, unknownKey,
	hashName, encoding, bothForms, policyShape, func(p *problem) []Cause { return p.signature },
	begin, units, end, clockSkew, address, resource, unexplained,
}

// causes are what the rules find, the surest first and otherwise in their
// order, each id with the same words once.
func (p *problem) causes() []Cause {
	causes := []Cause{}
	for _, rule := range rules {
		for _, c := range rule(p) {
			if !slices.ContainsFunc(causes, func(o Cause) bool { return o.ID == c.ID && o.Says == c.Says }) {
				causes = append(causes, c)
			}
		}
		if len(causes) > 0 && p.final(causes[len(causes)-1]) {
			break
		}
	}
	slices.SortStableFunc(causes, func(a, b Cause) int { return cmp.Compare(a.Certainty.rank(), b.Certainty.rank()) })
	return causes
}

// final reports whether a cause leaves no room for others: the origin answered,
// so CloudFront did not refuse; a preflight never has credentials; nothing is
// known of what was sent; it was not even looked at; or what looks like
// credentials is something else.
func (p *problem) final(c Cause) bool {
	switch c.ID {
	case "T43", "T44", "T4", "E1":
		return c.Certainty == Proved
	case "E2":
		return true
	}
	return c.ID == "T9" && p.trace.Facts.SignedURL
}

// one is a list with one cause.
func one(certainty Certainty, id string, basis cloudfront.Basis, says, fix string) []Cause {
	return []Cause{{ID: id, Says: says, Fix: fix, Basis: basis, Certainty: certainty}}
}

// secretParameter finds signatures in URLs, also under names that only look
// like CloudFront's, and those of S3.
var secretParameter = regexp.MustCompile(`(?i)((?:signature|policy|security-token|token|ticket|code)(?:=|%3d))[^&\s"'\\<>]+`)

// redact takes out of a report whatever could open something: the signature and
// the encoded policy, wherever a viewer may have put them.
func (p *problem) redact(r *Report) {
	var secrets []string
	for _, f := range []cloudfront.Facts{p.trace.Facts, p.facts} {
		secrets = append(secrets, f.Signature, f.Policy)
	}
	for _, c := range p.everyCookie() {
		if strings.EqualFold(c.Name, cloudfront.CookieSignature) || strings.EqualFold(c.Name, cloudfront.CookiePolicy) {
			secrets = append(secrets, c.Value)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	clean := func(s *string) {
		*s = secretParameter.ReplaceAllString(*s, "${1}...")
		for _, secret := range secrets {
			if len(secret) >= 16 {
				*s = strings.ReplaceAll(*s, secret, "...")
			}
		}
	}
	r.each(clean)
}

// each calls f with every text in the report that a viewer has a part in.
func (r *Report) each(f func(*string)) {
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		f(&r.Steps[i].Found)
	}
	for _, causes := range [][]Cause{r.Causes, r.Warnings} {
		for i := range causes {
			f(&causes[i].Says)
			f(&causes[i].Fix)
		}
	}
	f(&r.URL)
	f(&r.Method)
	if r.Policy != nil {
		f(&r.Policy.KeyPairID)
		f(&r.Policy.Resource)
		f(&r.Policy.Text)
	}
}

// A pair is the name and the value of a cookie, as sent.
type pair struct{ Name, Value string }

// everyCookie lists the cookies that were sent and that were set.
func (p *problem) everyCookie() []pair {
	pairs := pairsOf(p.Cookies)
	for _, s := range p.jar {
		pairs = append(pairs, pair{s.cookie.Name, s.cookie.Value})
	}
	return pairs
}

func pairsOf(headers []string) []pair {
	var pairs []pair
	for _, header := range headers {
		for text := range strings.SplitSeq(header, ";") {
			if name, value, ok := strings.Cut(strings.Trim(text, " \t"), "="); ok {
				pairs = append(pairs, pair{name, value})
			}
		}
	}
	return pairs
}

func shorten(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "..."
	}
	return s
}
