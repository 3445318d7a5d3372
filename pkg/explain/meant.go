package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A misspelling is a wrong with the names of the values that have it.
type misspelling struct {
	wrong
	names  []string
	proved bool // read without it, the signature verifies
}

// spelt are the credentials in one reading each.
type spelt struct {
	keyPairID, hash, policy, expires, signature string
	wrongs                                      [][]wrong // of each name in speltNames
}

var speltNames = []string{"Key-Pair-Id", "Hash-Algorithm", "Policy", "Expires", "Signature"}

// readAsMeant looks for a reading of the credentials with which the signature
// verifies, or else for the first in which they can be read at all. The rules
// after it look at that reading.
func (p *problem) readAsMeant() {
	if f := p.trace.Facts; !f.HasAnything || passed(p.trace.Steps, cloudfront.RuleSignature) || f.HasPolicy && f.HasExpires {
		return
	}
	all := p.spellings()
	tried := map[[2]string]bool{}
	for _, s := range all {
		if values := [2]string{s.policy, s.signature}; tried[values] || !s.differs(p.trace.Facts) {
			continue
		} else {
			tried[values] = true
		}
		if t := p.decide(s.request(p)); passed(t.Steps, cloudfront.RuleSignature) {
			p.adopt(s, t, true)
			return
		}
	}
	if s := all[0]; s.differs(p.trace.Facts) {
		p.adopt(s, p.decide(s.request(p)), false)
	}
}

func (p *problem) adopt(s *spelt, t *cloudfront.Trace, proved bool) {
	p.facts, p.steps = t.Facts, t.Steps
	for i, wrongs := range s.wrongs {
		for _, w := range wrongs {
			p.misspell(w, speltNames[i], proved)
		}
	}
}

func (p *problem) misspell(w wrong, name string, proved bool) {
	for i := range p.misspelt {
		if p.misspelt[i].wrong == w {
			p.misspelt[i].names = append(p.misspelt[i].names, name)
			return
		}
	}
	p.misspelt = append(p.misspelt, misspelling{w, []string{name}, proved})
}

// spellings are the readings of what was sent, those with the fewest mistakes
// first. There is always one.
func (p *problem) spellings() []*spelt {
	f := p.trace.Facts
	base := spelt{wrongs: make([][]wrong, len(speltNames))}
	base.keyPairID, base.wrongs[0] = plain(f.KeyPairID)
	base.hash, base.wrongs[1] = plain(f.HashSent)
	base.expires, base.wrongs[3] = plain(f.Expires)
	if h := strings.ToUpper(strings.ReplaceAll(base.hash, "-", "")); h == "SHA256" || h == "SHA1" {
		base.hash = h // hashName says what is wrong with it
	}
	policies := orAsSent(readings(f.Policy, likePolicy), f.Policy)
	var all []*spelt
	for _, policy := range policies {
		for _, signature := range orAsSent(readings(f.Signature, likeSignature), f.Signature) {
			s := base
			s.wrongs = append([][]wrong(nil), base.wrongs...)
			s.policy, s.wrongs[2] = policy.value, policy.wrongs
			s.signature, s.wrongs[4] = signature.value, signature.wrongs
			all = append(all, &s)
		}
	}
	slices.SortStableFunc(all, func(a, b *spelt) int { return cmp.Compare(a.mistakes(), b.mistakes()) })
	return all
}

// mistakes counts what somebody must have done wrong for this reading.
func (s *spelt) mistakes() int {
	different := map[wrong]bool{}
	for _, wrongs := range s.wrongs {
		for _, w := range wrongs {
			different[w] = true
		}
	}
	return len(different)
}

// plain is a short value without quotes and percent-encoding around it.
func plain(value string) (string, []wrong) {
	peeled := peelings(strings.TrimSpace(value))
	last := peeled[len(peeled)-1]
	if len(value) > 256 {
		return value, nil
	}
	return last.value, last.wrongs
}

// orAsSent turns readings into values, or the value as it was sent if there are
// none.
func orAsSent(readings []reading, value string) []peeling {
	var all []peeling
	for _, r := range readings {
		all = append(all, peeling{cloudfront.Encode(r.data), r.wrongs})
	}
	if all == nil {
		all = []peeling{{value: value}}
	}
	return all
}

func (s *spelt) differs(f cloudfront.Facts) bool {
	return s.keyPairID != f.KeyPairID || s.hash != f.HashSent || s.policy != f.Policy || s.expires != f.Expires || s.signature != f.Signature
}

// request returns the request with the credentials in this reading.
func (s *spelt) request(p *problem) (address string, cookies []string) {
	prefix, separator := "CloudFront-", "; "
	if p.trace.Facts.SignedURL {
		prefix, separator = "", "&"
	}
	var pairs []string
	for i, value := range []string{s.keyPairID, s.hash, s.policy, s.expires, s.signature} {
		if value != "" {
			pairs = append(pairs, prefix+speltNames[i]+"="+value)
		}
	}
	all := strings.Join(pairs, separator)
	if !p.trace.Facts.SignedURL {
		return p.URL, []string{all}
	}
	return withQuery(cloudfront.WithoutParameters(p.URL), all), nil
}

func withQuery(address, query string) string {
	if strings.Contains(address, "?") {
		return address + "&" + query
	}
	return address + "?" + query
}

func (m misspelling) subject() string {
	if len(m.names) == 1 {
		return "The " + m.names[0]
	}
	return strings.Join(m.names[:len(m.names)-1], ", ") + " and " + m.names[len(m.names)-1] + ": each"
}

const fixAlphabet = `Use base64 with padding and without line breaks, then replace "+" by "-", "=" by "_" and "/" by "~".`

// encoding names what keeps CloudFront from reading the credentials.
func encoding(p *problem) []Cause {
	var causes []Cause
	signed := len(p.signature) > 0 && p.signature[0].Certainty == Proved
	for _, m := range p.misspelt {
		certainty, proof := Likely, ""
		if m.proved {
			certainty, proof = Proved, " Read without that, the signature verifies."
		} else if signed {
			certainty = Proved
		}
		basis, fix := cloudfront.Observed, fixAlphabet
		if m.id == "T16" {
			basis, fix = cloudfront.Assumed, "Encode the value once, in CloudFront's base64, and write it as it is: -, _ and ~ need neither quotes nor encoding."
		}
		causes = append(causes, one(certainty, m.id, basis, fmt.Sprintf("%s %s.%s", m.subject(), m.is, proof), fix)...)
	}
	if causes == nil {
		causes = append(unreadable("Policy", p.facts.Policy), unreadable("Signature", p.facts.Signature)...)
	}
	return causes
}

// unreadable describes a value of which no reading makes sense.
func unreadable(name, value string) []Cause {
	if _, err := cloudfront.Decode(value); err == nil || value == "" {
		return nil
	}
	is := "is not base64 in CloudFront's alphabet, nor in another one that is known here"
	if len(value)%4 == 1 {
		is = "was cut off: no base64 has this length"
	}
	return one(Likely, "T15", cloudfront.Observed, fmt.Sprintf("The %s %s.", name, is), fixAlphabet)
}
