// Package bucket reads an S3 bucket, at AWS or at any store that speaks its
// protocol, and sends its objects to viewers: with ranges, conditions and HEAD
// as the local edge has them for a folder, and without ever holding more of an
// object than one buffer.
//
// [Open] makes a [Bucket] with a client of its own, [New] takes a client. A
// Bucket is the S3 origin of the edge, as an [http.Handler], and streams private
// files for package objects with [Bucket.ServeObject].
//
// Nothing that a viewer sends reaches the store but the key: conditions and
// ranges are answered here, from one HeadObject, and GetObject asks for just the
// bytes that are wanted, of the version that was looked at (If-Match). Of the
// store's headers only those that describe the object reach the viewer. See
// Amazon S3 API Reference, HeadObject and GetObject.
//
// A body that the store cuts, delays beyond a limit or sends in another length
// never ends cleanly for the viewer: the connection is aborted.
package bucket
