package cloudfront

import (
	"net/netip"
	"time"
)

// A Code is the error code in CloudFront's XML refusals.
type Code string

// The codes, as they have been seen; AWS documents none of them.
const (
	MissingKey         Code = "MissingKey"
	InvalidKey         Code = "InvalidKey"
	MalformedSignature Code = "MalformedSignature"
	MalformedPolicy    Code = "MalformedPolicy"
	AccessDenied       Code = "AccessDenied"
	TooLarge           Code = "RequestEntityTooLarge" // an HTML page with status 413 at CloudFront
)

// Message returns the text that goes with the code in the refusal.
func (c Code) Message() string {
	switch c {
	case MissingKey:
		return "Missing Key-Pair-Id query parameter or cookie value"
	case InvalidKey:
		return "Unknown Key"
	case MalformedSignature:
		return "Could not unencode Signature"
	case MalformedPolicy:
		return "Malformed Policy"
	}
	return "Access denied"
}

// Status returns the HTTP status of the refusal.
func (c Code) Status() int {
	if c == TooLarge {
		return 413
	}
	return 403
}

// Body returns the refusal as CloudFront writes it, in one line.
func (c Code) Body() string {
	return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + string(c) +
		`</Code><Message>` + c.Message() + `</Message></Error>`
}

// A Basis says how well a rule is known.
type Basis string

// The bases. An assumed rule follows from others or is the stricter of two
// readings; it must not be taken for CloudFront's behavior.
const (
	Documented Basis = "documented"
	Observed   Basis = "observed"
	Assumed    Basis = "assumed"
)

// A Rule names one thing that is checked.
type Rule string

// The rules, in the order in which they are checked.
const (
	RuleSize              Rule = "size"
	RuleQueryNames        Rule = "query-names"
	RuleKeyPairID         Rule = "key-pair-id"
	RuleSignaturePresent  Rule = "signature-present"
	RuleDuplicates        Rule = "duplicates"
	RuleKeyGroup          Rule = "key-group"
	RuleHash              Rule = "hash"
	RuleSignatureEncoding Rule = "signature-encoding"
	RulePolicyPresent     Rule = "policy-present"
	RulePolicyText        Rule = "policy-text"
	RuleSignature         Rule = "signature"
	RuleStart             Rule = "start"
	RuleEnd               Rule = "end"
	RuleAddress           Rule = "address"
	RuleResource          Rule = "resource"
)

// A Step is one rule with what it found.
type Step struct {
	Rule   Rule   `json:"rule"`
	Looked string `json:"looked"` // what was looked at
	Found  string `json:"found"`  // never a signature or a whole cookie
	Passed bool   `json:"passed"`
	// Skipped says that the rule could not be checked because an earlier one
	// failed.
	Skipped bool  `json:"skipped,omitempty"`
	Code    Code  `json:"code,omitempty"` // what CloudFront would answer, if the rule failed
	Basis   Basis `json:"basis"`
}

// A Decision is what CloudFront would answer.
type Decision struct {
	Allowed bool
	Code    Code // empty when allowed
	Rule    Rule // the first rule that failed
}

// A Trace is a decision with everything that led to it.
type Trace struct {
	Decision
	Steps []Step
	Facts Facts
}

// Facts are what the credentials say, as far as they could be read.
type Facts struct {
	SignedURL   bool   // credentials in the query; cookies were not looked at
	Canned      bool   // Expires instead of a Policy
	KeyPairID   string // as sent
	Key         *PublicKey
	Hash        Hash   // that applies
	HashSent    string // as sent
	HasHash     bool
	Policy      string // as sent
	Expires     string // as sent
	Signature   string // as sent: a credential, not to be shown
	Text        []byte // the bytes whose signature is checked
	Raw         []byte // the decoded signature
	Resource    string
	NotBefore   time.Time    // zero means none
	End         time.Time    // zero means not known
	Network     netip.Prefix // zero means any
	URL         string       // as asked for, without CloudFront's parameters
	HasPolicy   bool
	HasExpires  bool
	HasAnything bool // any of the five was sent
}
