// Package s3 has tests only: private files, their uploads and content sync
// against a real S3 server, which checks signatures, upload policies, checksums
// and IAM policies itself. test/s3.sh starts it; without it the tests are skipped.
//
// The gateway has no more rights than "handstamp check --iam" prints for it.
package s3
