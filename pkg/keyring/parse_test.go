package keyring_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/keyring"
)

func TestParsePrivate(t *testing.T) {
	tests := []struct {
		name string
		text []byte
		want crypto.Signer
	}{
		{"RSA, PKCS #8", pkcs8(rsaKey()), rsaKey()},
		{"RSA, PKCS #1", pkcs1(rsaKey()), rsaKey()},
		{"ECDSA, PKCS #8", pkcs8(ecKey()), ecKey()},
		{"ECDSA, SEC 1", sec1(ecKey()), ecKey()},
		{"ECDSA, SEC 1, parameters in front", append(bytes.Clone(ecParameters), sec1(ecKey())...), ecKey()},
		{"CRLF", crlf(pkcs8(rsaKey())), rsaKey()},
		{"leading text", append([]byte("Bag Attributes\n    friendlyName: media\n\n"), pkcs8(ecKey())...), ecKey()},
		{"text behind", append(pkcs8(ecKey()), "that was it\n"...), ecKey()},
		{"no new line at the end", bytes.TrimSpace(pkcs8(ecKey())), ecKey()},
		{"byte order mark and a line", append([]byte("\ufeff# key\n"), pkcs1(rsaKey())...), rsaKey()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := keyring.ParsePrivate(tt.text)
			if err != nil {
				t.Fatalf("ParsePrivate = %v, want a key", err)
			}
			if k, ok := got.(interface{ Equal(crypto.PrivateKey) bool }); !ok || !k.Equal(tt.want) {
				t.Errorf("ParsePrivate gave another key, a %T", got)
			}
		})
	}
}

func TestParsePrivateRefuses(t *testing.T) {
	allowsWeakKeys(t)
	const none = `unusable key: no PEM block, want "PRIVATE KEY", "RSA PRIVATE KEY" or "EC PRIVATE KEY"`
	const encrypted = `unusable key: the key is encrypted, want it plain in a file of mode 0600 (decrypt with "openssl pkey -in KEY")`
	const types = ", CloudFront takes RSA with 2048 bits and ECDSA on P-256"
	key := pkcs8(rsaKey())
	der := must(x509.MarshalPKCS8PrivateKey(rsaKey()))
	legacy := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der,
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}})
	tests := []struct {
		name string
		text []byte
		want string
	}{
		{"RSA-1024", pkcs1(rsaOf(1024, 65537)), "unusable key: RSA with 1024 bits, CloudFront key groups take 2048"},
		{"RSA-1536", pkcs8(rsaOf(1536, 65537)), "unusable key: RSA with 1536 bits, CloudFront key groups take 2048"},
		{"RSA-3072", pkcs8(rsaOf(3072, 65537)), "unusable key: RSA with 3072 bits, CloudFront key groups take 2048"},
		{"RSA-4096", byHand(keyOf(product(), product())), "unusable key: RSA with 4096 bits, CloudFront key groups take 2048"},
		{"exponent 3", pkcs1(rsaOf(2048, 3)), "unusable key: RSA with public exponent 3, want 65537"},
		{"P-224", sec1(ecOf(elliptic.P224())), "unusable key: ECDSA on P-224, CloudFront takes P-256"},
		{"P-384", pkcs8(ecOf(elliptic.P384())), "unusable key: ECDSA on P-384, CloudFront takes P-256"},
		{"P-384, SEC 1", sec1(ecOf(elliptic.P384())), "unusable key: ECDSA on P-384, CloudFront takes P-256"},
		{"P-521", sec1(ecOf(elliptic.P521())), "unusable key: ECDSA on P-521, CloudFront takes P-256"},
		{"Ed25519", pkcs8(ed25519Key()), "unusable key: ed25519.PublicKey" + types},
		{"X25519", pkcs8(x25519Key()), "unusable key: *ecdh.PrivateKey cannot sign"},
		{"secp256k1", block("EC PRIVATE KEY", must(hex.DecodeString("302e02010104203b7a8d6b4f3c2e1d0a9b8c7d6e5f40312233445566778899aabbccddeeff0011a00706052b8104000a"))), `unusable key: the PEM block "EC PRIVATE KEY" does not hold one`},
		{"DSA", block("DSA PRIVATE KEY", der), `unusable key: PEM block "DSA PRIVATE KEY", want "PRIVATE KEY", "RSA PRIVATE KEY" or "EC PRIVATE KEY"`},
		{"DSA, PKCS #8", block("PRIVATE KEY", foreignKey(asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}, nil)), `unusable key: the PEM block "PRIVATE KEY" does not hold one`},
		{"secp256k1, PKCS #8", block("PRIVATE KEY", foreignKey(asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, asn1.ObjectIdentifier{1, 3, 132, 0, 10})), `unusable key: the PEM block "PRIVATE KEY" does not hold one`},
		{"OpenSSH", block("OPENSSH PRIVATE KEY", der), `unusable key: PEM block "OPENSSH PRIVATE KEY", want "PRIVATE KEY", "RSA PRIVATE KEY" or "EC PRIVATE KEY"`},

		{"encrypted, PKCS #8", block("ENCRYPTED PRIVATE KEY", der), encrypted},
		{"encrypted, old way", legacy, encrypted},
		{"public key", public(rsaKey()), "unusable key: this is a public key, want the private key that belongs to it"},
		{"public key, PKCS #1", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)), "unusable key: this is a rsa public key, want the private key that belongs to it"},
		{"certificate", certificate(), "unusable key: this is a certificate, want the private key that belongs to it"},

		{"two keys", append(bytes.Clone(key), sec1(ecKey())...), `unusable key: a second PEM block "EC PRIVATE KEY" follows the first, want one key a file`},
		{"key and certificate", append(bytes.Clone(key), certificate()...), `unusable key: a second PEM block "CERTIFICATE" follows the first, want one key a file`},
		{"parameters alone", ecParameters, none},
		{"empty", nil, none},
		{"white space", []byte(" \n\n"), none},
		{"DER", der, none},
		{"cut off", key[:len(key)/2], none},
		{"cut off at the end", key[:len(key)-12], none},
		{"a character lost", append(bytes.Clone(key[:100]), key[101:]...), none},
		{"body of another kind", block("EC PRIVATE KEY", der), `unusable key: the PEM block "EC PRIVATE KEY" does not hold one`},
		{"PKCS #8 named PKCS #1", block("RSA PRIVATE KEY", der), `unusable key: the PEM block "RSA PRIVATE KEY" does not hold one`},
		{"cut off inside", block("PRIVATE KEY", der[:len(der)-40]), `unusable key: the PEM block "PRIVATE KEY" does not hold one`},
		{"empty block", block("PRIVATE KEY", nil), `unusable key: the PEM block "PRIVATE KEY" does not hold one`},
		{"long name", block(strings.Repeat("X", 500), der), `unusable key: PEM block "` + strings.Repeat("X", 40) + `", want "PRIVATE KEY", "RSA PRIVATE KEY" or "EC PRIVATE KEY"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := keyring.ParsePrivate(tt.text)
			if got != nil || !errors.Is(err, keyring.ErrKey) {
				t.Fatalf("ParsePrivate = %T, %v, want ErrKey", got, err)
			}
			if err.Error() != tt.want {
				t.Errorf("ParsePrivate = %q, want %q", err, tt.want)
			}
			noKeyBytes(t, err.Error(), tt.text, key)
		})
	}
}

// product is a factor of 2,048 bits, for a modulus of which only the size matters.
func product() *big.Int {
	for {
		if p := new(big.Int).Mul(prime1024(), prime1024()); p.BitLen() == 2048 && p.Bit(2046) == 1 {
			return p
		}
	}
}

// foreignKey is a key in PKCS #8 of an algorithm that CloudFront does not take.
func foreignKey(algorithm, parameters asn1.ObjectIdentifier) []byte {
	type identifier struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters asn1.ObjectIdentifier `asn1:"optional"`
	}
	private := must(asn1.Marshal(struct {
		Version int
		Key     []byte
	}{1, bytes.Repeat([]byte{0x5a}, 32)}))
	return must(asn1.Marshal(struct {
		Version   int
		Algorithm identifier
		Key       []byte
	}{0, identifier{algorithm, parameters}, private}))
}

// An RSA key whose numbers do not belong together must not load: it would sign
// what nobody accepts, or give its primes away.
func TestParsePrivateRefusesABrokenRSAKey(t *testing.T) {
	key := rsaKey()
	write := func(d, p *big.Int) []byte {
		q := key.Primes[1]
		one := big.NewInt(1)
		return block("RSA PRIVATE KEY", must(asn1.Marshal(struct {
			Version             int
			N                   *big.Int
			E                   int
			D, P, Q, DP, DQ, QI *big.Int
		}{0, key.N, key.E, d, p, q, new(big.Int).Mod(d, new(big.Int).Sub(p, one)), new(big.Int).Mod(d, new(big.Int).Sub(q, one)), new(big.Int).ModInverse(q, p)})))
	}
	if _, err := keyring.ParsePrivate(write(key.D, key.Primes[0])); err != nil {
		t.Fatalf("ParsePrivate of a key that was written by hand = %v", err)
	}
	two := big.NewInt(2)
	for name, text := range map[string][]byte{
		"another exponent": write(new(big.Int).Add(key.D, two), key.Primes[0]),
		"another prime":    write(key.D, new(big.Int).Add(key.Primes[0], two)),
	} {
		if got, err := keyring.ParsePrivate(text); !errors.Is(err, keyring.ErrKey) {
			t.Errorf("%s: ParsePrivate = %T, %v, want ErrKey", name, got, err)
		}
	}
}

func TestParsePublic(t *testing.T) {
	for _, key := range []crypto.Signer{rsaKey(), ecKey()} {
		got, err := keyring.ParsePublic(crlf(public(key)))
		if k, ok := got.(interface{ Equal(crypto.PublicKey) bool }); err != nil || !ok || !k.Equal(key.Public()) {
			t.Errorf("ParsePublic = %T, %v, want the %T", got, err, key.Public())
		}
	}
	// A modulus is a public key, prime or not.
	modulus := func(bits uint, e int) []byte {
		n := new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1)
		return must(keyring.PublicPEM(&rsa.PublicKey{N: n, E: e}))
	}
	tests := []struct {
		name string
		text []byte
		want string
	}{
		{"RSA-4096", modulus(4096, 65537), "unusable key: RSA with 4096 bits, CloudFront key groups take 2048"},
		{"RSA-2047", modulus(2047, 65537), "unusable key: RSA with 2047 bits, CloudFront key groups take 2048"},
		{"exponent 17", modulus(2048, 17), "unusable key: RSA with public exponent 17, want 65537"},
		{"P-384", public(ecOf(elliptic.P384())), "unusable key: ECDSA on P-384, CloudFront takes P-256"},
		{"Ed25519", public(ed25519Key()), "unusable key: ed25519.PublicKey, CloudFront takes RSA with 2048 bits and ECDSA on P-256"},
		{"private key", pkcs8(rsaKey()), `unusable key: want a PEM block "PUBLIC KEY"`},
		{"certificate", certificate(), `unusable key: want a PEM block "PUBLIC KEY"`},
		{"empty", nil, `unusable key: want a PEM block "PUBLIC KEY"`},
		{"broken", block("PUBLIC KEY", []byte{0x30, 0x03}), `unusable key: the PEM block "PUBLIC KEY" does not hold one`},
	}
	for _, tt := range tests {
		_, err := keyring.ParsePublic(tt.text)
		if !errors.Is(err, keyring.ErrKey) || err.Error() != tt.want {
			t.Errorf("%s: ParsePublic = %v, want %s", tt.name, err, tt.want)
		}
		noKeyBytes(t, err.Error(), tt.text)
	}
}

func TestFingerprint(t *testing.T) {
	for _, key := range []crypto.Signer{rsaKey(), ecKey()} {
		b, _ := pem.Decode(public(key))
		if b == nil || b.Type != "PUBLIC KEY" {
			t.Fatalf("PublicPEM = %v, want a block PUBLIC KEY", b)
		}
		sum := sha256.Sum256(b.Bytes)
		if got, err := keyring.Fingerprint(key.Public()); err != nil || got != hex.EncodeToString(sum[:]) {
			t.Errorf("Fingerprint = %s, %v, want %x", got, err, sum)
		}
	}
	if got, err := keyring.Fingerprint("no key"); err == nil {
		t.Errorf("Fingerprint of a text = %s, want an error", got)
	}
	if got, err := keyring.PublicPEM("no key"); err == nil {
		t.Errorf("PublicPEM of a text = %s, want an error", got)
	}
}

// certificate is one for rsaKey, as people have it beside the key.
func certificate() []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	return block("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, rsaKey().Public(), rsaKey())))
}

func FuzzParsePrivate(f *testing.F) {
	key := sec1(ecKey())
	for _, text := range [][]byte{key, pkcs8(ecKey()), pkcs8(rsaKey()), pkcs1(rsaKey()), append(bytes.Clone(ecParameters), key...),
		public(ecKey()), certificate(), nil, []byte("-----BEGIN PRIVATE KEY-----\n"), []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n-----END RSA PRIVATE KEY-----\n")} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, text := range [][]byte{text, append(bytes.Clone(text), key...), append(bytes.Clone(key), text...)} {
			got, err := keyring.ParsePrivate(text)
			switch {
			case err == nil && got == nil, err != nil && got != nil, err != nil && !errors.Is(err, keyring.ErrKey):
				t.Fatalf("ParsePrivate(%q) = %T, %v, want a key or ErrKey", text, got, err)
			case err != nil && len(err.Error()) > 400:
				t.Errorf("ParsePrivate(%q) says %d bytes, want at most 400", text, len(err.Error()))
			case err != nil:
				noKeyBytes(t, err.Error(), key)
			}
		}
	})
}
