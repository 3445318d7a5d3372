package explain

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A reading is a value decoded in one of the ways in which somebody may have
// encoded it.
type reading struct {
	data   []byte
	wrongs []wrong // none if it is encoded as CloudFront wants it
}

// A wrong is one thing that was done to a value and should not have been.
type wrong struct{ id, is string }

// A peeling is a value with what a framework or a shell put around it taken off.
type peeling struct {
	value  string
	wrongs []wrong
}

// readings returns the ways to read value that give something plausible.
func readings(value string, plausible func([]byte) bool) []reading {
	var found []reading
	add := func(data []byte, wrongs ...wrong) {
		if plausible(data) {
			found = append(found, reading{data, wrongs})
		}
	}
	for _, p := range peelings(value) {
		for _, a := range alphabets {
			data, how := a.read(p.value)
			if data == nil {
				continue
			}
			wrongs := append(p.wrongs[:len(p.wrongs):len(p.wrongs)], how...)
			add(data, wrongs...)
			for _, inner := range alphabets[:2] {
				if again, _ := inner.read(string(data)); again != nil {
					add(again, append(wrongs, wrong{"T16", "is encoded in base64 twice"})...)
				}
			}
		}
	}
	return found
}

// peelings are value itself, and value without quotes, percent-encoding and
// white space, as far as it has any.
func peelings(value string) []peeling {
	all := []peeling{{value: value}}
	if once := unescaped(value); once != value {
		w := []wrong{{"T16", "is percent-encoded: a framework encoded the value once more"}}
		all = append(all, peeling{once, w})
		if twice := unescaped(once); twice != once {
			all = append(all, peeling{twice, []wrong{{"T16", "is percent-encoded twice"}}})
		}
	}
	add := func(change func(string) string, w wrong) {
		for _, p := range all {
			if next := change(p.value); next != p.value {
				all = append(all, peeling{next, append(p.wrongs[:len(p.wrongs):len(p.wrongs)], w)})
			}
		}
	}
	add(unquoted, wrong{"T16", "stands in quotes"})
	add(func(s string) string { return strings.ReplaceAll(s, " ", "+") }, wrong{"T16", `has spaces where "+" was, as form decoding makes them`})
	add(func(s string) string { return strings.Join(strings.Fields(s), "") }, wrong{"T15", "has line breaks or spaces in it, as base64 tools print them"})
	return all
}

// unquoted is s without quotes around it, also those that were escaped.
func unquoted(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, `\`), `\"`)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') {
		return strings.TrimSuffix(s[1:], s[:1])
	}
	return s
}

// unescaped is s without percent-encoding, or s itself if it has none that is
// good.
func unescaped(s string) string {
	plain, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return plain
}

// An alphabet is one way to write bytes as text.
type alphabet struct {
	is   string // what a value in it is called; empty for CloudFront's own
	from func(string) string
}

// alphabets are CloudFront's and those that get mixed up with it.
var alphabets = []alphabet{
	{"", func(s string) string { return s }},
	{`is ordinary base64, in which "+", "=" and "/" were not replaced`, strings.NewReplacer("+", "-", "/", "~", "=", "_").Replace},
	{`is base64url (RFC 4648), in which "/" is "_" and not "~"`, fromBase64URL},
	{`has "=" and "/" replaced the wrong way round`, swapped},
	{"is hexadecimal", fromHex},
	{"is not encoded at all", func(s string) string {
		if strings.HasPrefix(strings.TrimSpace(s), "{") {
			return cloudfront.Encode([]byte(s))
		}
		return ""
	}},
}

// read decodes s, with padding added if it lacks some.
func (a alphabet) read(s string) ([]byte, []wrong) {
	var wrongs []wrong
	if a.is != "" {
		wrongs = []wrong{{"T15", a.is}}
	}
	text := a.from(s)
	if text == "" {
		return nil, nil
	}
	if data, err := cloudfront.Decode(text); err == nil {
		return data, wrongs
	}
	short := len(text) % 4
	if short < 2 {
		return nil, nil
	}
	data, err := cloudfront.Decode(text + strings.Repeat("_", 4-short))
	if err != nil {
		return nil, nil
	}
	return data, append(wrongs, wrong{"T15", "has no padding"})
}

func fromBase64URL(s string) string {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || strings.ContainsAny(s, "\r\n") { // the decoder skips them
		return ""
	}
	return cloudfront.Encode(data)
}

func swapped(s string) string {
	body := strings.TrimRight(s, "~")
	return strings.ReplaceAll(body, "_", "~") + strings.Repeat("_", len(s)-len(body))
}

func fromHex(s string) string {
	data, err := hex.DecodeString(s)
	if err != nil {
		return ""
	}
	return cloudfront.Encode(data)
}

// likePolicy reports whether data could be the text of a policy.
func likePolicy(data []byte) bool {
	text := bytes.TrimSpace(data)
	return len(text) > 1 && text[0] == '{' && bytes.Contains(text, []byte("Statement"))
}

// likeSignature reports whether data has the length of a signature: ECDSA in
// either form, or RSA.
func likeSignature(data []byte) bool {
	n := len(data)
	return n == 64 || n >= 68 && n <= 72 || n == 128 || n == 256 || n == 384 || n == 512
}
