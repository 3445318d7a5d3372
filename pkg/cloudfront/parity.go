package cloudfront

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Parity holds the points about deciding that AWS leaves open. The zero value
// is the safe reading of each; docs/parity.md has the reasons. A switch that
// weakens a check begins with Allow.
type Parity struct {
	AllowDuplicates      Choice        // of cookies with one name and two values: none, "first" or "last" counts
	AllowBothForms       Choice        // Policy and Expires together: refused, or "policy" or "expires" counts
	AllowExpiryInstant   bool          // the very second of DateLessThan
	Skew                 time.Duration // tolerated on both ends of a policy
	AllowHashAnyCase     bool          // "sha256" for "SHA256"
	LoneHashKeepsCookies bool          // a lone Hash-Algorithm parameter does not make a signed URL
	AllowDisguisedNames  bool          // "policy", "%50olicy" and the like are ordinary parameters
	AllowSchemeWildcard  bool          // a Resource may begin with "http*://"
	AllowWholeURL        bool          // wildcards cross from section to section
	BareQuestionInPath   bool          // an unescaped "?" never stands for the one that begins a query
	AllowECDSASHA1       bool          // ECDSA signatures over SHA-1, as in AWS's own test vectors
	AllowLooseBase64     bool          // line breaks, missing padding, stray bits
	AllowLoosePolicy     bool          // a lone statement object, unknown members, quoted times, bare addresses
	RefuseSHA1           bool          // stricter than CloudFront: SHA-256 only
	AllowMissingResource bool          // a policy without a Resource opens every URL, as documented
}

// A Choice picks one of several things that are there. The zero value picks none.
type Choice string

// A Setting is one switch of Parity by its name in configurations.
type Setting struct {
	Name     string
	Values   []string // the first is the default; empty means a duration
	Question string   // what AWS leaves open
	set      func(p *Parity, value string)
}

var settings = []Setting{
	{"duplicate_cookies", []string{"deny", "first", "last"}, "a cookie name arrives twice with different values: which one counts",
		func(p *Parity, v string) { p.AllowDuplicates = choice(v) }},
	{"expires_with_policy", []string{"deny", "policy", "expires"}, "Policy and Expires are both there",
		func(p *Parity, v string) { p.AllowBothForms = choice(v) }},
	{"expiry_boundary", []string{"deny", "allow"}, "the very second of DateLessThan",
		func(p *Parity, v string) { p.AllowExpiryInstant = v == "allow" }},
	{"hash_value", []string{"exact", "any-case"}, "the hash algorithm in another case",
		func(p *Parity, v string) { p.AllowHashAnyCase = v == "any-case" }},
	{"hash_only_url", []string{"url", "cookies"}, "a Hash-Algorithm parameter alone: a signed URL, or an ordinary parameter",
		func(p *Parity, v string) { p.LoneHashKeepsCookies = v == "cookies" }},
	{"reserved_name_case", []string{"refuse", "ordinary"}, "a parameter that looks like a reserved one: policy, %50olicy",
		func(p *Parity, v string) { p.AllowDisguisedNames = v == "ordinary" }},
	{"scheme_wildcard", []string{"refuse", "match"}, "a Resource that begins with http*://",
		func(p *Parity, v string) { p.AllowSchemeWildcard = v == "match" }},
	{"wildcard_sections", []string{"sections", "whole"}, "whether a wildcard may cross from domain to path to query",
		func(p *Parity, v string) { p.AllowWholeURL = v == "whole" }},
	{"bare_question_mark", []string{"any-character", "path-only"}, "whether an unescaped ? may be the one that begins a query",
		func(p *Parity, v string) { p.BareQuestionInPath = v == "path-only" }},
	{"ecdsa_sha1", []string{"deny", "allow"}, "ECDSA signatures over SHA-1",
		func(p *Parity, v string) { p.AllowECDSASHA1 = v == "allow" }},
	{"encoding", []string{"canonical", "loose"}, "base64 with line breaks, without padding, with stray bits",
		func(p *Parity, v string) { p.AllowLooseBase64 = v == "loose" }},
	{"policy_json", []string{"strict", "loose"}, "unknown members, a statement that is no array, quoted times, bare addresses",
		func(p *Parity, v string) { p.AllowLoosePolicy = v == "loose" }},
	{"min_hash", []string{"sha1", "sha256"}, "no question: sha256 is stricter than CloudFront and refuses SHA-1, to find out who still uses it",
		func(p *Parity, v string) { p.RefuseSHA1 = v == "sha256" }},
	{"policy_without_resource", []string{"deny", "allow"}, "documented to open everything; refused for safety",
		func(p *Parity, v string) { p.AllowMissingResource = v == "allow" }},
}

// SkewSetting is the name of the one setting that is a duration.
const SkewSetting = "skew"

// maxSkew is the most that both ends of a policy may be moved.
const maxSkew = 5 * time.Minute

// ParitySettings lists the settings that Set knows.
func ParitySettings() []Setting {
	skew := Setting{Name: SkewSetting, Question: "clock difference that is tolerated on both ends of a policy; default 0s, at most 5m"}
	return append(slices.Clone(settings), skew)
}

// Set changes the setting called name.
func (p *Parity) Set(name, value string) error {
	if name == SkewSetting {
		skew, err := time.ParseDuration(value)
		if err != nil || skew < 0 || skew > maxSkew {
			return fmt.Errorf("parity %s: %.40q, want a duration from 0s to 5m", name, value)
		}
		p.Skew = skew
		return nil
	}
	i := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return fmt.Errorf("no parity setting %.40q, there are %s", name, strings.Join(settingNames(), ", "))
	}
	if !slices.Contains(settings[i].Values, value) {
		return fmt.Errorf("parity %s: %.40q, want %s", name, value, strings.Join(settings[i].Values, " or "))
	}
	settings[i].set(p, value)
	return nil
}

func settingNames() []string {
	var names []string
	for _, s := range ParitySettings() {
		names = append(names, s.Name)
	}
	return names
}

func choice(value string) Choice {
	if value == "deny" {
		return ""
	}
	return Choice(value)
}
