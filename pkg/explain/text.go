package explain

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A palette has the escape sequences for a terminal, or nothing.
type palette struct{ red, green, yellow, bold, dim, off string }

var colours = palette{"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[2m", "\x1b[0m"}

// A printer writes reports for people.
type printer struct {
	w io.Writer
	palette
}

// Write prints the report for people, with colours for a terminal.
func (r *Report) Write(w io.Writer, colour bool) { newPrinter(w, colour).report(r) }

// WriteAll prints the reports of a recording one after another, each below its
// URL. Of neighbours with the same causes only the first is printed whole.
func WriteAll(w io.Writer, reports []*Report, colour bool) {
	p := newPrinter(w, colour)
	refused, last := 0, ""
	for i, r := range reports {
		if !r.Allowed {
			refused++
		}
		if i > 0 {
			p.line("")
		}
		p.line("%s%s %s%s", p.bold, printable(r.Method), printable(r.URL), p.off)
		if same := r.gist(); same == last {
			p.line("%sthe same as above%s", p.dim, p.off)
			continue
		} else {
			last = same
		}
		p.report(r)
	}
	p.line("\n%d of %s would be refused", refused, count(len(reports), "request"))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// gist is what two reports have in common that tell the same story.
func (r *Report) gist() string {
	s := fmt.Sprint(r.Allowed, r.Code, r.Policy != nil)
	if r.Policy != nil {
		s += r.Policy.Text
	}
	for _, c := range r.Causes {
		s += c.ID + string(c.Certainty)
	}
	return s
}

func newPrinter(w io.Writer, colour bool) *printer {
	p := &printer{w: w}
	if colour {
		p.palette = colours
	}
	return p
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

func (p *printer) report(r *Report) {
	if r.Allowed {
		p.line("%s%sallowed%s: CloudFront would serve this request", p.bold, p.green, p.off)
	} else {
		p.line("%s%srefused%s: CloudFront would answer %d %s", p.bold, p.red, p.off, r.Code.Status(), r.Code)
	}
	if a := r.Answered; a != nil && (a.Code != r.Code || r.Allowed != (a.Status < 400)) {
		p.line("%sanswered: %s%s", p.dim, strings.TrimSpace(fmt.Sprint(a.Status, " ", printable(string(a.Code)))), p.off)
	}
	p.causes("Why", r.Causes)
	p.causes("Mind this too", r.Warnings)
	p.policy(r)
	p.steps(r)
}

func (p *printer) causes(title string, causes []Cause) {
	if len(causes) > 0 {
		p.line("\n%s%s%s", p.bold, title, p.off)
	}
	for _, c := range causes {
		p.line("  %s%-3s%s %s %s(%s; %s)%s", p.yellow, c.ID, p.off, printable(c.Says), p.dim, c.Certainty, c.Basis, p.off)
		p.line("      %sfix:%s %s", p.green, p.off, printable(c.Fix))
	}
}

func (p *printer) policy(r *Report) {
	policy := r.Policy
	if policy == nil {
		return
	}
	where := map[string]string{"cookies": "in the cookies", "url": "in the URL", "unsent": "in cookies that were not sent"}[policy.In]
	p.line("\n%sPolicy%s %s, %s", p.bold, p.off, policy.Form, where)
	for _, row := range policy.rows(r.At) {
		p.line("  %-9s %s", row[0], printable(row[1]))
	}
}

// rows are what a policy says, name by name.
func (p *Policy) rows(now time.Time) [][2]string {
	var rows [][2]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	add("resource", p.Resource)
	if p.NotBefore != nil {
		add("after", fmt.Sprintf("%s (%s)", p.NotBefore.Format(time.RFC3339), distance(p.NotBefore.Sub(now))))
	}
	if p.Expires != nil {
		add("before", fmt.Sprintf("%s (%s)", p.Expires.Format(time.RFC3339), distance(p.Expires.Sub(now))))
	}
	add("from", p.IPAddress)
	add("key", strings.TrimSuffix(p.KeyPairID+", "+string(p.Hash), ", "))
	add("text", p.Text)
	return rows
}

func (p *printer) steps(r *Report) {
	p.line("\n%sWhat was looked at%s", p.bold, p.off)
	for _, s := range r.Steps {
		mark, colour := "ok  ", p.green
		switch {
		case s.Skipped:
			mark, colour = "--  ", p.dim
		case s.Code != "":
			mark, colour = "FAIL", p.red
		}
		p.line("  %s%s%s %-33s %s %s(%s)%s", colour, mark, p.off, s.Looked, printable(s.Found), p.dim, s.Basis, p.off)
	}
}

func distance(d time.Duration) string {
	text := d.Abs().Round(time.Second).String()
	if d.Abs() > 48*time.Hour {
		text = fmt.Sprintf("%d days", int(d.Abs().Hours()/24))
	}
	if d < 0 {
		return text + " ago"
	}
	return "in " + text
}

// printable keeps what a viewer sent from driving the terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, s)
	return shorten(s, 600)
}
