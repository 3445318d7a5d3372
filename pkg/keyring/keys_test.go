package keyring_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// The keys of these tests are made when they run: there is no private key in
// the source but the example.

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(keyring.Generate(keyring.RSA)).(*rsa.PrivateKey) })

var ecKey = sync.OnceValue(func() *ecdsa.PrivateKey { return must(keyring.Generate(keyring.ECDSA)).(*ecdsa.PrivateKey) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// allowsWeakKeys skips a test that makes keys which Go does not make in FIPS 140
// mode.
func allowsWeakKeys(t *testing.T) {
	t.Helper()
	if fips140.Enforced() {
		t.Skip("in FIPS 140 mode Go makes no keys that CloudFront would refuse")
	}
}

// rsaOf makes a key of any size and public exponent.
func rsaOf(bits, e int) *rsa.PrivateKey {
	one := big.NewInt(1)
	for {
		p, q := must(rand.Prime(rand.Reader, bits/2)), must(rand.Prime(rand.Reader, bits/2))
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(int64(e)), phi)
		n := new(big.Int).Mul(p, q)
		if d == nil || n.BitLen() != bits || p.Cmp(q) == 0 {
			continue
		}
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: e}, D: d, Primes: []*big.Int{p, q}}
		key.Precompute()
		return key
	}
}

func ecOf(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func pkcs1(key *rsa.PrivateKey) []byte {
	return block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

func pkcs8(key any) []byte { return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))) }

func sec1(key *ecdsa.PrivateKey) []byte {
	return block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(key)))
}

func public(key crypto.Signer) []byte { return must(keyring.PublicPEM(key.Public())) }

func ed25519Key() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func x25519Key() *ecdh.PrivateKey { return must(ecdh.X25519().GenerateKey(rand.Reader)) }

// ecParameters is what "openssl ecparam -genkey" writes in front of a P-256 key.
var ecParameters = block("EC PARAMETERS", []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07})

// noKeyBytes fails if said shows a part of the private keys in the PEM text, in
// any of the ways in which Go prints them.
func noKeyBytes(t *testing.T, said string, texts ...[]byte) {
	t.Helper()
	for _, text := range texts {
		for rest := text; ; {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil {
				break
			}
			if b.Type == "PUBLIC KEY" || b.Type == "EC PARAMETERS" || b.Type == "CERTIFICATE" {
				continue
			}
			for _, piece := range pieces(b.Bytes) {
				if strings.Contains(said, piece) {
					t.Errorf("key bytes %.12s... are in %q", piece, said)
					return
				}
			}
		}
	}
}

// pieces are the spellings of short parts of secret, far enough from its start
// to be more than an identifier.
func pieces(secret []byte) (list []string) {
	for i := 30; i+12 <= len(secret); i += 6 {
		part := secret[i : i+12]
		list = append(list, hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)),
			strings.Trim(fmt.Sprint(part), "[]"), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte{"), "}"))
	}
	encoded := base64.StdEncoding.EncodeToString(secret)
	for i := 40; i+12 <= len(encoded); i += 4 {
		list = append(list, encoded[i:i+12])
	}
	return list
}

// numbers are the secret integers of a key as Go prints them.
func numbers(key crypto.Signer) (list []string) {
	var secret []*big.Int
	switch k := key.(type) {
	case *rsa.PrivateKey:
		secret = append(k.Primes, k.D)
	case *ecdsa.PrivateKey:
		secret = append(secret, new(big.Int).SetBytes(must(k.Bytes())))
	}
	for _, n := range secret {
		list = append(list, n.String()[:20], n.Text(16)[:20], strings.ToUpper(n.Text(16)[:20]))
	}
	return list
}

func crlf(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }
