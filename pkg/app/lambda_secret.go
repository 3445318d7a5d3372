package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring/awskeys"
)

// A SecretFetcher gets secrets from AWS.
type SecretFetcher struct {
	Secrets    awskeys.SecretsClient
	Parameters awskeys.ParametersClient
}

// NewSecretFetcher returns a SecretFetcher for the region of the function.
func NewSecretFetcher() *SecretFetcher {
	c := functionAWS("")
	return &SecretFetcher{Secrets: newSecretsClient(c), Parameters: newParametersClient(c)}
}

var secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Fetch gets the secrets of a list like
//
//	PEPPER=secretsmanager:handstamp/pepper, DESK=ssm:/handstamp/desk
//
// by the names of the list. A name or ARN in Secrets Manager may be followed by
// "#" and the member of a JSON object. A parameter must be a SecureString. The
// errors never hold a secret.
func (f *SecretFetcher) Fetch(ctx context.Context, list string) (map[string]gate.Secret, error) {
	found := map[string]gate.Secret{}
	for entry := range strings.SplitSeq(list, ",") {
		name, ref, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if !secretName.MatchString(name) || found[name] != "" {
			return nil, fmt.Errorf("secret %.40q, want NAME=secretsmanager:ID or NAME=ssm:NAME, each name once", name)
		}
		value, err := f.fetch(ctx, ref)
		if err == nil && value == "" {
			err = errors.New("it is empty")
		}
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", name, err)
		}
		found[name] = gate.Secret(value)
	}
	return found, nil
}

func (f *SecretFetcher) fetch(ctx context.Context, ref string) (string, error) {
	kind, at, _ := strings.Cut(ref, ":")
	switch {
	case kind == "secretsmanager" && at != "":
		id, member, _ := strings.Cut(at, "#")
		out, err := f.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			return "", err
		}
		return memberOf(aws.ToString(out.SecretString), member)
	case kind == "ssm" && at != "":
		out, err := f.Parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: &at, WithDecryption: aws.Bool(true)})
		if err != nil {
			return "", err
		}
		if out.Parameter == nil || out.Parameter.Type != "SecureString" {
			return "", errors.New("the parameter is no SecureString: whoever may list parameters could read it")
		}
		return aws.ToString(out.Parameter.Value), nil
	}
	return "", errors.New("what follows is no reference, want secretsmanager:ID or ssm:NAME") // not quoted: it may be the secret
}

// memberOf returns a member of a JSON object, or all of text for none.
func memberOf(text, member string) (string, error) {
	if member == "" {
		return text, nil
	}
	var members map[string]any
	if json.Unmarshal([]byte(text), &members) != nil {
		return "", errors.New("it is no JSON object")
	}
	value, ok := members[member].(string)
	if !ok {
		return "", fmt.Errorf("it has no text %.40q", member)
	}
	return value, nil
}
