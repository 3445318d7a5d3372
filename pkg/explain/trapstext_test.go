package explain_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/explain"
)

func pss(text string) []byte {
	signature, err := rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, digest(crypto.SHA256, text), nil)
	if err != nil {
		panic(err)
	}
	return signature
}

func joined(der []byte) []byte {
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		panic(err)
	}
	raw := make([]byte, 64)
	rs.R.FillBytes(raw[:32])
	rs.S.FillBytes(raw[32:])
	return raw
}

// raw is what a value was before it was encoded.
func raw(value string) []byte {
	data, err := cloudfront.Decode(value)
	if err != nil {
		panic(err)
	}
	return data
}

// recoded is an RSA cookie set, whose signature has every character, with both
// values encoded anew.
func recoded(encode func([]byte) string) func() explain.Input {
	return func() explain.Input {
		// "?>~" makes the policy use the characters that the alphabets differ in
		s := sealedRSA(policyText("https://media.example.org/castle/*", soon, `"DateGreaterThan":{"AWS:EpochTime":1}`))
		s.policy, s.signature = encode(raw(s.policy)), encode(raw(s.signature))
		return request(inCastle, s)
	}
}

func respelt(change func(string) string) func() explain.Input {
	return func() explain.Input {
		s := sealedRSA(policyText(castle, soon))
		s.policy, s.signature = change(s.policy), change(s.signature)
		return request(inCastle, s)
	}
}

func wrap(s string) string {
	var lines []string
	for chunk := range slices.Chunk([]byte(s), 64) {
		lines = append(lines, string(chunk))
	}
	return strings.Join(lines, "\n")
}

var aboutEncoding = []trap{
	{"T15 ordinary base64", recoded(base64.StdEncoding.EncodeToString), badSig, proved, "ordinary base64", nil, []string{"T13", "T16"}},
	{"T15 base64url", recoded(base64.URLEncoding.EncodeToString), badSig, proved, "base64url (RFC 4648)", nil, []string{"T13"}},
	{"T15 base64url without padding", recoded(base64.RawURLEncoding.EncodeToString), badSig, proved, "Read without that, the signature verifies", nil, nil},
	{"T15 no padding", respelt(func(s string) string { return strings.TrimRight(s, "_") }), badSig, proved, "padding", nil, nil},
	{"T15 ordinary base64 without padding", recoded(base64.RawStdEncoding.EncodeToString), badSig, proved, "no padding", nil, nil},
	{"T15 characters swapped", respelt(strings.NewReplacer("~", "_", "_", "~").Replace), badSig, proved, "wrong way round", nil, nil},
	{"T15 wrapped lines", respelt(wrap), badSig, proved, "line breaks", nil, nil},
	{"T15 hexadecimal", func() explain.Input {
		s := sealedRSA(policyText(castle, soon))
		s.signature = hex.EncodeToString(raw(s.signature))
		return request(inCastle, s)
	}, denied, proved, "hexadecimal", nil, []string{"T13"}},
	{"T15 policy not encoded", func() explain.Input {
		s := sealedRSA(policyText(castle, soon))
		s.policy = string(raw(s.policy))
		return request(inCastle, s)
	}, badText, proved, "not encoded at all", nil, nil},
	{"T15 cut off", changed(func(s *sent) { s.signature = s.signature[:len(s.signature)-3] }), badSig, likely, "cut off", nil, nil},
	{"T15 not base64", changed(func(s *sent) { s.signature = "!!!!" }), badSig, likely, "not base64", nil, nil},
	{"T16 percent-encoded", respelt(func(s string) string { return strings.NewReplacer("~", "%7E", "_", "%5F", "-", "%2D").Replace(s) }), badSig, proved, "percent-encoded", nil, []string{"T13", "T15"}},
	{"T16 percent-encoded twice", respelt(func(s string) string { return strings.NewReplacer("~", "%257E", "_", "%255F").Replace(s) }), badSig, proved, "percent-encoded twice", nil, nil},
	{"T16 quotes", respelt(func(s string) string { return `"` + s + `"` }), badSig, proved, "quotes", nil, nil},
	{"T16 quotes around all", changed(func(s *sent) {
		s.id, s.hash, s.policy, s.signature = `"`+s.id+`"`, `"SHA256"`, `"`+s.policy+`"`, `"`+s.signature+`"`
	}), missing, proved, "Key-Pair-Id, Hash-Algorithm, Policy and Signature: each stands in quotes", nil, []string{"T11", "T36"}},
	{"T16 base64 twice", respelt(func(s string) string { return encode([]byte(s)) }), badText, proved, "twice", nil, []string{"T13"}},
	{"T15 and T16, plus became space", recoded(func(b []byte) string { return strings.ReplaceAll(base64.StdEncoding.EncodeToString(b), "+", " ") }), badSig, proved, "ordinary base64", []string{"T16"}, nil},
	{"T15 and the hash is not named", func() explain.Input {
		in := recoded(base64.StdEncoding.EncodeToString)()
		text := policyText(castle, soon)
		s := sent{policy: base64.StdEncoding.EncodeToString([]byte(text)), signature: base64.StdEncoding.EncodeToString(sign(rsaKey(), crypto.SHA256, text)), id: rsaID}
		in.Cookies = s.cookies()
		return in
	}, badSig, proved, "ordinary base64", []string{"T36"}, nil},
	{"T15 in a signed URL", func() explain.Input {
		s := sealedRSA(policyText(castle, soon))
		s.signature = strings.NewReplacer("-", "+", "~", "/", "_", "=").Replace(s.signature)
		return explain.Input{URL: s.on(inCastle), Keys: trusted(), At: noon}
	}, badSig, proved, "ordinary base64", nil, nil},
}

func sealedFor(query string) func() sent {
	return over(policyText("https://media.example.org/castle/"+query, soon))
}

var aboutText = []trap{
	{"T17 line break signed", asking(inCastle, func() sent { t := policyText(castle, soon); return sealedOver(t, t+"\n") }), denied, proved, "line break at the end", nil, []string{"T13"}},
	{"T17 line break sent", asking(inCastle, func() sent { t := policyText(castle, soon); return sealedOver(t+"\n", t) }), denied, proved, "white space around", nil, nil},
	{"T17 spaces signed", asking(inCastle, func() sent {
		t := policyText(castle, soon)
		return sealedOver(t, strings.NewReplacer(`":`, `": `, `,"`, `, "`).Replace(t))
	}), denied, proved, "Python", nil, nil},
	{"T17 members sorted", asking(inCastle, func() sent {
		return sealedOver(policyText(castle, soon), fmt.Sprintf(`{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":%d}},"Resource":"%s"}]}`, soon.Unix(), castle))
	}), denied, proved, "another order", nil, nil},
	{"T17 backslashes of PHP", asking(inCastle, func() sent {
		t := policyText(castle, soon)
		return sealedOver(t, strings.ReplaceAll(t, "/", `\/`))
	}), denied, proved, "PHP", nil, nil},
	{"T17 hashed twice", asking(inCastle, func() sent {
		t := policyText(castle, soon)
		return sealedOver(t, string(digest(crypto.SHA256, t)))
	}), denied, proved, "hashed twice", nil, nil},
	{"T17 encoded form signed", asking(inCastle, func() sent { t := policyText(castle, soon); return sealedOver(t, encode([]byte(t))) }), denied, proved, "encoded form", nil, nil},
	{"T17 canned with spaces, and hash not named", func() explain.Input {
		text := strings.ReplaceAll(policyText(inCastle, soon), `":`, `": `)
		return request(inCastle, sent{expires: fmt.Sprint(soon.Unix()), signature: encode(sign(rsaKey(), crypto.SHA256, text)), id: rsaID})
	}, denied, proved, "spaces after colons", []string{"T36"}, nil},
	{"T17 not JSON", asking(inCastle, over(`{"Statement":nonsense}`)), badText, likely, "not JSON", nil, nil},
	{"T17 cut off", asking(inCastle, over(policyText(castle, soon)[:60])), badText, likely, "cut off", nil, nil},
	{"T18 ampersand escaped, custom", asking(inCastle, func() sent {
		t := policyText("https://media.example.org/castle/*a&b*", soon)
		return sealedOver(t, strings.ReplaceAll(t, "&", `\u0026`))
	}), denied, proved, "u0026", nil, []string{"T13"}},
	{"T18 ampersand escaped, canned", asking(inCastle+"?a=1&b=2", func() sent {
		return cannedOver(strings.ReplaceAll(policyText(inCastle+"?a=1&b=2", soon), "&", `\u0026`), soon)
	}), denied, proved, "u0026", nil, nil},
	{"T25 illegal escape", asking(inCastle, sealedFor(`audio/01.m4a\?*`)), badText, proved, `\\?`, nil, nil},
	{"T31 quoted epoch", asking(inCastle, over(fmt.Sprintf(`{"Statement":[{"Resource":"%s","Condition":{"DateLessThan":{"AWS:EpochTime":"%d"}}}]}`, castle, epoch))), badText, likely, "in quotes", nil, nil},
	{"T32 no DateLessThan", asking(inCastle, over(`{"Statement":[{"Resource":"`+castle+`","Condition":{}}]}`)), badText, likely, "no DateLessThan", nil, nil},
	{"T33 object form", asking(inCastle, over(fmt.Sprintf(`{"Statement":{"Resource":"%s","Condition":{"DateLessThan":{"AWS:EpochTime":%d}}}}`, castle, epoch+60))), badText, likely, "not an array", nil, nil},
	{"T33 two statements", asking(inCastle, over(strings.Replace(policyText(castle, soon), "}}}]}", "}}},{}]}", 1))), badText, likely, "2 statements", nil, nil},
	{"T33 no object", asking(inCastle, over(`["Statement"]`)), badText, likely, "no JSON object", nil, nil},
	{"T35 IPv6", asking(inCastle, over(policyText(castle, soon, `"IpAddress":{"AWS:SourceIp":"2001:db8::/32"}`))), badText, likely, "IPv6", nil, nil},
	{"T35 no mask", asking(inCastle, over(policyText(castle, soon, `"IpAddress":{"AWS:SourceIp":"192.0.2.7"}`))), badText, likely, "no mask", nil, nil},
	{"T35 no address", asking(inCastle, over(policyText(castle, soon, `"IpAddress":{"AWS:SourceIp":"everywhere"}`))), badText, likely, "not an IPv4 range", nil, nil},
	{"S3 no Resource", asking(inCastle, over(fmt.Sprintf(`{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":%d}}}]}`, epoch+60))), badText, likely, "no Resource", nil, nil},
	{"S16 twice the same member", asking(inCastle, over(strings.Replace(policyText(castle, soon), `"Resource"`, `"Resource":"https://media.example.org/zoo/*","Resource"`, 1))), badText, likely, "twice", nil, nil},
	{"S16 trailing data", asking(inCastle, over(policyText(castle, soon)+policyText(castle, soon))), badText, likely, "follows after", nil, nil},
}

func sha256RSA(hash string) func() explain.Input {
	return func() explain.Input {
		text := policyText(castle, soon)
		return request(inCastle, sent{policy: encode([]byte(text)), signature: encode(sign(rsaKey(), crypto.SHA256, text)), id: rsaID, hash: hash})
	}
}

var aboutSignatures = []trap{
	{"T36 SHA-256, not named", sha256RSA(""), denied, proved, "over SHA-256, but nothing says so", []string{"T37"}, []string{"T13"}},
	{"T36 SHA-256, named SHA1", sha256RSA("SHA1"), denied, proved, "says SHA1", nil, nil},
	{"T36 SHA-1, named SHA256", func() explain.Input {
		s := sealedRSA(policyText(castle, soon))
		s.hash = "SHA256"
		return request(inCastle, s)
	}, denied, proved, "over SHA-1", []string{"T37"}, nil},
	{"T36 SHA-1, named SHA256, in a URL", func() explain.Input {
		s := sealedRSA(policyText(castle, soon))
		s.hash = "SHA256"
		return explain.Input{URL: s.on(inCastle), Keys: trusted(), At: noon}
	}, denied, proved, "over SHA-1", nil, []string{"T37"}},
	{"T36 SHA-256, not named, in a URL", func() explain.Input {
		s := canned(inCastle, soon)
		s.hash = ""
		return explain.Input{URL: s.on(inCastle), Keys: trusted(), At: noon}
	}, denied, proved, "over SHA-256", nil, nil},
	{"T36 SHA-512", func() explain.Input {
		text := policyText(castle, soon)
		return request(inCastle, sent{policy: encode([]byte(text)), signature: encode(sign(rsaKey(), crypto.SHA512, text)), id: rsaID, hash: "SHA256"})
	}, denied, proved, "SHA-512", nil, nil},
	{"T36 SHA-512, ECDSA", changed(func(s *sent) { s.signature = encode(sign(ecKey(), crypto.SHA512, policyText(castle, soon))) }), denied, proved, "SHA-512", nil, nil},
	{"T36 ECDSA over SHA-1", changed(func(s *sent) { s.signature, s.hash = encode(sign(ecKey(), crypto.SHA1, policyText(castle, soon))), "" }), denied, proved, "contradicts itself", nil, nil},
	{"T36 name in another spelling", sha256RSA("sha-256"), denied, proved, "none that CloudFront knows", nil, nil},
	{"T36 name that nobody knows", sha256RSA("MD5"), denied, likely, "none that CloudFront knows", nil, nil},
	{"T37 hash cookie on another Path", func() explain.Input {
		in := sha256RSA("SHA256")()
		all := strings.Split(in.Cookies[0], "; ")
		a := answer(api)
		for i, c := range all {
			a.SetCookie = append(a.SetCookie, c+map[bool]string{true: "; Path=/castle/", false: "; Path=/v1/"}[i < len(all)-1])
		}
		return fresh(inCastle, "", a)
	}, denied, proved, "Path /v1/, the signature with Domain media.example.org and Path /castle/", []string{"T36"}, []string{"T6"}},
	{"T37 hash cookie left over", func() explain.Input {
		return fresh(inCastle, "", answer(api, "CloudFront-Hash-Algorithm=SHA256; Path=/"), answer(api, sealedRSA(policyText(castle, soon)).set("; Path=/castle/")...))
	}, denied, proved, "was set with Domain media.example.org and Path /,", []string{"T36"}, nil},
	{"T38 r and s joined", changed(func(s *sent) { s.signature = encode(joined(raw(s.signature))) }), denied, proved, "joined", nil, []string{"T13"}},
	{"T39 RSA-PSS", func() explain.Input {
		s := sealedRSA(policyText(castle, soon))
		s.signature, s.hash = encode(pss(policyText(castle, soon))), "SHA256"
		return request(inCastle, s)
	}, denied, proved, "RSA-PSS", nil, []string{"T13"}},
	{"T41 policy of one set, signature of another", func() explain.Input {
		old := sealed(policyText(castle, noon.Add(-time.Minute)))
		in := fresh(inCastle, "", answer(api, old.set(secure)...), answer(api, good().set(secure)...))
		in.Cookies = []string{strings.Replace(good().cookies()[0], good().signature, old.signature, 1)}
		return in
	}, denied, proved, "different cookie sets", nil, []string{"T13"}},
	{"T41 expiry of one set, signature of another", func() explain.Input {
		old, next := canned(inCastle, noon.Add(time.Minute)), canned(inCastle, soon)
		in := fresh(inCastle, "", answer(api, old.set(secure)...), answer(api, next.set(secure)...))
		in.Cookies = []string{strings.Replace(next.cookies()[0], next.signature, old.signature, 1)}
		return in
	}, denied, proved, "different cookie sets", nil, nil},
}

// cannedFor is a request for one URL with a canned signature over another.
func cannedFor(signed, asked string) func() explain.Input {
	return func() explain.Input { return request(asked, canned(signed, soon)) }
}

const film = "https://media.example.org/castle/My%20Film.mp4"

var aboutCanned = []trap{
	{"T19 wildcard", cannedFor(castle, inCastle), denied, proved, "cannot have a wildcard", nil, []string{"T13", "T20"}},
	{"T19 wildcard on the host", cannedFor("https://media.example.org/*", inCastle), denied, proved, "wildcard", nil, nil},
	{"T19 wildcard with any scheme", cannedFor("http*://media.example.org/*", inCastle), denied, proved, "wildcard", nil, nil},
	{"T19 wildcard with extension", cannedFor("https://media.example.org/castle/audio/*.m4a", inCastle), denied, proved, "wildcard", nil, nil},
	{"T19 star", cannedFor("*", inCastle), denied, proved, "wildcard", nil, nil},
	{"T19 wildcard in a signed URL", func() explain.Input {
		return explain.Input{URL: canned(castle, soon).on(inCastle), Keys: trusted(), At: noon}
	}, denied, proved, "wildcard", nil, nil},
	{"T20 query added", cannedFor(inCastle, inCastle+"?v=2"), denied, proved, "part of what is compared", nil, []string{"T13"}},
	{"T20 query reordered", cannedFor(inCastle+"?a=1&b=2&c=3", inCastle+"?c=3&a=1&b=2"), denied, proved, "another order", nil, nil},
	{"T20 parameter added", cannedFor(inCastle+"?a=1&b=2", inCastle+"?a=1&utm=x&b=2"), denied, proved, "added after signing", nil, nil},
	{"T20 long query reordered", cannedFor(inCastle+"?a=1&b=2&c=3&d=4&e=5&f=6&g=7", inCastle+"?g=7&a=1&b=2&c=3&d=4&e=5&f=6"), denied, proved, "another order", nil, nil},
	{"T13 or for a URL that cannot be guessed", cannedFor("https://media.example.org/zoo/lion.m4a", inCastle), denied, likely, "does not fit", []string{"T20"}, []string{"T17"}},
	{"T21 host of the page", func() explain.Input {
		in := request(inCastle, canned("https://d111111abcdef8.cloudfront.net/castle/audio/01.m4a", soon))
		in.Page = "https://d111111abcdef8.cloudfront.net/"
		return in
	}, denied, proved, "hosts differ", nil, nil},
	{"T22 scheme", cannedFor("http://media.example.org/castle/a.m4a", "https://media.example.org/castle/a.m4a"), denied, proved, "schemes differ", nil, nil},
	{"T23 path only", cannedFor("/castle/audio/01.m4a", inCastle), denied, proved, "without scheme and host", nil, nil},
	{"T23 without scheme", cannedFor("media.example.org/castle/audio/01.m4a", inCastle), denied, proved, "without its scheme", nil, nil},
	{"T26 case", cannedFor("https://media.example.org/castle/audio/01.m4a", "https://media.example.org/Castle/audio/01.M4A"), denied, proved, "upper and lower case", nil, nil},
	{"T27 unencoded", cannedFor("https://media.example.org/castle/My Film.mp4", film), denied, proved, "percent-encoded differently", nil, nil},
	{"T27 plus", cannedFor("https://media.example.org/castle/My+Film.mp4", film), denied, proved, "percent-encoded differently", nil, nil},
	{"T27 apostrophe", cannedFor(inCastle+"?name=O'Hara", inCastle+"?name=O%27Hara"), denied, proved, "percent-encoded differently", nil, nil},
	{"T27 brackets", cannedFor("https://media.example.org/castle/a(1).mp3", "https://media.example.org/castle/a%281%29.mp3"), denied, proved, "percent-encoded differently", nil, nil},
	{"T27 Unicode", cannedFor("https://media.example.org/castle/Dürer.mp3", "https://media.example.org/castle/D%C3%BCrer.mp3"), denied, proved, "percent-encoded differently", nil, nil},
	{"T27 hex digits", cannedFor("https://media.example.org/castle/D%c3%bcrer.mp3", "https://media.example.org/castle/D%C3%BCrer.mp3"), denied, proved, "percent-encoded differently", nil, nil},
	{"T28 fragment signed", cannedFor(inCastle+"#t=30", inCastle+"#t=30"), denied, proved, "never reaches", nil, nil},
	{"T29 milliseconds signed, seconds sent", func() explain.Input {
		return request(inCastle, cannedOver(strings.Replace(policyText(inCastle, soon), fmt.Sprint(soon.Unix()), fmt.Sprint(soon.UnixMilli()), 1), soon))
	}, denied, proved, "milliseconds", nil, nil},
	{"T48 slash at the end", cannedFor("https://media.example.org/castle", "https://media.example.org/castle/"), denied, proved, "slash at its end", nil, nil},
	{"T48 dot segments", cannedFor("https://media.example.org/castle/a.m4a", "https://media.example.org/castle/./x/../a.m4a"), denied, proved, "dot segments", nil, nil},
	{"T48 port", cannedFor("https://media.example.org:443/castle/a.m4a", "https://media.example.org/castle/a.m4a"), denied, proved, "the port", nil, nil},
}
