package issued

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Length is how many characters a code has: 130 random bits in 26 of them, and
// the check character.
const Length = data + 1

const (
	data     = 26
	seed     = 17 // bytes, the first 130 bits of which count
	group    = 5  // characters between two hyphens
	minKey   = 16 // bytes
	alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// ErrKey is returned for a key that could be guessed.
var ErrKey = errors.New("the key for ticket codes is too short")

var crockford = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// New returns the normal form of a fresh code. A nil random means the system's
// generator, which does not fail; else the error is that of random.
func New(random io.Reader) (gate.Secret, error) {
	if random == nil {
		random = rand.Reader
	}
	var bits [seed]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", fmt.Errorf("random bits for a ticket code: %w", err)
	}
	return code(bits), nil
}

// Derive returns the normal form of the code with number n of a request. The
// same key, request and n give the same code, so that a request which is sent
// again after a lost answer issues no second ticket; without the key nobody can
// tell it. A key of fewer than 16 bytes is an ErrKey.
func Derive(key []byte, request string, n int) (gate.Secret, error) {
	if len(key) < minKey {
		return "", fmt.Errorf("%w: %d bytes, want at least %d", ErrKey, len(key), minKey)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("issued ticket code\x00")) // the key may have other uses
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	mac.Write([]byte(request))
	return code([seed]byte(mac.Sum(nil)[:seed])), nil
}

func code(bits [seed]byte) gate.Secret {
	text := crockford.EncodeToString(bits[:])[:data]
	return gate.Secret(text + alphabet[double(remainder(text)):][:1])
}

// remainder reads text as a polynomial over the field of 32 elements, a
// character a coefficient, and returns its value at the field's generator. It
// is 0 for a whole code.
//
// This is one check symbol of a Reed-Solomon code. The weights of the places
// are powers of the generator, all different and none zero. So one wrong
// character is always found, and so is every exchange of two characters,
// neighbours or not. Crockford's own modulus, 37, finds the same, but one code
// in seven would end in one of *~$=U, of which people and ticket.Normalise do
// not take all; ISO 7064 MOD 37-2 would end some in I, L and O, which are 1 and
// 0 here.
func remainder(text string) byte {
	var sum byte
	for i := range len(text) {
		sum = double(sum) ^ byte(strings.IndexByte(alphabet, text[i]))
	}
	return sum
}

// double multiplies by the generator x modulo x⁵+x²+1.
func double(b byte) byte {
	if b <<= 1; b >= 32 {
		b ^= 0b100101
	}
	return b
}

// Grouped returns a normal form as people read it: XXXXX-XXXXX-...-XX.
func Grouped(normal gate.Secret) gate.Secret {
	groups := slices.Collect(slices.Chunk([]byte(normal.Reveal()), group))
	parts := make([]string, len(groups))
	for i, g := range groups {
		parts[i] = string(g)
	}
	return gate.Secret(strings.Join(parts, "-"))
}
