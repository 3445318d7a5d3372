package admin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// maxPause is how long one may wait before asking for the next page.
const maxPause = 24 * time.Hour

// cursors seal the places in lists: nobody can make one, read one, or use one
// with another query or another key.
type cursors struct {
	aead cipher.AEAD
	now  func() time.Time
}

func newCursors(key []byte, now func() time.Time) *cursors {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("admin cursor"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err == nil {
		var aead cipher.AEAD
		if aead, err = cipher.NewGCMWithRandomNonce(block); err == nil {
			return &cursors{aead: aead, now: now}
		}
	}
	panic(err) // the key has 32 bytes
}

// seal returns the cursor for a place in the list that query names, or nothing
// for no place.
func (c *cursors) seal(place string, query ...string) string {
	if place == "" {
		return ""
	}
	text := binary.BigEndian.AppendUint64(nil, uint64(c.now().Add(maxPause).Unix()))
	sealed := c.aead.Seal(nil, nil, append(text, place...), bound(query)) // #nosec G407 -- the AEAD draws its own nonce
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// open returns the place that a cursor was sealed with, or an error that says
// no more than that.
func (c *cursors) open(cursor string, query ...string) (place string, err error) {
	if cursor == "" {
		return "", nil
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return "", errCursor()
	}
	text, err := c.aead.Open(nil, nil, sealed, bound(query))
	if err != nil || len(text) < 8 || int64(binary.BigEndian.Uint64(text)) < c.now().Unix() {
		return "", errCursor()
	}
	return string(text[8:]), nil
}

// bound is the query as one text.
func bound(query []string) []byte {
	var b strings.Builder
	for _, part := range query {
		_ = binary.Write(&b, binary.BigEndian, uint64(len(part))) // a Builder does not fail
		b.WriteString(part)
	}
	return []byte(b.String())
}

func errCursor() *requestError {
	return badRequest("The cursor is none of this list, or is a day old.", fault{"cursor", "begin again without it"})
}
