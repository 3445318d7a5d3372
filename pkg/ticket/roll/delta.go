package roll

import (
	"errors"
	"fmt"
	"maps"
)

// ErrGap says that changes are missing between a list and a delta, so that the
// whole list has to be read again.
var ErrGap = errors.New("changes are missing before these")

// A delta is what has changed from one sequence number of a list to another.
type delta struct {
	head head
	put  map[digest]entry // added, or changed
	gone map[digest]bool  // removed
}

// Apply returns the roll with the changes of a delta, a list like any other but
// for its first line and the column change; see the package. Changes that the
// roll has already make no difference. It returns ErrGap when there are others
// in between that it has not, and then, as after any other error, r is as good
// as before. The options are those of Parse.
func (r *Roll) Apply(name string, text []byte, opts Options) (*Roll, error) {
	if !r.sequenced {
		return nil, fmt.Errorf("%w: the list has no sequence number", ErrGap)
	}
	d, err := parseDelta(name, text, opts)
	switch {
	case err != nil:
		return nil, err
	case d.head.from > r.sequence:
		return nil, fmt.Errorf("%w: they begin at %d, the list is at %d", ErrGap, d.head.from, r.sequence)
	case d.head.to <= r.sequence:
		return r, nil
	}
	changed := *r
	changed.entries = maps.Clone(r.entries)
	changed.sequence = d.head.to
	for k := range d.gone {
		delete(changed.entries, k)
	}
	maps.Copy(changed.entries, d.put)
	return &changed, nil
}

// parseDelta reads a delta whole, or not at all.
func parseDelta(name string, text []byte, opts Options) (*delta, error) {
	p, err := newParser(name, opts)
	if err != nil {
		return nil, err
	}
	p.gone = map[digest]bool{}
	if err := p.read(text); err != nil {
		return nil, err
	}
	return &delta{head: p.head, put: p.roll.entries, gone: p.gone}, nil
}

// checkChange returns an error for a row whose change does not fit the list.
func (p *parser) checkChange(r row) error {
	switch {
	case p.gone == nil && r.Change != "":
		return errors.New("change: only a delta has changes")
	case p.gone != nil && r.Change != "put" && r.Change != "remove":
		return fmt.Errorf("change: %.40q, want put or remove", r.Change)
	}
	return nil
}
