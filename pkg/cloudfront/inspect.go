package cloudfront

import "crypto"

// What follows is for those who look for the reason of a refusal and try what
// somebody might have meant.

// Covers reports whether a policy's Resource matches a URL.
func Covers(resource, url string) bool { return covers(resource, parseURL(url)) }

// CannedText returns the policy text that CloudFront rebuilds for a canned
// policy that names url and expires.
func CannedText(url, expires string) []byte { return cannedText(url, expires) }

// WithoutParameters returns url without CloudFront's own query parameters.
func WithoutParameters(url string) string { return parseURL(url).stripped() }

// Key returns the key itself, *rsa.PublicKey or *ecdsa.PublicKey.
func (k *PublicKey) Key() crypto.PublicKey { return k.key }

// Keys returns the keys of the group, in no order.
func (g KeyGroup) Keys() []*PublicKey {
	keys := make([]*PublicKey, 0, len(g.keys))
	for _, k := range g.keys {
		keys = append(keys, k)
	}
	return keys
}
