package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
)

const (
	issuer   = "https://shop.example.org"
	audience = "guide.example.org"
)

var (
	noon   = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef")
)

// The shop's keys, one of each kind, and those of somebody else.
var (
	edKey    = once(func() (ed25519.PrivateKey, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err })
	ecKey    = once(func() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
	rsaKey   = once(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	otherEd  = once(func() (ed25519.PrivateKey, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err })
	otherRSA = once(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
)

func once[K any](generate func() (K, error)) func() K {
	return sync.OnceValue(func() K {
		k, err := generate()
		if err != nil {
			panic(err)
		}
		return k
	})
}

// A clock can be set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: noon} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// keyFile writes the public half of a key.
func keyFile(t testing.TB, id string, key crypto.Signer) jwt.KeyFile {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return jwt.KeyFile{ID: id, File: file(t, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))}
}

func file(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// config takes tokens by the shop's three keys: ed, ec and rsa.
func config(t testing.TB) jwt.Config {
	t.Helper()
	return jwt.Config{Issuer: issuer, Audience: audience,
		Keys: []jwt.KeyFile{keyFile(t, "ed", edKey()), keyFile(t, "ec", ecKey()), keyFile(t, "rsa", rsaKey())}}
}

func options() jwt.Options { return jwt.Options{Secret: secret, Now: newClock().now} }

func open(t testing.TB, cfg jwt.Config, opts jwt.Options) *jwt.Source {
	t.Helper()
	s, err := jwt.New(cfg, opts)
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// token signs a header and claims, whatever they say, by what the key is for.
func token(header, claims string, key any) string {
	text := encode(header) + "." + encode(claims)
	return text + "." + encode(string(sign(text, key)))
}

func sign(text string, key any) []byte {
	digest := sha256.Sum256([]byte(text))
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(k, []byte(text))
	case *rsa.PrivateKey:
		sig, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:])
		if err != nil {
			panic(err)
		}
		return sig
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			panic(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	panic(fmt.Sprintf("no way to sign with %T", key))
}

// twin returns the other spelling of an ECDSA signature: (r, n-s) for (r, s).
func twin(t testing.TB, token string) string {
	t.Helper()
	i := strings.LastIndexByte(token, '.') + 1
	raw, err := base64.RawURLEncoding.DecodeString(token[i:])
	if err != nil || len(raw) != 64 {
		t.Fatalf("no ES256 signature: %v", err)
	}
	s := new(big.Int).SetBytes(raw[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(raw[32:])
	return token[:i] + base64.RawURLEncoding.EncodeToString(raw)
}

// claims are good ones, with more of them, or others in their place.
func claims(more ...string) string {
	all := []string{`"iss":"` + issuer + `"`, `"aud":"` + audience + `"`, fmt.Sprintf(`"exp":%d`, noon.Add(time.Hour).Unix()), `"products":["castle"]`}
	for _, m := range more {
		name, _, _ := strings.Cut(m, ":")
		for i, have := range all {
			if strings.HasPrefix(have, name+":") {
				all[i], m = m, ""
			}
		}
		if m != "" {
			all = append(all, m)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

// without returns good claims but for one.
func without(name string) string {
	all := strings.Split(strings.Trim(claims(), "{}"), ",")
	var kept []string
	for _, c := range all {
		if !strings.HasPrefix(c, `"`+name+`":`) {
			kept = append(kept, c)
		}
	}
	return "{" + strings.Join(kept, ",") + "}"
}

const edHeader = `{"alg":"EdDSA","kid":"ed","typ":"JWT"}`

// good is a token that is taken.
func good(more ...string) string { return token(edHeader, claims(more...), edKey()) }

func credential(code string) gate.Credential { return gate.Credential{Code: gate.Secret(code)} }

func wantDenied(t *testing.T, what string, got *gate.Ticket, err error, reason gate.Reason, proven bool) {
	t.Helper()
	var denial *gate.Denial
	if got != nil || !errors.As(err, &denial) || denial.Reason != reason || denial.Proven != proven {
		t.Errorf("%s = %+v, %v, want %s, proven %v", what, got, err, reason, proven)
	}
}
