package explain

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// otherBytes tries a policy as it may have looked when it was signed.
func otherBytes(p *problem) []Cause {
	text := p.facts.Text
	for _, escaped := range [][]byte{escapedForHTML(text), unescapedForHTML(text)} {
		if hash := p.fits(escaped); hash != "" {
			return p.also(hash, one(Proved, "T18", cloudfront.Observed, `The policy was signed with "\u0026" in the place of "&", or the other way round: a JSON encoder that escapes for HTML.`,
				"Turn the escaping off (in Go json.Encoder.SetEscapeHTML(false)), and sign exactly the bytes that are sent."))
		}
	}
	for _, v := range variants(text) {
		if hash := p.fits(v.text); hash != "" {
			return p.also(hash, one(Proved, "T17", cloudfront.Documented, "The signature is over other bytes than those that CloudFront checks: "+v.how+".", v.fix(p.facts.Canned)))
		}
	}
	return nil
}

// also adds to causes that, besides, the hash is not the one that was named.
func (p *problem) also(hash cloudfront.Hash, causes []Cause) []Cause {
	if hash == p.facts.Hash {
		return causes
	}
	return append(causes, one(Proved, "T36", cloudfront.Documented, fmt.Sprintf("Besides, the signature is over %s, while the request says %s.", hash, p.facts.Hash),
		"Send CloudFront-Hash-Algorithm (in URLs Hash-Algorithm) with the hash that was used; without it SHA-1 is assumed.")...)
}

func escapedForHTML(text []byte) []byte {
	return []byte(strings.NewReplacer("&", `\u0026`, "<", `\u003c`, ">", `\u003e`).Replace(string(text)))
}

func unescapedForHTML(text []byte) []byte {
	return []byte(strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(text)))
}

// A variant is another text that may have been signed.
type variant struct {
	how  string
	text []byte
}

func (v variant) fix(canned bool) string {
	if canned {
		return `Sign exactly {"Statement":[{"Resource":"URL","Condition":{"DateLessThan":{"AWS:EpochTime":SECONDS}}}]}, in this order and without white space.`
	}
	return "Encode exactly the bytes that you signed."
}

// variants are the usual ways in which signed and sent bytes drift apart.
func variants(text []byte) []variant {
	all := []variant{
		{"signed with a line break at the end", append(slices.Clone(text), '\n')},
		{"signed with a line break (CRLF) at the end", append(slices.Clone(text), '\r', '\n')},
		{"sent with white space around it that was not signed", bytes.TrimSpace(text)},
		{"signed with a byte order mark before it", append([]byte("\xef\xbb\xbf"), text...)},
		{"signed without the backslashes that JSON puts before slashes", bytes.ReplaceAll(text, []byte(`\/`), []byte("/"))},
		{"signed with backslashes before the slashes, as PHP writes JSON", bytes.ReplaceAll(text, []byte("/"), []byte(`\/`))},
	}
	all = append(all, rewritten(text)...)
	return append(all, wrapped(text)...)
}

// rewritten are the same JSON as other software writes it.
func rewritten(text []byte) []variant {
	var all []variant
	var compact, indented bytes.Buffer
	if json.Compact(&compact, text) == nil {
		all = append(all, variant{"signed without the white space that was sent", compact.Bytes()},
			variant{"signed without the white space that was sent, but with a line break at the end", append(slices.Clone(compact.Bytes()), '\n')})
	}
	for _, indent := range []string{"  ", "    ", "\t"} {
		indented.Reset()
		if json.Indent(&indented, text, "", indent) == nil {
			all = append(all, variant{"signed with indentation", slices.Clone(indented.Bytes())})
		}
	}
	spaced := strings.NewReplacer(`":`, `": `, `,"`, `, "`)
	all = append(all, variant{"signed with spaces after colons and commas, as Python writes JSON", []byte(spaced.Replace(string(text)))},
		variant{"signed with spaces after colons", bytes.ReplaceAll(text, []byte(`":`), []byte(`": `))})
	for _, sorted := range reordered(text) {
		all = append(all, variant{"signed with its members in another order", sorted},
			variant{"signed with its members in another order, with spaces after colons and commas", []byte(spaced.Replace(string(sorted)))})
	}
	return all
}

// reordered are the orders of members that serializers make: sorted, and the
// other orders of a statement with the usual orders of its conditions.
func reordered(text []byte) [][]byte {
	var policy struct {
		Statement []struct {
			Resource  json.RawMessage
			Condition map[string]json.RawMessage
		}
	}
	if json.Unmarshal(text, &policy) != nil || len(policy.Statement) != 1 {
		return nil
	}
	s := policy.Statement[0]
	var all [][]byte
	for _, order := range [][]string{
		{"DateGreaterThan", "DateLessThan", "IpAddress"}, {"DateLessThan", "DateGreaterThan", "IpAddress"},
		{"IpAddress", "DateGreaterThan", "DateLessThan"}, {"IpAddress", "DateLessThan", "DateGreaterThan"},
		{"DateGreaterThan", "IpAddress", "DateLessThan"}, {"DateLessThan", "IpAddress", "DateGreaterThan"},
	} {
		var members []string
		for _, name := range order {
			if value, ok := s.Condition[name]; ok {
				members = append(members, fmt.Sprintf(`"%s":%s`, name, value))
			}
		}
		condition := "{" + strings.Join(members, ",") + "}"
		all = append(all,
			fmt.Appendf(nil, `{"Statement":[{"Condition":%s,"Resource":%s}]}`, condition, s.Resource),
			fmt.Appendf(nil, `{"Statement":[{"Resource":%s,"Condition":%s}]}`, s.Resource, condition))
	}
	return all
}

// wrapped are forms of text that were signed in its place by mistake.
func wrapped(text []byte) []variant {
	sum1, sum256 := sha1.Sum(text), sha256.Sum256(text)
	return []variant{
		{"signed in its encoded form; sign the JSON itself", []byte(cloudfront.Encode(text))},
		{"signed in its encoded form; sign the JSON itself", []byte(base64.StdEncoding.EncodeToString(text))},
		{"hashed twice; sign the text, or tell the signer that it gets a digest", sum1[:]},
		{"hashed twice; sign the text, or tell the signer that it gets a digest", sum256[:]},
		{"hashed twice, the second time in hexadecimal", []byte(hex.EncodeToString(sum1[:]))},
		{"hashed twice, the second time in hexadecimal", []byte(hex.EncodeToString(sum256[:]))},
	}
}
