package cloudfront

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A judge looks at one request. The checks run in order; each may use what
// those before it left in the judge, and in tracing mode each must cope with
// earlier ones having failed.
type judge struct {
	decider *Decider
	request Request
	group   KeyGroup
	at      time.Time
	tracing bool

	url     wireURL
	cookies credentials
	sent    *credentials // those that count: from the URL or from the cookies

	key       *PublicKey
	hash      Hash
	signature []byte
	text      []byte     // whose signature is checked
	statement *statement // what the policy says
	verified  bool       // found in the cache: text and signature were not looked at

	found   string // tracing: what the current check found
	skipped bool   // tracing: the current check had nothing to look at
}

// checks are the rules in the order that fits the refusals people have seen.
var checks = [...]struct {
	rule   Rule
	looked string
	basis  Basis
	check  func(*judge) Code
}{
	{RuleSize, "size of URL and cookies", Documented, (*judge).checkSize},
	{RuleQueryNames, "names in the query", Assumed, (*judge).checkQueryNames},
	{RuleKeyPairID, "key pair ID", Observed, (*judge).checkKeyPairID},
	{RuleSignaturePresent, "signature sent", Assumed, (*judge).checkSignaturePresent},
	{RuleDuplicates, "cookies sent twice", Assumed, (*judge).checkDuplicates},
	{RuleKeyGroup, "key groups of the cache behavior", Observed, (*judge).checkKeyGroup},
	{RuleHash, "hash algorithm", Documented, (*judge).checkHash},
	{RuleSignatureEncoding, "encoding of the signature", Observed, (*judge).checkSignatureEncoding},
	{RulePolicyPresent, "policy or expiry sent", Observed, (*judge).checkPolicyPresent},
	{RulePolicyText, "text of the policy", Observed, (*judge).checkPolicyText},
	{RuleSignature, "signature over the policy", Documented, (*judge).checkSignature},
	{RuleStart, "DateGreaterThan", Documented, (*judge).checkStart},
	{RuleEnd, "DateLessThan", Documented, (*judge).checkEnd},
	{RuleAddress, "IpAddress", Documented, (*judge).checkAddress},
	{RuleResource, "Resource", Documented, (*judge).checkResource},
}

// read takes the request apart. Any of CloudFront's parameters in the query
// makes it a signed-URL request, and the cookies do not count.
func (j *judge) read() {
	j.url.parseAs(j.request.URL, &j.decider.Parity)
	j.sent = &j.url.credentials
	if !j.url.signing {
		j.cookies.readCookies(j.request.Cookies)
		j.sent = &j.cookies
	}
}

// note records what a check found; it costs nothing unless tracing.
func (j *judge) note(format string, args ...any) { j.found = fmt.Sprintf(format, args...) }

func (j *judge) skip(why string) Code {
	j.found, j.skipped = why, true
	return ""
}

func (j *judge) checkSize() Code {
	cookies := 0
	for _, c := range j.request.Cookies {
		cookies += len(c)
	}
	if j.tracing {
		j.note("URL %d bytes of %d, with cookies %d of %d", len(j.request.URL), maxURL, len(j.request.URL)+cookies, maxRequest)
	}
	if len(j.request.URL) > maxURL || len(j.request.URL)+cookies > maxRequest {
		return TooLarge
	}
	return ""
}

func (j *judge) checkQueryNames() Code {
	switch {
	case j.url.odd != "":
		if j.tracing {
			j.note("parameter %q could be taken for one of CloudFront's", j.url.odd)
		}
		return AccessDenied
	case j.url.again != "":
		if j.tracing {
			j.note("parameter %q comes twice", j.url.again)
		}
		return AccessDenied
	case j.tracing && j.url.signing:
		j.note("a signed URL: only its query counts, cookies are ignored")
	case j.tracing:
		j.note("no signed-URL parameter, so the cookies count")
	}
	return ""
}

func (j *judge) checkKeyPairID() Code {
	id := j.sent.values[fieldKeyPairID]
	switch {
	case !j.sent.present[fieldKeyPairID]:
		if j.tracing {
			j.note("%s is missing", j.name(fieldKeyPairID))
		}
		return MissingKey
	case !validKeyPairID(id):
		if j.tracing {
			j.note("%.40q cannot be the ID of a public key", id)
		}
		return MissingKey
	}
	if j.tracing {
		j.note("%s", id)
	}
	return ""
}

func (j *judge) checkSignaturePresent() Code {
	if j.sent.values[fieldSignature] == "" {
		if j.tracing {
			j.note("%s is missing or empty", j.name(fieldSignature))
		}
		return MissingKey
	}
	if j.tracing {
		j.note("%d characters", len(j.sent.values[fieldSignature]))
	}
	return ""
}

func (j *judge) checkDuplicates() Code {
	if !j.url.signing && j.sent.clash != "" {
		switch j.decider.Parity.AllowDuplicates {
		case "first":
			return ""
		case "last":
			j.sent.takeLast()
			return ""
		}
		if j.tracing {
			j.note("CloudFront-%s comes twice with different values", j.sent.clash)
		}
		return AccessDenied
	}
	if j.tracing {
		j.note("none that differ")
	}
	return ""
}

func (j *judge) checkKeyGroup() Code {
	id := j.sent.values[fieldKeyPairID]
	j.key = j.group.Key(id)
	if j.key == nil {
		if j.tracing {
			j.note("key %.64q is in no trusted key group (%d keys known)", id, j.group.Len())
		}
		return InvalidKey
	}
	if j.tracing {
		j.note("%s is trusted, %s", id, j.key.Kind())
	}
	return ""
}

func (j *judge) checkHash() Code {
	j.hash = SHA1
	if sent := j.sent.values[fieldHash]; j.sent.present[fieldHash] {
		if j.decider.Parity.AllowHashAnyCase {
			sent = strings.ToUpper(sent)
		}
		hash, err := ParseHash(sent)
		if err != nil {
			if j.tracing {
				j.note("%v", err)
			}
			j.hash = ""
			return AccessDenied
		}
		j.hash = hash
	}
	if j.hash == SHA1 && j.decider.Parity.RefuseSHA1 {
		if j.tracing {
			j.note("SHA1, which the setting min_hash refuses here")
		}
		return AccessDenied
	}
	if j.tracing {
		if j.sent.present[fieldHash] {
			j.note("%s", j.hash)
		} else {
			j.note("none named, so SHA1")
		}
	}
	return ""
}

func (j *judge) checkSignatureEncoding() Code {
	if j.verified = j.recall(); j.verified {
		return ""
	}
	if j.sent.values[fieldSignature] == "" {
		return j.skip("there is none")
	}
	signature, err := j.decode(j.sent.values[fieldSignature])
	if err != nil {
		if j.tracing {
			j.note("not CloudFront's base64")
		}
		return MalformedSignature
	}
	j.signature = signature
	if j.tracing {
		j.note("%d bytes", len(signature))
	}
	return ""
}

func (j *judge) checkPolicyPresent() Code {
	policy, expires := j.sent.values[fieldPolicy] != "", j.sent.values[fieldExpires] != ""
	if chosen := j.decider.Parity.AllowBothForms; chosen != "" && policy && expires {
		j.sent.drop(map[Choice]int{"policy": fieldExpires, "expires": fieldPolicy}[chosen])
		return ""
	}
	switch {
	case policy && expires, j.sent.present[fieldPolicy] && j.sent.present[fieldExpires]:
		if j.tracing {
			j.note("%s and %s together", j.name(fieldPolicy), j.name(fieldExpires))
		}
		return MalformedPolicy
	case !policy && !expires:
		if j.tracing {
			j.note("neither %s nor %s", j.name(fieldPolicy), j.name(fieldExpires))
		}
		return MalformedPolicy
	}
	if j.tracing && policy {
		j.note("custom policy")
	} else if j.tracing {
		j.note("canned policy, expires %s", j.sent.values[fieldExpires])
	}
	return ""
}

func (j *judge) checkPolicyText() Code {
	if j.verified {
		return ""
	}
	var err error
	switch {
	case j.sent.values[fieldPolicy] != "":
		err = j.readCustom()
	case j.sent.values[fieldExpires] != "":
		err = j.readCanned()
	default:
		return j.skip("there is none")
	}
	if err != nil {
		if j.tracing {
			j.note("%v", err)
		}
		return MalformedPolicy
	}
	if j.tracing {
		j.note("%s", j.text)
	}
	return ""
}

func (j *judge) readCustom() error {
	text, err := j.decode(j.sent.values[fieldPolicy])
	if err != nil {
		return err
	}
	j.text = text
	statement, err := readPolicy(text, j.decider.Parity.AllowLoosePolicy)
	if err != nil {
		return err
	}
	j.statement = statement
	if statement.resource == "" && !j.decider.Parity.AllowMissingResource {
		return fmt.Errorf("%w: no Resource, so at CloudFront it opens every file of every distribution that trusts the key", errPolicy)
	}
	return nil
}

// readCanned rebuilds the policy from the request, as CloudFront does.
func (j *judge) readCanned() error {
	expires := j.sent.values[fieldExpires]
	end, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || end < 1 || end > math.MaxInt32 || expires != strconv.FormatInt(end, 10) {
		return fmt.Errorf("expiry %.24q is not Unix seconds up to 2147483647", expires)
	}
	url := j.url.stripped()
	j.text = cannedText(url, expires)
	j.statement = &statement{resource: url, end: end, canned: true}
	return nil
}

func (j *judge) checkSignature() Code {
	if j.verified {
		return ""
	}
	if j.key == nil || j.hash == "" || j.signature == nil || j.text == nil || j.statement == nil {
		return j.skip("key, hash, signature or policy is missing or cannot be read")
	}
	if j.key.Kind() != "RSA-2048" && j.hash == SHA1 && !j.decider.Parity.AllowECDSASHA1 {
		if j.tracing {
			j.note("an ECDSA key with SHA1")
		}
		return AccessDenied
	}
	if !j.key.Verify(j.hash, j.text, j.signature) {
		if j.tracing {
			j.note("does not verify with key %s and %s", j.key.id, j.hash)
		}
		return AccessDenied
	}
	j.remember()
	if j.tracing {
		j.note("verifies with key %s and %s", j.key.id, j.hash)
	}
	return ""
}

func (j *judge) checkStart() Code {
	switch {
	case j.statement == nil:
		return j.skip("no policy to look at")
	case !j.statement.hasStart:
		if j.tracing {
			j.note("none")
		}
		return ""
	}
	if j.tracing {
		j.note("after %s; now %s", epoch(j.statement.start), j.at.UTC().Format(time.RFC3339))
	}
	if j.at.Add(j.decider.Parity.Skew).Unix() <= j.statement.start || j.statement.start >= j.statement.end {
		return AccessDenied
	}
	return ""
}

func (j *judge) checkEnd() Code {
	if j.statement == nil {
		return j.skip("no policy to look at")
	}
	if j.tracing {
		j.note("before %s; now %s", epoch(j.statement.end), j.at.UTC().Format(time.RFC3339))
	}
	now, end := j.at.Add(-j.decider.Parity.Skew).Unix(), j.statement.end
	if now > end || now == end && !j.decider.Parity.AllowExpiryInstant {
		return AccessDenied
	}
	return ""
}

func (j *judge) checkAddress() Code {
	switch {
	case j.statement == nil:
		return j.skip("no policy to look at")
	case !j.statement.network.IsValid():
		if j.tracing {
			j.note("any")
		}
		return ""
	}
	if j.tracing {
		j.note("%s; the viewer is %s", j.statement.network, j.request.IP)
	}
	if !j.statement.network.Contains(j.request.IP.Unmap()) {
		return AccessDenied
	}
	return ""
}

func (j *judge) checkResource() Code {
	switch {
	case j.statement == nil:
		return j.skip("no policy to look at")
	case j.statement.canned:
		if j.tracing {
			j.note("rebuilt from the request: %s", j.statement.resource)
		}
		return ""
	}
	if j.tracing {
		j.note("%s; asked for %s", j.statement.resource, j.url.stripped())
	}
	if !j.statement.covers(&j.url, &j.decider.Parity) {
		return AccessDenied
	}
	return ""
}

// decode reads CloudFront's base64, in the spelling that parity asks for.
func (j *judge) decode(s string) ([]byte, error) {
	if j.decider.Parity.AllowLooseBase64 {
		return decodeLoose(s)
	}
	return Decode(s)
}

// name returns what a field is called where it was looked for.
func (j *judge) name(field int) string {
	if j.url.signing {
		return reserved[field]
	}
	return cookieFields[field]
}

func (j *judge) facts() Facts {
	f := Facts{
		SignedURL: j.url.signing, Key: j.key, Hash: j.hash, Text: j.text, Raw: j.signature, URL: j.url.stripped(),
		KeyPairID: j.sent.values[fieldKeyPairID], Signature: j.sent.values[fieldSignature],
		Policy: j.sent.values[fieldPolicy], HasPolicy: j.sent.present[fieldPolicy],
		Expires: j.sent.values[fieldExpires], HasExpires: j.sent.present[fieldExpires],
		HashSent: j.sent.values[fieldHash], HasHash: j.sent.present[fieldHash],
		HasAnything: j.sent.present != [len(reserved)]bool{},
	}
	f.Canned = f.Expires != "" && f.Policy == ""
	if s := j.statement; s != nil {
		f.Resource, f.End, f.Network = s.resource, time.Unix(s.end, 0).UTC(), s.network
		if s.hasStart {
			f.NotBefore = time.Unix(s.start, 0).UTC()
		}
	}
	return f
}

func epoch(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }
