package jwt

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/handstamp/handstamp/pkg/gate"
)

// MaxToken is the longest token, in bytes.
const MaxToken = 4096

// maxName is the longest kid, typ or jti, in bytes.
const maxName = 256

var (
	errAlg       = errors.New("alg is none of EdDSA, ES256, RS256")
	errSignature = errors.New("no trusted key has signed it")
)

// foreign are headers that bring a key, name a place to get one from, or change
// what is signed. We understand none of them, and ignoring one would be to act
// on something else than the issuer meant.
var foreign = []string{"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc", "epk"}

// A token is what somebody shows. Nothing of it is true before verify.
type token struct {
	text          string
	signed        string // header and claims as they were signed
	alg, kid, typ string
	body          []byte // the claims: one JSON object without a name that comes twice
}

// parse reads a token, without looking at its signature. No error shows it.
func parse(code gate.Secret) (*token, error) {
	text := strings.Trim(code.Reveal(), " \t\r\n")
	if len(text) > MaxToken {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(text), MaxToken)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%d parts, want 3 with points between them", len(parts))
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = decodePart(part); err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	tok := &token{text: text, signed: parts[0] + "." + parts[1], body: raw[1]}
	if err := tok.readHeader(raw[0]); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := checkObject(tok.body); err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	return tok, nil
}

// decodePart reads base64url without padding. Each text has one spelling:
// leftover bits and line breaks are refused.
func decodePart(part string) ([]byte, error) {
	if part == "" || strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("not base64url")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, errors.New("not base64url without padding")
	}
	return raw, nil
}

func (t *token) readHeader(text []byte) error {
	if err := checkObject(text); err != nil {
		return err
	}
	var header map[string]any
	if err := json.Unmarshal(text, &header); err != nil {
		return errors.New("not JSON")
	}
	for _, name := range foreign {
		if _, ok := header[name]; ok {
			return fmt.Errorf("%q is not accepted", name)
		}
	}
	for name, value := range map[string]*string{"alg": &t.alg, "kid": &t.kid, "typ": &t.typ} {
		v, ok := header[name]
		if *value, _ = v.(string); ok && (*value == "" || len(*value) > maxName) {
			return fmt.Errorf("%q is no text of 1 to %d bytes", name, maxName)
		}
	}
	if t.alg != algEdDSA && t.alg != algES256 && t.alg != algRS256 {
		return errAlg
	}
	return nil
}

// sameType compares media types as RFC 7515, section 4.1.9, writes them.
func sameType(got, want string) bool {
	if want == "" {
		return got == "" || sameType(got, "JWT")
	}
	short := func(s string) string {
		s = strings.ToLower(s)
		if rest, ok := strings.CutPrefix(s, "application/"); ok && !strings.Contains(rest, "/") {
			return rest
		}
		return s
	}
	return short(got) == short(want)
}

// verify returns the key that has signed the token. The header's algorithm is
// compared with the key's, and the key's decides.
func (t *token) verify(keys []*key) (*key, error) {
	for _, k := range keys {
		parser := jwt.NewParser(jwt.WithValidMethods([]string{k.alg}), jwt.WithStrictDecoding(), jwt.WithJSONNumber(), jwt.WithoutClaimsValidation())
		tok, err := parser.Parse(t.text, func(*jwt.Token) (any, error) { return k.public, nil })
		if err == nil && tok.Valid {
			return k, nil
		}
	}
	return nil, errSignature
}

// hash names a token without jti. A signature is no part of it: of an ECDSA
// signature anybody can make a second one.
func (t *token) hash() string {
	sum := sha256.Sum256([]byte(t.signed))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
