package explain

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// policyShape looks into a policy text that is not acceptable.
func policyShape(p *problem) []Cause {
	if !p.failed(cloudfront.RulePolicyText) {
		return nil
	}
	if p.facts.Canned {
		return cannedExpiry(p.facts.Expires)
	}
	if p.facts.Text == nil {
		return nil // its encoding is the cause
	}
	var loose struct{ Statement json.RawMessage }
	if err := json.Unmarshal(p.facts.Text, &loose); err != nil {
		return one(likely, "T17", cloudfront.Observed, "The policy is not JSON: "+err.Error()+".", "Send the policy exactly as it was written and signed.")
	}
	var list []json.RawMessage
	if json.Unmarshal(loose.Statement, &list) != nil {
		return one(likely, "T33", cloudfront.Observed, "Statement is not an array.", `Write {"Statement":[{...}]} with exactly one statement.`)
	}
	if len(list) != 1 {
		return one(likely, "T33", cloudfront.Documented, fmt.Sprintf("There are %d statements; CloudFront takes one.", len(list)),
			"Give every prefix a cookie set of its own, told apart by the cookies' Path.")
	}
	return statementShape(list[0])
}

func statementShape(text json.RawMessage) []Cause {
	var s struct {
		Resource  *string
		Condition map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return one(likely, "T17", cloudfront.Assumed, "The statement does not have the shape of a policy.", shapeFix)
	}
	for _, name := range []string{"DateLessThan", "DateGreaterThan"} {
		if epoch := s.Condition[name]["AWS:EpochTime"]; strings.HasPrefix(string(epoch), `"`) {
			return one(likely, "T31", cloudfront.Documented, fmt.Sprintf("The time in %s is in quotes.", name), "Write Unix seconds as a bare number.")
		}
	}
	if ip, ok := s.Condition["IpAddress"]; ok {
		var address string
		_ = json.Unmarshal(ip["AWS:SourceIp"], &address)
		if prefix, err := netip.ParsePrefix(address); err != nil || !prefix.Addr().Is4() {
			return one(likely, "T35", cloudfront.Documented, fmt.Sprintf("The address %.50q is not an IPv4 range.", address), "Write one IPv4 range such as 192.0.2.0/24, or 192.0.2.7/32 for one address.")
		}
	}
	switch {
	case len(s.Condition["DateLessThan"]) == 0:
		return one(likely, "T32", cloudfront.Observed, "The policy has no DateLessThan.", "Add the end of validity; it is the one condition that is required.")
	case s.Resource == nil:
		return one(likely, "S3", cloudfront.Documented, "The policy has no Resource. At CloudFront it opens every file of every distribution that trusts the key; it is refused here.",
			"Name the prefix: https://media.example.org/castle/*.")
	}
	return one(likely, "T17", cloudfront.Assumed, "The policy has members that CloudFront does not know, the same one twice, or values of the wrong kind.", shapeFix)
}

const shapeFix = `Write exactly {"Statement":[{"Resource":"https://...","Condition":{"DateLessThan":{"AWS:EpochTime":1795003600}}}]}.`

func cannedExpiry(expires string) []Cause {
	if len(expires) == 13 && strings.Trim(expires, "0123456789") == "" {
		return one(likely, "T29", cloudfront.Observed, "The expiry is in milliseconds; CloudFront wants seconds.", "Divide by 1,000, without a fraction.")
	}
	return one(likely, "T29", cloudfront.Documented, fmt.Sprintf("The expiry %.30q is not Unix seconds.", expires), "Write whole seconds since 1970 in UTC, at most 2147483647.")
}
