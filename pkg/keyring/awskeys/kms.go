package awskeys

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// A KMSClient is the part of *kms.Client that is used.
type KMSClient interface {
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
	Sign(context.Context, *kms.SignInput, ...func(*kms.Options)) (*kms.SignOutput, error)
}

// DefaultTimeout is how long one signature by KMS may take, repeats included.
const DefaultTimeout = 3 * time.Second

// KMS opens asymmetric keys in AWS Key Management Service by ARN or key ID. They
// must be for signing, of key spec RSA_2048 or ECC_NIST_P256.
type KMS struct {
	Client  KMSClient
	Timeout time.Duration // of one signature; 0 means DefaultTimeout
}

// Open implements keyring.Opener. It fetches the public half and checks that
// the key can sign what CloudFront takes; an alias is refused, as it may stand
// for another key tomorrow.
func (k KMS) Open(ctx context.Context, id string) (crypto.Signer, error) {
	if isAlias(id) {
		return nil, fmt.Errorf("%w: kms:%s is an alias, want the key's own ID or ARN", keyring.ErrKey, id)
	}
	out, err := k.Client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &id})
	if err != nil {
		return nil, fmt.Errorf("kms:%s: %w", id, err)
	}
	if out.KeyUsage != types.KeyUsageTypeSignVerify {
		return nil, fmt.Errorf("%w: kms:%s is for %s, want SIGN_VERIFY", keyring.ErrKey, id, out.KeyUsage)
	}
	public, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%w: kms:%s: %w", keyring.ErrKey, id, err)
	}
	s := &signer{client: k.Client, id: id, public: public, timeout: cmp.Or(k.Timeout, DefaultTimeout)}
	switch out.KeySpec {
	case types.KeySpecRsa2048:
		s.algorithm = types.SigningAlgorithmSpecRsassaPkcs1V15Sha256
	case types.KeySpecEccNistP256:
		s.algorithm = types.SigningAlgorithmSpecEcdsaSha256
	default:
		return nil, fmt.Errorf("%w: kms:%s is %s, CloudFront takes RSA_2048 and ECC_NIST_P256", keyring.ErrKey, id, out.KeySpec)
	}
	return s, nil
}

// A signer signs by asking KMS. It implements crypto.Signer.
type signer struct {
	client    KMSClient
	id        string
	public    crypto.PublicKey
	algorithm types.SigningAlgorithmSpec
	timeout   time.Duration
}

// Errors of signing with KMS.
var (
	ErrPadding   = errors.New("CloudFront takes PKCS #1 v1.5, not PSS")
	ErrHash      = errors.New("KMS signs SHA-256 only")
	ErrSignature = errors.New("KMS answered with a signature that is not by the key")
)

// Public implements crypto.Signer.
func (s *signer) Public() crypto.PublicKey { return s.public }

// SHA256Only tells pkg/cloudfront that there is no SHA-1 to be had here.
func (s *signer) SHA256Only() bool { return true }

// String, GoString and Format name the key; there is nothing to hide.
func (s *signer) String() string   { return "kms:" + s.id }
func (s *signer) GoString() string { return s.String() }

// Sign implements crypto.Signer for SHA-256 digests. It never waits longer than
// the timeout, and checks what it gets.
func (s *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 || len(digest) != sha256.Size {
		return nil, fmt.Errorf("kms:%s: %w, not %v", s.id, ErrHash, opts.HashFunc())
	}
	if _, pss := opts.(*rsa.PSSOptions); pss {
		return nil, fmt.Errorf("kms:%s: %w", s.id, ErrPadding)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	out, err := s.client.Sign(ctx, &kms.SignInput{KeyId: &s.id, Message: digest, MessageType: types.MessageTypeDigest, SigningAlgorithm: s.algorithm})
	if err != nil {
		return nil, fmt.Errorf("kms:%s: %w", s.id, err)
	}
	if !s.verify(digest, out.Signature) {
		return nil, fmt.Errorf("kms:%s: %w", s.id, ErrSignature)
	}
	return out.Signature, nil
}

func (s *signer) verify(digest, signature []byte) bool {
	switch key := s.public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, signature)
	}
	return false
}
