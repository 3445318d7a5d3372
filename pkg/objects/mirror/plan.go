package mirror

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// An Action is what a step does.
type Action string

// The actions.
const (
	Put    Action = "put"
	Delete Action = "delete"
)

// A Step is one thing to do.
type Step struct {
	Action Action
	Name   string // with slashes, from the folder and the prefix on
	Size   int64  // in bytes; of the object if it is to be deleted
	Why    string // "new", "other size", "other content", "other type", "other caching"; "gone" if it is to be deleted
	Type   string // content type
	Cache  string // Cache-Control

	sum *sum // nil if nobody has read the file yet
}

// A Plan is what there is to do.
type Plan struct {
	Steps     []Step // in the order in which they are taken, see the package
	Unchanged int    // files that are there as they should be
	Skipped   []Skip
	Failed    []Failure // files that cannot be looked at; nothing is done about them
}

// Bytes returns how much there is to send.
func (p *Plan) Bytes() (n int64) {
	for _, s := range p.Steps {
		if s.Action == Put {
			n += s.Size
		}
	}
	return n
}

// Plan compares the folder with the bucket and changes neither. It returns
// ErrEmpty when everything in the bucket would be deleted because the folder has
// no files.
func (m *Mirror) Plan(ctx context.Context) (*Plan, error) {
	here := Scan(m.root, m.to)
	there, err := m.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", m.to, err)
	}
	if m.opts.Delete && len(here.Sizes) == 0 {
		return nil, fmt.Errorf("%w, and all of %s would be deleted", ErrEmpty, m.to)
	}
	p := &Plan{Skipped: here.Skipped, Failed: here.Failed}
	if err := m.compare(ctx, p, here, there); err != nil {
		return nil, err
	}
	if m.opts.Delete {
		p.Steps = append(p.Steps, here.gone(there)...)
	}
	slices.SortFunc(p.Steps, func(a, b Step) int { return cmp.Or(cmp.Compare(a.turn(), b.turn()), cmp.Compare(a.Name, b.Name)) })
	slices.SortFunc(p.Failed, func(a, b Failure) int { return cmp.Compare(a.Name, b.Name) })
	return p, nil
}

// compare fills p with the files of the folder.
func (m *Mirror) compare(ctx context.Context, p *Plan, here *Folder, there map[string]int64) error {
	type result struct {
		step *Step // nil means unchanged
		fail error
	}
	names := here.names()
	results := make([]result, len(names))
	var group errgroup.Group
	group.SetLimit(m.opts.Parallel)
	for i, name := range names {
		group.Go(func() error {
			results[i].step, results[i].fail = m.look(ctx, name, here.Sizes[name], there)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, r := range results {
		switch {
		case r.fail != nil:
			p.Failed = append(p.Failed, Failure{names[i], r.fail})
		case r.step != nil:
			p.Steps = append(p.Steps, *r.step)
		default:
			p.Unchanged++
		}
	}
	return nil
}

// look returns what to do about one file, nil if nothing.
func (m *Mirror) look(ctx context.Context, name string, size int64, there map[string]int64) (*Step, error) {
	s := &Step{Action: Put, Name: name, Size: size, Type: contentType(name), Cache: cacheControl(name, m.opts.Cache)}
	other, ok := there[name]
	switch {
	case !ok:
		s.Why = "new"
		return s, nil
	case other != size:
		s.Why = "other size"
		return s, nil
	}
	var err error
	if s.sum, err = m.sum(name, size); err != nil {
		return nil, err
	}
	if s.Why, err = m.differs(ctx, s); err != nil || s.Why == "" {
		return nil, err
	}
	return s, nil
}

func (f *Folder) names() []string {
	names := make([]string, 0, len(f.Sizes))
	for name := range f.Sizes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// gone returns the deletions: what is there and has no namesake here. What was
// left out or failed here stays there, as does all below such a folder.
func (f *Folder) gone(there map[string]int64) []Step {
	var steps []Step
	for name, size := range there {
		_, here := f.Sizes[name]
		if !here && !f.doubtful(name) {
			steps = append(steps, Step{Action: Delete, Name: name, Size: size, Why: "gone"})
		}
	}
	return steps
}

func (f *Folder) doubtful(name string) bool {
	covers := func(thing string) bool { return thing == "." || thing == name || strings.HasPrefix(name, thing+"/") }
	return slices.ContainsFunc(f.Skipped, func(s Skip) bool { return covers(s.Name) }) ||
		slices.ContainsFunc(f.Failed, func(bad Failure) bool { return covers(bad.Name) })
}
