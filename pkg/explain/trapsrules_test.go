package explain_test

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/explain"
)

func inMillis(text string) string {
	return strings.Replace(text, fmt.Sprint(soon.Unix()), fmt.Sprint(soon.UnixMilli()), 1)
}

func ended(ago time.Duration) func() explain.Input {
	return asking(inCastle, over(policyText(castle, noon.Add(-ago))))
}

func starting(in time.Duration) func() explain.Input {
	return asking(inCastle, over(policyText(castle, noon.Add(24*time.Hour), fmt.Sprintf(`"DateGreaterThan":{"AWS:EpochTime":%d}`, noon.Add(in).Unix()))))
}

// dated is a request whose answer says what time it is at CloudFront.
func dated(in func() explain.Input, date time.Time) func() explain.Input {
	return func() explain.Input {
		i := in()
		i.Response = explain.Response{Status: 403, Date: date, Type: "text/xml", Body: denied.Body()}
		return i
	}
}

var aboutTimes = []trap{
	{"T29 expired", ended(7 * time.Minute), denied, proved, "7m0s before the request", []string{"T46"}, nil},
	{"T29 in that very second", ended(0), denied, proved, "very second", nil, nil},
	{"T29 by a time zone", ended(2 * time.Hour), denied, proved, "2h0m0s", nil, nil},
	{"T29 by the zone of India", ended(5*time.Hour + 30*time.Minute), denied, proved, "5h30m", nil, nil},
	{"T29 lifetime for a time", asking(inCastle, over(policyText(castle, time.Unix(3600, 0)))), denied, proved, "1970", nil, nil},
	{"T29 ended when issued", func() explain.Input {
		s := sealed(policyText(castle, noon.Add(-time.Hour)))
		a := answer(api, s.set(secure)...)
		a.Date = noon.Add(-time.Minute)
		return fresh(inCastle, "", a)
	}, denied, proved, "ended at", nil, nil},
	{"T24 and milliseconds", func() explain.Input {
		return request(inCastle, sealed(inMillis(policyText("https://media.example.org/zoo/*", soon))))
	}, denied, proved, "outside", []string{"T29"}, nil},
	{"T29 milliseconds, custom", answered(func() explain.Input { return request(inCastle, sealed(inMillis(policyText(castle, soon)))) }, 403, "text/xml", badText.Body()), "", likely, "milliseconds", nil, nil},
	{"T29 milliseconds, canned", changed(func(s *sent) { *s = canned(inCastle, soon); s.expires = fmt.Sprint(soon.UnixMilli()) }), badText, proved, "milliseconds", nil, nil},
	{"T29 nanoseconds, canned", changed(func(s *sent) { *s = canned(inCastle, soon); s.expires = fmt.Sprint(soon.UnixNano()) }), badText, proved, "nanoseconds", nil, nil},
	{"T29 nanoseconds, custom", func() explain.Input {
		return request(inCastle, sealed(strings.Replace(policyText(castle, soon), fmt.Sprint(soon.Unix()), fmt.Sprint(soon.UnixNano()), 1)))
	}, badText, proved, "nanoseconds", nil, nil},
	{"T29 a fraction", func() explain.Input {
		return request(inCastle, sealed(strings.Replace(policyText(castle, soon), fmt.Sprint(soon.Unix()), fmt.Sprint(soon.Unix())+".25", 1)))
	}, badText, proved, "not a whole number", nil, nil},
	{"T29 a date", changed(func(s *sent) { *s = canned(inCastle, soon); s.expires = "2026-07-01T12:15:00Z" }), badText, proved, "not Unix seconds", nil, nil},
	{"T29 clock here is behind", func() explain.Input {
		return dated(asking(inCastle, good), noon.Add(20*time.Minute))()
	}, "", proved, "20m0s behind", nil, nil},
	{"T30 begins later", starting(time.Hour + time.Minute), denied, proved, "begins after", nil, nil},
	{"T30 in that very second", starting(0), denied, proved, "the second itself does not count", nil, nil},
	{"T30 clock of the signer", starting(2 * time.Minute), denied, proved, "clock is ahead", nil, nil},
	{"T30 by a time zone", starting(2 * time.Hour), denied, proved, "time zone (02:00", nil, nil},
	{"T30 starts after it ends", starting(48 * time.Hour), denied, proved, "starts after it ends", nil, nil},
	{"T30 milliseconds", func() explain.Input {
		return request(inCastle, sealed(policyText(castle, soon, fmt.Sprintf(`"DateGreaterThan":{"AWS:EpochTime":%d}`, noon.UnixMilli()))))
	}, denied, proved, "milliseconds", nil, nil},
	{"T30 clock here is ahead", dated(asking(inCastle, over(policyText(castle, noon.Add(time.Hour), fmt.Sprintf(`"DateGreaterThan":{"AWS:EpochTime":%d}`, noon.Add(-time.Minute).Unix())))), noon.Add(-5*time.Minute)), "", proved, "5m0s ahead", nil, nil},
}

func from(ip string, condition string) func() explain.Input {
	return func() explain.Input {
		in := request(inCastle, sealed(policyText(castle, soon, `"IpAddress":{"AWS:SourceIp":"`+condition+`"}`)))
		in.IP, _ = netip.ParseAddr(ip)
		return in
	}
}

var aboutAddresses = []trap{
	{"T34 another network", from("203.0.113.9", "192.0.2.0/24"), denied, proved, "outside of", nil, nil},
	{"T34 IPv6", from("2001:db8::7", "192.0.2.0/24"), denied, proved, "by IPv6", nil, nil},
	{"T34 address of a proxy", from("203.0.113.9", "10.0.3.7/32"), denied, proved, "never seen on the internet", nil, nil},
	{"T34 address not given", from("", "192.0.2.0/24"), denied, possible, "not given", nil, nil},
}

// forResource is a request with a custom policy for a Resource.
func forResource(resource, asked string) func() explain.Input {
	return asking(asked, over(policyText(resource, soon)))
}

var aboutResources = []trap{
	{"T20 query with an exact Resource", forResource(inCastle, inCastle+"?v=2"), denied, proved, "query string is part", nil, nil},
	{"T21 bucket", forResource("https://bucket.s3.amazonaws.com/castle/*", inCastle), denied, proved, "names the bucket", nil, []string{"T24"}},
	{"T21 distribution's own host", forResource("https://d111111abcdef8.cloudfront.net/castle/*", inCastle), denied, proved, "distribution's own host", nil, nil},
	{"T21 asked by the distribution's own host", forResource(castle, "https://d111111abcdef8.cloudfront.net/castle/a.m4a"), denied, proved, "alternate domain name", nil, nil},
	{"T21 other host", forResource("https://www.example.org/castle/*", inCastle), denied, proved, "hosts differ", nil, nil},
	{"T21 other host and other prefix", forResource("https://www.example.org/zoo/*", inCastle), denied, proved, "hosts differ", []string{"T24"}, nil},
	{"T22 scheme", forResource("http://media.example.org/castle/*", inCastle), denied, proved, "schemes differ", nil, nil},
	{"T22 http*", forResource("http*://media.example.org/castle/*", inCastle), denied, proved, "http*://", nil, nil},
	{"T22 scheme and prefix", forResource("http://media.example.org/zoo/*", inCastle), denied, proved, "schemes differ", []string{"T24"}, nil},
	{"T23 path only", forResource("/castle/*", inCastle), denied, proved, "scheme and host", nil, nil},
	{"T24 no star", forResource("https://media.example.org/castle/", inCastle), denied, proved, "no * at its end", nil, nil},
	{"T24 no star, no slash", forResource("https://media.example.org/castle", inCastle), denied, proved, "no * at its end", nil, nil},
	{"T24 folder without slash", forResource(castle, "https://media.example.org/castle"), denied, proved, "without its slash", nil, nil},
	{"T24 outside", forResource("https://media.example.org/zoo/*", inCastle), denied, proved, "outside", nil, nil},
	{"T26 case", forResource("https://media.example.org/Castle/*", inCastle), denied, proved, "upper and lower case", nil, nil},
	{"T27 encoding", forResource("https://media.example.org/castle/My Film*", film), denied, proved, "percent-encoded differently", nil, nil},
	{"T28 fragment", forResource(inCastle+"#t=1", inCastle), denied, proved, "what follows #", nil, nil},
	{"T48 doubled slash", forResource(castle, "https://media.example.org//castle/a.m4a"), denied, proved, "doubled slashes", nil, nil},
}
