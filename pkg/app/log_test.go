package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/telemetry/prom"
)

// longestLine is more than any line of these events can have: six bytes for each
// that is kept.
const longestLine = 160 << 10

// checkLine fails the test unless text is one line in which nothing is hidden.
func checkLine(t *testing.T, format, text string) {
	t.Helper()
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") || len(text) > longestLine {
		t.Errorf("%s: %d lines of %d bytes, want one of at most %d: %.300q", format, strings.Count(text, "\n"), len(text), longestLine, text)
	}
	for _, r := range strings.TrimSuffix(text, "\n") {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			t.Errorf("%s: %U in %.300q", format, r, text)
			return
		}
	}
	if format == "json" && !json.Valid([]byte(text)) {
		t.Errorf("json: no JSON: %.300q", text)
	}
}

// FuzzLog puts anything into every place of an event.
func FuzzLog(f *testing.F) {
	for _, s := range []string{"plain", "a\r\nlevel=ERROR msg=forged", "\x1b[2J\x1b[31mred", "\u202egnp.exe\u2066", "\u009b31m", "a\u2028b\u0085c\x00\x7f",
		"\xff\xfe\xf0\x28", strings.Repeat("a", 1<<20), strings.Repeat("\u202e", 1<<14), `"quoted" \ = {}`, "\ufeff\u200b\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []string{"text", "json"} {
			var out bytes.Buffer
			log := app.NewLog(config.Log{Format: format}, slog.LevelDebug, &out)
			log.Error("event", "text", s, "err", errors.New(s), "list", []string{s}, "stack", s, slog.Group("group", "text", s))
			checkLine(t, format, out.String())
			out.Reset()
			slog.NewLogLogger(log.Handler(), slog.LevelDebug).Print(s) // as net/http logs
			checkLine(t, format, out.String())
		}
	})
}

// What fits is written as it is.
func TestLogKeepsWhatIsPlain(t *testing.T) {
	var out bytes.Buffer
	app.NewLog(config.Log{Format: "json"}, slog.LevelInfo, &out).Info("listening", "address", "127.0.0.1:1", "n", 5, "for", time.Second, "err", nil, "name", "Schloß Könïgstein 城")
	for _, want := range []string{`"msg":"listening"`, `"level":"INFO"`, `"address":"127.0.0.1:1"`, `"n":5`, `"err":null`, `"name":"Schloß Könïgstein 城"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s has no %s", out.String(), want)
		}
	}
}

// Those who log go on while nobody reads; what has no room is counted, and that
// is said when somebody reads again.
func TestSink(t *testing.T) {
	r, w := io.Pipe()
	told := make(chan int64, 1)
	s := app.NewSink(w, 100, func(n int64) { told <- n })
	line := []byte(strings.Repeat("x", 9) + "\n")
	for range 25 {
		if n, err := s.Write(line); n != len(line) || err != nil {
			t.Fatalf("Write = %d, %v, want %d", n, err, len(line))
		}
	}
	if got := s.Dropped(); got != 15 {
		t.Errorf("%d lines dropped, want 15", got)
	}
	metrics := prom.New("test", nil)
	metrics.Attach(s, s.Read)
	shown, _ := scrape(t, metrics)
	shown.want(t, "while nobody reads", numbers{"handstamp_log_lines_dropped_total": 15})
	read := make(chan int)
	go func() {
		all, _ := io.ReadAll(r)
		read <- len(all)
	}()
	if got := <-told; got != 15 {
		t.Errorf("told of %d lost lines, want 15", got)
	}
	_, _ = s.Write(line)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_ = w.Close()
	if got := <-read; got != 11*len(line) {
		t.Errorf("%d bytes were written, want %d", got, 11*len(line))
	}
	if _, err := s.Write(line); err != nil || s.Dropped() != 16 {
		t.Errorf("Write after Close = %v with %d dropped, want 16", err, s.Dropped())
	}
}

// Close does not wait for a reader that has gone to sleep.
func TestSinkCloses(t *testing.T) {
	r, w := io.Pipe()
	s := app.NewSink(w, 0, nil)
	_, _ = s.Write([]byte("nobody reads this\n"))
	began := time.Now()
	_ = s.Close()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %v, want about a second", took)
	}
	_ = r.Close() // ends the write
}
