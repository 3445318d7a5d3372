// Package sheet prints tickets: A4 pages of QR codes to cut out, as PDF or SVG,
// and a table for whoever prints them elsewhere.
//
// Everything that it writes lets people in. Keep it as you would the tickets.
package sheet

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Sheet is a batch of tickets that buy the same.
type Sheet struct {
	Attraction string         // its name, for people
	Packages   []string       // their names; none are printed if it is empty
	ValidFrom  time.Time      // zero means always
	ValidUntil time.Time      // exclusive; zero means for ever
	Zone       *time.Location // that times are printed in; nil means UTC
	Foot       string         // printed below each page, such as the name of the batch
	Tickets    []Ticket       // at least one
	Columns    int            // tickets side by side, 1 to 4; 0 means 3
	Made       time.Time      // written into a PDF; zero means now

	// Font is a TrueType file for the PDF, whose licence must let it be
	// embedded. Empty means Helvetica, which every reader has; it has the
	// characters of Windows-1252, so those of Western Europe. An SVG takes
	// whatever font its viewer has.
	Font string
}

// A Ticket is one to cut out.
type Ticket struct {
	Code    gate.Secret // as people read it, such as in groups
	Content gate.Secret // of the QR code, such as a link; empty means Code
}

func (t Ticket) content() gate.Secret { return cmp.Or(t.Content, t.Code) }

var (
	// ErrEmpty is returned for a sheet without tickets.
	ErrEmpty = errors.New("no tickets to print")
	// ErrText is returned for text that cannot be printed as it should be.
	ErrText = errors.New("cannot be printed")
	// ErrPage is returned for a page that the sheet does not have.
	ErrPage = errors.New("no such page")
)

const (
	defaultColumns = 3
	maxColumns     = 4
)

// check returns the sheet with its defaults, or what is wrong with it.
func (s Sheet) check() (Sheet, error) {
	s.Columns = cmp.Or(s.Columns, defaultColumns)
	switch {
	case len(s.Tickets) == 0:
		return s, ErrEmpty
	case s.Columns < 1 || s.Columns > maxColumns:
		return s, fmt.Errorf("%d columns, want 1 to %d", s.Columns, maxColumns)
	}
	for i, t := range s.Tickets {
		if t.Code == "" {
			return s, fmt.Errorf("ticket %d has no code", i+1)
		}
	}
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	if s.Made.IsZero() {
		s.Made = time.Now()
	}
	s.Attraction, s.Foot = plain(s.Attraction), plain(s.Foot)
	return s, nil
}

// packages returns the packages as one text.
func (s Sheet) packages() string { return plain(strings.Join(s.Packages, ", ")) }

// validity returns when the tickets are good, a line each.
func (s Sheet) validity() (lines []string) {
	const layout = "2006-01-02 15:04"
	if !s.ValidFrom.IsZero() {
		lines = append(lines, "from "+s.ValidFrom.In(s.Zone).Format(layout))
	}
	if !s.ValidUntil.IsZero() {
		lines = append(lines, "until "+s.ValidUntil.In(s.Zone).Format(layout))
	}
	return lines
}

// texts returns all that is printed beside the codes.
func (s Sheet) texts() []string {
	return append([]string{s.Attraction, s.packages(), s.Foot}, s.validity()...)
}

func (s Sheet) foot(page, pages int) string {
	return strings.TrimPrefix(fmt.Sprintf("%s   %d/%d", s.Foot, page, pages), "   ")
}

// plain puts a space where a text would leave its line.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Join(strings.Fields(text), " ")
}
