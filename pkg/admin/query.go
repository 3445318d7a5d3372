package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

const (
	defaultLimit = 100
	maxLimit     = 1_000
	maxParameter = 200 // bytes of a parameter, but for cursors
	maxCursor    = 1_000
)

// A query is the parameters of a request and what is wrong with them.
type query struct {
	values url.Values
	faults []fault
}

// readQuery accepts the parameters that are named, each once.
func readQuery(r *http.Request, known ...string) *query {
	q := &query{}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		q.fault("", "the query cannot be read")
	}
	q.values = values
	for name, given := range values {
		switch {
		case !slices.Contains(known, name):
			q.fault("", fmt.Sprintf("there is an unknown parameter; known are %q", known))
		case len(given) > 1:
			q.fault(name, "comes more than once")
		case given[0] == "":
			q.fault(name, "is empty; leave it out")
		case len(given[0]) > maxParameter && name != "cursor" || len(given[0]) > maxCursor:
			q.fault(name, "is too long")
		}
	}
	return q
}

func (q *query) fault(where, detail string) { q.faults = append(q.faults, fault{where, detail}) }

// whole returns a parameter that is a whole number from low to high.
func (q *query) whole(name string, otherwise, low, high int64) int64 {
	if !q.values.Has(name) {
		return otherwise
	}
	text := q.values.Get(name)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high || strconv.FormatInt(n, 10) != text {
		q.fault(name, fmt.Sprintf("want a whole number from %d to %d", low, high))
		return otherwise
	}
	return n
}

func (q *query) limit() int { return int(q.whole("limit", defaultLimit, 1, maxLimit)) }

func (q *query) err() error {
	if len(q.faults) == 0 {
		return nil
	}
	slices.SortFunc(q.faults, compareFaults)
	return badRequest("The parameters cannot be read.", slices.Compact(q.faults)...)
}
