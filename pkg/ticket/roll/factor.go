package roll

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

const (
	minSalt   = 16  // characters
	maxSalt   = 64  // characters
	maxFactor = 256 // bytes of what a viewer types
	maxName   = 40  // bytes of a factor's name
)

// A factor is what has to be shown with a code. The list does not say what it
// is, it only tells the right one from others.
type factor struct {
	name string // "surname"
	salt []byte // nil means that the key of the list is used
	sum  [sha256.Size]byte
}

// parseFactor reads the cells factor and factor_hash.
func parseFactor(name, hash string, key []byte) (*factor, error) {
	switch {
	case name == "" && hash == "":
		return nil, nil
	case name == "":
		return nil, errors.New("factor: missing beside factor_hash")
	case hash == "":
		return nil, errors.New("factor_hash: missing beside factor")
	case len(name) > maxName:
		return nil, fmt.Errorf("factor: %d bytes, want at most %d", len(name), maxName)
	}
	f := &factor{name: name}
	kind, sum, _ := strings.Cut(hash, ":")
	switch kind {
	case "hmac":
		if len(key) == 0 {
			return nil, errors.New("factor_hash: hmac, but the list has no key for factors")
		}
	case "salted":
		var salt string
		salt, sum, _ = strings.Cut(sum, ":")
		if len(salt) < minSalt || len(salt) > maxSalt {
			return nil, fmt.Errorf("factor_hash: a salt of %d characters, want %d to %d", len(salt), minSalt, maxSalt)
		}
		f.salt = []byte(salt)
	default:
		return nil, errors.New("factor_hash: want hmac:HASH or salted:SALT:HASH")
	}
	raw, err := hex.DecodeString(sum)
	if err != nil || len(raw) != len(f.sum) {
		return nil, fmt.Errorf("factor_hash: a hash of %d characters, want %d hexadecimal digits", len(sum), 2*len(f.sum))
	}
	f.sum = [sha256.Size]byte(raw)
	return f, nil
}

// shown reports whether c has the factor that goes with its code.
func (f *factor) shown(normal gate.Secret, c gate.Credential, key []byte) bool {
	value, err := normalFactor(c.Factors[f.name])
	if err != nil {
		return false
	}
	if f.salt != nil {
		key = f.salt
	}
	sum := factorSum(key, normal, f.name, value)
	return hmac.Equal(sum[:], f.sum[:])
}

// HashFactor returns the cell factor_hash of a list whose Options.FactorKey is
// key, for a factor like "surname". It is how a seller makes one:
//
//	hmac:  HMAC-SHA-256, in hexadecimal digits, of three lines without a line
//	       feed at the end: the code, upper case without spaces and hyphens; the
//	       name of the factor; the factor in its normal form
//
// so that in a shell "K7QM-2X" of Frau Müller has the hash
//
//	printf '%s\n%s\n%s' K7QM2X surname muller | openssl dgst -sha256 -hmac "$KEY"
//
// The normal form of a factor is lower case, without accents, and without all
// that is neither a letter nor a digit: Müller is muller, O'Brien-Łuk is obrienłuk,
// Groß is gross, ana.b@example.org is anabexampleorg.
//
// Without a shared key there is salted:SALT:HASH. The key is then the salt as it
// stands there, 16 to 64 characters, another one for each row. Whoever has the
// list can find out surnames by trying many, so a shared key is the better way.
func HashFactor(key []byte, code gate.Secret, name string, value gate.Secret) (string, error) {
	normal, err := ticket.Normalise(code)
	if err != nil {
		return "", err
	}
	v, err := normalFactor(value)
	if err != nil {
		return "", err
	}
	sum := factorSum(key, normal, name, v)
	return "hmac:" + hex.EncodeToString(sum[:]), nil
}

func factorSum(key []byte, normal gate.Secret, name, value string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(normal.Reveal() + "\n" + name + "\n" + value))
	return [sha256.Size]byte(mac.Sum(nil))
}

var errFactor = errors.New("no letters or digits, too many, or not UTF-8")

// normalFactor returns the one spelling of what a viewer types as a factor.
func normalFactor(value gate.Secret) (string, error) {
	typed := value.Reveal()
	if len(typed) > maxFactor || !utf8.ValidString(typed) {
		return "", errFactor
	}
	var b strings.Builder
	for _, r := range cases.Fold().String(norm.NFKD.String(typed)) {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "", errFactor
	}
	return norm.NFC.String(b.String()), nil
}
