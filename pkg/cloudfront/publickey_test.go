package cloudfront_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

func publicPEM(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestParsePublicKey(t *testing.T) {
	for want, key := range map[string]crypto.Signer{"RSA-2048": rsaKey(), "ECDSA P-256": ecKey()} {
		got, err := cloudfront.ParsePublicKey(rsaID, publicPEM(t, key.Public()))
		if err != nil || got.ID() != rsaID || got.Kind() != want {
			t.Errorf("ParsePublicKey = %+v, %v, want %s %s", got, err, rsaID, want)
		}
	}
	for name, key := range map[string]crypto.PublicKey{
		"RSA-1024": rsa1024().Public(), "RSA-3072": rsaOfSize(3072), "P-384": newEC(elliptic.P384()).Public(), "Ed25519": ed25519Key().Public(),
	} {
		if got, err := cloudfront.ParsePublicKey(rsaID, publicPEM(t, key)); !errors.Is(err, cloudfront.ErrKeyType) {
			t.Errorf("ParsePublicKey of %s = %+v, %v, want ErrKeyType", name, got, err)
		}
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	private, err := x509.MarshalPKCS8PrivateKey(ecKey())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, text, want string }{
		{"nothing", "", `no PEM block, want "PUBLIC KEY"`},
		{"text", "K2JCJMDEHXQW5F", `no PEM block, want "PUBLIC KEY"`},
		{"private key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
			`PEM block "PRIVATE KEY", want "PUBLIC KEY" (make the public half with "openssl pkey -pubout")`},
		{"PKCS #1", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)})),
			`PEM block "RSA PUBLIC KEY", want "PUBLIC KEY"`},
		{"garbage", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})),
			"the PEM block holds no public key that this program can read"},
		{"bad ID", string(publicPEM(t, ecKey().Public())), `key pair ID "K 2", want 1 to 64 letters and digits`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := rsaID
			if tt.name == "bad ID" {
				id = "K 2"
			}
			if got, err := cloudfront.ParsePublicKey(id, []byte(tt.text)); err == nil || err.Error() != tt.want {
				t.Errorf("ParsePublicKey = %v, %v, want error %s", got, err, tt.want)
			}
		})
	}
}

// TestVerify: what is not exactly a signature of this key over this text in
// this hash does not verify, and nothing panics.
func TestVerify(t *testing.T) {
	const text = `{"Statement":[]}`
	rsaPublic, ecPublic := publicKey(t, rsaID, rsaKey()), publicKey(t, ecID, ecKey())
	rsa1, rsa256 := signText(rsaKey(), cloudfront.SHA1, text), signText(rsaKey(), cloudfront.SHA256, text)
	ec1, ec256 := signText(ecKey(), cloudfront.SHA1, text), signText(ecKey(), cloudfront.SHA256, text)
	tests := []struct {
		name      string
		key       *cloudfront.PublicKey
		hash      cloudfront.Hash
		signature []byte
		want      bool
	}{
		{"RSA SHA1", rsaPublic, cloudfront.SHA1, rsa1, true},
		{"RSA SHA256", rsaPublic, cloudfront.SHA256, rsa256, true},
		{"ECDSA SHA1", ecPublic, cloudfront.SHA1, ec1, true},
		{"ECDSA SHA256", ecPublic, cloudfront.SHA256, ec256, true},
		{"RSA SHA256 as SHA1", rsaPublic, cloudfront.SHA1, rsa256, false},
		{"RSA SHA1 as SHA256", rsaPublic, cloudfront.SHA256, rsa1, false},
		{"ECDSA SHA256 as SHA1", ecPublic, cloudfront.SHA1, ec256, false},
		{"unknown hash", rsaPublic, "MD5", rsa1, false},
		{"no hash", rsaPublic, "", rsa1, false},
		{"ECDSA by the RSA key", rsaPublic, cloudfront.SHA256, ec256, false},
		{"RSA by the ECDSA key", ecPublic, cloudfront.SHA256, rsa256, false},
		{"other key", ecPublic, cloudfront.SHA256, signText(otherKey(), cloudfront.SHA256, text), false},
		{"PSS", rsaPublic, cloudfront.SHA256, pss(text), false},
		{"r and s joined", ecPublic, cloudfront.SHA256, joined(t, ec256), false},
		{"bytes after DER", ecPublic, cloudfront.SHA256, append(bytes.Clone(ec256), 0), false},
		{"bytes after RSA", rsaPublic, cloudfront.SHA256, append(bytes.Clone(rsa256), 0), false},
		{"short RSA", rsaPublic, cloudfront.SHA256, rsa256[:255], false},
		{"nothing RSA", rsaPublic, cloudfront.SHA256, nil, false},
		{"nothing ECDSA", ecPublic, cloudfront.SHA256, []byte{}, false},
		{"10 KiB RSA", rsaPublic, cloudfront.SHA256, make([]byte, 10<<10), false},
		{"10 KiB ECDSA", ecPublic, cloudfront.SHA256, make([]byte, 10<<10), false},
		{"zeros", ecPublic, cloudfront.SHA256, der(t, big.NewInt(0), big.NewInt(0)), false},
		{"the order", ecPublic, cloudfront.SHA256, der(t, elliptic.P256().Params().N, big.NewInt(1)), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.key.Verify(tt.hash, []byte(text), tt.signature); got != tt.want {
				t.Errorf("Verify(%q, %x) = %t, want %t", tt.hash, tt.signature, got, tt.want)
			}
			if tt.key.Verify(tt.hash, []byte(text+" "), tt.signature) {
				t.Errorf("Verify(%q) of another text = true, want false", tt.hash)
			}
		})
	}
}

func der(t testing.TB, r, s *big.Int) []byte {
	t.Helper()
	out, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// joined turns a DER signature into r and s side by side, as JOSE has it.
func joined(t testing.TB, signature []byte) []byte {
	t.Helper()
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &pair); err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 64)
	pair.R.FillBytes(out[:32])
	pair.S.FillBytes(out[32:])
	return out
}

func TestKeyGroup(t *testing.T) {
	first, second := publicKey(t, ecID, ecKey()), publicKey(t, ecID, otherKey())
	g := cloudfront.NewKeyGroup(publicKey(t, rsaID, rsaKey()), first, second)
	if g.Len() != 2 || g.Key(ecID) != second || g.Key(rsaID).ID() != rsaID {
		t.Errorf("NewKeyGroup = %d keys, %v under %s, want 2 and the last one", g.Len(), g.Key(ecID), ecID)
	}
	for _, id := range []string{"", strings.ToLower(ecID), ecID + " "} {
		if key := g.Key(id); key != nil {
			t.Errorf("Key(%q) = %v, want nil", id, key)
		}
	}
	if nobody := (cloudfront.KeyGroup{}); nobody.Key(ecID) != nil || nobody.Len() != 0 {
		t.Errorf("KeyGroup{} has %d keys, want none", nobody.Len())
	}
	for _, k := range g.Keys() {
		if _, ok := k.Key().(*ecdsa.PublicKey); ok != (k.Kind() == "ECDSA P-256") {
			t.Errorf("Key() of %s = %T", k.Kind(), k.Key())
		}
	}
}

func TestParseHash(t *testing.T) {
	for _, s := range []string{"SHA1", "SHA256"} {
		if got, err := cloudfront.ParseHash(s); err != nil || string(got) != s {
			t.Errorf("ParseHash(%q) = %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "sha1", "sha256", "SHA-256", "SHA512", "MD5", "SHA1 ", "SHA256,SHA1"} {
		if got, err := cloudfront.ParseHash(s); err == nil {
			t.Errorf("ParseHash(%q) = %q, want an error", s, got)
		}
	}
}
