package awskeys_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/awskeys"
)

// atMoto returns the configuration of clients that ask moto instead of AWS, as
// test/moto.sh starts it.
func atMoto(t *testing.T) aws.Config {
	t.Helper()
	url := os.Getenv("HANDSTAMP_MOTO")
	if url == "" {
		t.Skip("HANDSTAMP_MOTO is empty; test/moto.sh sets it")
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &url, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", "")}
}

// keyAtKMS makes a key in KMS and returns its ARN.
func keyAtKMS(t *testing.T, client *kms.Client, spec kmstypes.KeySpec, usage kmstypes.KeyUsageType) string {
	t.Helper()
	out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
	if err != nil {
		t.Fatalf("CreateKey(%s): %v", spec, err)
	}
	return *out.KeyMetadata.Arn
}

func TestMotoKMS(t *testing.T) {
	client := kms.NewFromConfig(atMoto(t))
	for _, spec := range []kmstypes.KeySpec{kmstypes.KeySpecRsa2048, kmstypes.KeySpecEccNistP256} {
		key, err := awskeys.KMS{Client: client}.Open(t.Context(), keyAtKMS(t, client, spec, signs))
		if err != nil {
			t.Fatalf("Open of %s: %v", spec, err)
		}
		signer, err := cloudfront.NewSigner("KKMS00000001", key, "")
		if err != nil || signer.Hash() != cloudfront.SHA256 {
			t.Fatalf("NewSigner with %s = %v, want SHA256", spec, err)
		}
		site, _ := cloudfront.ParseSite("https://media.example.org")
		resource, _ := site.Prefix("castle")
		signed, err := signer.Sign(cloudfront.Policy{Resource: resource, DateLessThan: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatalf("Sign with %s: %v", spec, err)
		}
		public, err := cloudfront.NewPublicKey("KKMS00000001", key.Public())
		if err != nil || !public.Verify(cloudfront.SHA256, signed.Text(), signed.Signature()) {
			t.Errorf("the signature by %s does not verify, %v", spec, err)
		}
		digest := sha256.Sum256([]byte("policy"))
		if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA1); !errors.Is(err, awskeys.ErrHash) {
			t.Errorf("Sign of SHA-1 with %s = %v, want ErrHash", spec, err)
		}
	}
}

func TestMotoKMSRefuses(t *testing.T) {
	client := kms.NewFromConfig(atMoto(t))
	for name, id := range map[string]string{
		"RSA_3072":       keyAtKMS(t, client, kmstypes.KeySpecRsa3072, signs),
		"P-384":          keyAtKMS(t, client, kmstypes.KeySpecEccNistP384, signs),
		"secp256k1":      keyAtKMS(t, client, kmstypes.KeySpecEccSecgP256k1, signs),
		"for encryption": keyAtKMS(t, client, kmstypes.KeySpecRsa2048, kmstypes.KeyUsageTypeEncryptDecrypt),
	} {
		if _, err := (awskeys.KMS{Client: client}).Open(t.Context(), id); !errors.Is(err, keyring.ErrKey) {
			t.Errorf("Open of a key that is %s = %v, want ErrKey", name, err)
		}
	}
	var missing *kmstypes.NotFoundException
	if _, err := (awskeys.KMS{Client: client}).Open(t.Context(), "1234abcd-12ab-34cd-56ef-1234567890ab"); !errors.As(err, &missing) {
		t.Errorf("Open of no key = %v, want NotFoundException", err)
	}
}

// newSecret makes a secret with a text, or without a value if it is empty, and
// returns its name.
func newSecret(t *testing.T, client *secretsmanager.Client, text string) string {
	t.Helper()
	in := &secretsmanager.CreateSecretInput{Name: aws.String(strings.ToLower(t.Name() + "/" + rand.Text()))}
	if text != "" {
		in.SecretString = &text
	}
	out, err := client.CreateSecret(t.Context(), in)
	if err != nil {
		t.Fatalf("CreateSecret: %v", err)
	}
	return *out.Name
}

func TestMotoSecrets(t *testing.T) {
	client := secretsmanager.NewFromConfig(atMoto(t))
	key := newKey(t, keyring.RSA)
	text := pemText(t, key)
	wrapped, _ := json.Marshal(map[string]string{"private_key": text, "other": text})
	tests := []struct {
		name, secret, member string
		want                 error
	}{
		{"PEM", text, "", nil},
		{"JSON", string(wrapped), "", nil},
		{"JSON, named member", string(wrapped), "#other", nil},
		{"JSON, no such member", string(wrapped), "#nothing", keyring.ErrKey},
		{"not a key", "CANARY", "", keyring.ErrKey},
	}
	for _, tt := range tests {
		got, err := awskeys.Secrets{Client: client}.Open(t.Context(), newSecret(t, client, tt.secret)+tt.member)
		if !errors.Is(err, tt.want) || tt.want == nil && (err != nil || !publicOf(key).Equal(got.Public())) {
			t.Errorf("Open of %s = %v, want %v", tt.name, err, tt.want)
		}
		if err != nil && (strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "BEGIN")) {
			t.Errorf("Open of %s = %v, which shows the secret", tt.name, err)
		}
	}
	if _, err := (awskeys.Secrets{Client: client}).Open(t.Context(), "nothing"); err == nil || errors.Is(err, keyring.ErrKey) {
		t.Errorf("Open of no secret = %v, want another error than ErrKey: it may come", err)
	}
}

func TestMotoParameters(t *testing.T) {
	client := ssm.NewFromConfig(atMoto(t))
	key := newKey(t, keyring.RSA)
	for kind, want := range map[ssmtypes.ParameterType]error{ssmtypes.ParameterTypeSecureString: nil, ssmtypes.ParameterTypeString: keyring.ErrKey} {
		name := "/handstamp/" + rand.Text()
		if _, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{Name: &name, Type: kind, Value: aws.String(pemText(t, key))}); err != nil {
			t.Fatalf("PutParameter: %v", err)
		}
		got, err := awskeys.Parameters{Client: client}.Open(t.Context(), name)
		if !errors.Is(err, want) || want == nil && (err != nil || !publicOf(key).Equal(got.Public())) {
			t.Errorf("Open of a %s = %v, want %v", kind, err, want)
		}
	}
}

func TestMotoSecretStore(t *testing.T) {
	client := secretsmanager.NewFromConfig(atMoto(t))
	store := awskeys.SecretStore{Client: client, ID: newSecret(t, client, "")}
	if _, err := store.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Load of a secret without value = %v, want ErrNotExist", err)
	}
	m := manifest(t, 0)
	for i := range 25 { // more than a secret may have labels
		m.Revision = i + 1
		if err := store.Save(t.Context(), m, i); err != nil {
			t.Fatalf("Save of revision %d: %v", m.Revision, err)
		}
		if got, err := store.Load(t.Context()); err != nil || got.Revision != m.Revision {
			t.Fatalf("Load = %+v, %v, want revision %d", got, err, m.Revision)
		}
	}
	if err := store.Save(t.Context(), m, 24); !errors.Is(err, keyring.ErrConflict) {
		t.Errorf("Save over a newer one = %v, want ErrConflict", err)
	}
	labels(t, client, store.ID)
}

// labels fails unless all versions of a secret have three labels together.
func labels(t *testing.T, client *secretsmanager.Client, id string) {
	t.Helper()
	out, err := client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, stages := range out.VersionIdsToStages {
		all = append(all, stages...)
	}
	if len(all) != 3 {
		t.Errorf("labels = %v, want the current, the previous and the next one's", all)
	}
}

// between is Secrets Manager where something happens before a label moves.
type between struct {
	*secretsmanager.Client
	before func()
}

func (b *between) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput, o ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	b.before()
	return b.Client.UpdateSecretVersionStage(ctx, in, o...)
}

// Somebody saves between our look and our label: one of the two wins.
func TestMotoSecretStoreRace(t *testing.T) {
	client := secretsmanager.NewFromConfig(atMoto(t))
	store := awskeys.SecretStore{Client: client, ID: newSecret(t, client, "")}
	if err := store.Save(t.Context(), manifest(t, 1), 0); err != nil {
		t.Fatal(err)
	}
	theirs := manifest(t, 2)
	ours := awskeys.SecretStore{ID: store.ID, Client: &between{client, func() {
		if err := store.Save(t.Context(), theirs, 1); err != nil {
			t.Errorf("their Save: %v", err)
		}
	}}}
	if err := ours.Save(t.Context(), manifest(t, 2), 1); !errors.Is(err, keyring.ErrConflict) {
		t.Errorf("our Save = %v, want ErrConflict", err)
	}
	got, err := store.Load(t.Context())
	if err != nil || got.Keys[0].Fingerprint != theirs.Keys[0].Fingerprint {
		t.Errorf("Load = %+v, %v, want theirs", got, err)
	}
}
