package explain

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

var uuid = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// keyPairID names IDs that are of something else.
func keyPairID(p *problem) []Cause {
	id := unescaped(p.facts.KeyPairID)
	what := ""
	switch {
	case strings.Contains(id, "BEGIN") || strings.Contains(id, "-----"):
		what = "is key text (PEM)"
	case strings.HasPrefix(id, "arn:"):
		what = "is an ARN"
	case uuid.MatchString(id):
		what = "looks like the ID of a key group"
	case strings.HasPrefix(id, "APKA"):
		what = "is the ID of a key pair of the account's root user, from before key groups"
	case p.failed(cloudfront.RuleKeyPairID) && id != "":
		what = "has characters that no ID has, so that CloudFront takes it for missing"
	default:
		return nil
	}
	if p.group.Key(p.facts.KeyPairID) != nil {
		return nil
	}
	return one(Proved, "T11", cloudfront.Observed, "The key pair ID "+what+", not the ID of a public key.",
		"Send the ID of the public key, like K2JCJMDEHXQW5F (console: Key management > Public keys).")
}

func unknownKey(p *problem) []Cause {
	f := p.facts
	switch {
	case !p.failed(cloudfront.RuleKeyGroup) || f.KeyPairID == "" || keyPairID(p) != nil:
		return nil
	case len(p.Keys) == 0:
		return one(Possible, "T12", cloudfront.Observed,
			fmt.Sprintf("No public key was given, so neither the key %.64q nor the signature could be checked.", f.KeyPairID),
			"Give the public key that CloudFront has under this ID (--public-key ID=FILE, or the box for keys on the page).")
	}
	if k, _ := p.signedBy(f.Text); k != nil {
		return one(Proved, "T12", cloudfront.Observed, fmt.Sprintf("The signature was made with key %s, but the key pair ID sent is %.64q.", k.ID(), f.KeyPairID),
			fmt.Sprintf("Send %s as the key pair ID.", k.ID()))
	}
	return one(Proved, "T12", cloudfront.Observed, fmt.Sprintf("The key pair ID %.64q is in none of the key groups that were given as trusted by this cache behavior.", f.KeyPairID),
		"Check that the public key with this ID is in a key group, that this behavior (not only another one) trusts the group, and that the distribution has been deployed since (T14). An earlier behavior may match the path.")
}

// signedBy returns the trusted key that the signature over text fits, whatever
// ID came with it, and the hash.
func (p *problem) signedBy(text []byte) (*cloudfront.PublicKey, cloudfront.Hash) {
	if p.facts.Raw == nil || text == nil {
		return nil, ""
	}
	for _, k := range p.Keys {
		for _, hash := range []cloudfront.Hash{cloudfront.SHA1, cloudfront.SHA256} {
			if k.Verify(hash, text, p.facts.Raw) {
				return k, hash
			}
		}
	}
	return nil, ""
}

func hashName(p *problem) []Cause {
	sent := p.trace.Facts
	if !sent.HasHash || sent.Hash != "" || misquoted(sent.HashSent, p.facts.HashSent) {
		return nil
	}
	certainty := Likely
	if passed(p.steps, cloudfront.RuleSignature) {
		certainty = Proved // read as the hash it resembles, all is well
	}
	return one(certainty, "T36", cloudfront.Documented, fmt.Sprintf("The hash algorithm %.20q is none that CloudFront knows.", sent.HashSent),
		"Send exactly SHA256, or SHA1 or nothing for SHA-1.")
}

// misquoted reports whether a value would be right without the quotes or the
// encoding around it, so that the name itself is not what is wrong.
func misquoted(value, right string) bool {
	inner, wrongs := plain(value)
	return len(wrongs) > 0 && inner == right
}
