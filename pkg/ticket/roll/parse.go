package roll

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket"
)

// columns are the names that a list may use.
var columns = []string{"code", "attraction", "packages", "seats", "valid_from", "valid_until", "note"}

const (
	maxProblems = 20
	maxSeats    = 1000
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
	problems []string
	more     int
}

// A row is one ticket of a list, whatever its format.
type row struct {
	Code        string    `json:"code"`
	Attractions []string  `json:"attraction"`
	Packages    []string  `json:"packages"`
	Seats       int       `json:"seats"`
	ValidFrom   time.Time `json:"valid_from"`
	ValidUntil  time.Time `json:"valid_until"`
	Note        string    `json:"note"`
}

func (p *parser) problem(line int, err error) {
	if len(p.problems) >= maxProblems {
		p.more++
		return
	}
	p.problems = append(p.problems, fmt.Sprintf("%s:%d: %v", p.name, line, err))
}

func (p *parser) readCSV(text []byte) {
	reader := csv.NewReader(bytes.NewReader(text))
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if err != nil {
		p.problem(1, fmt.Errorf("want a header like %s", strings.Join(columns, ",")))
		return
	}
	if err := checkHeader(header); err != nil {
		p.problem(1, err)
		return
	}
	for {
		record, err := reader.Read()
		if err == io.EOF {
			return
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			p.problem(syntax.Line, syntax.Err)
			if errors.Is(err, csv.ErrFieldCount) {
				continue
			}
			return // after a broken quote nothing can be trusted
		}
		line, _ := reader.FieldPos(0)
		r, err := csvRow(header, record)
		p.add(line, r, err)
	}
}

func checkHeader(header []string) error {
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
	}
	if !slices.Contains(header, "code") { // not to be quoted, it may be a line of codes
		return fmt.Errorf("no column \"code\", want a header like %s", strings.Join(columns, ","))
	}
	for i, name := range header {
		if !slices.Contains(columns, name) {
			return fmt.Errorf("unknown column %q, want %s", name, strings.Join(columns, ", "))
		}
		if slices.Contains(header[:i], name) {
			return fmt.Errorf("column %q comes twice", name)
		}
	}
	if !slices.Contains(header, "attraction") {
		return errors.New(`column "attraction" is missing`)
	}
	return nil
}

func csvRow(header, record []string) (r row, err error) {
	for i, name := range header {
		value := strings.TrimSpace(record[i])
		if value == "" {
			continue
		}
		var e error
		switch name {
		case "code":
			r.Code = value
		case "attraction":
			r.Attractions = list(value)
		case "packages":
			if r.Packages = list(value); len(r.Packages) == 0 {
				e = errors.New("only separators, want package ids or nothing")
			}
		case "seats":
			if r.Seats, e = strconv.Atoi(value); e != nil {
				e = fmt.Errorf("%.40q is not a whole number", value)
			}
		case "valid_from":
			r.ValidFrom, e = parseTime(value)
		case "valid_until":
			r.ValidUntil, e = parseTime(value)
		}
		if e != nil {
			return r, fmt.Errorf("%s: %w", name, e)
		}
	}
	return r, err
}

func list(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ';' || r == ' ' || r == '|' })
}

func parseTime(value string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return t, fmt.Errorf("%.40q is not an RFC 3339 time like 2026-07-01T18:00:00+02:00", value)
	}
	return t, nil
}

func (p *parser) readJSON(text []byte) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		r, err := jsonRow(line)
		p.add(number, r, err)
	}
}

func jsonRow(line []byte) (r row, err error) {
	if len(line) > maxLine {
		return r, fmt.Errorf("%d bytes, at most %d", len(line), maxLine)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return r, jsonProblem(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return r, errors.New("something follows the ticket, want one a line")
	}
	return r, nil
}

// jsonProblem says what is wrong without quoting a value, which may be a code.
func jsonProblem(err error) error {
	var kind *json.UnmarshalTypeError
	switch text := err.Error(); {
	case errors.As(err, &kind) && kind.Field != "":
		found, _, _ := strings.Cut(kind.Value, " ") // "number 3.5"
		return fmt.Errorf("%s: found a JSON %s, want %s", kind.Field, found, wanted(kind.Field))
	case strings.HasPrefix(text, "json: unknown field"):
		return fmt.Errorf("a member is none of %s", strings.Join(columns, ", "))
	case strings.HasPrefix(text, "parsing time"), strings.HasPrefix(text, "Time.UnmarshalJSON"):
		return errors.New("a time is not RFC 3339, like 2026-07-01T18:00:00+02:00")
	}
	return errors.New("not a JSON object")
}

func wanted(member string) string {
	switch member {
	case "attraction", "packages":
		return "a list of texts"
	case "seats":
		return "a whole number"
	}
	return "a text"
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
	key := sha256.Sum256([]byte(normal.Reveal()))
	if _, twice := p.roll.entries[key]; twice {
		p.problem(line, errors.New("code: stands on the list already"))
		return
	}
	buys, err := p.products(r)
	if err != nil {
		p.problem(line, err)
		return
	}
	p.roll.entries[key] = gate.Ticket{Buys: buys, Seats: r.Seats, ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil}
}

func (p *parser) check(r row) error {
	switch {
	case r.Code == "":
		return errors.New("code: missing")
	case len(r.Attractions) == 0:
		return errors.New("attraction: missing")
	case r.Seats < 0 || r.Seats > maxSeats:
		return fmt.Errorf("seats: %d, want 1 to %d", r.Seats, maxSeats)
	case !r.ValidUntil.IsZero() && !r.ValidFrom.Before(r.ValidUntil):
		return fmt.Errorf("valid_until: %s is not after valid_from", r.ValidUntil.Format(time.RFC3339))
	}
	return nil
}

// products lists what a row buys. A package that fits none of the row's
// attractions is an error, and so is one without a name: left out, it would be
// taken for all of them.
func (p *parser) products(r row) ([]gate.Product, error) {
	if err := checkPackages(r); err != nil {
		return nil, err
	}
	var products []gate.Product
	for _, attraction := range r.Attractions {
		before := len(products)
		for _, name := range r.Packages {
			if where, pkg := packageOf(name); where == "" || where == attraction {
				products = append(products, gate.Product{Attraction: attraction, Package: pkg})
			}
		}
		if len(products) > before {
			continue
		}
		if len(r.Packages) > 0 {
			return nil, fmt.Errorf("packages: none is for %q", attraction)
		}
		products = append(products, gate.Product{Attraction: attraction})
	}
	return products, p.configured(products)
}

func checkPackages(r row) error {
	for _, name := range r.Packages {
		switch where, pkg := packageOf(name); {
		case pkg == "":
			return fmt.Errorf("packages: %.40q names no package", name)
		case where != "" && !slices.Contains(r.Attractions, where):
			return fmt.Errorf("packages: %.40q is not for an attraction of this ticket", name)
		}
	}
	return nil
}

// packageOf cuts "castle/audio"; of "audio" the attraction is empty.
func packageOf(name string) (attraction, pkg string) {
	attraction, pkg, ok := strings.Cut(name, "/")
	if !ok {
		return "", name
	}
	return attraction, pkg
}

func (p *parser) configured(products []gate.Product) error {
	if p.opts.Check == nil {
		return nil
	}
	for _, product := range products {
		if err := p.opts.Check(product); err != nil {
			return err
		}
	}
	return nil
}
