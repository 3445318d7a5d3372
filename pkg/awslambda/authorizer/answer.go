package authorizer

import (
	"slices"
	"strings"
	"time"
)

// A simpleAnswer is for HTTP APIs whose authorizer has simple responses on.
type simpleAnswer struct {
	IsAuthorized bool              `json:"isAuthorized"`
	Context      map[string]string `json:"context,omitempty"`
}

// A policyAnswer is for all others.
type policyAnswer struct {
	PrincipalID    string            `json:"principalId"`
	PolicyDocument policy            `json:"policyDocument"`
	Context        map[string]string `json:"context,omitempty"`
}

type policy struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Action   string `json:"Action"`
	Effect   string `json:"Effect"`
	Resource string `json:"Resource"`
}

// answer lets v through, or nobody if v is nil. A policy is about the method that
// was called and no other.
func (a *Authorizer) answer(e *event, v *Visitor) any {
	if e.Version == "2.0" && !a.opts.Policy {
		return simpleAnswer{IsAuthorized: v != nil, Context: contextOf(v)}
	}
	p := policyAnswer{PrincipalID: "nobody", Context: contextOf(v)}
	effect := "Deny"
	if v != nil {
		p.PrincipalID, effect = v.ID, "Allow"
	}
	p.PolicyDocument = policy{Version: "2012-10-17", Statement: []statement{{"execute-api:Invoke", effect, e.arn()}}}
	return p
}

// contextOf returns what the API is told about v, as texts, as REST APIs take no
// lists.
func contextOf(v *Visitor) map[string]string {
	if v == nil {
		return nil
	}
	var attractions, packages []string
	until := v.Entitlements[0].Until
	for _, e := range v.Entitlements {
		if !slices.Contains(attractions, e.Attraction) {
			attractions = append(attractions, e.Attraction)
		}
		if e.Package != "" {
			packages = append(packages, e.Attraction+"/"+e.Package)
		}
		if e.Until.Before(until) {
			until = e.Until
		}
	}
	return map[string]string{
		"visitor": v.ID, "admission": v.Admission, "attractions": strings.Join(attractions, " "), "packages": strings.Join(packages, " "),
		"until": until.UTC().Format(time.RFC3339), // of what ends first
	}
}
