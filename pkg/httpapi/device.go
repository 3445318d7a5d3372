package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"
)

// A deviceCookie marks a device, so that a visitor who shares an address with
// somebody who guesses is told apart from him. It has a random id and proof
// that we gave it, and says nothing about the person. Who throws it away loses
// what it is good for, and gains nothing.
type deviceCookie struct {
	blank http.Cookie
	key   macKey
}

// deviceLife is how long a device keeps its cookie: what browsers allow at most
// (RFC 6265bis, section 5.5).
const deviceLife = 400 * 24 * time.Hour

func newDeviceCookie(origin string, ownHost bool, key macKey) deviceCookie {
	blank := ownCookie("handstamp-device", origin, ownHost)
	blank.SameSite, blank.MaxAge = http.SameSiteLaxMode, int(deviceLife/time.Second)
	return deviceCookie{blank: blank, key: key}
}

// fresh returns the cookie of the device named id.
func (c deviceCookie) fresh(id string) *http.Cookie {
	cookie := c.blank
	cookie.Value = id + "." + c.proof(id)
	return &cookie
}

// expired returns the cookie that deletes it.
func (c deviceCookie) expired() *http.Cookie {
	cookie := c.blank
	cookie.MaxAge = -1
	return &cookie
}

// read returns the id of the device that sent r. It is empty if there is no
// cookie, or one that we did not give, or several that differ.
func (c deviceCookie) read(r *http.Request) string {
	found := ""
	for _, cookie := range r.CookiesNamed(c.blank.Name) {
		if found != "" && found != cookie.Value {
			return ""
		}
		found = cookie.Value
	}
	id, proof, _ := strings.Cut(found, ".")
	if !hmac.Equal([]byte(proof), []byte(c.proof(id))) {
		return ""
	}
	return id
}

func (c deviceCookie) proof(id string) string {
	sum := c.key.mac("device", id)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// A macKey is a secret that names what must not be named itself.
type macKey []byte

// mac is HMAC-SHA-256 over a purpose and parts, each with its length in front.
func (k macKey) mac(purpose string, parts ...string) [sha256.Size]byte {
	h := hmac.New(sha256.New, k)
	for _, part := range append([]string{purpose}, parts...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
