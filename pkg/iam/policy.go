package iam

import (
	"errors"
	"slices"
)

// A Policy is an identity-based policy, as IAM reads it in JSON (IAM User Guide,
// IAM JSON policy element reference).
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// A Statement allows actions on resources.
type Statement struct {
	Sid       string    `json:"Sid"`
	Effect    string    `json:"Effect"`
	Action    []string  `json:"Action"`
	Resource  []string  `json:"Resource"`
	Condition Condition `json:"Condition,omitempty"`
}

// A Condition has, by operator and by key, the values one of which must hold.
type Condition map[string]map[string][]string

// ErrNothing is returned when nothing is configured that needs permissions.
// IAM takes no policy without statements.
var ErrNothing = errors.New("nothing at AWS is configured for that")

// policy returns what the statements allow that have resources.
func policy(all ...Statement) (*Policy, error) {
	p := &Policy{Version: "2012-10-17"}
	for _, s := range all {
		if len(s.Resource) == 0 {
			continue
		}
		s.Effect = "Allow"
		slices.Sort(s.Action)
		slices.Sort(s.Resource)
		s.Resource = slices.Compact(s.Resource)
		p.Statement = append(p.Statement, s)
	}
	if len(p.Statement) == 0 {
		return nil, ErrNothing
	}
	return p, nil
}
