package explain

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// milliseconds is a time, in seconds, that only a confusion of units reaches:
// the year 5138.
const milliseconds = 100_000_000_000

func expiry(p *problem) []Cause {
	if p.facts.End.Unix() > milliseconds {
		return one(likely, "T29", cloudfront.Observed, fmt.Sprintf("The policy ends in the year %d: its time is in milliseconds.", p.facts.End.Year()),
			"Write seconds since 1970.")
	}
	if !p.failed(cloudfront.RuleEnd) {
		return nil
	}
	ago := p.At.Sub(p.facts.End).Round(time.Second)
	says := fmt.Sprintf("The policy ended at %s, %s before the request.", p.facts.End.Format(time.RFC3339), ago)
	causes := one(proved, "T29", cloudfront.Documented, says, "Fetch fresh cookies before the old ones end, and check the signer's clock.")
	if ago < 15*time.Hour && ago >= 15*time.Minute {
		if rest := ago % (15 * time.Minute); rest < 2*time.Minute || rest > 13*time.Minute {
			causes = append(causes, one(possible, "T29", cloudfront.Documented, "The difference is close to a time zone's: a local time may have been taken for UTC.",
				"Compute the expiry from UTC.")...)
		}
	}
	if p.url != nil && slices.Contains([]string{".ts", ".m4s", ".mp4", ".m4a", ".aac", ".m3u8", ".mpd", ".mp3"}, strings.ToLower(path.Ext(p.url.Path))) {
		causes = append(causes, one(possible, "T46", cloudfront.Documented, "Every segment and every Range request is checked anew, so playback stops when the cookies end.",
			"Renew at two thirds of their life; the browser client of handstamp does so by itself.")...)
	}
	return causes
}

func start(p *problem) []Cause {
	if !p.failed(cloudfront.RuleStart) {
		return nil
	}
	if !p.facts.NotBefore.Before(p.facts.End) {
		return one(proved, "T30", cloudfront.Assumed, "The policy starts after it ends.", "Swap DateGreaterThan and DateLessThan.")
	}
	wait := p.facts.NotBefore.Sub(p.At).Round(time.Second)
	says := fmt.Sprintf("The policy begins after %s, %s from now; the second itself does not count.", p.facts.NotBefore.Format(time.RFC3339), wait)
	if wait < 10*time.Minute {
		says += " So small a difference points to a signer whose clock is ahead."
	}
	return one(proved, "T30", cloudfront.Documented, says, "Leave DateGreaterThan out, or set it a few minutes into the past, and keep the signer's clock in step (NTP).")
}

func address(p *problem) []Cause {
	if !p.failed(cloudfront.RuleAddress) {
		return nil
	}
	says := fmt.Sprintf("The policy is for viewers from %s, and this one is not known to come from there. Phones change their address between Wi-Fi and mobile networks.", p.facts.Network)
	switch {
	case p.IP.IsValid() && p.IP.Unmap().Is6():
		says = fmt.Sprintf("The viewer comes by IPv6 (%s), which never matches the policy's %s.", p.IP, p.facts.Network)
	case p.IP.IsValid():
		says = fmt.Sprintf("The viewer comes from %s, outside of the policy's %s: a change of network, a VPN or a carrier's shared addresses.", p.IP, p.facts.Network)
	}
	return one(proved, "T34", cloudfront.Documented, says, "Leave IpAddress out; a short lifetime protects better. If you need it, turn IPv6 off on the distribution.")
}

// resource says in which part the URL differs from the policy's Resource.
func resource(p *problem) []Cause {
	if !p.failed(cloudfront.RuleResource) {
		return nil
	}
	says := fmt.Sprintf("The policy is for %q, the request for %q", p.facts.Resource, p.facts.URL)
	pattern, asked := split(p.facts.Resource), split(p.facts.URL)
	causes := func(id string, basis cloudfront.Basis, why, fix string) []Cause {
		return one(proved, id, basis, says+": "+why+".", fix)
	}
	covers := func(r string) bool { return cloudfront.Covers(r, p.facts.URL) }
	switch {
	case pattern.scheme == "" && !strings.HasPrefix(p.facts.Resource, "*"):
		return causes("T23", cloudfront.Observed, "a Resource needs scheme and host", "Write the whole URL, https://host/prefix/*.")
	case covers(asked.scheme + "://" + pattern.rest()):
		return causes("T22", cloudfront.Assumed, "the schemes differ", "Sign for https and ask by https.")
	case covers(pattern.scheme + "://" + asked.host + "/" + pattern.path):
		return causes("T21", cloudfront.Documented, "the hosts differ", "Name the host that viewers ask for: the alternate domain name if they use it, else the cloudfront.net name, never the bucket.")
	case cloudfront.Covers(strings.ToLower(p.facts.Resource), strings.ToLower(p.facts.URL)):
		return causes("T26", cloudfront.Assumed, "they differ in upper and lower case, which counts in paths", "Use the same case.")
	case cloudfront.Covers(unescaped(p.facts.Resource), unescaped(p.facts.URL)):
		return causes("T27", cloudfront.Observed, "they are percent-encoded differently", "Write the Resource as the URL stands on the wire.")
	case covers(p.facts.Resource+"*") || covers(strings.TrimSuffix(p.facts.Resource, "/")+"/*"):
		return causes("T24", cloudfront.Observed, "there is no * at its end, so it is one URL and nothing below it", "End the Resource in /*.")
	case strings.Contains(p.facts.Resource, "?") && covers(strings.Replace(p.facts.Resource, "?", `\?`, 1)):
		return causes("T25", cloudfront.Documented, `a bare ? stands for one character of the path; the ? that begins a query is written \? (in JSON \\?)`, "Leave the query out of the Resource and end the path in *, which covers any query.")
	case cloudfront.Covers(p.facts.Resource, strings.SplitN(p.facts.URL, "?", 2)[0]):
		return causes("T20", cloudfront.Documented, "the query string is part of what is compared", "End the path in *, which covers any query.")
	case strings.HasSuffix(p.facts.Resource, "/*") && p.facts.URL == strings.TrimSuffix(p.facts.Resource, "/*"):
		return causes("T24", cloudfront.Assumed, "the folder without its slash is not below the folder", "Ask for it with a slash at the end.")
	}
	return causes("T24", cloudfront.Documented, "it lies outside", "Ask the gateway for cookies for this prefix; the ticket may not buy it.")
}

type parts struct{ scheme, host, path string }

func split(s string) parts {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "", s
	}
	host, path, _ := strings.Cut(rest, "/")
	return parts{scheme, host, path}
}

func (p parts) rest() string { return p.host + "/" + p.path }

// warnings names what is dangerous about a policy, whether or not it opens.
func (p *problem) warnings() []Cause {
	r := p.facts.Resource
	if r == "" || p.facts.Canned {
		return nil
	}
	part := split(r)
	switch {
	case r == "*" || strings.ContainsAny(part.host, "*?"):
		return one(likely, "S3", cloudfront.Documented, "The policy opens other distributions that trust the same key.", "Name the host exactly.")
	case part.scheme != "https" && part.scheme != "http" || strings.Contains(part.scheme, "*"):
		return one(likely, "S4", cloudfront.Assumed, "The policy also covers http, where cookies can leak.", "Write https://.")
	case strings.HasSuffix(r, "*") && !strings.HasSuffix(r, "/*"):
		return one(likely, "S1", cloudfront.Assumed, "The prefix does not end in a slash, so neighbours with a longer name are open too.", "End the Resource in /*.")
	}
	return nil
}
