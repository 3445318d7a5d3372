package sheet

import (
	"fmt"
	"math"
	"os"

	"codeberg.org/go-pdf/fpdf"
)

// A font is a TrueType file.
type font struct {
	file   []byte
	glyphs map[uint16]uint16
}

// readFont reads a font that may be embedded.
func readFont(file string) (f *font, err error) {
	defer func() { // the parser panics on a file that is cut off
		if e := recover(); e != nil {
			f, err = nil, fmt.Errorf("%s: no TrueType font: %v", file, e)
		}
	}()
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	about, err := fpdf.TtfParse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: no TrueType font: %w", file, err)
	}
	if !about.Embeddable {
		return nil, fmt.Errorf("%s: its licence forbids to embed it", file)
	}
	return &font{file: text, glyphs: about.Chars}, nil
}

func (f *font) has(r rune) bool {
	return r >= 0 && r < math.MaxUint16 && f.glyphs[uint16(r)] != 0
}
