package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
)

func minter(t *testing.T, key crypto.Signer) *jwt.Minter {
	t.Helper()
	m, err := jwt.NewMinter(key, issuer, audience, newClock().now)
	if err != nil {
		t.Fatalf("NewMinter = %v", err)
	}
	return m
}

// What is minted is taken by a source that has the public half, as Public
// prints it.
func TestMint(t *testing.T) {
	order := jwt.Order{Products: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "zoo"}}, Seats: 4, ValidFrom: noon.Add(-time.Hour), ValidUntil: noon.Add(time.Hour)}
	for name, key := range map[string]crypto.Signer{"Ed25519": edKey(), "P-256": ecKey(), "RSA": rsaKey()} {
		t.Run(name, func(t *testing.T) {
			m := minter(t, key)
			m.Type = "ticket+jwt"
			set, err := m.Public()
			if err != nil {
				t.Fatalf("Public = %v", err)
			}
			cfg := jwt.Config{Issuer: issuer, Audience: audience, Type: "ticket+jwt", Leeway: -1, Keys: []jwt.KeyFile{{File: file(t, string(set))}}}
			s := open(t, cfg, options())
			first, err := m.Mint(order)
			if err != nil {
				t.Fatalf("Mint = %v", err)
			}
			got, err := s.Verify(t.Context(), gate.Credential{Code: first.Token})
			want := &gate.Ticket{Kind: jwt.Kind, Normal: gate.Secret(issuer + "\n" + first.ID), Buys: order.Products, Seats: 4, ValidFrom: order.ValidFrom, ValidUntil: order.ValidUntil, Proven: true}
			if err == nil {
				want.Ref = got.Ref
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("Verify = %+v, %v, want %+v", got, err, want)
			}
			second, err := m.Mint(order)
			if err != nil || second.ID == first.ID || second.Token == first.Token {
				t.Errorf("Mint = %+v, %v, want another ticket than %+v", second, err, first)
			}
			if id, err := jwt.ID(first.Token); id != first.ID || err != nil {
				t.Errorf("ID = %q, %v, want %q", id, err, first.ID)
			}
		})
	}
}

func TestMintRefuses(t *testing.T) {
	good := func() jwt.Order {
		return jwt.Order{Products: []gate.Product{{Attraction: "castle"}}, ValidUntil: noon.Add(time.Hour)}
	}
	tests := map[string]struct {
		change func(*jwt.Minter, *jwt.Order)
		want   error
	}{
		"nothing wrong":    {func(*jwt.Minter, *jwt.Order) {}, nil},
		"past":             {func(_ *jwt.Minter, o *jwt.Order) { o.ValidUntil = noon }, jwt.ErrPast},
		"no end":           {func(_ *jwt.Minter, o *jwt.Order) { o.ValidUntil = time.Time{} }, jwt.ErrOrder},
		"ends first":       {func(_ *jwt.Minter, o *jwt.Order) { o.ValidFrom = o.ValidUntil }, jwt.ErrOrder},
		"buys nothing":     {func(_ *jwt.Minter, o *jwt.Order) { o.Products = nil }, jwt.ErrOrder},
		"a wildcard":       {func(_ *jwt.Minter, o *jwt.Order) { o.Products[0].Package = "*" }, jwt.ErrOrder},
		"no attraction":    {func(_ *jwt.Minter, o *jwt.Order) { o.Products[0] = gate.Product{Package: "audio"} }, jwt.ErrOrder},
		"negative seats":   {func(_ *jwt.Minter, o *jwt.Order) { o.Seats = -1 }, jwt.ErrOrder},
		"seats for a city": {func(_ *jwt.Minter, o *jwt.Order) { o.Seats = 1001 }, jwt.ErrOrder},
		"no issuer":        {func(m *jwt.Minter, _ *jwt.Order) { m.Issuer = "" }, jwt.ErrOrder},
		"no audience":      {func(m *jwt.Minter, _ *jwt.Order) { m.Audience = "" }, jwt.ErrOrder},
		"too long":         {func(m *jwt.Minter, _ *jwt.Order) { m.Issuer = strings.Repeat("x", 4000) }, jwt.ErrOrder},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, order := minter(t, edKey()), good()
			tt.change(m, &order)
			if got, err := m.Mint(order); !errors.Is(err, tt.want) || (got == nil) != (tt.want != nil) {
				t.Errorf("Mint = %+v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestLoadPrivate(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024) // #nosec G403 -- it is to be refused
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey())
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	tests := map[string]struct {
		text string
		mode os.FileMode
		good bool
	}{
		"Ed25519":        {pkcs8(edKey()), 0o600, true},
		"P-256":          {pkcs8(ecKey()), 0o400, true},
		"P-256, SEC 1":   {block("EC PARAMETERS", []byte{6, 8}) + block("EC PRIVATE KEY", sec1), 0o600, true},
		"RSA":            {pkcs8(rsaKey()), 0o600, true},
		"RSA, PKCS #1":   {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())), 0o600, true},
		"for everybody":  {pkcs8(edKey()), 0o644, false},
		"for the group":  {pkcs8(edKey()), 0o640, false},
		"RSA, 1024 bits": {pkcs8(small), 0o600, false},
		"P-384":          {pkcs8(p384), 0o600, false},
		"two keys":       {pkcs8(edKey()) + pkcs8(edKey()), 0o600, false},
		"public":         {block("PUBLIC KEY", spki()), 0o600, false},
		"no PEM":         {"CANARY", 0o600, false},
		"empty":          {"", 0o600, false},
		"broken":         {block("PRIVATE KEY", []byte("CANARY")), 0o600, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := file(t, tt.text)
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			key, err := jwt.LoadPrivate(path)
			if (err == nil) != tt.good || !tt.good && (!errors.Is(err, jwt.ErrKey) || strings.Contains(err.Error(), "CANARY")) {
				t.Fatalf("LoadPrivate = %T, %v, want good %v, else ErrKey", key, err, tt.good)
			}
			if tt.good {
				minter(t, key)
			}
		})
	}
	if _, err := jwt.LoadPrivate(file(t, "") + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("LoadPrivate of nothing = %v, want os.ErrNotExist", err)
	}
	if _, err := jwt.LoadPrivate(t.TempDir()); !errors.Is(err, jwt.ErrKey) {
		t.Errorf("LoadPrivate of a folder = %v, want ErrKey", err)
	}
	if _, err := jwt.NewMinter(small, issuer, audience, nil); !errors.Is(err, jwt.ErrKey) {
		t.Errorf("NewMinter with 1024 bits = %v, want ErrKey", err)
	}
}
