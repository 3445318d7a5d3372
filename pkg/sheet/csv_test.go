package sheet_test

import (
	"bytes"
	"encoding/csv"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/sheet"
)

func table(t *testing.T, s sheet.Sheet) [][]string {
	t.Helper()
	var b bytes.Buffer
	if err := sheet.CSV(&b, s); err != nil {
		t.Fatalf("CSV = %v", err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatalf("CSV wrote no table: %v", err)
	}
	return rows
}

func TestCSV(t *testing.T) {
	s := batch(t, 2)
	s.Attraction, s.Packages, s.ValidUntil = `Schloß "Falken", Ost`, []string{"Audio", "Tour"}, time.Time{}
	s.Tickets[1].Content = ""
	code, second := s.Tickets[0].Code.Reveal(), s.Tickets[1].Code.Reveal()
	want := [][]string{
		{"code", "content", "attraction", "packages", "valid_from", "valid_until"},
		{code, "https://guide.example.org/#ticket=" + strings.ReplaceAll(code, "-", ""), `Schloß "Falken", Ost`, "Audio, Tour", "2026-07-01T14:00:00+02:00", ""},
		{second, second, `Schloß "Falken", Ost`, "Audio, Tour", "2026-07-01T14:00:00+02:00", ""},
	}
	if got := table(t, s); !reflect.DeepEqual(got, want) {
		t.Errorf("CSV wrote %q, want %q", got, want)
	}
}

// No cell runs in a spreadsheet, and none is changed that would not.
func TestCSVFormulas(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Zoo", "Zoo"},
		{"5 = 5", "5 = 5"},
		{"Schloß", "Schloß"},
		{"=1+1", "'=1+1"},
		{"+49 30 1234", "'+49 30 1234"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{`=HYPERLINK("https://evil.test")`, `'=HYPERLINK("https://evil.test")`},
		{"＝1+1", "'＝1+1"},
		{"\u200b=1+1", "'\u200b=1+1"},
		{"\u00a0=1+1", "'=1+1"},
		{"\t=1+1", "'=1+1"},
		{"\r\n=1+1", "'=1+1"},
		{"'quoted", "''quoted"},
		{"\u200bZoo", "\u200bZoo"},
		{"", ""},
	}
	for _, tt := range tests {
		s := batch(t, 1)
		s.Attraction, s.Packages = tt.text, []string{tt.text}
		if row := table(t, s)[1]; row[2] != tt.want || row[3] != tt.want {
			t.Errorf("a cell of %q is %q and %q, want %q", tt.text, row[2], row[3], tt.want)
		}
	}
	s := imported("=1+1", "@A1")
	for i, want := range []string{"'=1+1", "'@A1"} {
		if row := table(t, s)[i+1]; row[0] != want || row[1] != want {
			t.Errorf("ticket %d is in the cells %q, want %q", i, row, want)
		}
	}
}
