package explain

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"math/big"
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
	default:
		return nil
	}
	return one(likely, "T11", cloudfront.Observed, "The key pair ID "+what+", not the ID of a public key.",
		"Send the ID of the public key, like K2JCJMDEHXQW5F (console: Key management > Public keys).")
}

func unknownKey(p *problem) []Cause {
	if p.trace.Rule != cloudfront.RuleKeyGroup {
		return nil
	}
	if k := p.signedBy(); k != nil {
		return one(proved, "T12", cloudfront.Observed, fmt.Sprintf("The signature was made with key %s, but the key pair ID sent is %.64q.", k.ID(), p.facts.KeyPairID),
			fmt.Sprintf("Send %s as the key pair ID.", k.ID()))
	}
	return one(likely, "T12", cloudfront.Observed, fmt.Sprintf("The key pair ID %.64q is in none of the key groups that were given as trusted by this cache behavior.", p.facts.KeyPairID),
		"Check that the public key with this ID is in a key group, that this behavior (not only another one) trusts the group, and that the distribution has been deployed since (T14). An earlier behavior may match the path.")
}

// signedBy returns the trusted key that the signature fits, whatever ID came with it.
func (p *problem) signedBy() *cloudfront.PublicKey {
	for _, k := range p.Keys {
		for _, hash := range []cloudfront.Hash{p.facts.Hash, cloudfront.SHA256, cloudfront.SHA1} {
			if hash != "" && p.facts.Raw != nil && k.Verify(hash, p.facts.Text, p.facts.Raw) {
				return k
			}
		}
	}
	return nil
}

func hashName(p *problem) []Cause {
	if !p.failed(cloudfront.RuleHash) {
		return nil
	}
	return one(likely, "T36", cloudfront.Documented, fmt.Sprintf("The hash algorithm %.20q is none that CloudFront knows.", p.facts.HashSent),
		"Send exactly SHA256, or SHA1 or nothing for SHA-1.")
}

// otherScheme finds a good signature in a form that CloudFront does not verify.
func (p *problem) otherScheme(text []byte) []Cause {
	if p.facts.Key == nil || len(p.facts.Raw) == 0 {
		return nil
	}
	switch key := p.facts.Key.Key().(type) {
	case *ecdsa.PublicKey:
		if der := derSignature(p.facts.Raw); der != nil && (p.facts.Key.Verify(cloudfront.SHA256, text, der) || p.facts.Key.Verify(cloudfront.SHA1, text, der)) {
			return one(proved, "T38", cloudfront.Assumed, "The ECDSA signature is r and s joined (the form of JOSE and Web Crypto). CloudFront wants ASN.1 DER.",
				"Encode the signature as SEQUENCE{r,s}; OpenSSL, AWS KMS and Go's ecdsa.SignASN1 do so by themselves.")
		}
	case *rsa.PublicKey:
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			digest := hash.New()
			digest.Write(text)
			if rsa.VerifyPSS(key, hash, digest.Sum(nil), p.facts.Raw, nil) == nil {
				return one(proved, "T39", cloudfront.Observed, "The signature is RSA-PSS. CloudFront verifies PKCS #1 v1.5 only.",
					"Sign with RSASSA-PKCS1-v1_5.")
			}
		}
	}
	return nil
}

func derSignature(raw []byte) []byte {
	if len(raw) != 64 {
		return nil
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
	if err != nil {
		return nil
	}
	return der
}
