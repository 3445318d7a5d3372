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

const fixSeconds = "Write whole seconds since 1970, in UTC: in JavaScript Math.floor(Date.now() / 1000) + lifetime."

// begin looks at DateGreaterThan.
func begin(p *problem) []Cause {
	start := p.facts.NotBefore
	switch {
	case !p.failed(cloudfront.RuleStart):
		return nil
	case start.Unix() > milliseconds:
		return one(Proved, "T30", cloudfront.Observed, fmt.Sprintf("The policy begins in the year %d: its DateGreaterThan is in milliseconds.", start.Year()), fixSeconds)
	case !start.Before(p.facts.End):
		return one(Proved, "T30", cloudfront.Assumed, "The policy starts after it ends.", "Swap DateGreaterThan and DateLessThan.")
	}
	wait := start.Sub(p.At).Truncate(time.Second)
	says := fmt.Sprintf("The policy begins after %s, %s from now; the second itself does not count.", start.Format(time.RFC3339), wait)
	switch zone := zoneOf(wait); {
	case wait < 10*time.Minute:
		says += " So small a difference points to a signer whose clock is ahead."
	case zone != "":
		says += fmt.Sprintf(" That is the offset of a time zone (%s): a local time may have been taken for UTC.", zone)
	}
	return one(Proved, "T30", cloudfront.Documented, says, "Leave DateGreaterThan out, or set it a few minutes into the past, and keep the signer's clock in step (NTP).")
}

// units finds an end in milliseconds. What CloudFront does with it is not known,
// so it is a cause only where there is a refusal.
func units(p *problem) []Cause {
	if p.facts.End.Unix() < milliseconds || p.trace.Allowed && p.Response.Status != 403 {
		return nil
	}
	return one(Likely, "T29", cloudfront.Assumed, inMilliseconds(p), fixSeconds)
}

func inMilliseconds(p *problem) string {
	return fmt.Sprintf("The policy ends in the year %d: its DateLessThan is in milliseconds.", p.facts.End.Year())
}

// end looks at DateLessThan.
func end(p *problem) []Cause {
	if !p.failed(cloudfront.RuleEnd) {
		return nil
	}
	expires := p.facts.End
	ago := p.At.Sub(expires).Truncate(time.Second)
	says := fmt.Sprintf("The policy ended at %s, %s before the request.", expires.Format(time.RFC3339), ago)
	if ago < time.Second {
		says = fmt.Sprintf("The policy ended at %s, in the very second of the request, which does not count here.", expires.Format(time.RFC3339))
	}
	causes := one(Proved, "T29", cloudfront.Documented, says, "Fetch fresh cookies before the old ones end, and check the signer's clock.")
	causes = append(causes, p.neverValid(ago)...)
	return append(causes, p.midStream(ago)...)
}

// neverValid finds a policy that had ended when it was issued.
func (p *problem) neverValid(ago time.Duration) []Cause {
	for _, a := range p.Earlier {
		if !a.Date.IsZero() && p.setsPolicy(a) && !p.facts.End.After(a.Date) {
			return one(Proved, "T29", cloudfront.Documented, fmt.Sprintf("It had ended before it was issued (%s): the lifetime was taken from a local time, or the signer's clock is behind.", a.Date.UTC().Format(time.RFC3339)),
				"Compute the expiry from UTC, and keep the signer's clock in step (NTP).")
		}
	}
	switch zone := zoneOf(ago); {
	case zone != "":
		return one(Likely, "T29", cloudfront.Documented, fmt.Sprintf("The difference is the offset of a time zone (%s): a local time may have been taken for UTC.", zone), "Compute the expiry from UTC.")
	case ago > 50*365*24*time.Hour:
		return one(Likely, "T29", cloudfront.Documented, fmt.Sprintf("%d is no time of these days: a lifetime was taken for the time, or hours or minutes for seconds.", p.facts.End.Unix()), fixSeconds)
	}
	return nil
}

// setsPolicy reports whether a set the policy that was sent.
func (p *problem) setsPolicy(a Answer) bool {
	value := p.trace.Facts.Policy
	if p.facts.Canned {
		value = p.trace.Facts.Expires
	}
	return value != "" && slices.ContainsFunc(a.SetCookie, func(line string) bool {
		return strings.Contains(line, "="+value+";") || strings.HasSuffix(line, "="+value)
	})
}

// midStream adds why an expiry stops what was playing.
func (p *problem) midStream(ago time.Duration) []Cause {
	media := []string{".ts", ".m4s", ".mp4", ".m4a", ".aac", ".m3u8", ".mpd", ".mp3", ".webm", ".opus", ".cmfa", ".cmfv"}
	if p.url == nil || ago > 6*time.Hour || !slices.Contains(media, strings.ToLower(path.Ext(p.url.Path))) {
		return nil
	}
	return one(Possible, "T46", cloudfront.Documented, "Every segment and every Range request is checked anew, so playback stops when the cookies end.",
		"Renew at two thirds of their life; the browser client of handstamp does so by itself.")
}

// zoneOf returns the time zone whose offset d is, to the minute, or nothing.
func zoneOf(d time.Duration) string {
	rounded := d.Round(time.Minute)
	if (d-rounded).Abs() > 5*time.Second || rounded < time.Hour || rounded > 14*time.Hour {
		return ""
	}
	hours, minutes := int(rounded.Hours()), int(rounded.Minutes())%60
	odd := []string{"3:30", "4:30", "5:30", "5:45", "6:30", "9:30", "10:30", "12:45"}
	if text := fmt.Sprintf("%d:%02d", hours, minutes); minutes == 0 || slices.Contains(odd, text) {
		return fmt.Sprintf("%02d:%02d from UTC", hours, minutes)
	}
	return ""
}

// maxSkew is how far two clocks may be apart without being named.
const maxSkew = time.Minute

// skew is how far the viewer's clock is ahead of CloudFront's, as the answer
// dates it.
func (p *problem) skew() time.Duration {
	if p.Clock.IsZero() || p.Response.Date.IsZero() {
		return 0
	}
	d := p.Clock.Sub(p.Response.Date).Round(time.Second)
	if d.Abs() <= maxSkew {
		return 0
	}
	return d
}

// clockSkew names a wrong clock where it explains a refusal; where it does not,
// it is only a warning.
func clockSkew(p *problem) []Cause {
	d := p.skew()
	if d == 0 {
		return nil
	}
	there := (&cloudfront.Decider{Parity: p.Parity}).Trace(cloudfront.Request{URL: p.URL, Cookies: p.Cookies, IP: p.IP}, p.group, p.Response.Date)
	here := (&cloudfront.Decider{Parity: p.Parity}).Trace(cloudfront.Request{URL: p.URL, Cookies: p.Cookies, IP: p.IP}, p.group, p.Clock)
	id, certainty := "T29", Possible
	if p.failed(cloudfront.RuleStart) || there.Rule == cloudfront.RuleStart {
		id = "T30"
	}
	switch {
	case there.Allowed != here.Allowed:
		certainty = Proved
	case !p.failed(cloudfront.RuleStart) && !p.failed(cloudfront.RuleEnd):
		return nil
	}
	return one(certainty, id, cloudfront.Documented, inWords(d)+" Times that look good here are not good there.", fixClock)
}

const fixClock = "Set both clocks by NTP; let the server compute all times, and never the viewer's device."

func inWords(skew time.Duration) string {
	if skew < 0 {
		return fmt.Sprintf("The clock here is %s behind that of the answer.", -skew)
	}
	return fmt.Sprintf("The clock here is %s ahead of that of the answer.", skew)
}
