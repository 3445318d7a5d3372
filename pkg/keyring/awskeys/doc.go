// Package awskeys has the places at AWS where signing keys can be: a secret in
// Secrets Manager, a parameter in SSM Parameter Store, and KMS, which signs
// without ever giving the key away. Each implements keyring.Opener; SecretStore
// keeps a ring's manifest in Secrets Manager.
//
//	openers := keyring.Openers{
//		"secretsmanager": awskeys.Secrets{Client: secretsmanager.NewFromConfig(cfg)},
//		"ssm":            awskeys.Parameters{Client: ssm.NewFromConfig(cfg)},
//		"kms":            awskeys.KMS{Client: kms.NewFromConfig(cfg)},
//	}
//
// What the gateway needs to be allowed: secretsmanager:GetSecretValue,
// ssm:GetParameter with kms:Decrypt, or kms:GetPublicKey and kms:Sign, each for
// the one resource.
package awskeys
