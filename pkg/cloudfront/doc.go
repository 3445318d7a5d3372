// Package cloudfront speaks CloudFront's contract for private content, both
// ways. It writes policies, signatures, signed cookies and signed URLs, and it
// decides about a request with such credentials as CloudFront decides.
//
// Writing: a [Stamper] turns a grant into cookies for one path prefix, signed
// by a [Signer] over the text of a [Policy]. The gateway builds resources with
// [Site.Prefix], whose result always is scheme://host/<prefix>/* and cannot
// express anything wider.
//
// Reading: a [Decider] takes a [Request] as it stands on the wire and the
// [KeyGroup] of the cache behavior it falls into, and returns a [Decision].
// [Decider.Trace] is the same decision with every step that led to it. What
// AWS leaves open is a named setting in [Parity].
//
// Everything here follows the CloudFront Developer Guide, "Serve private
// content with signed URLs and signed cookies". Where the guide is silent the
// step says so in its [Basis].
package cloudfront
