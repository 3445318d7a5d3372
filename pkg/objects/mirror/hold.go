package mirror

import (
	"path"
	"slices"
	"strings"
)

// holds reports whether a step has to wait for the next run: a list when a file
// beside or below it failed, and a deletion when anything did.
func (r *Report) holds(s Step) bool {
	if s.Action == Delete {
		return len(r.Failed)+len(r.Held) > 0
	}
	if stageOf(s.Name) == media {
		return false
	}
	folder := path.Dir(s.Name)
	return slices.ContainsFunc(r.Failed, func(f Failure) bool { return inside(folder, f.Name) }) ||
		slices.ContainsFunc(r.Held, func(name string) bool { return inside(folder, name) })
}

// inside reports whether name is the folder or something below it.
func inside(folder, name string) bool {
	return folder == "." || name == folder || name == "." || strings.HasPrefix(name, folder+"/")
}
