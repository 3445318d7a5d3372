package deploy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/iam"
)

const (
	region    = "eu-west-1"
	account   = "123456789012"
	tableARN  = "arn:aws:dynamodb:eu-west-1:123456789012:table/castle-Book-1"
	manifest  = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:castle/manifest-AbCdEf"
	laterKeys = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:castle/keys/*"
	oldSecret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf"
	kmsKey    = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)

// What the gateway is allowed is what pkg/iam says that it needs, no more and no
// less, besides its log and the secrets of its configuration.
func TestGatewayPolicyIsThatOfCheck(t *testing.T) {
	list := at(template(t), "Resources", "GatewayPolicy", "Properties", "PolicyDocument", "Statement")
	tests := []struct {
		name             string
		signing          string   // SigningKeyArn
		more             []string // MoreKmsKeyArns
		kms, old, object bool
	}{
		{name: "minimal"},
		{name: "key in KMS", signing: kmsKey, kms: true},
		{name: "two keys in KMS", signing: kmsKey, more: []string{kmsKey + "2"}, kms: true},
		{name: "from the stack's secret to KMS", more: []string{kmsKey + "2", kmsKey + "3"}},
		{name: "from a secret that was there to KMS", signing: oldSecret, more: []string{kmsKey + "2"}, old: true},
		{name: "secret that was there", signing: oldSecret, old: true},
		{name: "private files", object: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := gatewayStack(tt.signing)
			s.refs["MoreKmsKeyArns"] = strings.Join(tt.more, ",")
			s.truth = map[string]bool{"SignsInKms": tt.kms, "HasMoreKmsKeys": len(tt.more) > 0, "UsesKms": tt.kms || len(tt.more) > 0, "GaveKeySecret": tt.old, "HasPrivateFiles": tt.object}
			var got []statement
			for _, one := range s.statements(t, list) {
				if one.Sid != "Log" && one.Sid != "Secrets" {
					got = append(got, one)
				}
			}
			want := fromCode(t, tt.signing, tt.more, tt.kms, tt.object)
			if len(got) != len(want) {
				t.Errorf("the template has %d statements, \"handstamp check --iam\" %d:\ntemplate %+v\ncheck    %+v", len(got), len(want), got, want)
			}
			for _, w := range want {
				i := slices.IndexFunc(got, func(g statement) bool { return g.Sid == w.Sid })
				switch {
				case i < 0:
					t.Errorf("the template has no statement %q", w.Sid)
				case !slices.Equal(got[i].Action, w.Action):
					t.Errorf("%s allows %v, want %v as \"handstamp check --iam\" prints", w.Sid, got[i].Action, w.Action)
				case !slices.Equal(got[i].Resource, w.Resource):
					t.Errorf("%s is for %v, want %v as \"handstamp check --iam\" prints", w.Sid, got[i].Resource, w.Resource)
				}
			}
		})
	}
}

func gatewayStack(signing string) stack {
	return stack{refs: map[string]string{
		"AWS::Partition": "aws", "AWS::Region": region, "AWS::AccountId": account, "AWS::StackName": "castle",
		"Book.Arn": tableARN, "Manifest": manifest, "SigningKeyArn": signing, "PrivateBucket.Arn": "arn:aws:s3:::castle-private",
		"GatewayLogs.Arn": "-", "Pepper": "-",
	}}
}

// fromCode is what the code says that a gateway like that of the template needs.
func fromCode(t *testing.T, signing string, more []string, kms, object bool) []statement {
	t.Helper()
	f := iam.Features{Table: iam.Table{Name: tableARN}, Keys: iam.Keys{Manifest: manifest, From: []string{"secretsmanager:" + laterKeys}}}
	switch {
	case kms:
		f.Keys.From = append(f.Keys.From, "kms:"+signing)
	case signing != "":
		f.Keys.From = append(f.Keys.From, "secretsmanager:"+signing)
	}
	for _, key := range more {
		f.Keys.From = append(f.Keys.From, "kms:"+key)
	}
	if object {
		f.Objects = iam.Objects{Bucket: "castle-private", Areas: []iam.Area{{Keys: "*", Read: true, Write: true}}}
	}
	policy, err := iam.Gateway(iam.Account{ID: account, Region: region}, f)
	if err != nil {
		t.Fatal(err)
	}
	var all []statement
	for _, s := range policy.Statement {
		all = append(all, statement{s.Sid, s.Action, s.Resource})
	}
	return all
}

// The ticket authorizer reads the book and changes nothing, and no signing key
// is for it.
func TestAuthorizerPolicy(t *testing.T) {
	s := gatewayStack("")
	s.refs["AuthorizerLogs.Arn"] = "-"
	list := at(template(t), "Resources", "AuthorizerPolicy", "Properties", "PolicyDocument", "Statement")
	want := map[string][]string{
		"Log":      {"logs:CreateLogStream", "logs:PutLogEvents"},
		"ReadBook": {"dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Query"},
		"Secrets":  {"secretsmanager:GetSecretValue"},
	}
	got := s.statements(t, list)
	if len(got) != len(want) {
		t.Errorf("the authorizer has statements %+v, want %v", got, want)
	}
	for _, g := range got {
		if !slices.Equal(g.Action, want[g.Sid]) {
			t.Errorf("%s allows %v, want %v", g.Sid, g.Action, want[g.Sid])
		}
		if slices.Contains(g.Resource, manifest) || slices.Contains(g.Resource, laterKeys) {
			t.Errorf("%s is for %v, want no signing keys", g.Sid, g.Resource)
		}
	}
}
