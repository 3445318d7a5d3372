package pretix_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/pretix"
)

func TestParseFrame(t *testing.T) {
	text := payload(1, 0, 0, 0, 0)
	code := newSigner(0).code(text)
	got, signature, err := pretix.ParseFrame(code)
	if err != nil || !bytes.Equal(got, text) || !ed25519.Verify(newSigner(0).private.Public().(ed25519.PublicKey), got, signature) {
		t.Errorf("ParseFrame(%q) = %x, %x, %v, want payload %x", code, got, signature, err, text)
	}
	if long := newSigner(0).code(append(text, append([]byte{7<<3 | 2, 0xac, 2}, make([]byte, 300)...)...)); true {
		if got, _, err := pretix.ParseFrame(long); err != nil || len(got) != len(text)+303 {
			t.Errorf("ParseFrame(payload over 255 bytes) = %d bytes, %v", len(got), err)
		}
	}
}

// flip turns a code back into its frame, changes that and writes it again.
func flip(t *testing.T, code string, change func(raw []byte) []byte) string {
	t.Helper()
	text := []byte(code)
	for i, j := 0, len(text)-1; i < j; i, j = i+1, j-1 {
		text[i], text[j] = text[j], text[i]
	}
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return backwards(change(raw))
}

func TestParseFrameRefuses(t *testing.T) {
	code := newSigner(0).code(payload(300, 0, 0, 0, 0))
	if !strings.HasPrefix(code, "=") {
		t.Fatalf("the code %q has no padding to test with", code)
	}
	tests := map[string]string{
		"empty":            "",
		"not base64":       strings.Repeat("!", 40),
		"forwards":         backwards([]byte{1}) + "x",
		"random secret":    good,
		"no padding":       strings.TrimLeft(code, "="),
		"more padding":     "=" + code,
		"line break":       code[:10] + "\n" + code[10:],
		"version 2":        flip(t, code, func(raw []byte) []byte { raw[0] = 2; return raw }),
		"trailing byte":    flip(t, code, func(raw []byte) []byte { return append(raw, 0) }),
		"cut":              flip(t, code, func(raw []byte) []byte { return raw[:len(raw)-1] }),
		"header only":      flip(t, code, func(raw []byte) []byte { return raw[:5] }),
		"half a header":    flip(t, code, func(raw []byte) []byte { return raw[:4] }),
		"longer payload":   flip(t, code, func(raw []byte) []byte { raw[2]++; return raw }),
		"payload of 64k":   flip(t, code, func(raw []byte) []byte { raw[1] = 0xff; return raw }),
		"short signature":  flip(t, code, func(raw []byte) []byte { raw[4]--; raw[2]++; return raw }),
		"longer signature": flip(t, code, func(raw []byte) []byte { raw[4]++; raw[2]--; return raw }),
	}
	for name, code := range tests {
		if payload, _, err := pretix.ParseFrame(code); err == nil {
			t.Errorf("%s: ParseFrame = %x, want an error", name, payload)
		}
	}
}

func TestParseClaim(t *testing.T) {
	from, until := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC), time.Date(2026, 7, 3, 22, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		payload []byte
		want    pretix.Claim
		bad     bool
	}{
		{"whole", payload(300, 7, 9, from.Unix(), until.Unix()), pretix.Claim{Item: 300, Variation: 7, Subevent: 9, From: from, Until: until}, false},
		{"old tickets", payload(5, 0, 0, 0, 0)[:17], pretix.Claim{Item: 5}, false},
		{"only an item", []byte{2 << 3, 5}, pretix.Claim{Item: 5}, false},
		{"last of two", []byte{2 << 3, 5, 2 << 3, 6}, pretix.Claim{Item: 6}, false},
		{"unknown fields", []byte{7 << 3, 1, 8<<3 | 2, 2, 'a', 'b', 9<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8, 10<<3 | 5, 1, 2, 3, 4, 2 << 3, 5}, pretix.Claim{Item: 5}, false},
		{"empty", nil, pretix.Claim{}, true},
		{"no item", []byte{3 << 3, 1}, pretix.Claim{}, true},
		{"negative item", append([]byte{2 << 3}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), pretix.Claim{}, true},
		{"number too long", append([]byte{2 << 3}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2), pretix.Claim{}, true},
		{"number cut", []byte{2 << 3, 0x80}, pretix.Claim{}, true},
		{"item as text", []byte{2<<3 | 2, 1, 5}, pretix.Claim{}, true},
		{"seed as a number", []byte{1 << 3, 5, 2 << 3, 5}, pretix.Claim{}, true},
		{"text cut", []byte{2 << 3, 5, 1<<3 | 2, 9, 'a'}, pretix.Claim{}, true},
		{"text of 2^63", append([]byte{2 << 3, 5, 1<<3 | 2}, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1), pretix.Claim{}, true},
		{"group", []byte{2 << 3, 5, 7<<3 | 3}, pretix.Claim{}, true},
		{"field 0", []byte{0, 5, 2 << 3, 5}, pretix.Claim{}, true},
		{"year 10000", payload(5, 0, 0, 0, 253402300800), pretix.Claim{}, true},
	}
	for _, tt := range tests {
		got, err := pretix.ParseClaim(tt.payload)
		if (err != nil) != tt.bad || got != tt.want {
			t.Errorf("%s: ParseClaim(%x) = %+v, %v, want %+v, error %v", tt.name, tt.payload, got, err, tt.want, tt.bad)
		}
	}
}

// A code has one spelling, and no text makes the parsers fail.
func FuzzSig1(f *testing.F) {
	f.Add(newSigner(0).code(payload(1, 2, 3, 4, 5)))
	f.Add(newSigner(1).code([]byte{1, 2, 3}))
	f.Add("==")
	f.Fuzz(func(t *testing.T, code string) {
		payload, signature, err := pretix.ParseFrame(code)
		if err != nil {
			return
		}
		raw := append([]byte{1, byte(len(payload) >> 8), byte(len(payload)), 0, 64}, payload...)
		if again := backwards(append(raw, signature...)); again != code {
			t.Errorf("ParseFrame(%q) succeeded, but is written %q", code, again)
		}
		_, _ = pretix.ParseClaim(payload)
	})
}

func FuzzClaim(f *testing.F) {
	f.Add(payload(1, 2, 3, 4, 5))
	f.Add([]byte{7 << 3, 1, 8<<3 | 2, 2, 'a', 'b'})
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := pretix.ParseClaim(payload)
		if err == nil && (c.Item <= 0 || c.Variation < 0 || c.Subevent < 0 || c.From.Year() > 9999 || c.Until.Year() > 9999) {
			t.Errorf("ParseClaim(%x) = %+v", payload, c)
		}
	})
}
