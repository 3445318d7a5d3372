package awskeys_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/awskeys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const signs = kmstypes.KeyUsageTypeSignVerify

func newKey(t *testing.T, kind keyring.Type) crypto.Signer {
	t.Helper()
	key, err := keyring.Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pemText(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A key in KMS makes cookies that our own decision accepts, always with SHA-256.
func TestKMSSignsCookies(t *testing.T) {
	for kind, spec := range map[keyring.Type]kmstypes.KeySpec{keyring.RSA: kmstypes.KeySpecRsa2048, keyring.ECDSA: kmstypes.KeySpecEccNistP256} {
		key, err := awskeys.KMS{Client: &fakeKMS{key: newKey(t, kind), spec: spec, usage: signs}}.Open(t.Context(), "key-1")
		if err != nil {
			t.Fatalf("Open of %s: %v", spec, err)
		}
		signer, err := cloudfront.NewSigner("KKMS00000001", key, "")
		if err != nil || signer.Hash() != cloudfront.SHA256 {
			t.Fatalf("NewSigner with %s = hash %v, %v, want SHA256", spec, signer, err)
		}
		site, _ := cloudfront.ParseSite("https://media.example.org")
		resource, _ := site.Prefix("castle")
		signed, err := signer.Sign(cloudfront.Policy{Resource: resource, DateLessThan: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatalf("Sign with %s: %v", spec, err)
		}
		public, err := cloudfront.NewPublicKey("KKMS00000001", key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if !public.Verify(cloudfront.SHA256, signed.Text(), signed.Signature()) {
			t.Errorf("the signature by %s does not verify", spec)
		}
		if _, err := cloudfront.NewSigner("KKMS00000001", key, cloudfront.SHA1); !errors.Is(err, cloudfront.ErrKeyType) {
			t.Errorf("NewSigner with %s and SHA1 = %v, want ErrKeyType", spec, err)
		}
	}
}

func TestKMSRefusesKeys(t *testing.T) {
	small := newKey(t, keyring.ECDSA)
	tests := []struct {
		name, id string
		client   *fakeKMS
	}{
		{"for encryption", "key-1", &fakeKMS{key: small, spec: kmstypes.KeySpecEccNistP256, usage: kmstypes.KeyUsageTypeEncryptDecrypt}},
		{"another curve", "key-1", &fakeKMS{key: small, spec: kmstypes.KeySpecEccNistP384, usage: signs}},
		{"RSA-4096", "key-1", &fakeKMS{key: small, spec: kmstypes.KeySpecRsa4096, usage: signs}},
		{"an alias", "alias/handstamp", &fakeKMS{key: small, spec: kmstypes.KeySpecEccNistP256, usage: signs}},
		{"an alias ARN", "arn:aws:kms:eu-west-1:111122223333:alias/handstamp", &fakeKMS{key: small, spec: kmstypes.KeySpecEccNistP256, usage: signs}},
	}
	for _, tt := range tests {
		if _, err := (awskeys.KMS{Client: tt.client}).Open(t.Context(), tt.id); !errors.Is(err, keyring.ErrKey) {
			t.Errorf("Open of a key that is %s = %v, want ErrKey", tt.name, err)
		}
	}
}

// What KMS answers is checked, and what it does not answer is not waited for.
func TestKMSTrouble(t *testing.T) {
	key, other := newKey(t, keyring.ECDSA), newKey(t, keyring.ECDSA)
	throttled := errors.New("ThrottlingException")
	tests := []struct {
		name string
		sign func(context.Context, *kms.SignInput) ([]byte, error)
		hash crypto.SignerOpts
		want error
	}{
		{"throttled", func(context.Context, *kms.SignInput) ([]byte, error) { return nil, throttled }, crypto.SHA256, throttled},
		{"another key's signature", func(_ context.Context, in *kms.SignInput) ([]byte, error) {
			return other.Sign(rand.Reader, in.Message, crypto.SHA256)
		}, crypto.SHA256, awskeys.ErrSignature},
		{"nothing", func(context.Context, *kms.SignInput) ([]byte, error) { return nil, nil }, crypto.SHA256, awskeys.ErrSignature},
		{"no answer", func(ctx context.Context, _ *kms.SignInput) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, crypto.SHA256, context.DeadlineExceeded},
		{"SHA-1 asked", nil, crypto.SHA1, awskeys.ErrHash},
	}
	digest := sha256.Sum256([]byte("policy"))
	for _, tt := range tests {
		client := &fakeKMS{key: key, spec: kmstypes.KeySpecEccNistP256, usage: signs, sign: tt.sign}
		s, err := awskeys.KMS{Client: client, Timeout: 20 * time.Millisecond}.Open(t.Context(), "key-1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sign(rand.Reader, digest[:], tt.hash); !errors.Is(err, tt.want) {
			t.Errorf("Sign with %s = %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestKMSRefusesPSS(t *testing.T) {
	s, err := awskeys.KMS{Client: &fakeKMS{key: newKey(t, keyring.RSA), spec: kmstypes.KeySpecRsa2048, usage: signs}}.Open(t.Context(), "key-1")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(nil)
	if _, err := s.Sign(rand.Reader, digest[:], &rsa.PSSOptions{Hash: crypto.SHA256}); !errors.Is(err, awskeys.ErrPadding) {
		t.Errorf("Sign with PSS = %v, want ErrPadding", err)
	}
}

func TestSecrets(t *testing.T) {
	key := newKey(t, keyring.ECDSA)
	text := pemText(t, key)
	wrapped, _ := json.Marshal(map[string]string{"private_key": text, "other": text})
	tests := []struct {
		name, secret, ref string
		want              error
	}{
		{"PEM", text, "castle", nil},
		{"JSON", string(wrapped), "castle", nil},
		{"JSON, named member", string(wrapped), "castle#other", nil},
		{"JSON, no such member", string(wrapped), "castle#nothing", keyring.ErrKey},
		{"half JSON", "{" + text, "castle", keyring.ErrKey},
		{"not a key", "CANARY", "castle", keyring.ErrKey},
		{"empty", "", "castle", keyring.ErrKey},
	}
	for _, tt := range tests {
		client := &fakeSecrets{versions: map[string]string{"1": tt.secret}, labels: map[string]string{"AWSCURRENT": "1"}}
		got, err := awskeys.Secrets{Client: client}.Open(t.Context(), tt.ref)
		if !errors.Is(err, tt.want) || tt.want == nil && (err != nil || !publicOf(key).Equal(got.Public())) {
			t.Errorf("Open of %s = %v, want %v", tt.name, err, tt.want)
		}
		if err != nil && (strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "BEGIN")) {
			t.Errorf("Open of %s = %v, which shows the secret", tt.name, err)
		}
	}
}

func publicOf(key crypto.Signer) interface{ Equal(crypto.PublicKey) bool } {
	return key.Public().(interface{ Equal(crypto.PublicKey) bool })
}

func TestParameters(t *testing.T) {
	key := newKey(t, keyring.RSA)
	text := pemText(t, key)
	if len(text) > 4096 {
		t.Errorf("RSA-2048 has %d bytes as PEM, a standard parameter takes 4,096", len(text))
	}
	got, err := awskeys.Parameters{Client: &fakeParameters{kind: ssmtypes.ParameterTypeSecureString, text: text}}.Open(t.Context(), "/castle/key")
	if err != nil || !publicOf(key).Equal(got.Public()) {
		t.Errorf("Open = %v", err)
	}
	_, err = awskeys.Parameters{Client: &fakeParameters{kind: ssmtypes.ParameterTypeString, text: text}}.Open(t.Context(), "/castle/key")
	if !errors.Is(err, keyring.ErrKey) || strings.Contains(err.Error(), "BEGIN") {
		t.Errorf("Open of a plain String = %v, want ErrKey", err)
	}
}

func manifest(t *testing.T, revision int) *keyring.Manifest {
	t.Helper()
	e, err := keyring.NewEntry("KFIRST000001", "secretsmanager:castle", newKey(t, keyring.ECDSA).Public())
	if err != nil {
		t.Fatal(err)
	}
	m := &keyring.Manifest{}
	if err := m.Add(e, time.Now()); err != nil {
		t.Fatal(err)
	}
	m.Revision = revision
	return m
}

func TestSecretStore(t *testing.T) {
	client := &fakeSecrets{}
	store := awskeys.SecretStore{Client: client, ID: "ring"}
	if _, err := store.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Load of an empty secret = %v, want ErrNotExist", err)
	}
	first, second := manifest(t, 1), manifest(t, 2)
	if err := store.Save(t.Context(), first, 0); err != nil {
		t.Fatalf("first Save: %v", err)
	}
	if err := store.Save(t.Context(), second, 1); err != nil {
		t.Fatalf("Save: %v", err)
	}
	got, err := store.Load(t.Context())
	if err != nil || got.Revision != 2 || got.Keys[0].Fingerprint != second.Keys[0].Fingerprint {
		t.Errorf("Load = %+v, %v, want the second manifest", got, err)
	}
	if err := store.Save(t.Context(), manifest(t, 2), 1); !errors.Is(err, keyring.ErrConflict) {
		t.Errorf("Save over a newer one = %v, want ErrConflict", err)
	}
}

// Somebody saves between our look and our label: one of the two wins.
func TestSecretStoreRace(t *testing.T) {
	client := &fakeSecrets{}
	store := awskeys.SecretStore{Client: client, ID: "ring"}
	if err := store.Save(t.Context(), manifest(t, 1), 0); err != nil {
		t.Fatal(err)
	}
	theirs := manifest(t, 2)
	client.before = func() {
		if err := store.Save(t.Context(), theirs, 1); err != nil {
			t.Errorf("their Save: %v", err)
		}
	}
	if err := store.Save(t.Context(), manifest(t, 2), 1); !errors.Is(err, keyring.ErrConflict) {
		t.Errorf("our Save = %v, want ErrConflict", err)
	}
	got, err := store.Load(t.Context())
	if err != nil || got.Keys[0].Fingerprint != theirs.Keys[0].Fingerprint {
		t.Errorf("Load = %+v, %v, want theirs", got, err)
	}
}

// Two operators begin a ring at the same moment: one of them has to look again.
func TestSecretStoreFirstRace(t *testing.T) {
	client := &fakeSecrets{}
	store := awskeys.SecretStore{Client: client, ID: "ring"}
	theirs := manifest(t, 1)
	client.missed = func() {
		if err := store.Save(t.Context(), theirs, 0); err != nil {
			t.Errorf("their Save: %v", err)
		}
	}
	if err := store.Save(t.Context(), manifest(t, 1), 0); !errors.Is(err, keyring.ErrConflict) {
		t.Errorf("our Save = %v, want ErrConflict", err)
	}
	got, err := store.Load(t.Context())
	if err != nil || got.Keys[0].Fingerprint != theirs.Keys[0].Fingerprint {
		t.Errorf("Load = %+v, %v, want theirs", got, err)
	}
}

// The life of a ring has more changes than a secret may have labels.
func TestSecretStoreManyChanges(t *testing.T) {
	store := awskeys.SecretStore{Client: &fakeSecrets{}, ID: "ring"}
	m := manifest(t, 0)
	for i := range 3 * maxLabels {
		m.Revision = i + 1
		if err := store.Save(t.Context(), m, i); err != nil {
			t.Fatalf("Save of revision %d = %v", m.Revision, err)
		}
	}
}

// A holder of a key shows nothing of it, however it is printed.
func TestSignerPrintsNothing(t *testing.T) {
	s, err := awskeys.KMS{Client: &fakeKMS{key: newKey(t, keyring.ECDSA), spec: kmstypes.KeySpecEccNistP256, usage: signs}}.Open(t.Context(), "key-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, s); got != "kms:key-1" {
			t.Errorf("Sprintf(%q) = %q, want its name", verb, got)
		}
	}
}
