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

// Write prints the report for people, with colours for a terminal.
func (r *Report) Write(w io.Writer, colour bool) {
	c := palette{}
	if colour {
		c = colours
	}
	if r.Allowed {
		fmt.Fprintf(w, "%s%sallowed%s: CloudFront would serve this request\n", c.bold, c.green, c.off)
	} else {
		fmt.Fprintf(w, "%s%srefused%s: CloudFront would answer %d %s\n", c.bold, c.red, c.off, r.Code.Status(), r.Code)
	}
	r.writeCauses(w, c)
	r.writePolicy(w, c)
	fmt.Fprintf(w, "\n%sWhat was looked at%s\n", c.bold, c.off)
	for _, s := range r.Steps {
		mark, colour := "ok  ", c.green
		switch {
		case s.Skipped:
			mark, colour = "--  ", c.dim
		case s.Code != "":
			mark, colour = "FAIL", c.red
		}
		fmt.Fprintf(w, "  %s%s%s %-34s %s %s(%s)%s\n", colour, mark, c.off, s.Looked, printable(s.Found), c.dim, s.Basis, c.off)
	}
}

func (r *Report) writeCauses(w io.Writer, c palette) {
	if len(r.Causes) > 0 {
		fmt.Fprintf(w, "\n%sWhy%s\n", c.bold, c.off)
	}
	for _, cause := range r.Causes {
		fmt.Fprintf(w, "  %s%s%s %s %s(%s)%s\n       %sfix:%s %s\n", c.yellow, cause.ID, c.off, printable(cause.Says), c.dim, cause.Basis, c.off, c.green, c.off, printable(cause.Fix))
	}
	for _, cause := range r.Warnings {
		fmt.Fprintf(w, "\n%swarning%s %s %s\n       %sfix:%s %s\n", c.yellow, c.off, cause.ID, printable(cause.Says), c.green, c.off, printable(cause.Fix))
	}
}

func (r *Report) writePolicy(w io.Writer, c palette) {
	p := r.Policy
	if p == nil {
		return
	}
	fmt.Fprintf(w, "\n%sPolicy%s %s, in the %s\n", c.bold, c.off, p.Form, p.In)
	fmt.Fprintf(w, "  resource  %s\n", printable(p.Resource))
	if p.NotBefore != nil {
		fmt.Fprintf(w, "  after     %s\n", p.NotBefore.Format(time.RFC3339))
	}
	if p.Expires != nil {
		fmt.Fprintf(w, "  before    %s (%s)\n", p.Expires.Format(time.RFC3339), distance(p.Expires.Sub(r.At)))
	}
	if p.IPAddress != "" {
		fmt.Fprintf(w, "  from      %s\n", p.IPAddress)
	}
	fmt.Fprintf(w, "  key       %s, %s\n", printable(p.KeyPairID), p.Hash)
}

func distance(d time.Duration) string {
	d = d.Round(time.Second)
	if d < 0 {
		return (-d).String() + " ago"
	}
	return "in " + d.String()
}

// printable keeps what a viewer sent from driving the terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, s)
	if len(s) > 400 {
		s = s[:400] + "..."
	}
	return s
}
