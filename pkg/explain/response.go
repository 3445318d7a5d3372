package explain

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// header takes over one header of an answer.
func (r *Response) header(name, value string) {
	switch strings.ToLower(name) {
	case "content-type":
		r.Type = value
	case "server":
		r.Server = value
	case "via":
		r.Via = value
	case "x-cache":
		r.XCache = value
	case "age":
		r.Age = value
	case "cache-control":
		r.CacheControl = value
	case "date":
		r.Date, _ = http.ParseTime(value)
	}
}

var errorCode = regexp.MustCompile(`<Code>([A-Za-z]{1,40})</Code>`)

// code is the code in CloudFront's refusal, or nothing for any other answer.
func (r Response) code() cloudfront.Code {
	m := errorCode.FindStringSubmatch(r.Body)
	if m == nil || strings.Contains(r.Body, "<HostId>") {
		return ""
	}
	return cloudfront.Code(m[1])
}

func (p *problem) answered() *Answered {
	if p.Response.Status == 0 {
		return nil
	}
	return &Answered{p.Response.Status, p.Response.code()}
}

// foreignRefusal recognises a refusal that is not the signature check's.
func foreignRefusal(p *problem) []Cause {
	r := p.Response
	has := func(s string) bool { return strings.Contains(r.Body, s) }
	switch {
	case r.Status < 400 && r.Status != 0 || r.Body == "" && r.Type == "":
		return nil
	case has("AWSAccessKeyId") && has("Signature"):
		return one(Proved, "T44", cloudfront.Assumed, "S3 complains about query-string authentication: CloudFront did not check the signed URL and passed its parameters on, because this cache behavior trusts no key group.",
			"Restrict viewer access on the behavior that matches this path, with your key group.")
	case has("<RequestId>") && has("<HostId>"):
		return one(Proved, "T43", cloudfront.Observed, "This refusal is S3's, not CloudFront's: it has RequestId and HostId. The signature check passed, or is off. The object is missing, or CloudFront may not read the bucket.",
			"Check that the object exists under exactly this key, and the bucket policy for the origin access control (and the KMS key's policy, if the bucket is encrypted with one).")
	case has(`"Forbidden"`) || has("Missing Authentication Token"):
		return one(Proved, "T47", cloudfront.Assumed, "This refusal is API Gateway's: the path went to the API.", "Check which cache behavior matches this path first.")
	case r.Status == 403 && (has("could not be satisfied") || strings.Contains(r.Type, "text/html")):
		return one(Proved, "T47", cloudfront.Observed, "This refusal is an HTML page: WAF, geographic restriction, a method that the behavior does not allow, a GET with a body, or a host name that the distribution does not have. The signature check answers in XML.",
			"Look at the web ACL, the geographic restriction, the allowed methods and the alternate domain names.")
	}
	return nil
}

// unexplained speaks up when CloudFront refused what should be allowed.
func unexplained(p *problem) []Cause {
	r := p.Response
	if r.Status != 403 || foreignRefusal(p) != nil || !p.trace.Allowed {
		return nil
	}
	switch code := r.code(); code {
	case cloudfront.MissingKey:
		return one(Likely, "T3", cloudfront.Observed, "CloudFront says that nothing was sent, while the cookies given here are complete: that request went without them.", fixCredentials)
	case cloudfront.InvalidKey:
		return append(one(Likely, "T12", cloudfront.Observed, "CloudFront does not know the key, though the signature is good: the key is not in a group that this cache behavior trusts, or an earlier behavior matches the path.",
			"Check the key group of the first behavior that matches this path."), deploying()...)
	case cloudfront.MalformedSignature, cloudfront.MalformedPolicy:
		return one(Likely, "T16", cloudfront.Assumed, "CloudFront could not read what it got, while it can be read here: something encoded it anew on its way.", "Compare it with what arrives, in a curl -v transcript.")
	}
	causes := deploying()
	if r.Age != "" && r.Age != "0" {
		return append(one(Likely, "T45", cloudfront.Assumed, "The refusal came from a cache, where it has been for "+shorten(r.Age, 10)+" seconds.", fixCached), causes...)
	}
	return append(causes, one(Possible, "T45", cloudfront.Assumed, "Or an older refusal is still cached.", fixCached)...)
}

const fixCached = "Set the error caching minimum TTL of 403 to 0, and try with another query string."

func deploying() []Cause {
	return one(Likely, "T14", cloudfront.Observed, "By everything given here CloudFront should have allowed this. It may still be deploying a change of keys or behaviors.",
		"Wait until the distribution's status is Deployed, then try again.")
}
