package iam_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/iam"
)

var (
	account = iam.Account{ID: "123456789012", Region: "eu-west-1"}

	// everything is all that can be configured.
	everything = iam.Features{
		Table: iam.Table{Name: "visits", Region: "eu-central-1"},
		Keys: iam.Keys{Manifest: "handstamp/ring", Group: true, From: []string{"file:K1.pem", "env:KEY", "secretsmanager:castle/key#pem",
			"ssm:/castle/key", "kms:1234abcd-12ab-34cd-56ef-1234567890ab", "kms:arn:aws:kms:us-east-1:123456789012:key/mrk-1"}},
		Store: "arn:aws:cloudfront::123456789012:key-value-store/0a1b2c3d-0000-1111-2222-0123456789ab",
		Objects: iam.Objects{Bucket: "castle-private", Areas: []iam.Area{
			{Keys: "photos/{ticket}/*", Read: true, Write: true},
			{Keys: "staff/*", Read: true},
			{Keys: "inbox/{device}", Write: true, Public: true},
			{Keys: "nobody/*"},
		}},
		Content: iam.Content{Bucket: "castle-media", Prefix: "castle", Delete: true},
	}

	makers = map[string]func(iam.Account, iam.Features) (*iam.Policy, error){
		"gateway": iam.Gateway, "keys": iam.KeyCommands, "book": iam.BookInit, "content": iam.ContentSync, "check": iam.Checks,
	}
)

// The policies for everything, as people have read them.
func TestPolicies(t *testing.T) {
	for name, make := range makers {
		policy, err := make(account, everything)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := json.MarshalIndent(policy, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		file := "testdata/" + name + ".json"
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(got)+"\n" {
			t.Errorf("%s = %s\nwant %s, which is %s", name, got, file, want)
		}
	}
}

// actions returns what a policy allows.
func actions(p *iam.Policy) (all []string) {
	if p == nil {
		return nil
	}
	for _, s := range p.Statement {
		all = append(all, s.Action...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// One feature alone brings its own actions and no others.
func TestNothingMore(t *testing.T) {
	tests := []struct {
		name, policy string
		features     iam.Features
		want         string // nothing means ErrNothing
	}{
		{"nothing", "gateway", iam.Features{}, ""},
		{"nothing", "keys", iam.Features{}, ""},
		{"nothing", "book", iam.Features{}, ""},
		{"nothing", "content", iam.Features{}, ""},
		{"a table", "gateway", iam.Features{Table: iam.Table{Name: "visits"}}, "dynamodb:BatchGetItem dynamodb:DeleteItem dynamodb:DescribeTable dynamodb:PutItem dynamodb:Query"},
		{"a table", "keys", iam.Features{Table: iam.Table{Name: "visits"}}, ""},
		{"keys in files", "gateway", iam.Features{Keys: iam.Keys{From: []string{"file:a.pem", "env:B"}, Group: true}}, ""},
		{"keys in files", "keys", iam.Features{Keys: iam.Keys{From: []string{"file:a.pem"}}}, ""},
		{"a key in KMS", "gateway", iam.Features{Keys: iam.Keys{From: []string{"kms:1"}}}, "kms:GetPublicKey kms:Sign"},
		{"a manifest", "gateway", iam.Features{Keys: iam.Keys{Manifest: "ring"}}, "secretsmanager:GetSecretValue"},
		{"a manifest", "keys", iam.Features{Keys: iam.Keys{Manifest: "ring"}}, "secretsmanager:GetSecretValue secretsmanager:PutSecretValue secretsmanager:UpdateSecretVersionStage"},
		{"a parameter", "keys", iam.Features{Keys: iam.Keys{From: []string{"ssm:/a"}}}, "ssm:GetParameter"},
		{"read only", "gateway", iam.Features{Objects: iam.Objects{Bucket: "private", Areas: []iam.Area{{Keys: "a/*", Read: true}}}}, "s3:GetObject"},
		{"nobody may", "gateway", iam.Features{Objects: iam.Objects{Bucket: "private", Areas: []iam.Area{{Keys: "a/*"}}}}, ""},
		{"content", "gateway", iam.Features{Content: iam.Content{Bucket: "media"}}, ""},
		{"content", "content", iam.Features{Content: iam.Content{Bucket: "media"}},
			"s3:GetObject s3:ListBucket s3:ListBucketMultipartUploads s3:ListMultipartUploadParts s3:PutObject"},
	}
	for _, tt := range tests {
		policy, err := makers[tt.policy](account, tt.features)
		if got := strings.Join(actions(policy), " "); got != tt.want || (tt.want == "") != errors.Is(err, iam.ErrNothing) {
			t.Errorf("%s with %s = %q, %v, want %q", tt.policy, tt.name, got, err, tt.want)
		}
	}
}

func resources(t *testing.T, policy string, a iam.Account, f iam.Features) string {
	t.Helper()
	p, err := makers[policy](a, f)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range p.Statement {
		all = append(all, s.Resource...)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

func TestResources(t *testing.T) {
	tests := []struct {
		name, policy string
		account      iam.Account
		features     iam.Features
		want         string
	}{
		{"an ARN stays", "book", account, iam.Features{Table: iam.Table{Name: "arn:aws-cn:dynamodb:cn-north-1:210987654321:table/visits"}},
			"arn:aws-cn:dynamodb:cn-north-1:210987654321:table/visits"},
		{"placeholders", "book", iam.Account{}, iam.Features{Table: iam.Table{Name: "visits"}}, "arn:aws:dynamodb:REGION:ACCOUNT:table/visits"},
		{"a template", "book", iam.Account{ID: "${AWS::AccountId}", Region: "${AWS::Region}"}, iam.Features{Table: iam.Table{Name: "visits"}},
			"arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/visits"},
		{"another partition", "gateway", iam.Account{Partition: "aws-us-gov", ID: "123456789012"},
			iam.Features{Objects: iam.Objects{Bucket: "private", Areas: []iam.Area{{Keys: "a/*", Read: true}}}}, "arn:aws-us-gov:s3:::private/a/*"},
		{"a whole bucket", "content", account, iam.Features{Content: iam.Content{Bucket: "media"}}, "arn:aws:s3:::media arn:aws:s3:::media/*"},
		{"wildcards in names", "content", account, iam.Features{Content: iam.Content{Bucket: "media", Prefix: "a*/$b?"}},
			"arn:aws:s3:::media arn:aws:s3:::media/a${*}/${$}b${?}/*"},
		{"a key of one segment", "gateway", account, iam.Features{Objects: iam.Objects{Bucket: "private", Areas: []iam.Area{{Keys: "a/{device}/b", Read: true}}}},
			"arn:aws:s3:::private/a/*/b"},
		{"a secret by its ARN", "gateway", account, iam.Features{Keys: iam.Keys{From: []string{"secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:k-AbCdEf#pem"}}},
			"arn:aws:secretsmanager:eu-west-1:123456789012:secret:k-AbCdEf"},
		{"a region of the keys", "gateway", account, iam.Features{Keys: iam.Keys{Region: "us-east-1", From: []string{"ssm:key"}}},
			"arn:aws:ssm:us-east-1:123456789012:parameter/key"},
	}
	for _, tt := range tests {
		if got := resources(t, tt.policy, tt.account, tt.features); got != tt.want {
			t.Errorf("%s: resources %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, a := range []iam.Account{{Partition: "aws-moon"}, {ID: "1234"}, {ID: "*"}, {Region: "*"}, {Region: "Europe"}} {
		for name, make := range makers {
			if p, err := make(a, everything); !errors.Is(err, iam.ErrAccount) {
				t.Errorf("%s of %+v = %v, %v, want ErrAccount", name, a, p, err)
			}
		}
	}
	for _, from := range []string{"", "K1.pem", "vault:x"} {
		if p, err := iam.Gateway(account, iam.Features{Keys: iam.Keys{From: []string{from}}}); !errors.Is(err, iam.ErrKeySource) {
			t.Errorf("Gateway with key %q = %v, %v, want ErrKeySource", from, p, err)
		}
	}
}
