// Package urlpath reads the path of a request in one way, for everybody. The
// edge, the HTTP API, the Lambda adapter and the S3 proxy route, verify and open
// files by the result of [Canonical] and refuse what it refuses, so that no two
// of them can take one spelling for two places.
//
// The rule is to refuse, not to repair: a path that a proxy, a router or a file
// system could read differently is an error, never cleaned and never redirected.
// What is left has one meaning, the text after one round of percent-decoding
// (RFC 3986, section 2.1).
package urlpath
