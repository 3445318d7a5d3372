package roll_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

var (
	_ gate.Verifier  = (*roll.Roll)(nil)
	_ gate.Rechecker = (*roll.Roll)(nil)
	_ gate.Verifier  = (*roll.File)(nil)
	_ gate.Rechecker = (*roll.File)(nil)
)

var secret = []byte("CANARYCANARYCANARY")

// A sheet is a list on disk; every change has a later time than the one before.
type sheet struct {
	file string
	at   time.Time
}

func newSheet(t *testing.T, codes ...string) *sheet {
	t.Helper()
	s := &sheet{file: filepath.Join(t.TempDir(), "tickets.csv"), at: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	s.list(t, codes...)
	return s
}

// list writes the list anew, in its place.
func (s *sheet) list(t *testing.T, codes ...string) {
	t.Helper()
	s.write(t, "code,attraction\n"+strings.Join(codes, ",castle\n")+",castle\n")
}

func (s *sheet) write(t *testing.T, text string) {
	t.Helper()
	s.at = s.at.Add(time.Minute)
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(s.file, s.at, s.at); err != nil {
		t.Fatal(err)
	}
}

// A journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// lines returns what was logged since the last call.
func (j *journal) lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := strings.Split(strings.TrimSuffix(j.text.String(), "\n"), "\n")
	j.text.Reset()
	if lines[0] == "" {
		return nil
	}
	return lines
}

func open(t *testing.T, file string, opts roll.Options) *roll.File {
	t.Helper()
	f, err := roll.Open(file, opts)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	return f
}

func closed(t *testing.T, f *roll.File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

func TestFileVerifier(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		f := open(t, newSheet(t, "WEAK-4711", "B2").file, roll.Options{Secret: secret})
		t.Cleanup(func() { closed(t, f) })
		return tickettest.Fixture{
			Verifier: f,
			Good:     []tickettest.Good{{Spellings: []gate.Credential{credential("weak 4711")}, Buys: []gate.Product{{Attraction: "castle"}}}},
			Unknown:  []gate.Credential{credential("CANARY4711")},
		}
	})
}

func TestFileRechecker(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		s := newSheet(t, "WEAK-4711", "WEAK-4712")
		f := open(t, s.file, roll.Options{Secret: secret, Terms: gate.Validity{Days: 2}})
		t.Cleanup(func() { closed(t, f) })
		return tickettest.RecheckFixture{
			Verifier: f,
			Good:     []gate.Credential{credential("weak4711"), credential("weak4712")},
			Unknown:  []string{"", "WEAK4711", strings.Repeat("0", 64), strings.Repeat("0", 62), "zz"},
			Refund: func(t *testing.T, _ gate.Credential) gate.Reason {
				s.list(t, "WEAK-4712")
				if err := f.Reload(); err != nil {
					t.Fatalf("Reload = %v", err)
				}
				return gate.ReasonUnknown
			},
		}
	})
}

func TestRefs(t *testing.T) {
	ref := func(opts roll.Options) string {
		r, err := roll.Parse("t.csv", []byte("code,attraction\nA-1,castle\n"), opts)
		if err != nil {
			t.Fatal(err)
		}
		ticket, err := r.Verify(t.Context(), credential("a1"))
		if err != nil {
			t.Fatal(err)
		}
		return ticket.Ref
	}
	first, again, other, none := ref(roll.Options{Secret: secret}), ref(roll.Options{Secret: secret}), ref(roll.Options{Secret: bytes.ToLower(secret)}), ref(roll.Options{})
	if len(first) != 64 || first != again || first == other || none != "" {
		t.Errorf("refs are %q, %q, with another secret %q, without %q; want two equal, one other and none", first, again, other, none)
	}
	// Without a secret nothing was given out, so nothing is known.
	r := parse(t, "t.csv", "code,attraction\nA-1,castle\n")
	_, err := r.Recheck(t.Context(), "", first)
	var denial *gate.Denial
	if !errors.As(err, &denial) || denial.Reason != gate.ReasonUnknown {
		t.Errorf("Recheck without a secret = %v, want unknown", err)
	}
	if _, err := roll.Parse("t.csv", nil, roll.Options{Secret: secret[:15]}); err == nil || err.Error() != "the secret of a ticket list has 15 bytes, want at least 16" {
		t.Errorf("Parse with a short secret = %v, want an error", err)
	}
}

func TestFileDoesNotPrintTheSecret(t *testing.T) {
	f := open(t, newSheet(t, "CANARY4711").file, roll.Options{Secret: secret, Poll: -1})
	defer closed(t, f)
	if said := fmt.Sprintf("%v %+v %s", f, f, f); strings.Contains(said, "CANARY") || strings.Contains(said, "67 65 78") {
		t.Errorf("a print of the list is %s", said)
	}
}

// A refund by taking the ticket off the list bites after at most two looks.
func TestFileSeesAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &journal{}
		s := newSheet(t, "A1", "B2")
		f := open(t, s.file, roll.Options{Secret: secret, Log: slog.New(slog.NewTextHandler(log, nil))})
		defer closed(t, f)
		ticket, err := f.Verify(t.Context(), credential("A1"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if lines := log.lines(); lines != nil {
			t.Errorf("without a change the log says %q", lines)
		}
		s.list(t, "B2", "C3")
		time.Sleep(2*roll.DefaultPoll + time.Second)
		synctest.Wait()
		var denial *gate.Denial
		if _, err := f.Recheck(t.Context(), "", ticket.Ref); !errors.As(err, &denial) || denial.Reason != gate.ReasonUnknown {
			t.Errorf("Recheck of a ticket off the list = %v, want unknown", err)
		}
		if _, err := f.Verify(t.Context(), credential("C3")); err != nil {
			t.Errorf("Verify of a ticket that came onto the list = %v", err)
		}
		if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], `level=INFO msg="ticket list read again"`) || !strings.HasSuffix(lines[0], "tickets=2 before=2") {
			t.Errorf("the log says %q, want one line", lines)
		}
	})
}

// A file of the same size and time is another one if it was renamed into place.
func TestFileSeesARename(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSheet(t, "A1")
		f := open(t, s.file, roll.Options{})
		defer closed(t, f)
		beside := &sheet{file: s.file + ".new", at: s.at.Add(-time.Minute)}
		beside.list(t, "B2")
		if err := os.Rename(beside.file, s.file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*roll.DefaultPoll + time.Second)
		synctest.Wait()
		if _, err := f.Verify(t.Context(), credential("B2")); err != nil {
			t.Errorf("Verify = %v, want the list that was renamed into place", err)
		}
	})
}

func TestFileKeepsTheListBefore(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, s *sheet)
		want  string // in the log
	}{
		{"a bad line", func(t *testing.T, s *sheet) { s.write(t, "code,attraction\nCANARY4711,castle\nB2,\n") }, "tickets.csv:3: attraction: missing"},
		{"an empty file", func(t *testing.T, s *sheet) { s.write(t, "") }, "want a header"},
		{"no file", func(t *testing.T, s *sheet) { _ = os.Remove(s.file) }, "no such file"},
		{"a folder", func(t *testing.T, s *sheet) { _ = os.Remove(s.file); _ = os.Mkdir(s.file, 0o700) }, "is a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &journal{}
				s := newSheet(t, "A1")
				f := open(t, s.file, roll.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
				defer closed(t, f)
				tt.spoil(t, s)
				time.Sleep(time.Hour)
				synctest.Wait()
				if _, err := f.Verify(t.Context(), credential("A1")); err != nil || f.Len() != 1 {
					t.Errorf("Verify = %v, of %d tickets, want the list before", err, f.Len())
				}
				lines := log.lines()
				if len(lines) != 1 || !strings.Contains(lines[0], `level=ERROR msg="ticket list refused, the one before serves"`) ||
					!strings.Contains(lines[0], tt.want) || strings.Contains(lines[0], "CANARY") {
					t.Errorf("the log says %q, want one line with %q", lines, tt.want)
				}
				_ = os.Remove(s.file)
				s.list(t, "A1", "C3")
				time.Sleep(2*roll.DefaultPoll + time.Second)
				synctest.Wait()
				if _, err := f.Verify(t.Context(), credential("C3")); err != nil {
					t.Errorf("Verify after the list was mended = %v", err)
				}
			})
		})
	}
}

// A list that is written piece by piece is not read until it stands still: half
// of it would turn good tickets away, and end the visits that they opened.
func TestFileWaitsForTheWholeList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSheet(t, "A1", "B2", "C3", "D4", "E5")
		f := open(t, s.file, roll.Options{Poll: time.Second})
		defer closed(t, f)
		time.Sleep(time.Second / 2) // between two looks
		all := []string{"A1", "B2", "C3", "D4", "E5", "F6"}
		for n := 1; n <= len(all); n++ {
			s.list(t, all[:n]...)
			time.Sleep(time.Second)
			synctest.Wait()
			if f.Len() != 5 {
				t.Errorf("after %d lines the list has %d tickets, want the 5 of before", n, f.Len())
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if f.Len() != len(all) {
			t.Errorf("the whole list has %d tickets, want %d", f.Len(), len(all))
		}
	})
}

func TestFileReload(t *testing.T) {
	s := newSheet(t, "A1")
	f := open(t, s.file, roll.Options{Poll: -1})
	defer closed(t, f)
	s.list(t, "A1", "B2")
	if err := f.Reload(); err != nil || f.Len() != 2 {
		t.Errorf("Reload = %v with %d tickets, want 2", err, f.Len())
	}
	s.write(t, "A1,castle\n")
	var problems *roll.Error
	if err := f.Reload(); !errors.As(err, &problems) || f.Len() != 2 {
		t.Errorf("Reload of a bad list = %v with %d tickets, want a *roll.Error and the list before", err, f.Len())
	}
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(); !errors.Is(err, os.ErrNotExist) || f.Len() != 2 {
		t.Errorf("Reload of nothing = %v with %d tickets, want os.ErrNotExist and the list before", err, f.Len())
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newSheet(t, "A1")
	s.write(t, "A1,castle\n")
	var problems *roll.Error
	if f, err := roll.Open(s.file, roll.Options{}); f != nil || !errors.As(err, &problems) {
		t.Errorf("Open of a bad list = %v, %v, want a *roll.Error", f, err)
	}
	if f, err := roll.Open(s.file+".none", roll.Options{}); f != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of nothing = %v, %v, want os.ErrNotExist", f, err)
	}
}

// For the race detector: a list is read again while visitors are served.
func TestFileServesWhileItChanges(t *testing.T) {
	s := newSheet(t, "A1")
	f := open(t, s.file, roll.Options{Secret: secret, Poll: time.Millisecond})
	defer closed(t, f)
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			for range 200 {
				ticket, err := f.Verify(t.Context(), credential("A1"))
				if err != nil {
					t.Errorf("Verify = %v", err)
					return
				}
				if _, err := f.Recheck(t.Context(), "", ticket.Ref); err != nil {
					t.Errorf("Recheck = %v", err)
				}
			}
		})
	}
	for i := range 20 {
		s.list(t, "A1", fmt.Sprintf("B%d", i))
		if err := f.Reload(); err != nil {
			t.Errorf("Reload = %v", err)
		}
	}
	done.Wait()
}
