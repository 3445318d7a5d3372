package app

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/handstamp/handstamp/pkg/config"
)

// The longest that one value in the log may be, in bytes. What comes from outside
// is cut off there, so that an event stays a line that can be read.
const (
	maxLogged = 2 << 10
	maxStack  = 16 << 10
)

// NewLog returns the log that the configuration asks for, at a level that can be
// changed. One event is one line, whatever is in it.
func NewLog(c config.Log, level slog.Leveler, w io.Writer) *slog.Logger {
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, LogOptions(level)))
	}
	return slog.New(slog.NewTextHandler(w, LogOptions(level)))
}

// LogOptions returns options under which slog's handlers write one line an event:
// values are cut off where they get long, and what would move the cursor, change
// colours or turn the direction of text around is written as \u202e.
func LogOptions(level slog.Leveler) *slog.HandlerOptions {
	return &slog.HandlerOptions{Level: level, ReplaceAttr: tame}
}

// tame makes a value fit for a line.
func tame(_ []string, a slog.Attr) slog.Attr {
	switch most := maxLogged; a.Value.Kind() {
	case slog.KindString:
		if a.Key == "stack" {
			most = maxStack
		}
		a.Value = slog.StringValue(oneLine(a.Value.String(), most))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case nil, slog.Level:
		case error:
			a.Value = slog.StringValue(oneLine(v.Error(), most))
		default:
			a.Value = slog.StringValue(oneLine(fmt.Sprint(v), most))
		}
	}
	return a
}

// oneLine cuts a text off behind most bytes and spells out what cannot be
// printed, but for what both handlers of slog escape by themselves.
func oneLine(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "... " + strconv.Itoa(len(s)-most) + " bytes more"
	}
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hidden reports whether a rune cannot be seen, or is not one. Line feeds and
// their like are left to the handlers.
func hidden(r rune) bool { return r >= 0x7f && (r == utf8.RuneError || !unicode.IsPrint(r)) }
