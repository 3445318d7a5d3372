package web

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/checker/nature"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// ErrExpression is in the error of an expression that failed on an answer, such
// as one that reads the third element of a list of two.
var ErrExpression = errors.New("an expression failed")

// hidden are the functions of the language that expressions do not have: those
// that read a clock, make text without bound, or have a result of any type.
var hidden = []string{
	"now", "date", "timezone", "duration", "repeat", "type", "get", "reduce", "first", "last", "min", "max", "mean", "median",
	"values", "keys", "fromPairs", "toPairs", "groupBy", "sortBy", "fromJSON", "toJSON", "fromBase64", "toBase64", "flatten", "concat",
}

var (
	boolType   = reflect.TypeFor[bool]()
	intType    = reflect.TypeFor[int]()
	stringType = reflect.TypeFor[string]()
	timeType   = reflect.TypeFor[time.Time]()
)

// maxNodes is the largest expression, in nodes of its syntax tree.
const maxNodes = 500

// A rule is an expression of known type.
type rule struct {
	name    string // of its configuration key
	source  string
	program *vm.Program
}

// A compiler makes rules over an environment.
type compiler struct {
	clock clock
	env   types.Map
}

// with returns a compiler that knows one name more.
func (c compiler) with(name string, t types.Type) compiler {
	c.env = maps.Clone(c.env)
	c.env[name] = t
	return c
}

// rule compiles source, whose result is of type want. It is nil for no source.
func (c compiler) rule(name, source string, want reflect.Type) (*rule, error) {
	if source == "" {
		return nil, nil
	}
	r, err := c.compile(name, source)
	if err != nil {
		return nil, err
	}
	if got := r.program.Node().Type(); got != want {
		return nil, fmt.Errorf("%s: is a %v, want a %v", name, got, want)
	}
	return r, nil
}

func (c compiler) compile(name, source string) (*rule, error) {
	opts := append(c.clock.functions(), expr.Env(c.env), expr.MaxNodes(maxNodes))
	for _, f := range hidden {
		opts = append(opts, expr.DisableBuiltin(f))
	}
	program, err := expr.Compile(source, opts...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &rule{name: name, source: source, program: program}, nil
}

// item returns the type of one of those that r, a Select, picks.
func (r *rule) item() (types.Type, error) {
	n := r.program.Node().Nature()
	switch r.program.Node().Type().Kind() {
	case reflect.Map:
		return known{*n}, nil
	case reflect.Slice:
		if n.Ref != nil {
			return known{*n.Ref}, nil
		}
	}
	return nil, fmt.Errorf("%s: is a %v, want an object or a list of them", r.name, r.program.Node().Type())
}

// run returns the result for an answer. The error says no more than which rule
// it was, as the cause may quote the answer.
func (r *rule) run(env map[string]any) (any, error) {
	value, err := expr.Run(r.program, env)
	if errors.Is(err, ErrTime) {
		return nil, fmt.Errorf("%w: %s: %w", ErrExpression, r.name, ErrTime)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrExpression, r.name)
	}
	return value, nil
}

// known is a type that an expression was found to have.
type known struct{ of nature.Nature }

func (k known) Nature() nature.Nature { return k.of }
func (k known) Equal(types.Type) bool { return false }
func (k known) String() string        { return "item" }
