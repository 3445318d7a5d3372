// Package sealed hides texts, such as ticket codes, in references that are kept
// on record: Seal(key, text) can be opened with the key only. The same text
// gives the same reference, so that a ticket has one. See RFC 5297 for the idea:
// the nonce is a keyed hash of the text.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// MinKey is the fewest bytes that a key should have.
const MinKey = 16

// ErrSealed is returned for what was not sealed with this key.
var ErrSealed = errors.New("a reference that was not sealed with this key")

// Seal returns text as a reference in base64url, 38 characters longer than text
// in that spelling. Only its length can be told from it, and whether two texts
// are the same. The key has any length, see MinKey.
func Seal(key []byte, text string) string {
	naming, box := open(key)
	nonce := nonceOf(naming, box, text)
	return base64.RawURLEncoding.EncodeToString(box.Seal(nonce, nonce, []byte(text), nil))
}

// Open returns the text that Seal hid in ref, or ErrSealed.
func Open(key []byte, ref string) (string, error) {
	naming, box := open(key)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(ref)
	if err != nil || len(raw) < box.NonceSize() || strings.ContainsAny(ref, "\r\n") { // which the decoder passes over
		return "", ErrSealed
	}
	nonce, hidden := raw[:box.NonceSize()], raw[box.NonceSize():]
	text, err := box.Open(nil, nonce, hidden, nil)
	if err != nil || !hmac.Equal(nonce, nonceOf(naming, box, string(text))) {
		return "", ErrSealed
	}
	return string(text), nil
}

// nonceOf is of 96 bits: two texts share one, which would show their difference,
// once in about 2^48 of them.
func nonceOf(naming []byte, box cipher.AEAD, text string) []byte {
	mac := hmac.New(sha256.New, naming)
	mac.Write([]byte(text))
	return mac.Sum(nil)[:box.NonceSize()]
}

// open derives a key for nonces and the cipher from key, which may have other uses.
func open(key []byte) (naming []byte, box cipher.AEAD) {
	naming, box, err := derive(key)
	if err != nil { // of no key: lengths and algorithms are constants
		panic(fmt.Sprintf("sealed: %v", err))
	}
	return naming, box
}

func derive(key []byte) ([]byte, cipher.AEAD, error) {
	keys, err := hkdf.Key(sha256.New, key, nil, "handstamp sealed reference", 64)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(keys[32:])
	if err != nil {
		return nil, nil, err
	}
	box, err := cipher.NewGCM(block)
	return keys[:32], box, err
}
