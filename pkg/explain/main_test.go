package explain_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
)

const (
	rsaID    = "K2RSAEXAMPLE"
	ecID     = "K3ECDSAEXAMPLE"
	otherID  = "K4OTHEREXAMPLE"
	castle   = "https://media.example.org/castle/*"
	inCastle = "https://media.example.org/castle/audio/01.m4a"
	app      = "https://media.example.org/"
	api      = "https://media.example.org/v1/tickets/verify"
)

var (
	noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	soon = noon.Add(15 * time.Minute)
)

// The keys live as long as the test process; none is in the tree.
var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
	ecKey    = sync.OnceValue(newEC)
	otherKey = sync.OnceValue(newEC)
	lostKey  = sync.OnceValue(newEC) // its public half is nowhere
)

func newEC() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func public(id string, key crypto.Signer) *cloudfront.PublicKey {
	k, err := cloudfront.NewPublicKey(id, key.Public())
	if err != nil {
		panic(err)
	}
	return k
}

// trusted are the keys of the cache behavior in most tests.
var trusted = sync.OnceValue(func() []*cloudfront.PublicKey {
	return []*cloudfront.PublicKey{public(rsaID, rsaKey()), public(ecID, ecKey()), public(otherID, otherKey())}
})

// sent is what a viewer sends, written without any of the project's code. An
// empty member is left out.
type sent struct{ policy, expires, signature, id, hash string }

func (s sent) pairs(prefix string) []string {
	var pairs []string
	for _, f := range [][2]string{{"Policy", s.policy}, {"Expires", s.expires}, {"Signature", s.signature}, {"Key-Pair-Id", s.id}, {"Hash-Algorithm", s.hash}} {
		if f[1] != "" {
			pairs = append(pairs, prefix+f[0]+"="+f[1])
		}
	}
	return pairs
}

func (s sent) cookies() []string { return []string{strings.Join(s.pairs("CloudFront-"), "; ")} }

// set are Set-Cookie headers with the given attributes.
func (s sent) set(attributes string) []string {
	lines := s.pairs("CloudFront-")
	for i := range lines {
		lines[i] += attributes
	}
	return lines
}

// on returns url as a signed URL.
func (s sent) on(url string) string {
	if strings.Contains(url, "?") {
		return url + "&" + strings.Join(s.pairs(""), "&")
	}
	return url + "?" + strings.Join(s.pairs(""), "&")
}

// encode is CloudFront's base64, made from Go's as the guide describes it.
func encode(data []byte) string {
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

func digest(hash crypto.Hash, text string) []byte {
	switch hash {
	case crypto.SHA1:
		sum := sha1.Sum([]byte(text))
		return sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512([]byte(text))
		return sum[:]
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func sign(key crypto.Signer, hash crypto.Hash, text string) []byte {
	signature, err := key.Sign(rand.Reader, digest(hash, text), hash)
	if err != nil {
		panic(err)
	}
	return signature
}

// sealed signs a policy text with the P-256 key and SHA-256.
func sealed(text string) sent {
	return sent{policy: encode([]byte(text)), signature: encode(sign(ecKey(), crypto.SHA256, text)), id: ecID, hash: "SHA256"}
}

// sealedRSA signs a policy text with the RSA key and SHA-1, CloudFront's default.
func sealedRSA(text string) sent {
	return sent{policy: encode([]byte(text)), signature: encode(sign(rsaKey(), crypto.SHA1, text)), id: rsaID}
}

// sealedOver sends one text and signs another.
func sealedOver(text, signed string) sent {
	s := sealed(signed)
	s.policy = encode([]byte(text))
	return s
}

// canned signs the canned policy for url.
func canned(url string, end time.Time) sent {
	s := sealed(policyText(url, end))
	s.policy, s.expires = "", fmt.Sprint(end.Unix())
	return s
}

// cannedOver sends a canned policy whose signature is over text.
func cannedOver(text string, end time.Time) sent {
	s := sealed(text)
	s.policy, s.expires = "", fmt.Sprint(end.Unix())
	return s
}

// good is a cookie set that opens inCastle at noon.
var good = sync.OnceValue(func() sent { return sealed(policyText(castle, soon)) })

// request is a request for url at noon with cookies.
func request(url string, s sent) explain.Input {
	return explain.Input{URL: url, Cookies: s.cookies(), Keys: trusted(), At: noon}
}

// fresh is a request of a browser that has what earlier answers set.
func fresh(url, page string, answers ...explain.Answer) explain.Input {
	return explain.Input{URL: url, Page: page, Keys: trusted(), At: noon, Earlier: answers}
}

func answer(url string, set ...string) explain.Answer {
	return explain.Answer{URL: url, Method: "POST", SetCookie: set}
}

func ids(causes []explain.Cause) []string {
	var all []string
	for _, c := range causes {
		all = append(all, c.ID)
	}
	return all
}

func describe(r *explain.Report) string {
	var b strings.Builder
	r.Write(&b, false)
	return b.String()
}
