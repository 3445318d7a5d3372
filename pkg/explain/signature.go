package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// wrongSignature tries what the signature might be over, with and by.
func wrongSignature(p *problem) []Cause {
	if !p.failed(cloudfront.RuleSignature) {
		return nil
	}
	for _, try := range []func(*problem) []Cause{otherHash, otherKey, func(p *problem) []Cause { return p.otherScheme(p.facts.Text) }, otherBytes, otherURL} {
		if found := try(p); found != nil {
			return found
		}
	}
	causes := one(likely, "T13", cloudfront.Observed,
		fmt.Sprintf("The signature does not fit key %s, in neither hash nor over any likely form of the policy. Most often the private key is not the one whose public half has this ID.", p.facts.KeyPairID),
		`Compare both halves: "openssl pkey -in private.pem -pubout" must print the public key that CloudFront shows for this ID.`)
	return append(causes, one(possible, "T17", cloudfront.Documented, "Or the signed bytes differ from the sent ones: a line break at the end, JSON written anew after signing, another order of members.",
		"Sign exactly the bytes that you encode and send.")...)
}

func otherHash(p *problem) []Cause {
	other := cloudfront.SHA256
	if p.facts.Hash == cloudfront.SHA256 {
		other = cloudfront.SHA1
	}
	if !p.facts.Key.Verify(other, p.facts.Text, p.facts.Raw) {
		if strings.HasPrefix(p.facts.Key.Kind(), "ECDSA") && p.facts.Key.Verify(p.facts.Hash, p.facts.Text, p.facts.Raw) {
			return one(likely, "T36", cloudfront.Assumed, "The signature is ECDSA over SHA-1. AWS contradicts itself about this pair, so it is refused here.",
				"Sign with SHA-256 and send CloudFront-Hash-Algorithm=SHA256.")
		}
		return nil
	}
	if other == cloudfront.SHA256 {
		return one(proved, "T36", cloudfront.Documented, "The signature is over SHA-256, but nothing says so, and CloudFront assumes SHA-1.",
			"Send the cookie CloudFront-Hash-Algorithm=SHA256 (in signed URLs the parameter Hash-Algorithm=SHA256) with the same Domain and Path as the others.")
	}
	causes := one(proved, "T36", cloudfront.Documented, "The signature is over SHA-1, but the hash algorithm sent with it says SHA256.",
		"Sign with SHA-256, or do not send the hash algorithm.")
	if !p.facts.SignedURL {
		causes = append(causes, one(likely, "T37", cloudfront.Assumed, "CloudFront-Hash-Algorithm may be left over from an earlier cookie set, or set under another Domain or Path.",
			"Delete CloudFront-Hash-Algorithm, with its Domain and Path, whenever you set cookies signed with SHA-1.")...)
	}
	return causes
}

func otherKey(p *problem) []Cause {
	if k := p.signedBy(); k != nil && k != p.facts.Key {
		return one(proved, "T13", cloudfront.Observed, fmt.Sprintf("The signature was made with the private key of %s, but the key pair ID sent is %s.", k.ID(), p.facts.KeyPairID),
			fmt.Sprintf("Send %s as the key pair ID, or sign with the key that belongs to %s.", k.ID(), p.facts.KeyPairID))
	}
	return nil
}

// fits reports whether the signature is over text, in either hash.
func (p *problem) fits(text []byte) bool {
	return p.facts.Key.Verify(cloudfront.SHA1, text, p.facts.Raw) || p.facts.Key.Verify(cloudfront.SHA256, text, p.facts.Raw)
}

// otherBytes tries a custom policy as it may have looked when it was signed.
func otherBytes(p *problem) []Cause {
	text := p.facts.Text
	if p.facts.Canned || text == nil {
		return nil
	}
	if strings.Contains(string(text), "&") && p.fits(bytes.ReplaceAll(text, []byte("&"), []byte(`\u0026`))) ||
		strings.Contains(string(text), `\u0026`) && p.fits(bytes.ReplaceAll(text, []byte(`\u0026`), []byte("&"))) {
		return one(proved, "T18", cloudfront.Observed, `The policy was signed with "&" and sent with "\u0026", or the other way round: a JSON encoder that escapes for HTML.`,
			"Turn the escaping off (in Go json.Encoder.SetEscapeHTML(false)), and sign exactly the bytes that are sent.")
	}
	for _, v := range variants(text) {
		if p.fits(v.text) {
			return one(proved, "T17", cloudfront.Documented, "The signature is over other bytes than the ones that were sent: "+v.how+".",
				"Encode exactly the bytes that you signed.")
		}
	}
	return nil
}

type variant struct {
	how  string
	text []byte
}

// variants are the usual ways in which signed and sent bytes drift apart.
func variants(text []byte) []variant {
	all := []variant{
		{"signed with a line break at the end", append(slices.Clone(text), '\n')},
		{"signed with a line break (CRLF) at the end", append(slices.Clone(text), '\r', '\n')},
		{"sent with white space around it that was not signed", bytes.TrimSpace(text)},
	}
	var compact, indented bytes.Buffer
	if json.Compact(&compact, text) == nil {
		all = append(all, variant{"signed without the white space that was sent", compact.Bytes()})
		all = append(all, variant{"signed without the white space that was sent, but with a line break at the end", append(slices.Clone(compact.Bytes()), '\n')})
	}
	for _, indent := range []string{"  ", "    ", "\t"} {
		indented.Reset()
		if json.Indent(&indented, text, "", indent) == nil {
			all = append(all, variant{"signed with indentation, sent without", slices.Clone(indented.Bytes())})
		}
	}
	var any any
	if json.Unmarshal(text, &any) == nil {
		if sorted, err := json.Marshal(any); err == nil {
			all = append(all, variant{"signed with its members in another order", sorted})
		}
	}
	spaced := strings.NewReplacer(`":`, `": `, `,"`, `, "`).Replace(string(text))
	return append(all, variant{"signed with spaces after colons and commas, as Python writes JSON", []byte(spaced)})
}

// otherURL tries, for a canned policy, URLs that may have been signed instead.
func otherURL(p *problem) []Cause {
	if !p.facts.Canned {
		return nil
	}
	asked := p.facts.URL
	for _, try := range candidates(asked) {
		if try.url != asked && p.fits(cloudfront.CannedText(try.url, p.facts.Expires)) {
			return one(proved, try.id, try.basis, fmt.Sprintf("The signature is for %q, not for %q: %s.", try.url, asked, try.how), try.fix)
		}
	}
	return nil
}

type candidate struct {
	url, id, how, fix string
	basis             cloudfront.Basis
}

const fixWildcard = "Use a custom policy for wildcards: it is sent along, in CloudFront-Policy, instead of being rebuilt from the request."

func candidates(asked string) []candidate {
	var all []candidate
	add := func(id string, basis cloudfront.Basis, url, how, fix string) {
		all = append(all, candidate{url: url, id: id, how: how, fix: fix, basis: basis})
	}
	base, query, _ := strings.Cut(asked, "?")
	scheme, rest, _ := strings.Cut(base, "://")
	host, path, _ := strings.Cut(rest, "/")
	for i, folder := 0, base; i < 40; i++ {
		cut := strings.LastIndexByte(strings.TrimSuffix(folder, "/"), '/')
		if cut < len(scheme)+2 {
			break
		}
		folder = folder[:cut+1]
		for _, s := range []string{folder + "*", "http*" + strings.TrimPrefix(strings.TrimPrefix(folder, "https"), "http") + "*"} {
			add("T19", cloudfront.Documented, s, "a canned policy cannot have a wildcard, as CloudFront rebuilds it from the URL asked for", fixWildcard)
		}
	}
	add("T19", cloudfront.Documented, "*", "a canned policy cannot have a wildcard", fixWildcard)
	if query != "" {
		add("T20", cloudfront.Documented, base, "the query string belongs to a canned policy, and it was signed without it", "Sign the URL with exactly the query that is asked for.")
		pairs := strings.Split(query, "&")
		slices.Sort(pairs)
		add("T20", cloudfront.Documented, base+"?"+strings.Join(pairs, "&"), "the query was signed in another order", "Sign the URL with exactly the query that is asked for.")
		for i := range pairs {
			rest := slices.Delete(slices.Clone(strings.Split(query, "&")), i, i+1)
			add("T20", cloudfront.Documented, strings.TrimSuffix(base+"?"+strings.Join(rest, "&"), "?"), "a parameter was added after signing", "Sign the URL with exactly the query that is asked for.")
		}
	}
	other := map[string]string{"http": "https", "https": "http"}[scheme]
	add("T22", cloudfront.Assumed, other+strings.TrimPrefix(asked, scheme), "it was signed for the other scheme", "Sign the URL with the scheme that viewers use.")
	add("T23", cloudfront.Observed, "/"+path, "it was signed without scheme and host", "Sign the whole URL, from https:// on.")
	add("T23", cloudfront.Observed, host+"/"+path, "it was signed without its scheme", "Sign the whole URL, from https:// on.")
	add("T26", cloudfront.Assumed, strings.ToLower(asked), "paths are case-sensitive", "Ask for the URL in the case in which it was signed.")
	add("T27", cloudfront.Observed, unescaped(asked), "it was signed unencoded and asked for percent-encoded", "Sign the URL as it stands on the wire.")
	for _, s := range encodings(asked, scheme+"://"+host, path) {
		add("T27", cloudfront.Observed, s, "it was signed in another percent-encoding", "Sign the URL as it stands on the wire.")
	}
	return all
}

// encodings are other spellings of a URL that libraries make.
func encodings(asked, site, path string) []string {
	u := url.URL{Path: "/" + unescaped(path)}
	return []string{
		site + u.EscapedPath(),
		strings.ReplaceAll(asked, "%20", "+"),
		strings.ReplaceAll(asked, "+", "%20"),
		strings.ReplaceAll(asked, "%27", "'"),
		strings.ReplaceAll(asked, "'", "%27"),
		strings.NewReplacer("(", "%28", ")", "%29").Replace(asked),
		strings.NewReplacer("%28", "(", "%29", ")").Replace(asked),
		strings.NewReplacer(",", "%2C", "=", "%3D").Replace(asked),
		strings.NewReplacer("%2C", ",", "%3D", "=").Replace(asked),
		strings.ReplaceAll(asked, "~", "%7E"),
		strings.ReplaceAll(asked, "%7E", "~"),
	}
}
