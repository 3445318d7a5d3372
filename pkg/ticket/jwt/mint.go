package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Minter signs tickets that a Source with its public key, Issuer and Audience
// verifies. It is safe for concurrent use.
type Minter struct {
	Issuer   string // the claim "iss"; required
	Audience string // the claim "aud"; required
	Type     string // the header "typ"; empty means "JWT"

	key     crypto.Signer
	public  *key
	method  jwt.SigningMethod
	nowFunc func() time.Time
}

// NewMinter returns a Minter that signs with key: Ed25519, ECDSA on P-256, or
// RSA with 2048 bits or more; else the error is ErrKey. A nil now means
// time.Now.
func NewMinter(key crypto.Signer, issuer, audience string, now func() time.Time) (*Minter, error) {
	public, err := newKey("", key.Public())
	if err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	public.id = public.print
	return &Minter{Issuer: issuer, Audience: audience, key: key, public: public, method: jwt.GetSigningMethod(public.alg), nowFunc: now}, nil
}

// An Order says what a ticket is good for.
type Order struct {
	Products   []gate.Product // at least one
	Seats      int            // devices at a time; 0 means the configured default
	ValidFrom  time.Time      // zero means at once
	ValidUntil time.Time      // exclusive, whole seconds; required
}

// A Minted ticket is one that was signed.
type Minted struct {
	ID    string      // its jti, for a denylist; may be shown
	Token gate.Secret // the ticket
}

// Errors of Mint.
var (
	ErrPast  = errors.New("the ticket would have ended already")
	ErrOrder = errors.New("not a ticket")
)

// Mint signs a ticket with a random jti. Two tickets of one order are two
// tickets.
func (m *Minter) Mint(o Order) (*Minted, error) {
	if err := m.check(o); err != nil {
		return nil, err
	}
	id := rand.Text()
	claims := jwt.MapClaims{"iss": m.Issuer, "aud": m.Audience, "iat": m.nowFunc().Unix(), "exp": o.ValidUntil.Unix(), "jti": id}
	var buys []string
	for _, p := range o.Products {
		name := p.Attraction
		if p.Package != "" {
			name += "/" + p.Package
		}
		buys = append(buys, name)
	}
	claims["products"] = buys
	if o.Seats > 0 {
		claims["seats"] = o.Seats
	}
	if !o.ValidFrom.IsZero() {
		claims["valid_from"] = o.ValidFrom.Unix()
	}
	token := jwt.NewWithClaims(m.method, claims)
	token.Header["kid"] = m.public.id
	if m.Type != "" {
		token.Header["typ"] = m.Type
	}
	text, err := token.SignedString(m.key)
	if err != nil {
		return nil, fmt.Errorf("%w: it does not sign", ErrKey)
	}
	if _, err := parse(gate.Secret(text)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOrder, err)
	}
	return &Minted{ID: id, Token: gate.Secret(text)}, nil
}

func (m *Minter) check(o Order) error {
	now := m.nowFunc()
	for _, p := range o.Products {
		if err := checkProduct(p); err != nil {
			return fmt.Errorf("%w: %w", ErrOrder, err)
		}
	}
	switch {
	case m.Issuer == "" || m.Audience == "":
		return fmt.Errorf("%w: no issuer or no audience", ErrOrder)
	case len(o.Products) == 0:
		return fmt.Errorf("%w: it buys nothing", ErrOrder)
	case o.Seats < 0 || o.Seats > maxSeats:
		return fmt.Errorf("%w: %d seats, want 1 to %d", ErrOrder, o.Seats, maxSeats)
	case o.ValidUntil.IsZero():
		return fmt.Errorf("%w: it has no end", ErrOrder)
	case !o.ValidUntil.After(now):
		return fmt.Errorf("%w, at %s", ErrPast, o.ValidUntil.Format(time.RFC3339))
	case !o.ValidFrom.Before(o.ValidUntil):
		return fmt.Errorf("%w: it ends at %s, before it begins", ErrOrder, o.ValidUntil.Format(time.RFC3339))
	}
	return nil
}

func checkProduct(p gate.Product) error {
	if p.Package != "" {
		if err := gate.CheckSlug(p.Package); err != nil {
			return err
		}
	}
	return gate.CheckSlug(p.Attraction)
}

// Public returns the public key as a JWK set, for KeyFile.File or Config.KeySet.
func (m *Minter) Public() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: m.public.public, KeyID: m.public.id, Algorithm: m.public.alg, Use: "sig"}}}
	return json.MarshalIndent(set, "", "  ")
}

// LoadPrivate reads a private key for a Minter from a PEM file that nobody but
// its owner can read: PKCS #8, or PKCS #1 for RSA, or SEC 1 for ECDSA. It
// returns ErrKey for any other key, a weak one, or one that others can read.
func LoadPrivate(file string) (crypto.Signer, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSet {
		return nil, fmt.Errorf("%s: %w: not a file of at most %d bytes", file, ErrKey, maxSet)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: %w: others can read it, mode %04o, want 0600 (hint: chmod 600 %s)", file, ErrKey, info.Mode().Perm()&fs.ModePerm, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := parsePrivate(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

func parsePrivate(text []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(text)
	for block != nil && block.Type == "EC PARAMETERS" { // openssl ecparam writes it in front
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, fmt.Errorf(`%w: no PEM block, want "PRIVATE KEY"`, ErrKey)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, fmt.Errorf("%w: a second PEM block %.40q follows the first, want one key a file", ErrKey, next.Type)
	}
	parsed, err := privateOf(block)
	if err != nil { // Go's message can quote what it could not read
		return nil, fmt.Errorf("%w: the PEM block %.40q does not hold a private key", ErrKey, block.Type)
	}
	switch k := parsed.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *ecdsa.PrivateKey:
		_, err := algorithm(&k.PublicKey)
		return k, err
	case *rsa.PrivateKey:
		_, err := algorithm(&k.PublicKey)
		return k, err
	}
	return nil, fmt.Errorf("%w: %T, want Ed25519, ECDSA on P-256, or RSA", ErrKey, parsed)
}

func privateOf(block *pem.Block) (any, error) {
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	}
	return nil, ErrKey
}
