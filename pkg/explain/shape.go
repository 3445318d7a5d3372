package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

const fixShape = `Write exactly {"Statement":[{"Resource":"https://...","Condition":{"DateLessThan":{"AWS:EpochTime":1795003600}}}]}.`

// policyShape looks into a policy text that is not acceptable.
func policyShape(p *problem) []Cause {
	switch {
	case !p.failed(cloudfront.RulePolicyText) || bothForms(p) != nil:
		return nil
	case p.facts.Canned:
		return cannedExpiry(p.facts.Expires)
	case p.facts.Text == nil:
		return nil // its encoding is the cause
	case !json.Valid(p.facts.Text):
		return notJSON(p.facts.Text)
	}
	var loose struct{ Statement json.RawMessage }
	if json.Unmarshal(p.facts.Text, &loose) != nil {
		return one(Likely, "T33", cloudfront.Observed, "The policy is no JSON object.", fixShape)
	}
	var list []json.RawMessage
	switch {
	case json.Unmarshal(loose.Statement, &list) != nil:
		return one(Likely, "T33", cloudfront.Observed, "Statement is not an array.", `Write {"Statement":[{...}]} with exactly one statement.`)
	case len(list) != 1:
		return one(Likely, "T33", cloudfront.Documented, fmt.Sprintf("There are %d statements; CloudFront takes one.", len(list)),
			"Give every prefix a cookie set of its own, told apart by the cookies' Path.")
	}
	if causes := statementShape(list[0]); causes != nil {
		return causes
	}
	return one(Likely, "S16", cloudfront.Assumed, "The policy has members that CloudFront does not know, the same one twice, or values of the wrong kind. Two readers could read it differently, so it is refused here.", fixShape)
}

// illegalEscape is a backslash that JSON does not know.
var illegalEscape = regexp.MustCompile(`\\([^"\\/bfnrtu])`)

func notJSON(text []byte) []Cause {
	if fixed := illegalEscape.ReplaceAll(text, []byte(`\\$1`)); json.Valid(fixed) && !bytes.Equal(fixed, text) {
		return one(Proved, "T25", cloudfront.Assumed, `The policy is not JSON: a backslash before "?" has to be written \\? there.`,
			`Write \\? in the JSON, or leave the query out and end the path in *.`)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	var first json.RawMessage
	if dec.Decode(&first) == nil {
		return one(Likely, "S16", cloudfront.Assumed, "Something follows after the JSON of the policy. Two readers could read it differently, so it is refused here.", "Send the policy alone.")
	} else if err := dec.Decode(&first); err == io.ErrUnexpectedEOF || bytes.Count(text, []byte("{")) > bytes.Count(text, []byte("}")) {
		return one(Likely, "T17", cloudfront.Observed, "The policy was cut off before its end.", "Send the policy exactly as it was written and signed; a cookie holds up to 4,096 bytes.")
	}
	return one(Likely, "T17", cloudfront.Observed, "The policy is not JSON.", "Send the policy exactly as it was written and signed.")
}

// A looseStatement takes any value where the rules say what it must be.
type looseStatement struct {
	Resource  *json.RawMessage
	Condition map[string]json.RawMessage
}

// condition returns the value of one condition, under the key that it must have.
func (s looseStatement) condition(name, key string) string {
	var values map[string]json.RawMessage
	_ = json.Unmarshal(s.Condition[name], &values)
	return string(values[key])
}

func statementShape(text json.RawMessage) []Cause {
	var s looseStatement
	if json.Unmarshal(text, &s) != nil {
		return nil
	}
	if _, ok := s.Condition["DateLessThan"]; !ok {
		return one(Likely, "T32", cloudfront.Observed, "The policy has no DateLessThan.", "Add the end of validity; it is the one condition that is required.")
	}
	for _, name := range []string{"DateLessThan", "DateGreaterThan"} {
		if causes := epochShape(name, s.condition(name, "AWS:EpochTime")); causes != nil {
			return causes
		}
	}
	if _, ok := s.Condition["IpAddress"]; ok {
		if causes := networkShape(s.condition("IpAddress", "AWS:SourceIp")); causes != nil {
			return causes
		}
	}
	if s.Resource == nil {
		return one(Likely, "S3", cloudfront.Documented, "The policy has no Resource. At CloudFront it opens every file of every distribution that trusts the key; it is refused here.",
			"Name the prefix: https://media.example.org/castle/*.")
	}
	return nil
}

// epochShape looks at a time as it stands in the JSON.
func epochShape(name, value string) []Cause {
	digits := strings.Trim(value, "0123456789") == ""
	switch {
	case strings.HasPrefix(value, `"`):
		return one(Likely, "T31", cloudfront.Documented, fmt.Sprintf("The time in %s is in quotes.", name), "Write Unix seconds as a bare number.")
	case value == "":
		return nil
	case digits && len(value) >= 15:
		return one(Proved, "T29", cloudfront.Assumed, fmt.Sprintf("The time in %s is in microseconds or nanoseconds.", name), fixSeconds)
	case !digits:
		return one(Proved, "T29", cloudfront.Documented, fmt.Sprintf("The time in %s, %.40s, is not a whole number of seconds.", name, value), fixSeconds)
	}
	return nil
}

// networkShape looks at an address as it stands in the JSON.
func networkShape(value string) []Cause {
	var text string
	_ = json.Unmarshal([]byte(value), &text)
	prefix, err := netip.ParsePrefix(text)
	if err == nil && prefix.Addr().Is4() {
		return nil
	}
	says := fmt.Sprintf("The address %.50q is not an IPv4 range.", text)
	if addr, err := netip.ParseAddr(text); err == nil && addr.Is4() {
		says = fmt.Sprintf("The address %s has no mask. Whether CloudFront takes that is not known, so it is refused here.", addr)
	} else if err == nil || prefix.IsValid() {
		says = fmt.Sprintf("The address %s is IPv6, which CloudFront does not support in policies.", text)
	}
	return one(Likely, "T35", cloudfront.Documented, says, "Write one IPv4 range such as 192.0.2.0/24, or 192.0.2.7/32 for one address.")
}

// cannedExpiry looks at an Expires that is no time.
func cannedExpiry(expires string) []Cause {
	digits := strings.Trim(expires, "0123456789") == ""
	switch {
	case digits && slices.Contains([]int{12, 13}, len(expires)):
		return one(Proved, "T29", cloudfront.Observed, "The expiry is in milliseconds; CloudFront wants seconds.", fixSeconds)
	case digits && len(expires) > 13:
		return one(Proved, "T29", cloudfront.Observed, "The expiry is in microseconds or nanoseconds; CloudFront wants seconds.", fixSeconds)
	}
	return one(Proved, "T29", cloudfront.Documented, fmt.Sprintf("The expiry %.30q is not Unix seconds up to 2147483647.", expires), fixSeconds)
}
