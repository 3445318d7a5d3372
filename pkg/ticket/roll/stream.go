package roll

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Line is one ticket of a list that is read as a stream.
type Line struct {
	Number int         // counted from 1
	Code   gate.Secret // as it stands there
	Note   string      // for people
	Ticket gate.Ticket // without source, kind and normal form
	Err    error       // the line cannot be used; it says nothing of the code
}

// Errors that end a stream.
var (
	ErrHeader   = errors.New("no header that can be used")
	ErrEncoding = errors.New("not UTF-8")
)

// Each reads a list of any length, a line at a time, in the memory of one line.
// name picks the format, as for Load. A line that cannot be used is returned
// with its Err and does not end the list; one of more than 64 KiB is passed over.
// A ticket may not go on over several lines, as CSV would let a quoted cell. A
// list that as a whole cannot be used ends at once with an error, as does one
// that cannot be read to its end.
func Each(name string, r io.Reader, opts Options) (lines iter.Seq[Line], failed func() error) {
	s := &stream{in: bufio.NewReaderSize(r, maxLine), parser: parser{name: name, opts: opts}, json: isJSON(name)}
	return s.each, func() error { return s.err }
}

type stream struct {
	in     *bufio.Reader
	parser parser
	json   bool
	header []string
	number int
	err    error
}

func (s *stream) each(yield func(Line) bool) {
	if s.err = s.begin(); s.err != nil {
		return
	}
	for {
		text, err := s.line()
		if err == io.EOF {
			return
		}
		if err != nil && !errors.Is(err, errLong) {
			s.err = err
			return
		}
		text = bytes.TrimSpace(text)
		if err == nil && len(text) == 0 {
			continue
		}
		if !yield(s.read(text, err)) {
			return
		}
	}
}

// begin skips a byte order mark and reads the header.
func (s *stream) begin() error {
	start, err := s.in.Peek(3)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = s.in.Discard(3)
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return fmt.Errorf("%w: it is UTF-16 (hint: save the list as UTF-8)", ErrEncoding)
	}
	if err := s.skipHead(); err != nil || s.json {
		return err
	}
	text, err := s.line()
	if err != nil {
		return fmt.Errorf("%w: want one like %s", ErrHeader, strings.Join(columns, ","))
	}
	if s.header, err = cells(bytes.TrimSpace(text)); err == nil {
		err = checkHeader(s.header)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHeader, err)
	}
	return nil
}

// skipHead passes over the line that says which list it is, and counts its rows
// no further: whoever reads a stream learns of every line by itself.
func (s *stream) skipHead() error {
	sign := []byte("#")
	if s.json {
		sign = []byte(`{"full"`)
	}
	if start, _ := s.in.Peek(len(sign)); !bytes.Equal(start, sign) {
		return nil
	}
	text, err := s.line()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHeader, errHead)
	}
	h, _, err := cutHead(s.parser.name, text)
	if err == nil && h.delta {
		err = errKind(true)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHeader, err)
	}
	return nil
}

var errLong = fmt.Errorf("more than %d bytes", maxLine)

// line returns the next line. Of one that is too long nothing is kept.
func (s *stream) line() ([]byte, error) {
	text, err := s.in.ReadSlice('\n')
	s.number++
	if err == nil || err == io.EOF && len(text) > 0 {
		return text, nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = s.in.ReadSlice('\n')
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	return nil, errLong
}

func (s *stream) read(text []byte, err error) Line {
	line := Line{Number: s.number, Err: err}
	if err == nil && !utf8.Valid(text) {
		line.Err = ErrEncoding
	}
	if line.Err != nil {
		return line
	}
	r, err := s.row(text)
	if err == nil {
		err = r.check()
	}
	if err == nil {
		line.Ticket, err = s.parser.record(r)
	}
	line.Code, line.Note, line.Err = gate.Secret(r.Code), r.Note, err
	return line
}

func (s *stream) row(text []byte) (row, error) {
	if s.json {
		return jsonRow(text)
	}
	record, err := cells(text)
	if err != nil {
		return row{}, err
	}
	if len(record) != len(s.header) {
		return row{}, fmt.Errorf("%d cells, the header has %d", len(record), len(s.header))
	}
	r, err := csvRow(s.header, record)
	if i := slices.Index(s.header, "note"); i >= 0 {
		r.Note = strings.TrimSpace(record[i])
	}
	return r, err
}

// isJSON reports whether a list of that name has JSON lines.
func isJSON(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".jsonl" || ext == ".ndjson"
}

// cells cuts one line of CSV.
func cells(text []byte) ([]string, error) {
	if bytes.IndexByte(text, '"') < 0 {
		return strings.Split(string(text), ","), nil
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.TrimLeadingSpace = true
	record, err := reader.Read()
	var syntax *csv.ParseError
	if errors.As(err, &syntax) {
		return nil, syntax.Err
	}
	return record, err
}

// record is ticket for a row that goes on record, where no factor is kept.
func (p *parser) record(r row) (gate.Ticket, error) {
	switch {
	case r.Factor != "" || r.FactorHash != "":
		return gate.Ticket{}, errors.New("factor: a ticket on record has none, its code would be enough (hint: use the list as a source of its own)")
	case r.Change != "":
		return gate.Ticket{}, errors.New("change: only a delta has changes")
	}
	return p.ticket(r)
}

// ticket returns what a row says, without its code.
func (p *parser) ticket(r row) (gate.Ticket, error) {
	buys, err := p.products(r)
	if err != nil {
		return gate.Ticket{}, err
	}
	terms, err := r.terms(p.opts.Terms)
	if err != nil {
		return gate.Ticket{}, err
	}
	return gate.Ticket{Buys: buys, Seats: r.Seats, ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil, Terms: terms}, nil
}
