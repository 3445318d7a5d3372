package faketable

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// An Error is one that DynamoDB answers with.
type Error struct {
	Code, Message string
	Fault         smithy.ErrorFault
}

func (e *Error) Error() string                 { return e.Code + ": " + e.Message }
func (e *Error) ErrorCode() string             { return e.Code }
func (e *Error) ErrorMessage() string          { return e.Message }
func (e *Error) ErrorFault() smithy.ErrorFault { return e.Fault }

// holds evaluates a condition: comparisons joined by OR, no brackets.
func holds(condition string, values Item, i Item) (bool, error) {
	if condition == "" {
		return true, nil
	}
	used := map[string]bool{}
	met := false
	for term := range strings.SplitSeq(condition, " OR ") {
		ok, err := compare(term, values, i, used)
		if err != nil {
			return false, err
		}
		met = met || ok
	}
	if len(used) != len(values) {
		return false, invalid("%q with values %v", condition, values)
	}
	return met, nil
}

func compare(term string, values Item, i Item, used map[string]bool) (bool, error) {
	if name, ok := strings.CutPrefix(term, "attribute_not_exists("); ok {
		return i[strings.TrimSuffix(name, ")")] == nil, nil
	}
	parts := strings.Fields(term)
	if len(parts) != 3 || values[parts[2]] == nil || slices.Contains(reserved, strings.ToUpper(parts[0])) {
		return false, invalid("%q", term)
	}
	used[parts[2]] = true
	have := i[parts[0]]
	return have != nil && related(have, parts[1], values[parts[2]]), nil
}

// reserved are some of the words that DynamoDB refuses in expressions.
var reserved = []string{"TTL", "BY", "VALUE", "VALUES", "KEY", "HASH", "STATE", "COUNTER", "OWNER", "DATA", "ITEMS", "LIST", "TIME"}

// related compares two values: numbers as such, all else as texts.
func related(a types.AttributeValue, op string, b types.AttributeValue) bool {
	n := strings.Compare(Text(a), Text(b))
	if _, ok := a.(*types.AttributeValueMemberN); ok {
		x, _ := strconv.ParseInt(Text(a), 10, 64)
		y, _ := strconv.ParseInt(Text(b), 10, 64)
		n = int(max(-1, min(1, x-y)))
	}
	switch op {
	case "=":
		return n == 0
	case "<":
		return n < 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	case ">=":
		return n >= 0
	}
	return false
}
