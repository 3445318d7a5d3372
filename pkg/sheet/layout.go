package sheet

import (
	"fmt"
	"math"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Lengths of a page, in mm.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	margin     = 10.0 // that printers leave white
	pad        = 4.0  // between a cut and what is printed
	gap        = 0.5  // between the quiet zone of the QR code and text
	maxSide    = 30.0 // of a QR code
	mark       = 2.0  // half a cut mark
	leading    = 1.25 // lines, in font sizes
	codeLine   = 4.0
	point      = 25.4 / 72
)

// Font sizes, in points.
const (
	nameSize = 9.0
	textSize = 7.5
	footSize = 6.0
	maxCode  = 11.0
	minCode  = 7.5
)

// A style is one of the fonts of a sheet.
type style int

const (
	regular style = iota
	bold
	mono
)

// A canvas is a page to draw on, from its upper left corner, in mm. Text stands
// on y; its size is in points.
type canvas interface {
	cross(x, y, arm float64)
	symbol(x, y, side float64, s symbol)
	text(x, y, size float64, st style, s string)
}

// A ruler says how long a text is, in mm.
type ruler interface {
	width(size float64, st style, s string) float64
}

// A layout says where on its pages everything goes.
type layout struct {
	Sheet
	cell  struct{ width, height float64 }
	side  float64    // of a QR code
	words []words    // beside it, the same on every ticket
	upper float64    // height of both
	rows  int        // on a page
	codes [][]string // lines of every ticket's code
	size  float64    // of codes
}

// Words are a line of text, y below the upper edge of a ticket.
type words struct {
	y, size float64
	style   style
	text    string
}

// newLayout returns the layout of a sheet that has been checked.
func newLayout(s Sheet, r ruler) (*layout, error) {
	l := &layout{Sheet: s}
	l.cell.width = (pageWidth - 2*margin) / float64(s.Columns)
	inner := l.cell.width - 2*pad
	l.side = min(maxSide, inner/2)
	lines := l.breakCodes(inner)
	l.upper = max(l.side, l.breakWords(r, inner-l.side-gap)) + 2*gap
	l.cell.height = 2*pad + l.upper + float64(lines)*codeLine
	l.rows = int((pageHeight - 2*margin) / l.cell.height)
	if l.rows == 0 {
		return nil, fmt.Errorf("a code of %d lines does not fit on a page: %w", lines, ErrText)
	}
	return l, nil
}

// symbol returns the QR code of the ticket i.
func (l *layout) symbol(i int) (symbol, error) {
	content := l.Tickets[i].content()
	s, err := newSymbol(content)
	if module := l.side / float64(s.size); err == nil && module < minModule {
		err = fmt.Errorf("a QR code of %d bytes in %d columns has modules of %.2f mm, want %.2f: %w", len(content), l.Columns, module, minModule, ErrText)
	}
	if err != nil {
		return s, fmt.Errorf("ticket %d: %w", i+1, err)
	}
	return s, nil
}

// breakCodes breaks every code into as few lines as can be read, and returns
// the most lines of any.
func (l *layout) breakCodes(width float64) (lines int) {
	const em = 0.6 // every character of Courier, in font sizes
	longest := 1
	fits := int(width / (em * minCode * point))
	for _, t := range l.Tickets {
		code := breakCode(t.Code, fits)
		l.codes = append(l.codes, code)
		lines = max(lines, len(code))
		for _, line := range code {
			longest = max(longest, len([]rune(line)))
		}
	}
	l.size = min(maxCode, width/(em*point*float64(longest)))
	return lines
}

// breakWords breaks what is printed beside a QR code into lines, and returns
// their height. Names may end in an ellipsis, times are printed whole.
func (l *layout) breakWords(r ruler, width float64) (height float64) {
	add := func(text string, size float64, st style, most int) {
		for _, line := range wrap(text, most, func(s string) bool { return r.width(size, st, s) <= width }) {
			height += size * point * leading
			l.words = append(l.words, words{height, size, st, line})
		}
		height += size * point * (leading - 1)
	}
	add(l.Attraction, nameSize, bold, 3)
	add(l.packages(), textSize, regular, 4)
	for _, date := range l.validity() {
		add(date, textSize, regular, len(date))
	}
	return height
}

// breakCode breaks a code into lines of at most n characters, all about as
// long, and after hyphens where it has some.
func breakCode(code gate.Secret, n int) []string {
	rest := []rune(plain(code.Reveal()))
	count := (len(rest) + n - 1) / n
	var lines []string
	for len(rest) > n {
		even := (len(rest) + count - 1) / count
		cut := even
		for _, i := range []int{0, 1, 2, 3, -1, -2, -3} {
			if at := even + i; at > 0 && at <= n && rest[at-1] == '-' {
				cut = at
				break
			}
		}
		lines, rest, count = append(lines, string(rest[:cut])), rest[cut:], max(count-1, 1)
	}
	return append(lines, string(rest))
}

func (l *layout) perPage() int { return l.rows * l.Columns }

func (l *layout) pages() int { return (len(l.Tickets) + l.perPage() - 1) / l.perPage() }

// draw draws a page, counted from 1. After an error it is not whole.
func (l *layout) draw(c canvas, page int) error {
	for row := range l.rows + 1 {
		for column := range l.Columns + 1 {
			c.cross(margin+float64(column)*l.cell.width, margin+float64(row)*l.cell.height, mark)
		}
	}
	first := (page - 1) * l.perPage()
	for i := first; i < min(first+l.perPage(), len(l.Tickets)); i++ {
		row, column := (i-first)/l.Columns, (i-first)%l.Columns
		if err := l.ticket(c, margin+float64(column)*l.cell.width+pad, margin+float64(row)*l.cell.height+pad, i); err != nil {
			return err
		}
	}
	c.text(margin, pageHeight-margin/2, footSize, regular, l.foot(page, l.pages()))
	return nil
}

// ticket draws the ticket i with its upper left corner at x, y.
func (l *layout) ticket(c canvas, x, y float64, i int) error {
	s, err := l.symbol(i)
	if err != nil {
		return err
	}
	c.symbol(x, y, l.side, s)
	for _, w := range l.words {
		c.text(x+l.side+gap, y+w.y, w.size, w.style, w.text)
	}
	for n, line := range l.codes[i] {
		c.text(x, y+l.upper+(float64(n)+0.8)*codeLine, l.size, mono, line)
	}
	return nil
}

// wrap breaks a text into at most n lines that fit; what is left over becomes
// an ellipsis.
func wrap(text string, n int, fits func(string) bool) []string {
	var lines []string
	for rest := text; rest != "" && n > 0; {
		line := head(rest, fits)
		rest = strings.TrimSpace(rest[len(line):])
		if len(lines) == n-1 && rest != "" {
			for line += "…"; !fits(line) && len([]rune(line)) > 2; {
				runes := []rune(line)
				line = string(runes[:len(runes)-2]) + "…"
			}
			rest = ""
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// head returns the beginning of a text that fits on a line: whole words if
// there is room for one, else as many characters as fit.
func head(text string, fits func(string) bool) string {
	if fits(text) {
		return text
	}
	word, cut := 0, 0
	for i, r := range text {
		if i > 0 && !fits(text[:i]) {
			break
		}
		if cut = i; r == ' ' {
			word = i
		}
	}
	if word > 0 {
		return text[:word]
	}
	if cut == 0 { // not even one character
		return string([]rune(text)[:1])
	}
	return text[:cut]
}

// round is for coordinates: a hundredth of a mm is enough.
func round(v float64) float64 { return math.Round(v*100) / 100 }
