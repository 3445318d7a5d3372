package awskeys

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// A SecretsClient is the part of *secretsmanager.Client that is used.
type SecretsClient interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
}

// Secrets opens keys in AWS Secrets Manager: the secret's text is the PEM, or a
// JSON object one member of which is. Its name or ARN may be followed by "#" and
// that member; the default is "private_key".
type Secrets struct {
	Client SecretsClient
}

// Open implements keyring.Opener.
func (s Secrets) Open(ctx context.Context, ref string) (crypto.Signer, error) {
	id, member, _ := strings.Cut(ref, "#")
	out, err := s.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return nil, fmt.Errorf("secretsmanager:%s: %w", id, err)
	}
	text, err := pemOf(out, member)
	if err != nil {
		return nil, fmt.Errorf("secretsmanager:%s: %w", id, err)
	}
	key, err := keyring.ParsePrivate(text)
	if err != nil {
		return nil, fmt.Errorf("secretsmanager:%s: %w", id, err)
	}
	return key, nil
}

// pemOf returns the PEM in a secret. No error has any of the text in it.
func pemOf(out *secretsmanager.GetSecretValueOutput, member string) ([]byte, error) {
	text := strings.TrimSpace(aws.ToString(out.SecretString))
	if text == "" {
		return out.SecretBinary, nil
	}
	if !strings.HasPrefix(text, "{") {
		return []byte(text), nil
	}
	if member == "" {
		member = "private_key"
	}
	var members map[string]any
	if json.Unmarshal([]byte(text), &members) != nil {
		return nil, fmt.Errorf("%w: neither PEM nor a JSON object", keyring.ErrKey)
	}
	value, ok := members[member].(string)
	if !ok {
		return nil, fmt.Errorf("%w: a JSON object without a text %.40q", keyring.ErrKey, member)
	}
	return []byte(value), nil
}

// A SecretStore keeps a ring's manifest in a secret, which must exist.
type SecretStore struct {
	Client SecretsClient
	ID     string // name or ARN
}

// Staging labels: of the version that counts, and of one that is to count next.
// There is one of each, as all versions of a secret may have 20 labels together
// (Secrets Manager quotas). A label that is put on a version leaves the one
// that had it.
const (
	current = "AWSCURRENT"
	next    = "HANDSTAMPNEXT"
)

// Load implements keyring.Store.
func (s SecretStore) Load(ctx context.Context) (*keyring.Manifest, error) {
	m, _, err := s.load(ctx)
	return m, err
}

func (s SecretStore) load(ctx context.Context) (m *keyring.Manifest, version string, err error) {
	out, err := s.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.ID})
	var missing *smtypes.ResourceNotFoundException
	if errors.As(err, &missing) { // the secret, or any value of it
		return nil, "", fmt.Errorf("secretsmanager:%s: %w: %w", s.ID, fs.ErrNotExist, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("secretsmanager:%s: %w", s.ID, err)
	}
	m, err = keyring.ParseManifest([]byte(aws.ToString(out.SecretString)))
	if err != nil {
		return nil, "", fmt.Errorf("secretsmanager:%s: %w", s.ID, err)
	}
	return m, aws.ToString(out.VersionId), nil
}

// Save implements keyring.Store. The new version is written beside the current
// one and then takes its label, which Secrets Manager moves only from the
// version that was current when we looked.
func (s SecretStore) Save(ctx context.Context, m *keyring.Manifest, before int) error {
	if err := m.Check(); err != nil {
		return err
	}
	text, err := m.Text()
	if err != nil {
		return err
	}
	old, version, err := s.load(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist) && before == 0:
		return s.begin(ctx, text)
	case err != nil:
		return err
	case old.Revision != before:
		return fmt.Errorf("secretsmanager:%s: %w: revision %d, want %d (hint: try again)", s.ID, keyring.ErrConflict, old.Revision, before)
	}
	put, err := s.put(ctx, text)
	if err != nil {
		return err
	}
	label := current
	_, err = s.Client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &s.ID, VersionStage: &label, MoveToVersionId: &put, RemoveFromVersionId: &version})
	var moved *smtypes.InvalidParameterException
	if errors.As(err, &moved) {
		return fmt.Errorf("secretsmanager:%s: %w: %w", s.ID, keyring.ErrConflict, err)
	}
	if err != nil {
		return fmt.Errorf("secretsmanager:%s: %w", s.ID, err)
	}
	return nil
}

// begin writes the first version of a secret, which Secrets Manager makes the
// current one by itself. Of two that are written at once it is only one of them.
func (s SecretStore) begin(ctx context.Context, text []byte) error {
	put, err := s.put(ctx, text)
	if err != nil {
		return err
	}
	switch _, version, err := s.load(ctx); {
	case err != nil:
		return err
	case version != put:
		return fmt.Errorf("secretsmanager:%s: %w: somebody else was first (hint: try again)", s.ID, keyring.ErrConflict)
	}
	return nil
}

// put writes a version that does not count yet, unless there is none before it.
func (s SecretStore) put(ctx context.Context, text []byte) (version string, err error) {
	value := string(text)
	out, err := s.Client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &s.ID, SecretString: &value, VersionStages: []string{next}})
	if err != nil {
		return "", fmt.Errorf("secretsmanager:%s: %w", s.ID, err)
	}
	return aws.ToString(out.VersionId), nil
}

// A ParametersClient is the part of *ssm.Client that is used.
type ParametersClient interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// Parameters opens keys in AWS SSM Parameter Store: a SecureString with the PEM.
// An RSA-2048 key in PKCS #8 fits into the 4 KB of a standard parameter.
type Parameters struct {
	Client ParametersClient
}

// Open implements keyring.Opener.
func (p Parameters) Open(ctx context.Context, name string) (crypto.Signer, error) {
	decrypt := true
	out, err := p.Client.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: &decrypt})
	if err != nil {
		return nil, fmt.Errorf("ssm:%s: %w", name, err)
	}
	if out.Parameter == nil || out.Parameter.Type != "SecureString" {
		return nil, fmt.Errorf("%w: ssm:%s is no SecureString: whoever may list parameters could read the key", keyring.ErrKey, name)
	}
	key, err := keyring.ParsePrivate([]byte(aws.ToString(out.Parameter.Value)))
	if err != nil {
		return nil, fmt.Errorf("ssm:%s: %w", name, err)
	}
	return key, nil
}

// isAlias reports whether id is the alias of a KMS key.
func isAlias(id string) bool {
	return strings.HasPrefix(id, "alias/") || strings.Contains(id, ":alias/")
}
