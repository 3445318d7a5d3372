package s3_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// newUser returns the key of a new user, who may do what a policy allows. An
// empty one allows nothing.
func newUser(t *testing.T, policy string) keyPair {
	t.Helper()
	name := "handstamp-" + text(10)
	command(t, url.Values{"Action": {"CreateUser"}, "UserName": {name}}, nil)
	if policy != "" {
		command(t, url.Values{"Action": {"PutUserPolicy"}, "UserName": {name}, "PolicyName": {"printed"}, "PolicyDocument": {policy}}, nil)
	}
	var made struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	command(t, url.Values{"Action": {"CreateAccessKey"}, "UserName": {name}}, &made)
	if made.ID == "" || made.Secret == "" {
		t.Fatalf("CreateAccessKey: no key in the answer")
	}
	return keyPair{made.ID, made.Secret}
}

// command asks the IAM service of the server, by AWS's Query API.
func command(t *testing.T, form url.Values, into any) {
	t.Helper()
	form.Set("Version", "2010-05-08")
	body := []byte(form.Encode())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, os.Getenv("HANDSTAMP_S3_IAM")+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	hash := sha256.Sum256(body)
	root := rootKey()
	err = v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: root.id, SecretAccessKey: root.secret}, req,
		hex.EncodeToString(hash[:]), "iam", region, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := newHTTP(t).Do(req)
	if err != nil {
		t.Fatalf("%s: %v", form.Get("Action"), err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", form.Get("Action"), resp.StatusCode, answer, err)
	}
	if into == nil {
		return
	}
	if err := xml.Unmarshal(answer, into); err != nil {
		t.Fatalf("%s: %v", form.Get("Action"), err)
	}
}

// A policy is an IAM policy, as far as it is changed here.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid, Effect      string
	Action, Resource []string
}

func readPolicy(t *testing.T, printed string) policy {
	t.Helper()
	var p policy
	if err := json.Unmarshal([]byte(printed), &p); err != nil {
		t.Fatalf("%v in %s", err, printed)
	}
	return p
}

// withForms returns a policy for this server, which looks for the right to send
// a form at the bucket and not, as AWS does, at the object.
func (s *store) withForms(t *testing.T, printed string) string {
	t.Helper()
	p := readPolicy(t, printed)
	p.Statement = append(p.Statement, statement{"Forms", "Allow", []string{"s3:PutObject"}, []string{"arn:aws:s3:::" + s.bucket}})
	return p.String()
}

// actions are all that the policy allows, such as "s3:GetObject".
func (p policy) actions() []string {
	var all []string
	for _, s := range p.Statement {
		all = append(all, s.Action...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// without returns the policy with an action less.
func (p policy) without(action string) policy {
	less := policy{Version: p.Version}
	for _, s := range p.Statement {
		s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == action })
		if len(s.Action) > 0 {
			less.Statement = append(less.Statement, s)
		}
	}
	return less
}

// String returns the policy as IAM reads it.
func (p policy) String() string {
	text, _ := json.Marshal(p) // of texts
	return string(text)
}
