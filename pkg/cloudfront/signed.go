package cloudfront

import (
	"fmt"
	"strconv"
	"strings"
)

// The names of the cookies. They are fixed and case-sensitive.
const (
	CookieExpires   = "CloudFront-Expires"
	CookiePolicy    = "CloudFront-Policy"
	CookieSignature = "CloudFront-Signature"
	CookieKeyPairID = "CloudFront-Key-Pair-Id"
	CookieHash      = "CloudFront-Hash-Algorithm"
)

// CookieNames lists every cookie of CloudFront's, used by a set or not.
var CookieNames = [...]string{CookiePolicy, CookieExpires, CookieSignature, CookieKeyPairID, CookieHash}

// A Signed is a policy with its signature, ready for the wire.
type Signed struct {
	KeyPairID string
	Hash      Hash
	Policy    Policy

	text      []byte // what was signed
	signature []byte
	canned    bool
}

// A Field is one name and value of a signed cookie set or URL.
type Field struct{ Name, Value string }

// Text returns the bytes that were signed.
func (s *Signed) Text() []byte { return s.text }

// Signature returns the raw signature: PKCS #1 v1.5 for RSA, ASN.1 DER for ECDSA.
func (s *Signed) Signature() []byte { return s.signature }

// Cookies returns the names and values of the cookie set. SHA-256 needs a
// cookie of its own; SHA-1 goes without, as CloudFront assumes it.
func (s *Signed) Cookies() []Field { return s.fields("CloudFront-") }

func (s *Signed) fields(prefix string) []Field {
	fields := make([]Field, 0, 4)
	if s.canned {
		fields = append(fields, Field{prefix + "Expires", strconv.FormatInt(s.Policy.DateLessThan.Unix(), 10)})
	} else {
		fields = append(fields, Field{prefix + "Policy", Encode(s.text)})
	}
	fields = append(fields,
		Field{prefix + "Signature", Encode(s.signature)},
		Field{prefix + "Key-Pair-Id", s.KeyPairID})
	if s.Hash == SHA256 {
		fields = append(fields, Field{prefix + "Hash-Algorithm", string(SHA256)})
	}
	return fields
}

// URL returns url with the signature in its query: the URL that the policy
// names, or for a pattern one that it covers. It is put into its wire form first,
// see ParseResource.
func (s *Signed) URL(url string) (string, error) {
	wire, err := ParseResource(url)
	if err != nil {
		return "", err
	}
	url = wire.text
	request := parseURL(url)
	switch {
	case request.signing || request.odd != "":
		return "", fmt.Errorf("%q: its query has a parameter whose name CloudFront keeps for itself (%s)", url, strings.Join(reserved[:], ", "))
	case s.canned && url != s.Policy.Resource.text:
		return "", fmt.Errorf("%w: signed %q, asked for %q", ErrCanned, s.Policy.Resource, url)
	case strings.HasSuffix(url, "?"):
		return "", fmt.Errorf("%q ends in an empty query, which CloudFront drops before it compares", url)
	case !s.canned && !covers(s.Policy.Resource.text, request):
		return "", fmt.Errorf("the policy for %q does not cover %q", s.Policy.Resource, url)
	}
	var b strings.Builder
	b.WriteString(url)
	separator := byte('?')
	if strings.Contains(url, "?") {
		separator = '&'
	}
	for _, f := range s.fields("") {
		b.WriteByte(separator)
		b.WriteString(f.Name + "=" + f.Value)
		separator = '&'
	}
	if b.Len() > maxURL {
		return "", fmt.Errorf("%.80q... has %d bytes once signed, a URL may have %d", url, b.Len(), maxURL)
	}
	return b.String(), nil
}
