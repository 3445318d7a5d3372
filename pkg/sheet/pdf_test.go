package sheet_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/sheet"
)

// Every ticket is there once, with the QR code of its content and its code to
// read, apart from all others and inside the page.
func TestPDFHasEveryTicket(t *testing.T) {
	for _, columns := range []int{1, 2, 4} {
		s := batch(t, 1+5*columns) // with one on the second page of some
		s.Columns = columns
		pages := read(t, pdf(t, s))
		var said string
		next := 0
		for _, page := range pages {
			var boxes []rect
			rects := page.rects
			for len(rects) > 0 && next < len(s.Tickets) {
				want := bits(t, s.Tickets[next].Content.Reveal())
				n := min(runs(want), len(rects))
				got, box := picture(rects[:n], len(want))
				if !slices.Equal(got, want) {
					t.Errorf("%d columns, ticket %d: the QR code is\n%s\nwant\n%s", columns, next, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				quiet := rect{box.x - box.width*4/float64(len(want)), box.y - box.width*4/float64(len(want)), 0, 0}
				quiet.width, quiet.height = box.width+2*(box.x-quiet.x), box.height+2*(box.y-quiet.y)
				if quiet.x < 10 || quiet.y < 10 || quiet.x+quiet.width > 200 || quiet.y+quiet.height > 287 {
					t.Errorf("%d columns, ticket %d: its QR code is at %+v, want it inside the margins", columns, next, quiet)
				}
				for i, at := range page.at {
					if (rect{at.x, at.y - 2, 1, 2}).meets(quiet) {
						t.Errorf("%d columns, ticket %d: %q is in the quiet zone", columns, next, page.texts[i])
					}
				}
				if slices.ContainsFunc(boxes, quiet.meets) {
					t.Errorf("%d columns, ticket %d: its QR code lies on another", columns, next)
				}
				boxes = append(boxes, quiet)
				rects, next = rects[n:], next+1
			}
			said += strings.Join(page.texts, "")
		}
		if next != len(s.Tickets) {
			t.Errorf("%d columns: %d tickets are printed, want %d", columns, next, len(s.Tickets))
		}
		for i, ticket := range s.Tickets {
			if strings.Count(said, ticket.Code.Reveal()) != 1 {
				t.Errorf("%d columns: the code of ticket %d is printed %d times", columns, i, strings.Count(said, ticket.Code.Reveal()))
			}
		}
	}
}

func TestPDFSaysWhatTheTicketBuys(t *testing.T) {
	page := read(t, pdf(t, batch(t, 1)))[0]
	said := strings.Join(page.texts, " ")
	for _, want := range []string{"Schlo\xdf Falkenstein", "\x96 K\xf6nigliche", "Audio guide", "king's", "from 2026-07-01 14:00", "until 2026-08-01 14:00", "school trip   1/1"} {
		if !strings.Contains(said, want) {
			t.Errorf("the page says %q, want %q in it", said, want)
		}
	}
	bare := read(t, pdf(t, imported("A1")))[0]
	if want := []string{"Zoo", "A1", "1/1"}; !slices.Equal(bare.texts, want) {
		t.Errorf("a page without times says %q, want %q", bare.texts, want)
	}
}

// However long a name is, the times that follow it are printed whole.
func TestPDFLongNames(t *testing.T) {
	s := batch(t, 10)
	s.Attraction, s.Packages, s.Columns = strings.Repeat("Donaudampfschifffahrtsmuseum", 9), []string{strings.Repeat("a b ", 200)}, 4
	for _, page := range read(t, pdf(t, s)) {
		said := strings.Join(page.texts, " ")
		if strings.Count(said, "until 2026-08-01") < 1 || strings.Count(said, "14:00") != 2*strings.Count(said, "until") || !strings.Contains(said, "\x85") {
			t.Errorf("the page says %q, want both times and an ellipsis", said)
		}
		for i, at := range page.at {
			if at.x < 10 || at.x > 200 || at.y < 10 || at.y > 292.5 {
				t.Errorf("%q stands at %+v, outside the margins", page.texts[i], at)
			}
		}
	}
}

func TestPDFIsTheSameAgain(t *testing.T) {
	s := batch(t, 5)
	first, again := pdf(t, s), pdf(t, s)
	if !bytes.Equal(first, again) {
		t.Error("the same sheet gives two files")
	}
	s.Made = noon.Add(time.Hour)
	if bytes.Equal(first, pdf(t, s)) {
		t.Error("a sheet that was made later gives the same file")
	}
}

func TestPDFLongCodes(t *testing.T) {
	s := imported(strings.Repeat("ABCDEFGH", 16), "short", strings.Repeat("AB12-", 12)+"X")
	s.Columns = 4
	said := strings.Join(read(t, pdf(t, s))[0].texts, "")
	for i, ticket := range s.Tickets {
		if !strings.Contains(said, ticket.Code.Reveal()) {
			t.Errorf("the page says %q, want the code of ticket %d", said, i)
		}
	}
}

func TestErrors(t *testing.T) {
	change := func(f func(*sheet.Sheet)) sheet.Sheet {
		s := imported("CANARY4711", "CANARY4712")
		f(&s)
		return s
	}
	tests := []struct {
		name    string
		sheet   sheet.Sheet
		is      error // nil means any
		want    string
		pdfOnly bool
	}{
		{"no tickets", sheet.Sheet{}, sheet.ErrEmpty, "no tickets to print", false},
		{"five columns", change(func(s *sheet.Sheet) { s.Columns = 5 }), nil, "5 columns, want 1 to 4", false},
		{"less than none", change(func(s *sheet.Sheet) { s.Columns = -1 }), nil, "-1 columns, want 1 to 4", false},
		{"no code", change(func(s *sheet.Sheet) { s.Tickets[1].Code = "" }), nil, "ticket 2 has no code", false},
		{"content for no QR code", change(func(s *sheet.Sheet) { s.Tickets[1].Content = gate.Secret(strings.Repeat("CANARY", 1000)) }),
			sheet.ErrText, "ticket 2: a QR code of 6000 bytes: cannot be printed", false},
		{"content too small to read", change(func(s *sheet.Sheet) { s.Tickets[1].Content = gate.Secret(strings.Repeat("canary", 75)) }),
			sheet.ErrText, "ticket 2: a QR code of 450 bytes in 3 columns has modules of 0.31 mm, want 0.33: cannot be printed", false},
		{"code for no page", change(func(s *sheet.Sheet) {
			s.Columns, s.Tickets[1].Code, s.Tickets[1].Content = 4, gate.Secret(strings.Repeat("CANARY", 400)), "A1"
		}),
			sheet.ErrText, "a code of 100 lines does not fit on a page: cannot be printed", false},
		{"Polish", change(func(s *sheet.Sheet) { s.Attraction = "Łódź" }), sheet.ErrText, `"Łódź": the font has no U+0141, another may: cannot be printed`, true},
		{"Hebrew", change(func(s *sheet.Sheet) { s.Packages = []string{"אב"} }), sheet.ErrText, `"אב": U+05D0 needs a script that the PDF does not do, an SVG does: cannot be printed`, true},
		{"emoji", change(func(s *sheet.Sheet) { s.Foot = "🎫" }), sheet.ErrText, `"🎫": the font has no U+1F3AB, another may: cannot be printed`, true},
		{"Cyrillic code", change(func(s *sheet.Sheet) { s.Tickets[1].Code = "CANARYЯ" }), sheet.ErrText, "the code of ticket 2: cannot be printed", true},
		{"no font", change(func(s *sheet.Sheet) { s.Font = filepath.Join(t.TempDir(), "none.ttf") }), os.ErrNotExist, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check := func(call string, err error, wrote int) {
				t.Helper()
				if err == nil || tt.is != nil && !errors.Is(err, tt.is) || tt.want != "" && err.Error() != tt.want || wrote > 0 {
					t.Errorf("%s = %v after %d bytes, want %s and none", call, err, wrote, tt.want)
				}
				if err != nil && strings.Contains(strings.ToUpper(err.Error()), "CANARY") {
					t.Errorf("%s = %v, which shows the code", call, err)
				}
			}
			var b bytes.Buffer
			check("PDF", sheet.PDF(&b, tt.sheet), b.Len())
			b.Reset()
			err := sheet.SVG(&b, tt.sheet, 1)
			if tt.pdfOnly {
				if err != nil {
					t.Errorf("SVG = %v, want a page", err)
				}
				return
			}
			check("SVG", err, b.Len())
			if n, err := tt.sheet.Pages(); err == nil && n != 1 {
				t.Errorf("Pages = %d, want 1 or an error", n)
			}
		})
	}
}

// fontFile returns a TrueType font that comes with the PDF package's source.
func fontFile(t *testing.T, name string) string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "codeberg.org/go-pdf/fpdf").Output()
	file := filepath.Join(strings.TrimSpace(string(dir)), "font", name)
	if _, statErr := os.Stat(file); err != nil || statErr != nil {
		t.Skip("the source of the PDF package is not here")
	}
	return file
}

func TestPDFOwnFont(t *testing.T) {
	s := batch(t, 1)
	s.Attraction, s.Font = "Замок в Łodzi", fontFile(t, "DejaVuSansCondensed.ttf")
	page := read(t, pdf(t, s))[0]
	utf16 := func(text string) string {
		var b strings.Builder
		for _, r := range text {
			b.WriteByte(byte(r >> 8))
			b.WriteByte(byte(r))
		}
		return b.String()
	}
	for _, want := range []string{"Замок", "Łodzi", "2026"} {
		if !slices.ContainsFunc(page.texts, func(s string) bool { return strings.Contains(s, utf16(want)) }) {
			t.Errorf("the page says %q, want %q in it", page.texts, want)
		}
	}
	for _, name := range []string{"北京", "🎫", "אב"} {
		s.Attraction = name
		if err := sheet.PDF(io.Discard, s); !errors.Is(err, sheet.ErrText) {
			t.Errorf("PDF with %q = %v, want ErrText", name, err)
		}
	}
}

func TestPDFBrokenFont(t *testing.T) {
	whole, err := os.ReadFile(fontFile(t, "calligra.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	s := imported("A1")
	s.Font = filepath.Join(t.TempDir(), "broken.ttf")
	for cut := 0; cut < len(whole); cut += 1 + len(whole)/20 {
		if err := os.WriteFile(s.Font, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := sheet.PDF(&b, s); err == nil != (b.Len() > 0) {
			t.Errorf("PDF with %d bytes of a font = %v after %d bytes", cut, err, b.Len())
		}
	}
}

func BenchmarkPDF(b *testing.B) {
	s := imported(numbered(1000)...)
	for b.Loop() {
		if err := sheet.PDF(io.Discard, s); err != nil {
			b.Fatal(err)
		}
	}
}
