package roll

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// columns are the names that a list may use.
var columns = []string{"code", "attraction", "packages", "seats", "valid_from", "valid_until", "note",
	"day", "slot_from", "slot_until", "days", "hours", "factor", "factor_hash", "change"}

const (
	maxProblems = 20
	maxLine     = 64 << 10 // bytes
)

// An Error lists the lines of a file that cannot be used.
type Error struct {
	Problems []string
	More     int // further ones that are not listed
}

func (e *Error) Error() string {
	text := strings.Join(e.Problems, "\n")
	if e.More > 0 {
		text += fmt.Sprintf("\nand %d more", e.More)
	}
	return text
}

type parser struct {
	name     string
	roll     *Roll
	opts     Options
	head     head
	gone     map[digest]bool // removed by a delta; nil means that this is a full list
	problems []string
	more     int
}

func newParser(name string, opts Options) (*parser, error) {
	for what, key := range map[string][]byte{"secret": opts.Secret, "factor key": opts.FactorKey} {
		if n := len(key); n > 0 && n < minSecret {
			return nil, fmt.Errorf("the %s of a ticket list has %d bytes, want at least %d", what, n, minSecret)
		}
	}
	roll := &Roll{entries: map[digest]entry{}, secret: slices.Clone(opts.Secret), factors: slices.Clone(opts.FactorKey)}
	return &parser{name: filepath.Base(name), roll: roll, opts: opts}, nil
}

// read reads a whole list, a delta if there is a place for what it removes.
func (p *parser) read(text []byte) error {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // spreadsheets write it
	h, text, err := cutHead(p.name, text)
	switch {
	case err != nil:
		p.problem(1, err)
		return &Error{Problems: p.problems}
	case h.delta != (p.gone != nil):
		p.problem(1, errKind(h.delta))
		return &Error{Problems: p.problems}
	}
	p.head = h
	if isJSON(p.name) {
		p.readJSON(text)
	} else {
		p.readCSV(text)
	}
	if rows := len(p.roll.entries) + len(p.gone); len(p.problems) == 0 {
		if err := h.complete(rows); err != nil {
			p.problem(1, err)
		}
	}
	if len(p.problems) > 0 {
		return &Error{Problems: p.problems, More: p.more}
	}
	return nil
}

func errKind(delta bool) error {
	if delta {
		return errors.New("a delta, want a full list")
	}
	return errors.New("no delta, want a first line like #delta,41,42")
}

func (p *parser) problem(line int, err error) {
	if len(p.problems) >= maxProblems {
		p.more++
		return
	}
	p.problems = append(p.problems, fmt.Sprintf("%s:%d: %v", p.name, line, err))
}

// add checks a row and puts it on the roll.
func (p *parser) add(line int, r row, err error) {
	if err == nil {
		err = p.check(r)
	}
	if err != nil {
		p.problem(line, err)
		return
	}
	normal, err := ticket.Normalise(gate.Secret(r.Code))
	if err != nil {
		p.problem(line, fmt.Errorf("code: %w", err))
		return
	}
	key := p.roll.digest(normal)
	if _, twice := p.roll.entries[key]; twice || p.gone[key] {
		p.problem(line, errors.New("code: stands on the list already"))
		return
	}
	if r.Change == "remove" {
		p.gone[key] = true
		return
	}
	if p.roll.entries[key], err = p.entry(r); err != nil {
		p.problem(line, err)
	}
}

// check returns an error for a row that cannot be on this list.
func (p *parser) check(r row) error {
	if err := p.checkChange(r); err != nil {
		return err
	}
	if r.Change == "remove" && r.Code != "" {
		return nil // the code says it all
	}
	return r.check()
}

// entry returns what the list keeps of a row.
func (p *parser) entry(r row) (entry, error) {
	t, err := p.ticket(r)
	if err != nil {
		return entry{}, err
	}
	f, err := parseFactor(r.Factor, r.FactorHash, p.opts.FactorKey)
	return entry{ticket: t, factor: f}, err
}
