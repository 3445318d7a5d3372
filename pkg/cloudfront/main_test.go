package cloudfront_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	rsaID = "K2RSAEXAMPLE"
	ecID  = "K3ECDSAEXAMPLE"
)

var (
	noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	end  = noon.Add(15 * time.Minute)
)

// The keys live as long as the test process; none is in the tree.
var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(2048) })
	rsa1024  = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(1024) })
	ecKey    = sync.OnceValue(func() *ecdsa.PrivateKey { return newEC(elliptic.P256()) })
	otherKey = sync.OnceValue(func() *ecdsa.PrivateKey { return newEC(elliptic.P256()) })
)

func newRSA(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func newEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// trusted is the key group of most tests.
func trusted(t testing.TB) cloudfront.KeyGroup {
	t.Helper()
	return cloudfront.NewKeyGroup(publicKey(t, rsaID, rsaKey()), publicKey(t, ecID, ecKey()))
}

func publicKey(t testing.TB, id string, key crypto.Signer) *cloudfront.PublicKey {
	t.Helper()
	public, err := cloudfront.NewPublicKey(id, key.Public())
	if err != nil {
		t.Fatalf("NewPublicKey(%q): %v", id, err)
	}
	return public
}

func newSigner(t testing.TB, id string, key crypto.Signer, hash cloudfront.Hash) *cloudfront.Signer {
	t.Helper()
	s, err := cloudfront.NewSigner(id, key, hash)
	if err != nil {
		t.Fatalf("NewSigner(%q, %T, %q): %v", id, key, hash, err)
	}
	return s
}

func parseSite(t testing.TB, s string) cloudfront.Site {
	t.Helper()
	site, err := cloudfront.ParseSite(s)
	if err != nil {
		t.Fatalf("ParseSite(%q): %v", s, err)
	}
	return site
}

func prefix(t testing.TB, path string) cloudfront.Resource {
	t.Helper()
	r, err := parseSite(t, "https://media.example.org").Prefix(path)
	if err != nil {
		t.Fatalf("Prefix(%q): %v", path, err)
	}
	return r
}

func parseResource(t testing.TB, s string) cloudfront.Resource {
	t.Helper()
	r, err := cloudfront.ParseResource(s)
	if err != nil {
		t.Fatalf("ParseResource(%q): %v", s, err)
	}
	return r
}

// sent is what a viewer sends, written without any of our own code. An empty
// member is left out.
type sent struct{ policy, expires, signature, id, hash string }

func (s sent) fields() []cloudfront.Field {
	var fields []cloudfront.Field
	for _, f := range []cloudfront.Field{
		{Name: "Policy", Value: s.policy}, {Name: "Expires", Value: s.expires}, {Name: "Signature", Value: s.signature},
		{Name: "Key-Pair-Id", Value: s.id}, {Name: "Hash-Algorithm", Value: s.hash},
	} {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

func (s sent) cookies() string {
	var pairs []string
	for _, f := range s.fields() {
		pairs = append(pairs, "CloudFront-"+f.Name+"="+f.Value)
	}
	return strings.Join(pairs, "; ")
}

// on returns url as a signed URL.
func (s sent) on(url string) string {
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	for _, f := range s.fields() {
		url += separator + f.Name + "=" + f.Value
		separator = "&"
	}
	return url
}

// cookieHeader joins a cookie set as a browser does.
func cookieHeader(fields []cloudfront.Field) string {
	var pairs []string
	for _, f := range fields {
		pairs = append(pairs, f.Name+"="+f.Value)
	}
	return strings.Join(pairs, "; ")
}

// base64URL is CloudFront's base64, made from Go's as the guide describes it.
func base64URL(data []byte) string {
	return strings.NewReplacer("+", "-", "=", "_", "/", "~").Replace(base64.StdEncoding.EncodeToString(data))
}

// policyText writes a policy by hand: with the conditions given besides the end.
func policyText(resource string, end time.Time, conditions ...string) string {
	text := fmt.Sprintf(`{"Statement":[{"Resource":"%s","Condition":{"DateLessThan":{"AWS:EpochTime":%d}`, resource, end.Unix())
	for _, c := range conditions {
		text += "," + c
	}
	return text + "}}]}"
}

// sealed signs a policy text with the P-256 key and SHA-256.
func sealed(text string) sent { return sealedWith(ecID, ecKey(), cloudfront.SHA256, text) }

func sealedWith(id string, key crypto.Signer, hash cloudfront.Hash, text string) sent {
	s := sent{policy: base64URL([]byte(text)), signature: base64URL(signText(key, hash, text)), id: id}
	if hash == cloudfront.SHA256 {
		s.hash = "SHA256"
	}
	return s
}

// sealedCanned signs the canned policy for url.
func sealedCanned(url string, end time.Time) sent {
	s := sealed(policyText(url, end))
	s.policy, s.expires = "", fmt.Sprint(end.Unix())
	return s
}

func signText(key crypto.Signer, hash cloudfront.Hash, text string) []byte {
	algorithm, sum := crypto.SHA1, sha1.Sum([]byte(text))
	digest := sum[:]
	if hash == cloudfront.SHA256 {
		sum := sha256.Sum256([]byte(text))
		algorithm, digest = crypto.SHA256, sum[:]
	}
	signature, err := key.Sign(rand.Reader, digest, algorithm)
	if err != nil {
		panic(err)
	}
	return signature
}

// castle is a good cookie set for https://media.example.org/castle/*.
var castle = sync.OnceValue(func() sent { return sealed(policyText("https://media.example.org/castle/*", end)) })

const inCastle = "https://media.example.org/castle/audio/01.m4a"
