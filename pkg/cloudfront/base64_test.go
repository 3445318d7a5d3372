package cloudfront_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

func TestEncode(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for n := range all {
		got := cloudfront.Encode(all[n:])
		if want := base64URL(all[n:]); got != want {
			t.Errorf("Encode(%x) = %q, want %q", all[n:], got, want)
		}
		if back, err := cloudfront.Decode(got); err != nil || !bytes.Equal(back, all[n:]) {
			t.Errorf("Decode(%q) = %x, %v, want %x", got, back, err, all[n:])
		}
	}
	if got := cloudfront.Encode([]byte{0xfb, 0xff, 0xfe, 0xff}); got != "-~~-~w__" {
		t.Errorf("Encode(fbfffeff) = %q, want -~~-~w__", got)
	}
}

// notCanonical is text that a lenient reader takes for base64.
var notCanonical = []string{
	"YQ", "YQ_", "YQ__ ", " YQ__", "YQ__\n", "YQ\r\n__", "Y\nQ__", "\n", "\r", "Y", "YWI", "YWI__", "Y___", "____", "_", "YQ__YQ__",
	"YQ==", "YWI=", "+/+/", "-~+~", "YWJj=", "YR__", "Yf__", "YWJ_", "YWM=", "-_-_", "YWJjZ", "YQ_\n_", "YQ__x", "YQ\x00_", "YQ%3D%3D", "\u00e4\u00e4",
}

func TestDecodeRefuses(t *testing.T) {
	for _, s := range notCanonical {
		if got, err := cloudfront.Decode(s); err == nil {
			t.Errorf("Decode(%q) = %x, want an error", s, got)
		}
	}
}

// The other alphabets are refused wherever they differ from CloudFront's.
func TestDecodeOtherAlphabets(t *testing.T) {
	data := bytes.Repeat([]byte{0xfb, 0xff, 0xfe, 0x61}, 4)
	for name, s := range map[string]string{
		"MIME": base64.StdEncoding.EncodeToString(data), "base64url": base64.URLEncoding.EncodeToString(data),
		"unpadded MIME": base64.RawStdEncoding.EncodeToString(data), "unpadded base64url": base64.RawURLEncoding.EncodeToString(data),
		"unpadded": strings.TrimRight(base64URL(data), "_"),
	} {
		if got, err := cloudfront.Decode(s); err == nil {
			t.Errorf("Decode of %s %q = %x, want an error", name, s, got)
		}
	}
}

// A value has one spelling: what decodes encodes back.
func FuzzDecode(f *testing.F) {
	for _, s := range notCanonical {
		f.Add(s)
	}
	f.Add("eyJTdGF0ZW1lbnQiOltdfQ__")
	f.Fuzz(func(t *testing.T, s string) {
		data, err := cloudfront.Decode(s)
		if err == nil && cloudfront.Encode(data) != s {
			t.Errorf("Decode(%q) = %x, which encodes to %q", s, data, cloudfront.Encode(data))
		}
		if err == nil && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~_") != "" {
			t.Errorf("Decode(%q) took a character outside the alphabet", s)
		}
		if back, err := cloudfront.Decode(cloudfront.Encode([]byte(s))); err != nil || string(back) != s {
			t.Errorf("Decode(Encode(%q)) = %q, %v", s, back, err)
		}
	})
}
