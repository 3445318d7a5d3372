package cloudfront_test

import (
	"crypto"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/cloudfront/sign"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// TestSDKSignatures: what AWS's Go SDK signs, canned and custom, URLs and
// cookies, is decided as it was meant.
func TestSDKSignatures(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	queries := []string{"", "?lang=en", "?a=1&b=2", "?q=it%27s"}
	for i := range 100 {
		file := fmt.Sprintf("https://media.example.org/castle/%d/stop-%d.m4a%s", random.IntN(9), i, queries[i%len(queries)])
		until := noon.Add(time.Duration(1+random.IntN(3600)) * time.Second)
		for form, request := range sdkRequests(t, file, until, i%2 == 0) {
			for at, want := range map[time.Time]bool{noon: true, until.Add(-time.Second): true, until: false} {
				if got := new(cloudfront.Decider).Decide(request, trusted(t), at); got.Allowed != want {
					t.Fatalf("%s for %s at %s: %+v, want allowed %t", form, file, at, got, want)
				}
			}
		}
	}
}

// sdkRequests asks for file with everything that the SDK can sign for it.
func sdkRequests(t *testing.T, file string, until time.Time, started bool) map[string]cloudfront.Request {
	t.Helper()
	urls := sign.NewURLSigner(rsaID, rsaKey())
	canned, err := urls.Sign(file, until)
	if err != nil {
		t.Fatal(err)
	}
	policy := &sign.Policy{Statements: []sign.Statement{{Resource: file, Condition: sign.Condition{DateLessThan: sign.NewAWSEpochTime(until)}}}}
	if started {
		policy.Statements[0].Condition.DateGreaterThan = sign.NewAWSEpochTime(noon.Add(-time.Minute))
	}
	custom, err := urls.SignWithPolicy(file, policy)
	if err != nil {
		t.Fatal(err)
	}
	cookies, err := sign.NewCookieSigner(rsaID, rsaKey()).Sign("https://media.example.org/castle/*", until)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]cloudfront.Request{
		"canned URL": {URL: canned}, "custom URL": {URL: custom}, "cookies": {URL: file, Cookies: []string{headerOf(cookies)}},
	}
}

func headerOf(cookies []*http.Cookie) string {
	text := ""
	for _, c := range cookies {
		text += c.Name + "=" + c.Value + "; "
	}
	return text
}

// The SDK signs URLs with ECDSA over SHA-1, which is refused unless asked for.
func TestSDKWithECDSA(t *testing.T) {
	var key crypto.Signer = ecKey()
	url, err := sign.NewURLSigner(ecID, key).Sign(inCastle, end)
	if err != nil {
		t.Fatal(err)
	}
	for allow, want := range map[bool]cloudfront.Rule{false: cloudfront.RuleSignature, true: ""} {
		decider := cloudfront.Decider{Parity: cloudfront.Parity{AllowECDSASHA1: allow}}
		if got := decider.Decide(cloudfront.Request{URL: url}, trusted(t), noon); got.Rule != want {
			t.Errorf("AllowECDSASHA1 %t: rule %q, want %q", allow, got.Rule, want)
		}
	}
}
