package awskeys_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// fakeKMS is KMS with one key.
type fakeKMS struct {
	key   crypto.Signer
	spec  kmstypes.KeySpec
	usage kmstypes.KeyUsageType
	sign  func(ctx context.Context, in *kms.SignInput) ([]byte, error) // nil means as KMS does
}

func (f *fakeKMS) GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	der, err := x509.MarshalPKIXPublicKey(f.key.Public())
	return &kms.GetPublicKeyOutput{PublicKey: der, KeySpec: f.spec, KeyUsage: f.usage}, err
}

func (f *fakeKMS) Sign(ctx context.Context, in *kms.SignInput, _ ...func(*kms.Options)) (*kms.SignOutput, error) {
	if f.sign != nil {
		signature, err := f.sign(ctx, in)
		return &kms.SignOutput{Signature: signature}, err
	}
	want := kmstypes.SigningAlgorithmSpecRsassaPkcs1V15Sha256
	if f.spec == kmstypes.KeySpecEccNistP256 {
		want = kmstypes.SigningAlgorithmSpecEcdsaSha256
	}
	if in.SigningAlgorithm != want || in.MessageType != kmstypes.MessageTypeDigest {
		return nil, fmt.Errorf("asked for %s of a %s, want %s of a DIGEST", in.SigningAlgorithm, in.MessageType, want)
	}
	signature, err := f.key.Sign(rand.Reader, in.Message, crypto.SHA256)
	return &kms.SignOutput{Signature: signature}, err
}

// maxLabels is how many staging labels all versions of a secret may have
// together (Secrets Manager quotas).
const maxLabels = 20

// fakeSecrets is Secrets Manager with one secret.
type fakeSecrets struct {
	mu       sync.Mutex
	versions map[string]string // text by version
	labels   map[string]string // version by label
	before   func()            // runs before a label moves
	missed   func()            // runs after somebody found no value
}

var errNoSecret = &smtypes.ResourceNotFoundException{}

func (f *fakeSecrets) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	version, ok := f.labels["AWSCURRENT"]
	if !ok {
		if missed := f.missed; missed != nil {
			f.missed = nil
			f.mu.Unlock()
			missed()
			f.mu.Lock()
		}
		return nil, errNoSecret
	}
	text := f.versions[version]
	return &secretsmanager.GetSecretValueOutput{SecretString: &text, VersionId: &version}, nil
}

func (f *fakeSecrets) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.versions == nil {
		f.versions, f.labels = map[string]string{}, map[string]string{}
	}
	version := rand.Text()
	if len(f.versions) == 0 {
		f.labels["AWSCURRENT"] = version
	}
	for _, label := range in.VersionStages {
		f.labels[label] = version
	}
	if len(f.labels) > maxLabels {
		return nil, &smtypes.LimitExceededException{}
	}
	f.versions[version] = *in.SecretString
	return &secretsmanager.PutSecretValueOutput{VersionId: &version}, nil
}

func (f *fakeSecrets) UpdateSecretVersionStage(_ context.Context, in *secretsmanager.UpdateSecretVersionStageInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	if f.before != nil {
		before := f.before
		f.before = nil
		before()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.labels[*in.VersionStage] != *in.RemoveFromVersionId {
		return nil, &smtypes.InvalidParameterException{}
	}
	f.labels[*in.VersionStage] = *in.MoveToVersionId
	return &secretsmanager.UpdateSecretVersionStageOutput{}, nil
}

// fakeParameters is Parameter Store with one parameter.
type fakeParameters struct {
	kind ssmtypes.ParameterType
	text string
}

func (f *fakeParameters) GetParameter(_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	if in.WithDecryption == nil || !*in.WithDecryption {
		return nil, errors.New("asked for the encrypted text")
	}
	return &ssm.GetParameterOutput{Parameter: &ssmtypes.Parameter{Type: f.kind, Value: &f.text}}, nil
}
