package web

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/expr-lang/expr/types"
)

// maxList is the most elements of a list that are read. It bounds what an
// expression over lists in lists can cost.
const maxList = 256

// ErrShape is in the error of an answer that is not as Answer.Shape says.
var ErrShape = errors.New("the answer has not the declared shape")

// A shape is the declared form of a value.
type shape struct {
	kind     kind
	optional bool
	element  *shape            // of a list
	fields   map[string]*shape // of an object
}

type kind string

const (
	kindBool   kind = "bool"
	kindString kind = "string"
	kindInt    kind = "int"
	kindNumber kind = "number"
	kindID     kind = "id"
	kindList   kind = "list"
	kindObject kind = "object"
)

// typed returns the type that expressions see.
func (s *shape) typed() types.Type {
	switch s.kind {
	case kindBool:
		return types.Bool
	case kindInt:
		return types.Int
	case kindNumber:
		return types.Float64
	case kindList:
		return types.Array(s.element.typed())
	case kindObject:
		fields := types.Map{}
		for name, field := range s.fields {
			fields[name] = field.typed()
		}
		return fields
	}
	return types.String
}

// zero is what an optional value is if it is missing.
func (s *shape) zero() any {
	switch s.kind {
	case kindBool:
		return false
	case kindInt:
		return 0
	case kindNumber:
		return 0.0
	case kindList:
		return []any{}
	case kindObject:
		fields := map[string]any{}
		for name, field := range s.fields {
			fields[name] = field.zero()
		}
		return fields
	}
	return ""
}

// fit returns what of a decoded value is declared, or ErrShape. loose is for
// XML, whose values are all text.
func (s *shape) fit(value any, where string, loose bool) (any, error) {
	if value == nil && s.optional {
		return s.zero(), nil
	}
	switch s.kind {
	case kindList:
		return s.fitList(value, where, loose)
	case kindObject:
		return s.fitObject(value, where, loose)
	}
	if text, ok := value.(string); ok && loose {
		value = s.loosen(text)
	}
	if fitted, ok := s.plain(value); ok {
		return fitted, nil
	}
	return nil, fmt.Errorf("%w: %s is %s, want %s", ErrShape, where, describe(value), s.kind)
}

// plain converts within what is certainly the same.
func (s *shape) plain(value any) (any, bool) {
	switch v := value.(type) {
	case bool:
		return v, s.kind == kindBool
	case string:
		return v, s.kind == kindString || s.kind == kindID
	case int:
		switch s.kind {
		case kindInt:
			return v, true
		case kindNumber:
			return float64(v), true
		case kindID:
			return strconv.Itoa(v), true
		}
	case float64:
		return v, s.kind == kindNumber && !math.IsInf(v, 0)
	}
	return nil, false
}

// loosen reads a text as XML Schema has it, but for the spellings 1 and 0 of
// truth values: they are not sure to be meant.
func (s *shape) loosen(text string) any {
	switch s.kind {
	case kindBool:
		if text == "true" || text == "false" {
			return text == "true"
		}
	case kindInt:
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	case kindNumber:
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	}
	return text
}

func (s *shape) fitList(value any, where string, loose bool) (any, error) {
	list, ok := value.([]any)
	if !ok && loose && value != nil { // an element that occurs once
		list, ok = []any{value}, true
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: %s is %s, want a list", ErrShape, where, describe(value))
	case len(list) > maxList:
		return nil, fmt.Errorf("%w: %s has %d elements, want at most %d", ErrShape, where, len(list), maxList)
	}
	fitted := make([]any, len(list))
	for i, one := range list {
		var err error
		if fitted[i], err = s.element.fit(one, where+"[]", loose); err != nil {
			return nil, err
		}
	}
	return fitted, nil
}

func (s *shape) fitObject(value any, where string, loose bool) (any, error) {
	object, ok := value.(map[string]any)
	if text, empty := value.(string); empty && loose {
		object, ok = map[string]any{"#text": text}, true
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s is %s, want an object", ErrShape, where, describe(value))
	}
	fitted := make(map[string]any, len(s.fields))
	for name, field := range s.fields {
		var err error
		if fitted[name], err = field.fit(object[name], where+"."+name, loose); err != nil {
			return nil, err
		}
	}
	return fitted, nil
}

// describe names the type of a value without its content.
func describe(value any) string {
	switch value.(type) {
	case nil:
		return "missing or null"
	case bool:
		return "a bool"
	case string:
		return "a string"
	case int:
		return "a whole number"
	case float64:
		return "a number with a fraction or beyond 64 bits"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "something else"
}
