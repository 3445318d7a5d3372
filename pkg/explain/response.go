package explain

import (
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A Response is what came back, if it is known.
type Response struct {
	Status  int
	Type    string // Content-Type
	Server  string
	XCache  string
	Body    string // its beginning is enough
	Arrived bool   // false means that nothing is known
}

// foreignRefusal recognises a 403 that is not the signature check's.
func foreignRefusal(p *problem) []Cause {
	r := p.Response
	body := r.Body
	has := func(s string) bool { return strings.Contains(body, s) }
	switch {
	case !r.Arrived || r.Status < 400:
		return nil
	case has("Signature, Expires and AWSAccessKeyId"):
		return one(proved, "T44", cloudfront.Assumed, "S3 complains about query-string authentication: CloudFront did not check the signed URL and passed its parameters on, because this cache behavior trusts no key group.",
			"Restrict viewer access on the behavior that matches this path, with your key group.")
	case has("<RequestId>") && has("<HostId>"):
		return one(proved, "T43", cloudfront.Observed, "This refusal is S3's, not CloudFront's: it has RequestId and HostId. The signature check passed, or is off. The object is missing, or CloudFront may not read the bucket.",
			"Check that the object exists under exactly this key, and the bucket policy for the origin access control (and the KMS key's policy, if the bucket is encrypted with one).")
	case has("Request blocked") || has("could not be satisfied") || strings.Contains(r.Type, "text/html") && r.Status == 403:
		return one(proved, "T47", cloudfront.Observed, "This refusal is an HTML page: WAF, geographic restriction, a method that the behavior does not allow, or a host name that the distribution does not have. The signature check answers in XML.",
			"Look at the web ACL, the geographic restriction, the allowed methods and the alternate domain names.")
	case has(`{"message":"Forbidden"}`) || has("Missing Authentication Token"):
		return one(proved, "T47", cloudfront.Assumed, "This refusal is API Gateway's: the path went to the API.", "Check which cache behavior matches this path first.")
	case p.trace.Allowed && r.Status == 403:
		causes := one(likely, "T14", cloudfront.Observed, "By everything given here CloudFront should have allowed this. It may still be deploying a change of keys or behaviors.",
			"Wait until the distribution's status is Deployed, then try again.")
		return append(causes, one(possible, "T45", cloudfront.Assumed, "Or an older refusal is still cached.", "Set the error caching minimum TTL of 403 to 0, and try with another query string.")...)
	}
	return nil
}
