package sheet

import (
	"fmt"
	"io"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
)

// PDF writes the sheet as a PDF with A4 pages. The same sheet with the same
// Made gives the same bytes. It returns ErrEmpty, or ErrText for what it cannot
// draw: characters that the font does not have, and scripts that run from right
// to left or join their letters, which an SVG leaves to its viewer. After an
// error that is not w's own nothing has been written.
func PDF(w io.Writer, s Sheet) error {
	s, err := s.check()
	if err != nil {
		return err
	}
	c, err := newPDF(s)
	if err != nil {
		return err
	}
	l, err := newLayout(s, c)
	if err != nil {
		return err
	}
	for page := range l.pages() {
		c.doc.AddPage()
		if err := l.draw(c, page+1); err != nil {
			return err
		}
	}
	return c.doc.Output(w)
}

// A pdf is a canvas of the package fpdf.
type pdf struct {
	doc    *fpdf.Fpdf
	family string // of text that is no code
	encode func(string) string
}

func newPDF(s Sheet) (*pdf, error) {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetCatalogSort(true)
	doc.SetCreationDate(s.Made.UTC())
	doc.SetModificationDate(s.Made.UTC())
	doc.SetTitle(s.Attraction, true)
	doc.SetAutoPageBreak(false, 0)
	doc.SetDrawColor(150, 150, 150)
	doc.SetLineWidth(0.1)
	c := &pdf{doc: doc, family: "Helvetica", encode: doc.UnicodeTranslatorFromDescriptor("cp1252")}
	has := c.hasLatin
	if s.Font != "" {
		font, err := readFont(s.Font)
		if err != nil {
			return nil, err
		}
		c.family, has = "own", font.has
		doc.AddUTF8FontFromBytes(c.family, "", font.file)
		doc.AddUTF8FontFromBytes(c.family, "B", font.file)
	}
	for _, text := range s.texts() {
		if err := checkText(text, has); err != nil {
			return nil, err
		}
	}
	for i, t := range s.Tickets { // not quoted, as it is a code
		if checkText(t.Code.Reveal(), c.hasLatin) != nil {
			return nil, fmt.Errorf("the code of ticket %d: %w", i+1, ErrText)
		}
	}
	return c, doc.Error()
}

// hasLatin reports whether r is in Windows-1252.
func (c *pdf) hasLatin(r rune) bool { return r == '.' || c.encode(string(r)) != "." }

// shaped are scripts whose letters cannot be set one after the other from left
// to right.
var shaped = []*unicode.RangeTable{
	unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi,
	unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Thai,
	unicode.Lao, unicode.Tibetan, unicode.Myanmar, unicode.Khmer, unicode.Mongolian, unicode.Mn,
}

func checkText(text string, has func(rune) bool) error {
	for _, r := range text {
		switch {
		case unicode.In(r, shaped...):
			return fmt.Errorf("%.80q: %U needs a script that the PDF does not do, an SVG does: %w", text, r, ErrText)
		case !has(r):
			return fmt.Errorf("%.80q: the font has no %U, another may: %w", text, r, ErrText)
		}
	}
	return nil
}

func (c *pdf) cross(x, y, arm float64) {
	c.doc.Line(x-arm, y, x+arm, y)
	c.doc.Line(x, y-arm, x, y+arm)
}

// symbol lets the rows overlap by a hair: some viewers show a seam otherwise.
func (c *pdf) symbol(x, y, side float64, s symbol) {
	const hair = 0.02
	module := side / float64(s.size)
	for _, r := range s.runs {
		c.doc.Rect(x+float64(r.x)*module, y+float64(r.y)*module, float64(r.length)*module, module+hair, "F")
	}
}

// font chooses the font and returns the text as that has it.
func (c *pdf) font(size float64, st style, text string) string {
	family, weight := c.family, ""
	switch st {
	case bold:
		weight = "B"
	case mono:
		family, weight = "Courier", "B"
	}
	c.doc.SetFont(family, weight, size)
	if family == "own" {
		return text
	}
	return c.encode(text)
}

func (c *pdf) text(x, y, size float64, st style, text string) {
	c.doc.Text(x, y, c.font(size, st, text))
}

func (c *pdf) width(size float64, st style, text string) float64 {
	return c.doc.GetStringWidth(c.font(size, st, text))
}
