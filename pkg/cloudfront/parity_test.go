package cloudfront_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// settingCases are requests that one setting decides: refused by a rule with
// its default, allowed (or refused by another rule) with a value.
func settingCases() []settingCase {
	good := castle()
	other := sealed(policyText("https://media.example.org/zoo/*", end))
	fields := func(change func(*sent)) string { s := castle(); change(&s); return s.cookies() }
	resource := func(r string) string { return sealed(policyText(r, end)).cookies() }
	text := func(t string) string { return sealed(t).cookies() }
	const prefix = "https://media.example.org/castle/*"
	return []settingCase{
		{"duplicate_cookies", "first", inCastle, good.cookies() + "; " + other.cookies(), cloudfront.RuleDuplicates, ""},
		{"duplicate_cookies", "first", inCastle, other.cookies() + "; " + good.cookies(), cloudfront.RuleDuplicates, cloudfront.RuleResource},
		{"duplicate_cookies", "last", inCastle, other.cookies() + "; " + good.cookies(), cloudfront.RuleDuplicates, ""},
		{"expires_with_policy", "policy", inCastle, fields(func(s *sent) { s.expires = "1" }), cloudfront.RulePolicyPresent, ""},
		{"expires_with_policy", "expires", inCastle, fields(func(s *sent) { s.expires = fmt.Sprint(end.Unix()) }), cloudfront.RulePolicyPresent, cloudfront.RuleSignature},
		{"hash_value", "any-case", inCastle, fields(func(s *sent) { s.hash = "sha256" }), cloudfront.RuleHash, ""},
		{"hash_only_url", "cookies", inCastle + "?Hash-Algorithm=SHA256", good.cookies(), cloudfront.RuleKeyPairID, ""},
		{"reserved_name_case", "ordinary", inCastle + "?policy=x&%50olicy=y", good.cookies(), cloudfront.RuleQueryNames, ""},
		{"scheme_wildcard", "match", inCastle, resource("http*://media.example.org/castle/*"), cloudfront.RuleResource, ""},
		{"wildcard_sections", "whole", inCastle + "?x=1", resource("https://*.m4a?x=1"), cloudfront.RuleResource, ""},
		{"encoding", "loose", inCastle, fields(func(s *sent) { s.policy = s.policy[:8] + "\n" + s.policy[8:] }), cloudfront.RulePolicyText, ""},
		{"policy_json", "loose", inCastle, text(`{"Statement":{"Resource":"` + prefix + `","Condition":{"DateLessThan":{"AWS:EpochTime":"` + fmt.Sprint(end.Unix()) + `"}}}}`), cloudfront.RulePolicyText, ""},
		{"policy_json", "loose", inCastle, text(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"` + prefix + `","Condition":{"IpAddress":{"AWS:SourceIp":"192.0.2.7"},"DateLessThan":{"AWS:EpochTime":` + fmt.Sprint(end.Unix()) + `}}}]}`), cloudfront.RulePolicyText, cloudfront.RuleAddress},
		{"policy_json", "loose", inCastle, text(`{"Statement":[{"Resource":"` + prefix + `","Condition":{}}]}`), cloudfront.RulePolicyText, cloudfront.RulePolicyText},
		{"policy_json", "loose", inCastle, text(`{"Statement":[]}`), cloudfront.RulePolicyText, cloudfront.RulePolicyText},
		{"policy_json", "loose", inCastle, text(`{"Statement":[{"Resource":"` + prefix + `","Condition":{"DateGreaterThan":{"AWS:EpochTime":"x"},"DateLessThan":{"AWS:EpochTime":1}}}]}`), cloudfront.RulePolicyText, cloudfront.RulePolicyText},
		{"policy_without_resource", "allow", inCastle, text(strings.Replace(policyText("", end), `"Resource":"",`, "", 1)), cloudfront.RulePolicyText, ""},
		{"ecdsa_sha1", "allow", inCastle, sealedWith(ecID, ecKey(), cloudfront.SHA1, policyText(prefix, end)).cookies(), cloudfront.RuleSignature, ""},
	}
}

type settingCase struct {
	name, value, url, cookies string
	off, on                   cloudfront.Rule // empty means allowed
}

func TestParitySettings(t *testing.T) {
	for _, c := range settingCases() {
		var parity cloudfront.Parity
		if err := parity.Set(c.name, c.value); err != nil {
			t.Fatal(err)
		}
		request := cloudfront.Request{URL: c.url, Cookies: []string{c.cookies}}
		if got := new(cloudfront.Decider).Decide(request, trusted(t), noon); got.Rule != c.off {
			t.Errorf("%s at its default: rule %q, want %q", c.name, got.Rule, c.off)
		}
		if got := (&cloudfront.Decider{Parity: parity}).Decide(request, trusted(t), noon); got.Rule != c.on {
			t.Errorf("%s %s: rule %q, want %q", c.name, c.value, got.Rule, c.on)
		}
	}
}

// A bare question mark is the one setting whose default is the wider reading:
// AWS's own tools write it.
func TestParityBareQuestionMark(t *testing.T) {
	request := cloudfront.Request{URL: inCastle + "?x=1", Cookies: []string{sealed(policyText(inCastle+"?x=1", end)).cookies()}}
	var parity cloudfront.Parity
	if err := parity.Set("bare_question_mark", "path-only"); err != nil {
		t.Fatal(err)
	}
	if got := new(cloudfront.Decider).Decide(request, trusted(t), noon); !got.Allowed {
		t.Errorf("Decide = %+v, want it allowed", got)
	}
	if got := (&cloudfront.Decider{Parity: parity}).Decide(request, trusted(t), noon); got.Rule != cloudfront.RuleResource {
		t.Errorf("path-only: Decide = %+v, want rule resource", got)
	}
}

// E-19: min_hash refuses what CloudFront would take.
func TestParityMinHash(t *testing.T) {
	var parity cloudfront.Parity
	if err := parity.Set("min_hash", "sha256"); err != nil {
		t.Fatal(err)
	}
	for hash, want := range map[cloudfront.Hash]cloudfront.Rule{cloudfront.SHA1: cloudfront.RuleHash, cloudfront.SHA256: ""} {
		s := sealedWith(rsaID, rsaKey(), hash, policyText("https://media.example.org/castle/*", end))
		request := cloudfront.Request{URL: inCastle, Cookies: []string{s.cookies()}}
		if got := (&cloudfront.Decider{Parity: parity}).Decide(request, trusted(t), noon); got.Rule != want {
			t.Errorf("%s: rule %q, want %q", hash, got.Rule, want)
		}
		if got := new(cloudfront.Decider).Decide(request, trusted(t), noon); !got.Allowed {
			t.Errorf("%s at the default: %+v, want it allowed", hash, got)
		}
	}
}

func TestParitySetRefuses(t *testing.T) {
	for _, s := range [][2]string{{"nonsense", "x"}, {"encoding", "nonsense"}, {"encoding", ""}, {"skew", "-1s"}, {"skew", "6m"}, {"skew", "5"}} {
		var parity cloudfront.Parity
		if err := parity.Set(s[0], s[1]); err == nil || parity != (cloudfront.Parity{}) {
			t.Errorf("Set(%q, %q) = %v, %+v, want an error and no change", s[0], s[1], err, parity)
		}
	}
}

// Every setting has a default that changes nothing, and a row in the document.
func TestParityDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/parity.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range cloudfront.ParitySettings() {
		if !strings.Contains(string(text), "`"+s.Name+"`") {
			t.Errorf("docs/parity.md does not name `%s`", s.Name)
		}
		for i, value := range s.Values {
			if !strings.Contains(string(text), "`"+value+"`") {
				t.Errorf("docs/parity.md does not name the value `%s` of %s", value, s.Name)
			}
			var parity cloudfront.Parity
			if err := parity.Set(s.Name, value); err != nil || (parity == cloudfront.Parity{}) != (i == 0) {
				t.Errorf("Set(%q, %q) = %v, %+v, want the first value to be the zero value", s.Name, value, err, parity)
			}
		}
	}
}
