package cloudfront

import (
	"encoding/base64"
	"errors"
	"strings"
)

// errEncoding is returned for text that is not CloudFront's base64, or not its
// one canonical spelling.
var errEncoding = errors.New("not CloudFront base64")

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~"

// encoding is MIME base64 with "+" as "-", "/" as "~" and the padding "=" as
// "_" (Developer Guide, "Create a signature for a signed cookie that uses a
// custom policy"). It is not the base64url of RFC 4648.
var encoding = base64.NewEncoding(alphabet).WithPadding('_').Strict()

// Encode returns data in CloudFront's base64.
func Encode(data []byte) string { return encoding.EncodeToString(data) }

// Decode is the inverse of Encode. It accepts exactly what Encode returns: no
// line breaks, no missing padding, no stray bits.
func Decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 skips them even when strict
		return nil, errEncoding
	}
	data, err := encoding.DecodeString(s)
	if err != nil {
		return nil, errEncoding
	}
	return data, nil
}

// decodeLoose also reads what a lenient reader might: line breaks, missing
// padding, bits behind the end.
func decodeLoose(s string) ([]byte, error) {
	s = strings.TrimRight(strings.NewReplacer("\r", "", "\n", "").Replace(s), "_")
	data, err := base64.NewEncoding(alphabet).WithPadding(base64.NoPadding).DecodeString(s)
	if err != nil {
		return nil, errEncoding
	}
	return data, nil
}
