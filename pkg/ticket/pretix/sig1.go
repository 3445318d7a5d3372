package pretix

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A signed code, "pretix signature scheme 1", is a frame in padded base64,
// written from its end to its beginning:
//
//	0x01 | uint16 n | uint16 m | payload of n bytes | signature of m bytes
//
// The signature is Ed25519 over the payload only, so that everything else has
// one spelling here.
type frame struct {
	payload, signature []byte
}

const (
	frameVersion = 1
	frameHeader  = 5
)

var errFrame = errors.New("not a signed code")

// parseFrame takes a code apart. Nothing in it can be believed yet.
func parseFrame(code string) (f frame, err error) {
	backwards := []byte(code)
	slices.Reverse(backwards)
	raw, err := base64.StdEncoding.DecodeString(string(backwards))
	if err != nil || base64.StdEncoding.EncodeToString(raw) != string(backwards) || len(raw) < frameHeader || raw[0] != frameVersion {
		return f, errFrame
	}
	n, m := int(binary.BigEndian.Uint16(raw[1:])), int(binary.BigEndian.Uint16(raw[3:]))
	if m != ed25519.SignatureSize || len(raw) != frameHeader+n+m {
		return f, errFrame
	}
	return frame{payload: raw[frameHeader : frameHeader+n], signature: raw[frameHeader+n:]}, nil
}

// signedBy reports whether one of keys signed f.
func (f frame) signedBy(keys []ed25519.PublicKey) bool {
	return slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return ed25519.Verify(k, f.payload, f.signature) })
}

// A claim is what a signed code says.
type claim struct {
	Item, Variation, Subevent int64     // ids; 0 means none
	From, Until               time.Time // zero means open
}

// Fields of the protobuf message. Field 1 is a random text.
const (
	fieldItem      = 2
	fieldVariation = 3
	fieldSubevent  = 4
	fieldFrom      = 5
	fieldUntil     = 6
)

var errClaim = errors.New("a signed code that says nothing that can be read")

// maxUnix is the end of the year 9999.
const maxUnix = 253402300799

// parseClaim reads a payload whose signature was checked. Fields that are not
// known are passed over, and of several of one kind the last counts, as
// everywhere in protobuf.
func parseClaim(payload []byte) (c claim, err error) {
	var values [fieldUntil + 1]int64
	for len(payload) > 0 {
		field, value, n := protoField(payload)
		if n == 0 || value < 0 && field <= fieldUntil {
			return c, errClaim
		}
		if field <= fieldUntil {
			values[field] = value
		}
		payload = payload[n:]
	}
	c = claim{Item: values[fieldItem], Variation: values[fieldVariation], Subevent: values[fieldSubevent]}
	if c.Item == 0 || values[fieldFrom] > maxUnix || values[fieldUntil] > maxUnix {
		return claim{}, errClaim
	}
	if sec := values[fieldFrom]; sec != 0 {
		c.From = time.Unix(sec, 0).UTC()
	}
	if sec := values[fieldUntil]; sec != 0 {
		c.Until = time.Unix(sec, 0).UTC()
	}
	return c, nil
}

// protoField returns the number and the value of the first field, and how long
// it is; 0 bytes means that it cannot be read. Only integers have a value.
func protoField(text []byte) (field uint64, value int64, n int) {
	tag, n := binary.Uvarint(text)
	if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
		return 0, 0, 0
	}
	field, text = tag>>3, text[n:]
	known := field <= fieldUntil
	switch kind := tag & 7; {
	case kind == 0 && field != 1: // an integer
		number, m := binary.Uvarint(text)
		if m <= 0 {
			return 0, 0, 0
		}
		return field, int64(number), n + m
	case kind == 2 && (field == 1 || !known): // bytes with their length in front
		size, m := binary.Uvarint(text)
		if m <= 0 || size > uint64(len(text)-m) {
			return 0, 0, 0
		}
		return field, 0, n + m + int(size)
	case kind == 1 && !known && len(text) >= 8:
		return field, 0, n + 8
	case kind == 5 && !known && len(text) >= 4:
		return field, 0, n + 4
	}
	return 0, 0, 0
}

// parseKeys reads public keys in PEM.
func parseKeys(texts []string) (keys []ed25519.PublicKey, err error) {
	for i, text := range texts {
		key, err := parseKey([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("keys: number %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func parseKey(text []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New(`no PEM block "PUBLIC KEY"`)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%T, want an Ed25519 key", parsed)
	}
	return key, nil
}
