package sheet

import (
	"encoding/csv"
	"io"
	"strings"
	"time"
	"unicode"
)

// CSV writes the sheet as a table, a ticket a line: code, content of its QR
// code, attraction, packages and times (RFC 3339; empty means no limit). A cell
// that a spreadsheet could take for a formula begins with an apostrophe; who
// reads the table with a program takes that off. It returns ErrEmpty, or the
// error of w.
func CSV(w io.Writer, s Sheet) error {
	s, err := s.check()
	if err != nil {
		return err
	}
	table := csv.NewWriter(w)
	_ = table.Write([]string{"code", "content", "attraction", "packages", "valid_from", "valid_until"}) // Error has it
	for _, t := range s.Tickets {
		_ = table.Write([]string{
			Cell(t.Code.Reveal()), Cell(t.content().Reveal()), Cell(s.Attraction), Cell(s.packages()), s.stamp(s.ValidFrom), s.stamp(s.ValidUntil),
		})
	}
	table.Flush()
	return table.Error()
}

func (s Sheet) stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(s.Zone).Format(time.RFC3339)
}

// Cell keeps a spreadsheet from running a text: one that it could take for a
// formula gets an apostrophe in front. Spaces and what does not show
// may stand before a formula, and = + - @ have full-width forms.
func Cell(text string) string {
	first := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	if r := []rune(first); len(r) > 0 && strings.ContainsRune("'=+-@＝＋－＠", r[0]) {
		return "'" + text
	}
	return text
}
