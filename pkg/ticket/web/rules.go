package web

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/expr-lang/expr/types"

	"github.com/handstamp/handstamp/pkg/gate"
)

// rules are the expressions of Decide and of the factors, compiled.
type rules struct {
	selects  *rule
	echo     *rule
	valid    *rule
	reasons  []reasonRule
	refusals []reasonRule
	grants   []grantRule
	seats    *rule
	times    map[string]*rule
	factors  []factorRule
}

type reasonRule struct {
	when   *rule // nil means always
	reason gate.Reason
}

type grantRule struct {
	when *rule // nil means always
	buys gate.Product
}

type factorRule struct {
	name   string
	equals *rule // nil means that the API compares it
}

// reasons are those that a source may give.
var reasons = []gate.Reason{
	gate.ReasonUnknown, gate.ReasonMalformed, gate.ReasonExpired, gate.ReasonNotYetValid, gate.ReasonNotPaid,
	gate.ReasonCancelled, gate.ReasonBlocked, gate.ReasonReplaced, gate.ReasonWrongAttraction, gate.ReasonNotIncluded, gate.ReasonSeeStaff,
}

// newRules compiles all expressions and returns everything that is wrong.
func newRules(cfg Config, body, problem *shape, clock clock, check func(gate.Product) error) (*rules, error) {
	basic := compiler{clock: clock, env: types.Map{
		"status": types.Int, "headers": types.TypeOf(map[string]string{}), "code": types.String,
		"attraction": types.String, "now": types.TypeOf(time.Time{}),
	}}
	whole := basic.with("body", body.typed())
	r := &rules{times: map[string]*rule{}}
	item, err := r.choose(cfg.Decide, whole, body)
	if err != nil {
		return nil, err
	}
	refused := basic
	if problem != nil {
		refused = basic.with("problem", problem.typed())
	}
	return r, errors.Join(r.compile(cfg, whole.with("item", item), check), r.refuse(cfg.Decide.Refusals, refused))
}

// choose compiles Select and returns the type of item.
func (r *rules) choose(d Decide, c compiler, body *shape) (types.Type, error) {
	var err error
	if r.selects, err = c.selects(d.Select); err != nil {
		return nil, err
	}
	switch {
	case r.selects != nil:
		return r.selects.item()
	case body.kind == kindList:
		return body.element.typed(), nil
	}
	return body.typed(), nil
}

func (c compiler) selects(source string) (*rule, error) {
	if source == "" {
		return nil, nil
	}
	return c.compile("select", source)
}

func (r *rules) compile(cfg Config, c compiler, check func(gate.Product) error) error {
	var problems [4]error
	d := cfg.Decide
	r.echo, problems[0] = c.rule("echo", d.Echo, stringType)
	r.valid, problems[1] = c.rule("valid", d.Valid, boolType)
	r.seats, problems[2] = c.rule("seats", d.Seats, intType)
	r.reasons, problems[3] = c.reasons("reasons", d.Reasons)
	return errors.Join(append(problems[:], r.compileTimes(d, c), r.compileGrants(d, c, check), r.compileFactors(cfg.Factors, c))...)
}

func (r *rules) compileTimes(d Decide, c compiler) error {
	var problems []error
	for name, source := range map[string]string{
		"from": d.From, "until": d.Until, "first_use": d.FirstUse, "day": d.Day, "slot_from": d.SlotFrom, "slot_until": d.SlotUntil,
	} {
		found, err := c.rule(name, source, timeType)
		problems = append(problems, err)
		if found != nil {
			r.times[name] = found
		}
	}
	return errors.Join(problems...)
}

func (r *rules) compileGrants(d Decide, c compiler, check func(gate.Product) error) error {
	if len(d.Grants) == 0 {
		return errors.New("grants: missing, no ticket would open anything")
	}
	for i, g := range d.Grants {
		name := fmt.Sprintf("grants[%d]", i)
		when, err := c.rule(name+".when", g.When, boolType)
		if err != nil {
			return err
		}
		buys := gate.Product{Attraction: g.Attraction, Package: g.Package}
		if err := checkProduct(buys, check); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.grants = append(r.grants, grantRule{when, buys})
	}
	return nil
}

func checkProduct(p gate.Product, check func(gate.Product) error) error {
	if p.Attraction == "" {
		return errors.New("attraction: missing")
	}
	if check == nil {
		return nil
	}
	return check(p)
}

func (r *rules) compileFactors(factors []Factor, c compiler) error {
	for _, f := range factors {
		equals, err := c.rule("factors."+f.Name+".equals", f.Equals, stringType)
		if err != nil {
			return err
		}
		r.factors = append(r.factors, factorRule{f.Name, equals})
	}
	return nil
}

func (r *rules) refuse(list []Reason, c compiler) (err error) {
	r.refusals, err = c.reasons("refusals", list)
	return err
}

func (c compiler) reasons(name string, list []Reason) (found []reasonRule, err error) {
	for i, one := range list {
		at := fmt.Sprintf("%s[%d]", name, i)
		if !slices.Contains(reasons, one.Reason) {
			return nil, fmt.Errorf("%s.reason: %q is none, want one of %q", at, one.Reason, reasons)
		}
		when, err := c.rule(at+".when", one.When, boolType)
		if err != nil {
			return nil, err
		}
		found = append(found, reasonRule{when, one.Reason})
	}
	return found, nil
}
