// Package keyring holds the private keys that sign, by their key pair ID at
// CloudFront. Exactly one is active; the others stay trusted until the last
// cookie they signed has expired.
//
// On disk a ring is a folder with one PEM file a key:
//
//	keys/K2JCJMDEHXQW5F.pem       private key, mode 0600
//	keys/K2JCJMDEHXQW5F.pub.pem   public key, as uploaded to CloudFront
//
// CloudFront takes RSA with 2048 bits and ECDSA on P-256 (API reference,
// PublicKeyConfig); every other key is refused when it is loaded.
package keyring
