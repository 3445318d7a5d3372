package sheet_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/sheet"
	"github.com/handstamp/handstamp/pkg/ticket/issued"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// batch returns a sheet of n issued tickets.
func batch(t *testing.T, n int) sheet.Sheet {
	t.Helper()
	s := sheet.Sheet{
		Attraction: "Schloß Falkenstein – Königliche Gemächer", Packages: []string{"Audio guide", "Tour of the king's kitchen"},
		ValidFrom: noon, ValidUntil: noon.AddDate(0, 1, 0), Zone: time.FixedZone("CEST", 2*60*60), Foot: "school trip", Made: noon,
	}
	for i := range n {
		code, err := issued.Derive([]byte("0123456789abcdef"), "test", i)
		if err != nil {
			t.Fatal(err)
		}
		s.Tickets = append(s.Tickets, sheet.Ticket{Code: issued.Grouped(code), Content: "https://guide.example.org/#ticket=" + code})
	}
	return s
}

// A rect is a rectangle on a page, in mm from the upper left corner.
type rect struct{ x, y, width, height float64 }

func (r rect) meets(o rect) bool {
	return r.x < o.x+o.width && o.x < r.x+r.width && r.y < o.y+o.height && o.y < r.y+r.height
}

// drawn has the QR codes that bits returned; each takes its time.
var drawn = map[string][]string{}

// bits returns the QR code of a text, a line of # and spaces a row.
func bits(t *testing.T, text string) (rows []string) {
	t.Helper()
	if rows, ok := drawn[text]; ok {
		return rows
	}
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	for y := range code.Bounds().Dy() {
		row := ""
		for x := range code.Bounds().Dx() {
			if red, _, _, _ := code.At(x, y).RGBA(); red == 0 {
				row += "#"
			} else {
				row += " "
			}
		}
		rows = append(rows, row)
	}
	drawn[text] = rows
	return rows
}

// runs counts the runs of dark modules.
func runs(rows []string) (n int) {
	for _, row := range rows {
		n += len(strings.Fields(row))
	}
	return n
}

// picture returns what the rectangles of one code show on a grid of n modules,
// and the square that they cover.
func picture(rects []rect, n int) ([]string, rect) {
	box := rects[0] // the first is the upper edge of the finder
	module := box.width / 7
	grid := make([][]byte, n)
	for y := range grid {
		grid[y] = bytes.Repeat([]byte(" "), n)
	}
	for _, r := range rects {
		y, from, count := near((r.y-box.y)/module), near((r.x-box.x)/module), near(r.width/module)
		for x := from; x < from+count && y < n && x < n; x++ {
			grid[y][x] = '#'
		}
	}
	rows := make([]string, n)
	for y := range grid {
		rows[y] = string(grid[y])
	}
	return rows, rect{box.x, box.y, float64(n) * module, float64(n) * module}
}

func near(v float64) int { return int(v + 0.5) }

// A printed page is what a PDF draws on it.
type printed struct {
	rects []rect
	texts []string
	at    []rect // where the texts stand; of no size
}

// read returns the pages of a PDF.
func read(t *testing.T, file []byte) (pages []printed) {
	t.Helper()
	for _, stream := range bytes.Split(file, []byte("\nstream\n"))[1:] {
		z, err := zlib.NewReader(bytes.NewReader(stream))
		if err != nil {
			continue // no page
		}
		text, err := io.ReadAll(z)
		if err != nil || !bytes.Contains(text, []byte(" Tj ET")) {
			continue
		}
		var p printed
		for line := range strings.Lines(string(text)) {
			p.read(strings.TrimSuffix(line, "\n"))
		}
		pages = append(pages, p)
	}
	return pages
}

// read reads "X Y WIDTH -HEIGHT re f" and "BT X Y Td (TEXT) Tj ET".
func (p *printed) read(line string) {
	words := strings.Fields(line)
	switch {
	case strings.HasSuffix(line, " re f"):
		p.rects = append(p.rects, rect{mm(words[0]), 297 - mm(words[1]), mm(words[2]), -mm(words[3])})
	case strings.Contains(line, " Td ("):
		_, text, _ := strings.Cut(line, " Td (")
		text, _, _ = strings.Cut(text, ") Tj ET")
		at := slices.Index(words, "BT")
		p.texts = append(p.texts, text)
		p.at = append(p.at, rect{x: mm(words[at+1]), y: 297 - mm(words[at+2])})
	}
}

func mm(points string) float64 {
	v, _ := strconv.ParseFloat(points, 64)
	return v * 25.4 / 72
}

func pdf(t *testing.T, s sheet.Sheet) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sheet.PDF(&b, s); err != nil {
		t.Fatalf("PDF = %v", err)
	}
	return b.Bytes()
}

func svg(t *testing.T, s sheet.Sheet, page int) string {
	t.Helper()
	var b bytes.Buffer
	if err := sheet.SVG(&b, s, page); err != nil {
		t.Fatalf("SVG of page %d = %v", page, err)
	}
	return b.String()
}

// imported returns a sheet of tickets with codes of another system.
func imported(codes ...string) sheet.Sheet {
	s := sheet.Sheet{Attraction: "Zoo"}
	for _, code := range codes {
		s.Tickets = append(s.Tickets, sheet.Ticket{Code: gate.Secret(code)})
	}
	return s
}

func numbered(n int) (codes []string) {
	for i := range n {
		codes = append(codes, fmt.Sprintf("TOUR-%05d", i))
	}
	return codes
}
