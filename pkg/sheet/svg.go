package sheet

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"

	"codeberg.org/go-pdf/fpdf"
)

// Pages returns how many pages the sheet has as SVG, or what is wrong with it.
// A PDF in a font of its own may have more or fewer.
func (s Sheet) Pages() (int, error) {
	_, l, err := s.svg()
	if err != nil {
		return 0, err
	}
	return l.pages(), nil
}

func (s Sheet) svg() (*svg, *layout, error) {
	s, err := s.check()
	if err != nil {
		return nil, nil, err
	}
	c := newSVG()
	l, err := newLayout(s, c)
	return c, l, err
}

// SVG writes one page of the sheet, counted from 1, as a whole SVG document. It
// draws every script that its viewer has a font for. It returns ErrPage for a
// page that is not there, else the errors of PDF; nothing has been written then.
func SVG(w io.Writer, s Sheet, page int) error {
	c, l, err := s.svg()
	if err != nil {
		return err
	}
	if page < 1 || page > l.pages() {
		return fmt.Errorf("page %d of %d: %w", page, l.pages(), ErrPage)
	}
	fmt.Fprintf(&c.body, `<svg xmlns="http://www.w3.org/2000/svg" width="%gmm" height="%gmm" viewBox="0 0 %g %g">`+"\n",
		pageWidth, pageHeight, pageWidth, pageHeight)
	fmt.Fprintf(&c.body, `<rect width="%g" height="%g" fill="#fff"/>`+"\n", pageWidth, pageHeight)
	if err := l.draw(c, page); err != nil {
		return err
	}
	c.body.WriteString("</svg>\n")
	_, err = w.Write(c.body.Bytes())
	return err
}

// An svg is a canvas that is a text.
type svg struct {
	body  bytes.Buffer
	ruler *pdf // Arial and Liberation Sans are as wide as Helvetica
}

func newSVG() *svg {
	doc := fpdf.New("P", "mm", "A4", "")
	return &svg{ruler: &pdf{doc: doc, family: "Helvetica", encode: doc.UnicodeTranslatorFromDescriptor("cp1252")}}
}

func (c *svg) cross(x, y, arm float64) {
	fmt.Fprintf(&c.body, `<path d="M%g %gh%gM%g %gv%g" stroke="#969696" stroke-width=".1"/>`+"\n",
		round(x-arm), round(y), 2*arm, round(x), round(y-arm), 2*arm)
}

func (c *svg) symbol(x, y, side float64, s symbol) {
	fmt.Fprintf(&c.body, `<path transform="translate(%g %g) scale(%.5f)" shape-rendering="crispEdges" d="`, round(x), round(y), side/float64(s.size))
	for _, r := range s.runs {
		fmt.Fprintf(&c.body, "M%d %dh%dv1h-%dz", r.x, r.y, r.length, r.length)
	}
	c.body.WriteString(`"/>` + "\n")
}

func (c *svg) text(x, y, size float64, st style, text string) {
	family := `Helvetica, Arial, 'Liberation Sans', sans-serif`
	if st == mono {
		family = `Courier, 'Courier New', 'Liberation Mono', monospace`
	}
	weight := ""
	if st != regular {
		weight = ` font-weight="bold"`
	}
	fmt.Fprintf(&c.body, `<text x="%g" y="%g" font-size="%.3f" font-family="%s"%s>`, round(x), round(y), size*point, family, weight)
	_ = xml.EscapeText(&c.body, []byte(text)) // a buffer takes everything
	c.body.WriteString("</text>\n")
}

// width guesses: nobody knows which font the viewer has for other characters
// than Helvetica's. They count as wide as they are high.
func (c *svg) width(size float64, st style, text string) (total float64) {
	for _, r := range text {
		if c.ruler.hasLatin(r) {
			total += c.ruler.width(size, st, string(r))
		} else {
			total += size * point
		}
	}
	return total
}
