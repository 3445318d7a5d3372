package cloudfront_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A fakeKey is a signer outside the process, as a KMS key is.
type fakeKey struct {
	crypto.Signer
	public crypto.PublicKey
	err    error
}

func (k fakeKey) Public() crypto.PublicKey {
	if k.public != nil {
		return k.public
	}
	return k.Signer.Public()
}

func (k fakeKey) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k.err != nil {
		return nil, k.err
	}
	return k.Signer.Sign(r, digest, opts)
}

// rsaOfSize is a public key that has the size, if nothing else.
func rsaOfSize(bits int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
}

func ed25519Key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) }

func TestNewSigner(t *testing.T) {
	tests := []struct {
		name string
		key  crypto.Signer
		hash cloudfront.Hash
		want cloudfront.Hash // empty for ErrKeyType
	}{
		{"RSA-2048", rsaKey(), "", cloudfront.SHA1},
		{"RSA-2048 SHA1", rsaKey(), cloudfront.SHA1, cloudfront.SHA1},
		{"RSA-2048 SHA256", rsaKey(), cloudfront.SHA256, cloudfront.SHA256},
		{"RSA-2048 elsewhere", fakeKey{Signer: rsaKey()}, "", cloudfront.SHA1},
		{"P-256", ecKey(), "", cloudfront.SHA256},
		{"P-256 SHA256", ecKey(), cloudfront.SHA256, cloudfront.SHA256},
		{"P-256 SHA1", ecKey(), cloudfront.SHA1, ""},
		{"RSA-1024", rsa1024(), "", ""},
		{"RSA-2047", fakeKey{public: rsaOfSize(2047)}, "", ""},
		{"RSA-3072", fakeKey{public: rsaOfSize(3072)}, cloudfront.SHA256, ""},
		{"RSA-4096", fakeKey{public: rsaOfSize(4096)}, cloudfront.SHA256, ""},
		{"P-224", newEC(elliptic.P224()), "", ""},
		{"P-384", newEC(elliptic.P384()), "", ""},
		{"P-521", newEC(elliptic.P521()), cloudfront.SHA256, ""},
		{"Ed25519", ed25519Key(), "", ""},
		{"not a key", fakeKey{public: "a word"}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := cloudfront.NewSigner(rsaID, tt.key, tt.hash)
			switch {
			case tt.want == "" && (!errors.Is(err, cloudfront.ErrKeyType) || got != nil):
				t.Errorf("NewSigner(%q) = %v, %v, want ErrKeyType", tt.hash, got, err)
			case tt.want != "" && (err != nil || got.Hash() != tt.want || got.KeyPairID() != rsaID):
				t.Errorf("NewSigner(%q) = %+v, %v, want hash %s", tt.hash, got, err, tt.want)
			}
		})
	}
}

// An unknown hash must not turn into SHA-1, least of all with an ECDSA key.
func TestNewSignerUnknownHash(t *testing.T) {
	for _, hash := range []cloudfront.Hash{"sha256", "SHA-256", "SHA512", "MD5", " SHA1", "sha1"} {
		for _, key := range []crypto.Signer{rsaKey(), ecKey()} {
			if s, err := cloudfront.NewSigner(rsaID, key, hash); err == nil {
				t.Errorf("NewSigner(%T, %q) = %+v, want an error", key, hash, s)
			}
		}
	}
}

// badIDs cannot be the ID of a public key.
var badIDs = []string{"", "K2 JC", "K2;JC", "K2-JC", "K2_JC", "K2\n", "K2=", `"K2"`, "K\u00e4", "-----BEGIN", "arn:aws:x", strings.Repeat("K", 65)}

func TestKeyPairIDs(t *testing.T) {
	for _, id := range badIDs {
		if _, err := cloudfront.NewSigner(id, ecKey(), ""); err == nil {
			t.Errorf("NewSigner(%q) = no error, want one", id)
		}
		if _, err := cloudfront.NewPublicKey(id, ecKey().Public()); err == nil {
			t.Errorf("NewPublicKey(%q) = no error, want one", id)
		}
	}
	for _, id := range []string{"K", "K2JCJMDEHXQW5F", "APKAEIBAERJR2EXAMPLE", "lower9", strings.Repeat("K", 64)} {
		if _, err := cloudfront.NewSigner(id, ecKey(), ""); err != nil {
			t.Errorf("NewSigner(%q): %v", id, err)
		}
	}
}

// somePolicies are policies of every form.
func somePolicies(t testing.TB) map[string]cloudfront.Policy {
	return map[string]cloudfront.Policy{
		"prefix":  {Resource: prefix(t, "castle"), DateLessThan: end},
		"start":   {Resource: prefix(t, "castle"), DateLessThan: end, DateGreaterThan: noon.Add(-5 * 60e9)},
		"address": {Resource: prefix(t, "castle"), DateLessThan: end, IPAddress: netip.MustParsePrefix("192.0.2.0/24")},
		"all":     {Resource: prefix(t, "castle/audio"), DateLessThan: end, DateGreaterThan: noon.Add(-1e9), IPAddress: netip.MustParsePrefix("192.0.2.7/32")},
		"parsed":  {Resource: parseResource(t, "https://media.example.org/castle/audio/*"), DateLessThan: end},
	}
}

// TestSign signs every form with every kind of key; the standard library and
// our own decision accept the result.
func TestSign(t *testing.T) {
	signers := map[string]*cloudfront.Signer{
		"RSA SHA1":             newSigner(t, rsaID, rsaKey(), cloudfront.SHA1),
		"RSA SHA1 elsewhere":   newSigner(t, rsaID, fakeKey{Signer: rsaKey()}, cloudfront.SHA1),
		"RSA SHA256":           newSigner(t, rsaID, rsaKey(), cloudfront.SHA256),
		"RSA SHA256 elsewhere": newSigner(t, rsaID, fakeKey{Signer: rsaKey()}, cloudfront.SHA256),
		"P-256":                newSigner(t, ecID, ecKey(), ""),
		"P-256 elsewhere":      newSigner(t, ecID, fakeKey{Signer: ecKey()}, ""),
	}
	for kind, s := range signers {
		for form, policy := range somePolicies(t) {
			t.Run(kind+"/"+form, func(t *testing.T) {
				signed, err := s.Sign(policy)
				if err != nil {
					t.Fatalf("Sign: %v", err)
				}
				checkSignature(t, signed)
				request := cloudfront.Request{URL: inCastle, Cookies: []string{cookieHeader(signed.Cookies())}, IP: netip.MustParseAddr("192.0.2.7")}
				if got := new(cloudfront.Decider).Decide(request, trusted(t), noon); !got.Allowed {
					t.Errorf("Decide about what was just signed = %+v, want it allowed", got)
				}
			})
		}
	}
}

// checkSignature asks the standard library about the bytes that are sent.
func checkSignature(t *testing.T, signed *cloudfront.Signed) {
	t.Helper()
	sha1Sum, sha256Sum := sha1.Sum(signed.Text()), sha256.Sum256(signed.Text())
	if signed.KeyPairID == ecID {
		var pair struct{ R, S *big.Int }
		if rest, err := asn1.Unmarshal(signed.Signature(), &pair); err != nil || len(rest) > 0 {
			t.Errorf("Signature() = %x is not DER: %v", signed.Signature(), err)
		}
		if !ecdsa.Verify(&ecKey().PublicKey, sha256Sum[:], pair.R, pair.S) {
			t.Errorf("Signature() = %x does not verify over %s", signed.Signature(), signed.Text())
		}
		return
	}
	hash, digest := crypto.SHA1, sha1Sum[:]
	if signed.Hash == cloudfront.SHA256 {
		hash, digest = crypto.SHA256, sha256Sum[:]
	}
	want, err := rsa.SignPKCS1v15(nil, rsaKey(), hash, digest)
	if err != nil || !bytes.Equal(signed.Signature(), want) { // PKCS #1 v1.5 is deterministic
		t.Errorf("Signature() = %x over %s, want %x, %v", signed.Signature(), signed.Text(), want, err)
	}
}

// TestSignSameBytes: without start and address, AWS's signer and ours write the
// same text, and what is sent always is what was signed.
func TestSignSameBytes(t *testing.T) {
	policy := cloudfront.Policy{Resource: parseResource(t, "https://media.example.org/it's/<a>/b?x=1&y=%27&z=*"), DateLessThan: end.Add(123456789)}
	for _, s := range []*cloudfront.Signer{newSigner(t, rsaID, rsaKey(), cloudfront.SHA1), newSigner(t, rsaID, rsaKey(), cloudfront.SHA256), newSigner(t, ecID, ecKey(), "")} {
		signed, err := s.Sign(policy)
		if err != nil {
			t.Fatal(err)
		}
		if want := policy.Text(); !bytes.Equal(signed.Text(), want) {
			t.Errorf("Text() with %s = %s, want %s", s.Hash(), signed.Text(), want)
		}
		if got, want := signed.Cookies()[0].Value, base64URL(signed.Text()); got != want {
			t.Errorf("%s cookie = %s, want the signed bytes %s", s.Hash(), got, want)
		}
	}
}

func TestSignFails(t *testing.T) {
	policy := cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: end}
	broken := errors.New("key service is down")
	for _, s := range []*cloudfront.Signer{
		newSigner(t, rsaID, fakeKey{Signer: rsaKey(), err: broken}, cloudfront.SHA1),
		newSigner(t, ecID, fakeKey{Signer: ecKey(), err: broken}, ""),
	} {
		if signed, err := s.Sign(policy); !errors.Is(err, broken) || signed != nil {
			t.Errorf("Sign = %v, %v, want %v", signed, err, broken)
		}
		canned := cloudfront.Policy{Resource: parseResource(t, inCastle), DateLessThan: end}
		if signed, err := s.SignCanned(canned); !errors.Is(err, broken) || signed != nil {
			t.Errorf("SignCanned = %v, %v, want %v", signed, err, broken)
		}
	}
}

// A custom policy that no browser would keep in a cookie is refused, a canned
// one needs no room for its text.
func TestSignTooLong(t *testing.T) {
	s := newSigner(t, ecID, ecKey(), "")
	long := parseResource(t, "https://media.example.org/"+strings.Repeat("a", 2943))
	for name, policy := range map[string]cloudfront.Policy{
		"resource":  {Resource: long, DateLessThan: end},
		"and start": {Resource: parseResource(t, long.String()[:2968]), DateLessThan: end, DateGreaterThan: noon},
	} {
		if _, err := s.Sign(policy); !errors.Is(err, cloudfront.ErrUnsafeResource) {
			t.Errorf("Sign of long %s = %v, want ErrUnsafeResource", name, err)
		}
	}
	signed, err := s.Sign(cloudfront.Policy{Resource: parseResource(t, long.String()[:2968]), DateLessThan: end})
	if err != nil {
		t.Fatalf("Sign of 2,968 bytes: %v", err)
	}
	for _, c := range signed.Cookies() {
		if n := len(c.Name) + len(c.Value); n > 4096 {
			t.Errorf("cookie %s has %d bytes, at most 4,096 are kept", c.Name, n)
		}
	}
	if _, err := s.SignCanned(cloudfront.Policy{Resource: long, DateLessThan: end}); err != nil {
		t.Errorf("SignCanned of 2,969 bytes: %v, want none", err)
	}
}

// TestFIPS runs itself in FIPS 140-only mode, where SHA-1 panics.
func TestFIPS(t *testing.T) {
	if os.Getenv("GODEBUG") != "fips140=only" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFIPS$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("in FIPS 140-only mode: %v\n%s", err, out)
		}
		return
	}
	if _, err := cloudfront.NewSigner(rsaID, rsaKey(), ""); !errors.Is(err, cloudfront.ErrKeyType) {
		t.Errorf("NewSigner with SHA1 = %v, want ErrKeyType", err)
	}
	policy := cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: end}
	for id, key := range map[string]crypto.Signer{rsaID: rsaKey(), ecID: ecKey()} {
		signed, err := newSigner(t, id, key, cloudfront.SHA256).Sign(policy)
		if err != nil {
			t.Fatalf("Sign with %s: %v", id, err)
		}
		request := cloudfront.Request{URL: inCastle, Cookies: []string{cookieHeader(signed.Cookies())}}
		if got := new(cloudfront.Decider).Decide(request, trusted(t), noon); !got.Allowed {
			t.Errorf("Decide with %s and SHA256 = %+v, want it allowed", id, got)
		}
		request.Cookies[0], _, _ = strings.Cut(request.Cookies[0], "; CloudFront-Hash-Algorithm")
		for _, parity := range []cloudfront.Parity{{}, {AllowECDSASHA1: true}} {
			got := (&cloudfront.Decider{Parity: parity}).Decide(request, trusted(t), noon)
			if want := (cloudfront.Decision{Code: cloudfront.AccessDenied, Rule: cloudfront.RuleSignature}); got != want {
				t.Errorf("Decide with %s and SHA1 = %+v, want %+v", id, got, want)
			}
		}
	}
}

// pss signs as RSA-PSS, which CloudFront does not know.
func pss(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, sum[:], nil)
	if err != nil {
		panic(err)
	}
	return signature
}
