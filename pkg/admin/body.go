package admin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxBody  = 16 << 10 // bytes of a request body
	maxDepth = 8        // nesting of a request body
)

// A form is a body that can say what is wrong with itself.
type form interface {
	// faults are about members that could be read; missing ones are zero.
	faults() []fault
}

// readForm reads the body into v, a pointer to a struct, and accepts one reading
// only: known members with their exact names, each once, in UTF-8, and nothing
// after. It names everything that is wrong at once, in shape (400) or in content
// (422).
func readForm(w http.ResponseWriter, r *http.Request, v form) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	shape, err := decode(body, v)
	if err != nil {
		return badRequest("The body must be one JSON object as /openapi.yaml describes it: " + err.Error() + ".")
	}
	content := slices.DeleteFunc(v.faults(), func(f fault) bool { // not those of members that were not read
		return slices.ContainsFunc(shape, func(s fault) bool { return s.Where == f.Where })
	})
	all := slices.Concat(shape, content)
	slices.SortStableFunc(all, compareFaults)
	switch {
	case len(shape) > 0:
		return badRequest("The body is not as /openapi.yaml describes it.", all...)
	case len(content) > 0:
		return invalid(all...)
	}
	return nil
}

func compareFaults(a, b fault) int {
	return cmp.Or(strings.Compare(a.Where, b.Where), strings.Compare(a.Detail, b.Detail))
}

// invalid refuses what can be read but not be done.
func invalid(faults ...fault) *requestError {
	return &requestError{status: http.StatusUnprocessableEntity, code: "invalid", detail: "Nothing was changed: the body asks for what cannot be.", faults: faults}
}

// readBody returns the body. None at all is an empty object.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &requestError{status: http.StatusRequestEntityTooLarge, code: "too_large", err: err,
			detail: fmt.Sprintf("The body may have %d bytes.", maxBody)}
	case err != nil:
		return nil, badRequest("The body broke off.")
	case len(body) == 0:
		return []byte("{}"), nil
	}
	return body, checkType(r)
}

func checkType(r *http.Request) error {
	unsupported := &requestError{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
		detail: "Send Content-Type: application/json, in UTF-8 and not compressed."}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return unsupported
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupported
	}
	return nil
}

// decode reads an object into v, a pointer to a struct, and returns what is
// wrong with its members. The error is for what is no object.
func decode(body []byte, v any) ([]fault, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("it is not UTF-8")
	}
	if err := check(body); err != nil {
		return nil, err
	}
	members := map[string]reflect.Value{}
	into := reflect.ValueOf(v).Elem()
	for i := range into.NumField() {
		if name := into.Type().Field(i).Tag.Get("json"); name != "" {
			members[name] = into.Field(i)
		}
	}
	return decodeMembers(body, members)
}

func decodeMembers(body []byte, members map[string]reflect.Value) (faults []fault, err error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is not an object")
	}
	for dec.More() {
		name, err := dec.Token()
		var raw json.RawMessage
		if err = errors.Join(err, dec.Decode(&raw)); err != nil {
			return nil, errors.New("it is not JSON")
		}
		member, ok := members[name.(string)]
		if !ok {
			faults = append(faults, fault{"", fmt.Sprintf("there is an unknown member; known are %q", slices.Sorted(maps.Keys(members)))})
			continue
		}
		if err := json.Unmarshal(raw, member.Addr().Interface()); err != nil {
			faults = append(faults, fault{name.(string), "want " + kindOf(member.Type())})
		}
	}
	return slices.Compact(faults), nil
}

// kindOf says what a member of type t is for people.
func kindOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "a time as in RFC 3339: \"2026-07-01T18:00:00+02:00\""
	case t.Kind() == reflect.Slice:
		return "a list of texts"
	case t.Kind() == reflect.Int:
		return "a whole number"
	}
	return "a text"
}

// check refuses what encoding/json would let pass: a member twice, null, a lone surrogate, something after the object, deep nesting.
func check(body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := checkValue(dec, 0); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	return nil
}

func checkValue(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	switch {
	case err != nil:
		return errors.New("it is not JSON")
	case depth > maxDepth:
		return errors.New("it is nested too deeply")
	}
	switch t := token.(type) {
	case json.Delim:
		return checkMembers(dec, depth, t == '{')
	case string:
		return checkText(t)
	case nil:
		return errors.New("it has a null, leave the member out")
	}
	return nil
}

func checkMembers(dec *json.Decoder, depth int, object bool) error {
	seen := map[string]bool{}
	for dec.More() {
		if object {
			token, err := dec.Token()
			name, ok := token.(string)
			switch {
			case err != nil || !ok:
				return errors.New("it is not JSON")
			case checkText(name) != nil:
				return checkText(name)
			case seen[name]:
				return errors.New("it has a member twice")
			}
			seen[name] = true
		}
		if err := checkValue(dec, depth+1); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return errors.New("it is not JSON")
	}
	return nil
}

// checkText refuses text in which a lone surrogate stood: encoding/json has put
// U+FFFD in its place.
func checkText(s string) error {
	if strings.ContainsRune(s, utf8.RuneError) {
		return errors.New("it has text that is not Unicode")
	}
	return nil
}
