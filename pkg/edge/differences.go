package edge

// Differences returns where the edge differs from CloudFront, a sentence each.
// It is the first thing that the command prints, and stands first in the
// package's documentation. In every point the edge is stricter or does less,
// unless a setting of Parity says otherwise.
func Differences() []string {
	return []string{
		"Nothing is cached: every request reaches its origin, X-Cache never says Hit, and the time for which an error is remembered has no effect.",
		"There is no WAF, no geographic restriction, no function at the edge, no compression, no origin group, no WebSocket, no HTTP/3 and no invalidation.",
		"A path that can be read in two ways (dot segments, //, an escaped slash, dot or backslash, a semicolon, control characters, double escapes, anything but UTF-8) is answered with 400; CloudFront chooses the behavior by the normalized path and sends the raw one to the origin.",
		"A cache behavior is chosen by the decoded path, so that an escaped letter does not lead past a pattern; the policy is compared with the path as sent.",
		"A Host with characters that no host name has is answered with 400; which host names the distribution has is not checked.",
		"What AWS does not say about policies and cookies is decided strictly; cloudfront.Parity and edge.Parity list these points.",
		"A redirect to https comes before everything else that a behavior asks for, and keeps the port.",
		"A preflight (OPTIONS) at a restricted behavior needs a signature like every other request; one for a folder or a bucket behind CORS is answered as by a bucket whose rules allow it.",
		"A HEAD request with a body is refused like a GET with one, and Range counts for GET only.",
		"A range that begins beyond the object is answered with 416.",
		"CloudFront's parameters and cookies never reach an origin, Hash-Algorithm and public behaviors included.",
		"An origin sees all other headers of the viewer, and one X-Forwarded-For that holds the viewer's address alone.",
		"The headers that a behavior adds are added to answers of origins only, not to refusals and error pages.",
		`CORS with credentials takes no "*", which browsers would refuse.`,
		"The page of a custom error response is at a public behavior, and is fetched with nothing of the viewer's request.",
		"An empty key group is a fault of the configuration.",
		"A missing file is answered with 404, where S3 says 403 unless listing is allowed.",
		"Of the headers of a bucket only those that describe the object reach the viewer, none of x-amz-; CloudFront passes them on.",
		"A file is not served under another case or Unicode form of its name, even where the file system would.",
		"A viewer that takes less than 128 KiB in 30 seconds is cut off, and a reply that turns out shorter than declared aborts the connection; the command gives a viewer 10 seconds to send a request with its body.",
		"The access log has no cookies and no values of signing parameters, names no edge location, counts bytes as far as this process knows them, and also has the requests that are too large.",
	}
}
