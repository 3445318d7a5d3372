// Package httpapi is the HTTP face of a gate.Keeper: the ticket-verification
// endpoint, the viewer's own admission, and the list of what there is to hear.
// Its contract is openapi.yaml beside this file; a test holds both together.
//
// Replies are JSON, errors are RFC 9457 problems with a stable code and the
// request's ID. Nothing here may be cached: a CDN that keeps one viewer's
// Set-Cookie gives it to the next.
//
// Who guesses at tickets is held back by pkg/throttle. Its Attempt and Turn are
// the words that this package needs for that; types of our own would only be
// copies of them.
package httpapi
