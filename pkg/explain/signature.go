package explain

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha512" // SHA-384 and SHA-512 are recognised
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// wrongSignature tries what the signature might be over, with and by.
func wrongSignature(p *problem) []Cause {
	if !p.failed(cloudfront.RuleSignature) {
		return nil
	}
	for _, try := range []func(*problem) []Cause{otherHash, otherKey, otherScheme, mixedSets, otherBytes, otherURL} {
		if found := try(p); found != nil {
			return found
		}
	}
	causes := one(Likely, "T13", cloudfront.Observed,
		fmt.Sprintf("The signature does not fit key %s, in neither hash nor over any likely form of the policy. Most often the private key is not the one whose public half has this ID.", p.facts.KeyPairID),
		`Compare both halves: "openssl pkey -in private.pem -pubout" must print the public key that CloudFront shows for this ID.`)
	if p.facts.Canned {
		return append(causes, one(Possible, "T20", cloudfront.Documented, "Or it is for another URL than this one. CloudFront rebuilds a canned policy from the URL asked for, to the byte.",
			"Compare the URL that was signed with the one that was asked for: host, path, query, encoding.")...)
	}
	causes = append(causes, one(Possible, "T17", cloudfront.Documented, "Or the signed bytes differ from the sent ones: a line break at the end, JSON written anew after signing, another order of members.",
		"Sign exactly the bytes that you encode and send.")...)
	return append(causes, one(Possible, "T41", cloudfront.Assumed, "Or policy and signature are from different cookie sets, before and after a renewal.",
		"Set all cookies of a set in one answer, with the same Domain and Path.")...)
}

// fits returns the hash in which the signature is over text, or nothing.
func (p *problem) fits(text []byte) cloudfront.Hash {
	for _, hash := range []cloudfront.Hash{cloudfront.SHA1, cloudfront.SHA256} {
		if p.facts.Key.Verify(hash, text, p.facts.Raw) {
			return hash
		}
	}
	return ""
}

// otherHash finds a signature whose hash is not the one that was named.
func otherHash(p *problem) []Cause {
	f := p.facts
	switch hash := p.fits(f.Text); {
	case hash == "":
		return otherDigest(p)
	case hash == f.Hash:
		return one(Proved, "T36", cloudfront.Assumed, "The signature is ECDSA over SHA-1. AWS contradicts itself about this pair, so it is refused here.",
			"Sign with SHA-256 and send CloudFront-Hash-Algorithm=SHA256.")
	case hash == cloudfront.SHA256:
		return p.unmarked()
	}
	return p.falselyMarked()
}

// unmarked explains a signature over SHA-256 about which nothing says so.
func (p *problem) unmarked() []Cause {
	says := "The signature is over SHA-256, but nothing says so, and CloudFront assumes SHA-1."
	if p.facts.HasHash {
		says = "The signature is over SHA-256, but the hash algorithm sent with it says SHA1."
	}
	if p.facts.SignedURL {
		return one(Proved, "T36", cloudfront.Documented, says, "Add the parameter Hash-Algorithm=SHA256 to the URL.")
	}
	causes := p.strayHash()
	causes = append(causes, one(Proved, "T36", cloudfront.Documented, says,
		"Send the cookie CloudFront-Hash-Algorithm=SHA256 with the same Domain and Path as the others.")...)
	if len(causes) == 1 {
		causes = append(causes, one(Possible, "T37", cloudfront.Assumed, "CloudFront-Hash-Algorithm may have been set under another Domain or Path than the other cookies.",
			"Set all cookies of a set with the same Domain and Path.")...)
	}
	return causes
}

// falselyMarked explains a signature over SHA-1 that is said to be over SHA-256.
func (p *problem) falselyMarked() []Cause {
	mark := one(Proved, "T36", cloudfront.Documented, "The signature is over SHA-1, but the hash algorithm sent with it says SHA256.",
		"Sign with SHA-256, or do not send the hash algorithm.")
	if p.facts.SignedURL {
		return mark
	}
	if stray := p.strayHash(); stray != nil {
		return append(stray, mark...)
	}
	return append(mark, one(Likely, "T37", cloudfront.Assumed, "CloudFront-Hash-Algorithm may be left over from an earlier cookie set, or set under another Domain or Path.",
		"Delete CloudFront-Hash-Algorithm, with its Domain and Path, whenever you set cookies signed with SHA-1.")...)
}

// otherDigest finds a signature over a digest that CloudFront does not know.
func otherDigest(p *problem) []Cause {
	for _, hash := range []crypto.Hash{crypto.SHA384, crypto.SHA512, crypto.SHA224} {
		digest := hash.New()
		digest.Write(p.facts.Text)
		good := false
		switch key := p.facts.Key.Key().(type) {
		case *rsa.PublicKey:
			good = rsa.VerifyPKCS1v15(key, hash, digest.Sum(nil), p.facts.Raw) == nil
		case *ecdsa.PublicKey:
			good = ecdsa.VerifyASN1(key, digest.Sum(nil), p.facts.Raw)
		}
		if good {
			return one(Proved, "T36", cloudfront.Documented, fmt.Sprintf("The signature is over %s, which CloudFront does not know.", hash), "Sign with SHA-256 (or SHA-1).")
		}
	}
	return nil
}

func otherKey(p *problem) []Cause {
	k, hash := p.signedBy(p.facts.Text)
	if k == nil {
		return nil
	}
	causes := one(Proved, "T13", cloudfront.Observed, fmt.Sprintf("The signature was made with the private key of %s, but the key pair ID sent is %s.", k.ID(), p.facts.KeyPairID),
		fmt.Sprintf("Send %s as the key pair ID, or sign with the key that belongs to %s.", k.ID(), p.facts.KeyPairID))
	if hash != p.facts.Hash {
		causes = append(causes, one(Proved, "T36", cloudfront.Documented, fmt.Sprintf("It is over %s as well, while the request says %s.", hash, p.facts.Hash), "Name the hash that was used.")...)
	}
	return causes
}

// otherScheme finds a good signature in a form that CloudFront does not verify.
func otherScheme(p *problem) []Cause {
	f := p.facts
	switch key := f.Key.Key().(type) {
	case *ecdsa.PublicKey:
		if der := derSignature(f.Raw); der != nil && (f.Key.Verify(cloudfront.SHA256, f.Text, der) || f.Key.Verify(cloudfront.SHA1, f.Text, der)) {
			return one(Proved, "T38", cloudfront.Assumed, "The ECDSA signature is r and s joined (the form of JOSE and Web Crypto). CloudFront wants ASN.1 DER.",
				"Encode the signature as SEQUENCE{r,s}; OpenSSL, AWS KMS and Go's ecdsa.SignASN1 do so by themselves.")
		}
	case *rsa.PublicKey:
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			digest := hash.New()
			digest.Write(f.Text)
			if rsa.VerifyPSS(key, hash, digest.Sum(nil), f.Raw, nil) == nil {
				return one(Proved, "T39", cloudfront.Observed, "The signature is RSA-PSS. CloudFront verifies PKCS #1 v1.5 only.",
					"Sign with RSASSA-PKCS1-v1_5 (in AWS KMS: RSASSA_PKCS1_V1_5_SHA_256).")
			}
		}
	}
	return nil
}

// derSignature writes r and s as ASN.1, or returns nil if raw is not both.
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

// maxTries is how many of the cookies that were set last are tried.
const maxTries = 60

// mixedSets finds, among the cookies that were set earlier, the policy that the
// signature is for, or the signature that the policy has.
func mixedSets(p *problem) []Cause {
	f := p.facts
	if f.SignedURL || f.Key == nil {
		return nil
	}
	all := p.everyCookieSet()
	for _, c := range all[max(0, len(all)-maxTries):] {
		data, err := cloudfront.Decode(c.Value)
		ours := err == nil && (c.Name == cloudfront.CookiePolicy && p.fits(data) != "" ||
			c.Name == cloudfront.CookieSignature && (f.Key.Verify(cloudfront.SHA1, f.Text, data) || f.Key.Verify(cloudfront.SHA256, f.Text, data))) ||
			c.Name == cloudfront.CookieExpires && f.Canned && p.fits(cloudfront.CannedText(f.URL, c.Value)) != ""
		if ours {
			return one(Proved, "T41", cloudfront.Assumed, fmt.Sprintf("Policy and signature are from different cookie sets: what was sent goes with another %s, that was set at another time.", c.Name),
				"Set all cookies of a set in one answer, with the same Domain and Path, and delete those that the new set does not use.")
		}
	}
	return nil
}
