package cloudfront

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A statement is what a policy text says.
type statement struct {
	resource string // empty if the policy has none
	end      int64  // Unix seconds
	start    int64  // 0 means none
	hasStart bool
	canned   bool         // rebuilt from the request, so that it fits it
	network  netip.Prefix // zero means any
	pattern  pattern
}

// errPolicy is returned for a policy text that CloudFront would not accept, or
// that two readers could read differently.
var errPolicy = errors.New("policy")

// readPolicy reads the text of a custom policy: strictly, or as a lenient
// reader might. Strictly means one JSON object with
// exact names, each once, and nothing around it but white space.
func readPolicy(text []byte, loose bool) (*statement, error) {
	if loose {
		return readLoosely(text)
	}
	return readStrictly(text)
}

func readStrictly(text []byte) (*statement, error) {
	switch {
	case !utf8.Valid(text):
		return nil, fmt.Errorf("%w: not UTF-8", errPolicy)
	case !json.Valid(text):
		return nil, fmt.Errorf("%w: not one JSON value", errPolicy)
	}
	r := &policyReader{dec: json.NewDecoder(bytes.NewReader(text))}
	r.dec.UseNumber()
	s := &statement{}
	if err := r.document(s); err != nil {
		return nil, fmt.Errorf("%w: %w", errPolicy, err)
	}
	s.pattern = compile(cmp.Or(s.resource, "*"))
	return s, nil
}

// A policyReader walks the tokens of a policy.
type policyReader struct{ dec *json.Decoder }

func (r *policyReader) document(s *statement) error {
	return r.object([]string{"Statement"}, 1, func(string) error {
		if err := r.delim('['); err != nil {
			return fmt.Errorf("member Statement: %w, want an array with one statement", err)
		}
		if err := r.statement(s); err != nil {
			return err
		}
		if err := r.delim(']'); err != nil {
			return errors.New("more than one statement")
		}
		return nil
	})
}

func (r *policyReader) statement(s *statement) error {
	return r.object([]string{"Condition", "Resource"}, 1, func(name string) error {
		if name == "Condition" {
			return r.condition(s)
		}
		resource, err := r.text()
		if err == nil && resource == "" {
			err = errors.New("is empty")
		}
		if err != nil {
			return fmt.Errorf("member Resource: %w", err)
		}
		s.resource = resource
		return nil
	})
}

func (r *policyReader) condition(s *statement) error {
	return r.object([]string{"DateLessThan", "DateGreaterThan", "IpAddress"}, 1, func(name string) error {
		var err error
		switch name {
		case "DateLessThan":
			s.end, err = r.epoch()
		case "DateGreaterThan":
			s.hasStart = true
			s.start, err = r.epoch()
		case "IpAddress":
			s.network, err = r.network()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

func (r *policyReader) epoch() (seconds int64, err error) {
	err = r.object([]string{"AWS:EpochTime"}, 1, func(string) error {
		token, err := r.dec.Token()
		if err != nil {
			return err
		}
		number, ok := token.(json.Number)
		if !ok {
			return fmt.Errorf("AWS:EpochTime is a %T, want a bare number", token)
		}
		seconds, err = strconv.ParseInt(number.String(), 10, 64)
		if err != nil || number[0] == '-' || seconds > 1<<53 {
			return errors.New("AWS:EpochTime is not a whole number of seconds")
		}
		return nil
	})
	return seconds, err
}

func (r *policyReader) network() (network netip.Prefix, err error) {
	err = r.object([]string{"AWS:SourceIp"}, 1, func(string) error {
		text, err := r.text()
		if err != nil {
			return err
		}
		network, err = netip.ParsePrefix(text)
		if err != nil || !network.Addr().Is4() {
			return errors.New("AWS:SourceIp is not an IPv4 range like 192.0.2.0/24")
		}
		return nil
	})
	return network.Masked(), err
}

// object reads an object whose members are all in names, each at most once, and
// hands every member to read. The first need of the names must be there.
func (r *policyReader) object(names []string, need int, read func(name string) error) error {
	if err := r.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for r.dec.More() {
		name, err := r.text()
		if err != nil {
			return err
		}
		if !slices.Contains(names, name) {
			return fmt.Errorf("unknown member %.40q, want %s", name, strings.Join(names, ", "))
		}
		if seen[name] {
			return fmt.Errorf("member %q comes twice", name)
		}
		seen[name] = true
		if err := read(name); err != nil {
			return err
		}
	}
	if err := r.delim('}'); err != nil {
		return err
	}
	for _, name := range names[:need] {
		if !seen[name] {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}

func (r *policyReader) delim(want json.Delim) error {
	token, err := r.dec.Token()
	if err != nil {
		return errors.New("not complete JSON")
	}
	if token != want {
		return fmt.Errorf("found %.40v, want %v", token, want)
	}
	return nil
}

func (r *policyReader) text() (string, error) {
	token, err := r.dec.Token()
	if err != nil {
		return "", errors.New("not complete JSON")
	}
	text, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("found %.40v, want a string", token)
	}
	return text, nil
}
