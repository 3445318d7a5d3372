package objects

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/book"
)

const (
	defaultList = 100
	maxList     = 1000
)

// List returns what the index has in an area, of the holder's own files or, for
// roles that may read all of it, everybody's, after a cursor; next is the
// cursor of the following page, empty for the last. Limit is 1 to 1,000; 0
// means 100. A page can have fewer files than that, even none, for files that
// are not confirmed are left out.
//
// It returns ErrNotFound for an area in which the holder could read nothing.
func (d *Desk) List(ctx context.Context, h Holder, areaName, after string, limit int) (files []book.File, next string, err error) {
	limit = cmp.Or(limit, defaultList)
	if limit < 1 || limit > maxList {
		return nil, "", &RequestError{Field: "limit", Detail: fmt.Sprintf("%d, want 1 to %d", limit, maxList)}
	}
	if after != "" && CheckKey(after) != nil {
		return nil, "", &RequestError{Field: "after", Detail: "is not a cursor that a list gave"}
	}
	a, p := d.area(areaName), d.party(h, d.opts.Now())
	if a == nil || !p.enters(a) {
		return nil, "", ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	page, err := d.page(ctx, p, a, after, limit)
	if err != nil {
		return nil, "", fmt.Errorf("list files: %w", err)
	}
	if len(page) == limit {
		next = page[limit-1].Key
	}
	hidden := func(f book.File) bool {
		_, err := d.reads(p, f.Key, &f)
		return err != nil
	}
	return slices.DeleteFunc(page, hidden), next, nil
}

// enters reports whether the party could have files in an area that it may read.
func (p *party) enters(a *area) bool {
	own := slices.Contains(a.Read, Visitor) || slices.Contains(a.Read, Owner)
	return slices.Contains(a.Read, Everyone) || p.plays(a.Read) || own && (len(p.visits) > 0 || p.token != "")
}

// page returns the next files of the index in the order of their keys.
func (d *Desk) page(ctx context.Context, p *party, a *area, after string, limit int) ([]book.File, error) {
	if p.plays(a.Read) {
		return d.index.FilesIn(ctx, a.Area, after, limit)
	}
	var all []book.File
	for _, owner := range p.owners() {
		files, err := d.index.FilesOf(ctx, owner, a.Area, after, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	slices.SortFunc(all, func(a, b book.File) int { return strings.Compare(a.Key, b.Key) })
	return all[:min(len(all), limit)], nil
}

// owners are all that the party is in the file index, each once.
func (p *party) owners() []string {
	var all []string
	if p.token != "" {
		all = append(all, ownerToken+p.token)
	}
	for i := range p.visits {
		all = append(all, p.visits[i].owners...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
