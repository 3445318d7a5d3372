package main

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

var (
	text  tftypes.Type = tftypes.String
	texts tftypes.Type = tftypes.Map{ElementType: tftypes.String}
)

// parseType reads a type as the schema file has it: "string", or a list of a
// kind and what is in it.
func parseType(raw json.RawMessage) (tftypes.Type, error) {
	var simple string
	if json.Unmarshal(raw, &simple) == nil {
		kind, ok := map[string]tftypes.Type{"string": tftypes.String, "number": tftypes.Number, "bool": tftypes.Bool}[simple]
		if !ok {
			return nil, fmt.Errorf("unknown type %q", simple)
		}
		return kind, nil
	}
	var pair []json.RawMessage
	var kind string
	if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 || json.Unmarshal(pair[0], &kind) != nil {
		return nil, fmt.Errorf("unknown type %s", raw)
	}
	if kind == "object" {
		return parseObject(pair[1])
	}
	inner, err := parseType(pair[1])
	if err != nil {
		return nil, err
	}
	switch kind {
	case "list":
		return tftypes.List{ElementType: inner}, nil
	case "set":
		return tftypes.Set{ElementType: inner}, nil
	case "map":
		return tftypes.Map{ElementType: inner}, nil
	}
	return nil, fmt.Errorf("unknown kind %q", kind)
}

func parseObject(raw json.RawMessage) (tftypes.Type, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	types := map[string]tftypes.Type{}
	for name, text := range members {
		kind, err := parseType(text)
		if err != nil {
			return nil, err
		}
		types[name] = kind
	}
	return tftypes.Object{AttributeTypes: types}, nil
}
