package totp_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/totp"
)

const (
	seed20 = "12345678901234567890"
	seed32 = "12345678901234567890123456789012"
)

// RFC 6238, appendix B: the same numbers that "oathtool --totp=SHA1 -d 8 --now
// ... HEX" prints for these keys.
func TestPassword(t *testing.T) {
	tests := []struct {
		at        int64
		algorithm totp.Algorithm
		secret    string
		want      string
	}{
		{59, totp.SHA1, seed20, "94287082"},
		{59, totp.SHA256, seed32, "46119246"},
		{1111111109, totp.SHA1, seed20, "07081804"},
		{1111111109, totp.SHA256, seed32, "68084774"},
		{1111111111, totp.SHA1, seed20, "14050471"},
		{1111111111, totp.SHA256, seed32, "67062674"},
		{1234567890, totp.SHA1, seed20, "89005924"},
		{1234567890, totp.SHA256, seed32, "91819424"},
		{2000000000, totp.SHA1, seed20, "69279037"},
		{2000000000, totp.SHA256, seed32, "90698825"},
		{20000000000, totp.SHA1, seed20, "65353130"},
		{20000000000, totp.SHA256, seed32, "77737706"},
	}
	for _, tt := range tests {
		for digits := 6; digits <= 8; digits++ {
			want := tt.want[8-digits:] // the last ones, RFC 4226, section 5.3
			if got := totp.Password([]byte(tt.secret), tt.algorithm, digits, totp.StepOf(time.Unix(tt.at, 0))); got != want {
				t.Errorf("Password(%s, %d digits, at %d) = %q, want %q", tt.algorithm, digits, tt.at, got, want)
			}
		}
	}
}

// RFC 4226, appendix D: the first ten passwords by counter.
func TestPasswordByCounter(t *testing.T) {
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := totp.Password([]byte(seed20), totp.SHA1, 6, int64(step)); got != want {
			t.Errorf("Password(%d) = %q, want %q", step, got, want)
		}
	}
}

// Passes that were issued stay what they are in later versions. The numbers
// are those of: printf 'totp pass\0PASS1' | openssl dgst -sha256 -hmac KEY
func TestDerive(t *testing.T) {
	master := []byte("0123456789abcdef0123456789abcdeF")
	sha256, sha1 := totp.Derive(master, totp.SHA256, "PASS1"), totp.Derive(master, totp.SHA1, "PASS1")
	const want = "831b8529ada36dbbef290c1954b764863c6b350d3426c88b20b938d5d6ee6582"
	if got := hex.EncodeToString(sha256); got != want || len(sha1) != 20 || string(sha1) != string(sha256[:20]) {
		t.Errorf("Derive = %s and %x, want %s and its first 20 bytes", got, sha1, want)
	}
	if other := totp.Derive(master, totp.SHA256, "PASS2"); string(other) == string(sha256) {
		t.Error("two passes have one secret")
	}
}
