package sheet_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/sheet"
)

// texts returns the texts of an SVG, and fails if it is not well formed or has
// elements other than those that draw.
func texts(t *testing.T, page string) (all []string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(page))
	inside := false
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("the SVG is not well formed: %v", err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			if !slices.Contains([]string{"svg", "rect", "path", "text"}, v.Name.Local) {
				t.Errorf("the SVG has an element %q", v.Name.Local)
			}
			inside = v.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				all = append(all, string(v))
			}
		}
	}
}

var (
	path  = regexp.MustCompile(`<path transform="translate\(([\d.]+) ([\d.]+)\) scale\(([\d.]+)\)" shape-rendering="crispEdges" d="(.*?)"/>`)
	moves = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
)

func TestSVGHasEveryTicket(t *testing.T) {
	s := batch(t, 19)
	pages, err := s.Pages()
	if err != nil || pages != 2 {
		t.Fatalf("Pages = %d, %v, want 2", pages, err)
	}
	next := 0
	var said string
	for page := 1; page <= pages; page++ {
		text := svg(t, s, page)
		said += strings.Join(texts(t, text), "")
		for _, code := range path.FindAllStringSubmatch(text, -1) {
			var rects []rect
			for _, m := range moves.FindAllStringSubmatch(code[4], -1) {
				if m[3] != m[4] {
					t.Errorf("a row goes %s to the right and %s back", m[3], m[4])
				}
				rects = append(rects, rect{number(m[1]), number(m[2]), number(m[3]), 1})
			}
			want := bits(t, s.Tickets[next].Content.Reveal())
			if got, box := picture(rects, len(want)); !slices.Equal(got, want) || box.x != 4 || box.y != 4 {
				t.Errorf("ticket %d: the QR code at %v, %v is\n%s\nwant at 4, 4\n%s", next, box.x, box.y, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			next++
		}
	}
	if next != len(s.Tickets) {
		t.Errorf("%d tickets are drawn, want %d", next, len(s.Tickets))
	}
	for i, ticket := range s.Tickets {
		if strings.Count(said, ticket.Code.Reveal()) != 1 {
			t.Errorf("the code of ticket %d is drawn %d times", i, strings.Count(said, ticket.Code.Reveal()))
		}
	}
}

func number(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}

func TestSVGPages(t *testing.T) {
	s := batch(t, 3)
	for _, page := range []int{-1, 0, 2} {
		if err := sheet.SVG(io.Discard, s, page); !errors.Is(err, sheet.ErrPage) {
			t.Errorf("SVG of page %d = %v, want ErrPage", page, err)
		}
	}
	broken := errors.New("disk is full")
	if err := sheet.SVG(full{broken}, s, 1); !errors.Is(err, broken) {
		t.Errorf("SVG = %v, want the writer's error", err)
	}
	if err := sheet.PDF(full{broken}, s); !errors.Is(err, broken) {
		t.Errorf("PDF = %v, want the writer's error", err)
	}
	if err := sheet.CSV(full{broken}, s); !errors.Is(err, broken) {
		t.Errorf("CSV = %v, want the writer's error", err)
	}
}

type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

func TestSVGTakesEveryName(t *testing.T) {
	for _, name := range []string{"北京动物园", "אבג", "🎫", "Łódź"} {
		s := batch(t, 1)
		s.Attraction = name
		if got := texts(t, svg(t, s, 1)); !slices.Contains(got, name) {
			t.Errorf("the SVG says %q, want %q in it", got, name)
		}
	}
}

// A name is never markup, nor does it leave its line.
func TestSVGHostileNames(t *testing.T) {
	for _, name := range []string{`<script>alert(1)</script>`, `"/><script/>`, "]]>&<!--", "a\nb\x00c\xff", "\ufffe\ud7ff"} {
		s := batch(t, 1)
		s.Attraction, s.Packages, s.Foot = name, []string{name}, name
		s.Tickets[0].Code = "A<B>&\"'"
		if got := texts(t, svg(t, s, 1)); !strings.Contains(strings.Join(got, ""), "A<B>&\"'") {
			t.Errorf("with the name %q the SVG says %q, want the code in it", name, got)
		}
	}
}
