package rotation_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awscloudfront "github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/awskeys"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
)

// brief is a pace at which whole rotations take seconds.
var brief = pace{
	rules:    keyring.Rules{Settle: 2 * time.Second, Longest: 5 * time.Second, Switch: 4 * time.Second, Skew: time.Second},
	lifetime: 4 * time.Second, window: time.Second, follow: 500 * time.Millisecond, timeout: 3 * time.Second,
	pause: 50 * time.Millisecond, reserve: 1500 * time.Millisecond,
}

// TestMotoRotation is TestRotation in real time, with moto as CloudFront, KMS and
// Secrets Manager.
func TestMotoRotation(t *testing.T) {
	url := os.Getenv("HANDSTAMP_MOTO")
	if url == "" {
		t.Skip("HANDSTAMP_MOTO is empty; test/moto.sh sets it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	w := newMotoWorld(ctx, t, brief, aws.Config{Region: "eu-west-1", BaseEndpoint: &url, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", "")})
	w.open(ctx, t, inFile(keyring.RSA))
	stop := w.crowd(ctx, t, 8)
	w.rotateAll(ctx, t, inFile(keyring.ECDSA), inKMS(kmstypes.KeySpecRsa2048), inKMS(kmstypes.KeySpecEccNistP256))
	stop()
	if n := w.tally.requests.Load(); n < 1000 {
		t.Errorf("%d requests, want 1000 and more", n)
	}
	cancel()
	for _, g := range w.gateways {
		if n := g.Failures(); n != 0 {
			t.Errorf("%d looks at the manifest failed, want none", n)
		}
	}
}

func newMotoWorld(ctx context.Context, t *testing.T, p pace, cfg aws.Config) *world {
	t.Helper()
	secrets, keys, there := secretsmanager.NewFromConfig(cfg), kms.NewFromConfig(cfg), awscloudfront.NewFromConfig(cfg)
	name := "rotation-" + rand.Text()
	if _, err := secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	group := &motoGroup{Group: keygroup.New(there, name), client: there}
	return (&world{pace: p, dir: t.TempDir(), store: awskeys.SecretStore{Client: secrets, ID: name}, kms: &moodyKMS{KMSClient: keys},
		newKMS: func(ctx context.Context, spec kmstypes.KeySpec) (string, error) {
			out, err := keys.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: spec, KeyUsage: kmstypes.KeyUsageTypeSignVerify})
			if err != nil {
				return "", err
			}
			return *out.KeyMetadata.Arn, nil
		}, network: newNetwork(t, group, p.rules.Settle)}).complete()
}

// A motoGroup is a key group at moto.
type motoGroup struct {
	*keygroup.Group
	client *awscloudfront.Client
}

func (g *motoGroup) trusted(ctx context.Context) ([]*cloudfront.PublicKey, error) {
	keys, err := g.Keys(ctx)
	if err != nil {
		return nil, err
	}
	var all []*cloudfront.PublicKey
	for _, k := range keys {
		out, err := g.client.GetPublicKey(ctx, &awscloudfront.GetPublicKeyInput{Id: &k.ID})
		if err != nil {
			return nil, err
		}
		key, err := cloudfront.ParsePublicKey(k.ID, []byte(*out.PublicKey.PublicKeyConfig.EncodedKey))
		if err != nil {
			return nil, err
		}
		all = append(all, key)
	}
	return all, nil
}
