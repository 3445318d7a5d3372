package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// sentTwice finds two cookie sets that shadow each other, and which of them
// would be good.
func sentTwice(p *problem) []Cause {
	if !p.failed(cloudfront.RuleDuplicates) {
		return nil
	}
	says, certainty := "A CloudFront cookie arrives twice with different values: two sets, by another Domain or another Path, shadow each other.", Likely
	first, last := p.oneOfEach()
	switch {
	case p.decide(p.URL, []string{first}).Allowed:
		says, certainty = says+" The first of each would be good.", Proved
	case p.decide(p.URL, []string{last}).Allowed:
		says, certainty = says+" The last of each would be good.", Proved
	}
	for i, s := range p.jar {
		for _, o := range p.jar[:i] {
			if s.cookie.Name == o.cookie.Name && s.cookie.Name == cloudfront.CookieSignature && s.why.ID == "" && o.why.ID == "" {
				says += fmt.Sprintf(" One was set with Domain %s and Path %s, the other with Domain %s and Path %s.", o.domain(), o.path(), s.domain(), s.path())
			}
		}
	}
	return one(certainty, "T42", cloudfront.Assumed, says,
		"Use one Domain and one Path per prefix, and delete the other set with exactly the Domain and Path it was set with.")
}

// oneOfEach are the cookies with the first, and with the last, of each name.
func (p *problem) oneOfEach() (first, last string) {
	firsts, lasts := map[string]string{}, map[string]string{}
	for _, c := range pairsOf(p.Cookies) {
		if _, ok := firsts[c.Name]; !ok {
			firsts[c.Name] = c.Value
		}
		lasts[c.Name] = c.Value
	}
	join := func(values map[string]string) string {
		var all []string
		for _, name := range cloudfront.CookieNames {
			if v, ok := values[name]; ok {
				all = append(all, name+"="+v)
			}
		}
		return strings.Join(all, "; ")
	}
	return join(firsts), join(lasts)
}

// bothForms finds Policy and Expires together.
func bothForms(p *problem) []Cause {
	f := p.trace.Facts
	if !f.HasPolicy || !f.HasExpires {
		return nil
	}
	says, certainty := "Policy and Expires are both there: an old one of the other form is left over.", Likely
	for _, extra := range []string{"Policy", "Expires"} {
		if p.without(extra).Allowed {
			says, certainty = says+fmt.Sprintf(" Without %s, all is well.", extra), Proved
		}
	}
	return one(certainty, "T41", cloudfront.Assumed, says,
		"Delete CloudFront-Expires, with its Domain and Path, whenever you set CloudFront-Policy, and the other way round.")
}

// without judges the request without one of its credentials.
func (p *problem) without(name string) *cloudfront.Trace {
	if p.trace.Facts.SignedURL {
		base, query, _ := strings.Cut(p.URL, "?")
		pairs := slices.DeleteFunc(strings.Split(query, "&"), func(s string) bool { return strings.HasPrefix(s, name+"=") })
		return p.decide(base+"?"+strings.Join(pairs, "&"), nil)
	}
	var kept []string
	for _, c := range pairsOf(p.Cookies) {
		if c.Name != "CloudFront-"+name {
			kept = append(kept, c.Name+"="+c.Value)
		}
	}
	return p.decide(p.URL, []string{strings.Join(kept, "; ")})
}
