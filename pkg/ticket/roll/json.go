package roll

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

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
	case "seats", "days", "hours":
		return "a whole number"
	}
	return "a text"
}
