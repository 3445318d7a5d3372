package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/handstamp/handstamp/pkg/gate"
)

var (
	bareNumber  = regexp.MustCompile(`^[-+]?[0-9]*\.?[0-9]+$`)
	wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
)

// parseText turns what stands in the file, a variable or a flag into a value
// of type t. Its errors say what was found and wanted, never a secret.
func parseText(t reflect.Type, s string) (any, error) {
	if bad := unprintable(s); bad != "" {
		return nil, errors.New(bad)
	}
	switch kindOf(t) {
	case span:
		return parseSpan(s)
	case toggle:
		return parseSwitch(s)
	case size:
		return parseSize(s)
	case secret:
		return ParseSecret(s)
	case number:
		return parseNumber(s)
	case texts:
		return parseList(s)
	case day:
		return parseDay(s)
	case clock:
		return gate.ParseClock(s)
	}
	return s, nil
}

// unprintable says which character of s no value may have.
func unprintable(s string) string {
	if !utf8.ValidString(s) {
		return "not UTF-8"
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fmt.Sprintf("the control character %U, want one line of plain text", r)
		}
	}
	return ""
}

func parseSpan(s string) (time.Duration, error) {
	if bareNumber.MatchString(s) {
		return 0, fmt.Errorf("%q has no unit, want a duration with its unit, like 15m", s)
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%s is not a duration, want one with its unit, like 90s, 15m or 24h", quote(s))
	}
	return d, nil
}

func parseSwitch(s string) (Switch, error) {
	switch strings.ToLower(s) {
	case "on", "true":
		return true, nil
	case "off", "false":
		return false, nil
	}
	return false, fmt.Errorf("found %s, want on or off", quote(s))
}

func parseNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || !wholeNumber.MatchString(s) {
		return 0, fmt.Errorf("found %s, want a whole number in plain digits", quote(s))
	}
	return n, nil
}

// parseDay reads a date; an empty s is none.
func parseDay(s string) (gate.Date, error) {
	if s == "" {
		return gate.Date{}, nil
	}
	return gate.ParseDate(s)
}

// parseList splits s at commas; an empty s is an empty list.
func parseList(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	items := strings.Split(s, ",")
	for i := range items {
		if items[i] = strings.TrimSpace(items[i]); items[i] == "" {
			return nil, fmt.Errorf("found %s, want texts separated by commas", quote(s))
		}
	}
	return items, nil
}

// quote quotes what came from outside, cut to a length that fits a line.
func quote(s string) string {
	const longest = 80
	if len(s) > longest {
		return strconv.Quote(strings.ToValidUTF8(s[:longest], "")) + "..."
	}
	return strconv.Quote(s)
}

// short writes d as people do: 15m, not 15m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
