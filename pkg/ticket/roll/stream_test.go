package roll_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// stream reads a whole list: what can be used, and what is said of the rest.
func stream(name string, r io.Reader) (codes, problems []string, err error) {
	lines, failed := roll.Each(name, r, roll.Options{})
	for l := range lines {
		if l.Err != nil {
			problems = append(problems, fmt.Sprintf("%d: %v", l.Number, l.Err))
			continue
		}
		codes = append(codes, l.Code.Reveal())
	}
	return codes, problems, failed()
}

// Every line that cannot be used is named, and the lines after it are read.
func TestEachGoesOn(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	tests := []struct {
		name, file, text string
		codes, problems  string
	}{
		{"good", "t.csv", "code,attraction\nA-1,castle\nB-2,zoo\n", "A-1 B-2", ""},
		{"mark, CRLF, no end of line", "t.csv", "\ufeffcode,attraction\r\nA-1,castle\r\n\r\nB-2,zoo", "A-1 B-2", ""},
		{"quotes", "t.csv", "code,attraction,note\n\"A-1\",castle,\"a, b\"\n", "A-1", ""},
		{"broken quote", "t.csv", "code,attraction\n\"A-1,castle\nB-2,zoo\n", "B-2", `2: extraneous or missing " in quoted-field`},
		{"cells", "t.csv", "code,attraction\nA-1\nB-2,zoo,3\nC-3,zoo\n", "C-3", "2: 1 cells, the header has 2; 3: 3 cells, the header has 2"},
		{"no code", "t.csv", "code,attraction\n,castle\n", "", "2: code: missing"},
		{"long line", "t.csv", "code,attraction\n" + long + ",castle\nB-2,zoo\n", "B-2", "2: more than 65536 bytes"},
		{"long line at the end", "t.csv", "code,attraction\nB-2,zoo\n" + long, "B-2", "3: more than 65536 bytes"},
		{"other encoding", "t.csv", "code,attraction,note\nA-1,castle,M\xfcnchen\nB-2,zoo,x\n", "B-2", "2: not UTF-8"},
		{"JSON", "t.jsonl", `{"code":"A-1","attraction":["castle"]}` + "\n{\n" + `{"code":"B-2","attraction":["zoo"]}`, "A-1 B-2", "2: not a JSON object"},
	}
	for _, tt := range tests {
		for _, r := range []io.Reader{strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text))} {
			codes, problems, err := stream(tt.file, r)
			if strings.Join(codes, " ") != tt.codes || strings.Join(problems, "; ") != tt.problems || err != nil {
				t.Errorf("Each of %s = %q, %q, %v, want %q, %q", tt.name, codes, problems, err, tt.codes, tt.problems)
			}
		}
	}
}

func TestEachEnds(t *testing.T) {
	broken := errors.New("the disk is gone")
	tests := []struct {
		name string
		in   io.Reader
		want error
	}{
		{"empty", strings.NewReader(""), roll.ErrHeader},
		{"no header", strings.NewReader("A-1,castle\n"), roll.ErrHeader},
		{"unknown column", strings.NewReader("code,attraction,colour\n"), roll.ErrHeader},
		{"UTF-16", strings.NewReader("\xff\xfec\x00o\x00"), roll.ErrEncoding},
		{"broken off", io.MultiReader(strings.NewReader("code,attraction\nA-1,castle\nB-"), iotest.ErrReader(broken)), broken},
	}
	for _, tt := range tests {
		if _, _, err := stream("t.csv", tt.in); !errors.Is(err, tt.want) {
			t.Errorf("Each of a list that is %s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// The memory is that of one line, however long the list, or the line.
func TestEachMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 100 MB")
	}
	line := bytes.Repeat([]byte("x"), 1<<20)
	var parts []io.Reader
	parts = append(parts, strings.NewReader("code,attraction\n"))
	for range 100 {
		parts = append(parts, bytes.NewReader(line)) // one line of 100 MB
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, problems, err := stream("t.csv", io.MultiReader(parts...))
	runtime.ReadMemStats(&after)
	if len(problems) != 1 || err != nil {
		t.Fatalf("Each = %q, %v, want one problem", problems, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("Each allocated %d bytes for a line of 100 MB, want less than 1 MiB", used)
	}
}

func FuzzEach(f *testing.F) {
	f.Add("t.csv", "code,attraction\nA-1,castle\n")
	f.Add("t.jsonl", `{"code":"A-1","attraction":["castle"]}`)
	f.Add("t.csv", "code,attraction\n\"a\"\"b\",=1+1\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		lines, _ := roll.Each(name, strings.NewReader(text), roll.Options{})
		last := 0
		for l := range lines {
			if l.Number <= last || l.Err == nil && (l.Code == "" || len(l.Ticket.Buys) == 0) {
				t.Errorf("line %d behind %d: %+v", l.Number, last, l)
			}
			last = l.Number
		}
	})
}
