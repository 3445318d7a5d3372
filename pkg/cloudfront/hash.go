package cloudfront

import (
	"crypto"
	"fmt"
)

// A Hash is a digest that CloudFront knows, under the name it has in the
// CloudFront-Hash-Algorithm cookie and the Hash-Algorithm parameter.
type Hash string

// The hashes. CloudFront assumes SHA-1 when a request names none.
const (
	SHA1   Hash = "SHA1"
	SHA256 Hash = "SHA256"
)

// ParseHash returns the hash named s, which is matched exactly.
func ParseHash(s string) (Hash, error) {
	if h := Hash(s); h == SHA1 || h == SHA256 {
		return h, nil
	}
	return "", fmt.Errorf("hash %q, want %s or %s", s, SHA1, SHA256)
}

func (h Hash) crypto() crypto.Hash {
	if h == SHA256 {
		return crypto.SHA256
	}
	return crypto.SHA1
}

func (h Hash) sum(text []byte) []byte {
	digest := h.crypto().New()
	digest.Write(text)
	return digest.Sum(nil)
}
