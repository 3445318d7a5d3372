package totp

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- RFC 6238 is HMAC-SHA-1 by default, which collisions do not weaken
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"time"
)

// Step is how long a password is shown.
const Step = 30 * time.Second

// An Algorithm is the hash of the HMAC that passwords are made by.
type Algorithm string

// The algorithms that wallets know.
const (
	SHA1   Algorithm = "SHA1"
	SHA256 Algorithm = "SHA256"
)

func (a Algorithm) new() func() hash.Hash {
	if a == SHA256 {
		return sha256.New
	}
	return sha1.New
}

// size returns how many bytes a secret for it has when it is derived.
func (a Algorithm) size() int { return a.new()().Size() }

// StepOf returns the number of the step that t is in, counted from 1970 (RFC
// 6238, section 4.2).
func StepOf(t time.Time) int64 { return t.Unix() / int64(Step/time.Second) }

// Password returns what a pass with this secret shows in a step: HOTP (RFC
// 4226, section 5.3) with the step as the counter. digits is 6 to 8.
func Password(secret []byte, algorithm Algorithm, digits int, step int64) string {
	mac := hmac.New(algorithm.new(), secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	text := fmt.Sprintf("%010d", number)
	return text[len(text)-digits:]
}

// Derive returns the secret of a pass: HMAC-SHA-256 of its id under the master
// key, as many bytes as the algorithm's hash has. pass is in the normal form
// that Split returns.
func Derive(master []byte, algorithm Algorithm, pass string) []byte {
	mac := hmac.New(sha256.New, master)
	mac.Write([]byte("totp pass\x00" + pass)) // the key may have other uses
	return mac.Sum(nil)[:algorithm.size()]
}
