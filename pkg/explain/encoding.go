package explain

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// alphabet finds values that are encoded in another way than CloudFront's.
func alphabet(p *problem) []Cause {
	var causes []Cause
	for _, v := range []struct{ name, value string }{{"Policy", p.facts.Policy}, {"Signature", p.facts.Signature}} {
		if v.value == "" {
			continue
		}
		causes = append(causes, encodingOf(v.name, v.value)...)
	}
	return causes
}

func encodingOf(name, value string) []Cause {
	data, err := cloudfront.Decode(value)
	if err == nil {
		if inner, err := cloudfront.Decode(string(data)); err == nil && len(inner) > 32 {
			return one(proved, "T16", cloudfront.Assumed, fmt.Sprintf("The %s is encoded twice.", name), "Encode it once.")
		}
		return nil
	}
	if plain := unescaped(value); plain != value {
		return one(proved, "T16", cloudfront.Assumed, fmt.Sprintf("The %s is percent-encoded: a framework encoded the value once more.", name),
			"Send the value as it is; -, _ and ~ need no encoding in a cookie.")
	}
	how := ""
	switch {
	case strings.ContainsAny(value, "\r\n\t "):
		how = "has line breaks or spaces in it, as base64 tools print them"
	case strings.ContainsAny(value, "+/="):
		how = `is ordinary base64, in which "+", "=" and "/" were not replaced`
	case urlAlphabet(value):
		how = `is base64url (RFC 4648), in which "/" is "_" and padding is missing`
	case len(value)%4 != 0:
		how = "has no padding, or was cut off"
	default:
		how = "is not base64 in CloudFront's alphabet"
	}
	return one(likely, "T15", cloudfront.Observed, fmt.Sprintf("The %s %s.", name, how),
		`Use base64 with padding and without line breaks, then replace "+" by "-", "=" by "_" and "/" by "~".`)
}

func urlAlphabet(value string) bool {
	_, padded := base64.URLEncoding.DecodeString(value)
	_, raw := base64.RawURLEncoding.DecodeString(value)
	return padded == nil || raw == nil
}
