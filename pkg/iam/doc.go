// Package iam writes the IAM policies that handstamp needs at AWS, from what is
// configured and with nothing more than that:
//
//	policy, err := iam.Gateway(iam.Account{ID: "123456789012", Region: "eu-west-1"}, features)
//
// There are four, for four kinds of work: the gateway, the commands about keys,
// the command that makes the table, and the command that puts content into a
// bucket. A test holds their actions against the operations that the code calls.
//
// Not in them, as handstamp cannot know of it, is kms:Decrypt and
// kms:GenerateDataKey for keys of your own by which a bucket, a secret or a
// parameter is encrypted.
package iam
