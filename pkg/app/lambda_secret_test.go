package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/keyring/awskeys"
)

const safeCanary = "canary-in-the-safe"

type fakeSafe struct {
	awskeys.SecretsClient
	text string
	err  error
}

func (f fakeSafe) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(f.text)}, f.err
}

type fakeParameters struct{ kind ssmtypes.ParameterType }

func (f fakeParameters) GetParameter(_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	if !aws.ToBool(in.WithDecryption) {
		return nil, errors.New("not decrypted")
	}
	return &ssm.GetParameterOutput{Parameter: &ssmtypes.Parameter{Type: f.kind, Value: aws.String(safeCanary)}}, nil
}

func TestFetchSecrets(t *testing.T) {
	secure := fakeParameters{ssmtypes.ParameterTypeSecureString}
	plain := fakeParameters{ssmtypes.ParameterTypeString}
	tests := []struct {
		name, list, text string
		parameters       fakeParameters
		want             bool
	}{
		{"whole", "A=secretsmanager:x", safeCanary, secure, true},
		{"member", "A=secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:x#m", `{"m":"` + safeCanary + `"}`, secure, true},
		{"parameter", "B=secretsmanager:y , A=ssm:/x", "other", secure, true},
		{"no such member", "A=secretsmanager:x#m", `{"n":"` + safeCanary + `"}`, secure, false},
		{"no object", "A=secretsmanager:x#m", safeCanary, secure, false},
		{"empty", "A=secretsmanager:x", "", secure, false},
		{"not encrypted", "A=ssm:/x", "", plain, false},
		{"twice", "A=ssm:/x,A=ssm:/y", "", secure, false},
		{"the secret itself", "A=" + safeCanary, "", secure, false},
		{"no name", safeCanary[:6], "", secure, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := app.SecretFetcher{Secrets: fakeSafe{text: tt.text}, Parameters: tt.parameters}
			got, err := f.Fetch(t.Context(), tt.list)
			if (err == nil) != tt.want || tt.want && got["A"].Reveal() != safeCanary {
				t.Errorf("Fetch(%q) = %q, %v, want a secret: %v", tt.list, got["A"].Reveal(), err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), safeCanary) {
				t.Errorf("the error %q has the secret in it", err)
			}
		})
	}
}
