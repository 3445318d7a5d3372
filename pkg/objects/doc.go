// Package objects looks after single private files in an S3 bucket: who may
// read or write which key, presigned URLs that stay the same for a while,
// presigned uploads, and a proxy for files that must not have a URL of their
// own.
//
// A [Desk] does all of it. Nothing here decides who somebody is: that is
// proved elsewhere and comes as a [Holder].
package objects
