package roll

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

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
			r.Seats, e = parseNumber(value)
		case "valid_from":
			r.ValidFrom, e = parseTime(value)
		case "valid_until":
			r.ValidUntil, e = parseTime(value)
		case "day":
			r.Day = value
		case "slot_from":
			r.SlotFrom, e = parseTime(value)
		case "slot_until":
			r.SlotUntil, e = parseTime(value)
		case "days":
			r.Days, e = parseNumber(value)
		case "hours":
			r.Hours, e = parseNumber(value)
		case "factor":
			r.Factor = value
		case "factor_hash":
			r.FactorHash = value
		case "change":
			r.Change = value
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

func parseNumber(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a whole number", value)
	}
	return n, nil
}

func parseTime(value string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return t, fmt.Errorf("%.40q is not an RFC 3339 time like 2026-07-01T18:00:00+02:00", value)
	}
	return t, nil
}
