package gate

import (
	"context"
	"slices"
	"strings"
	"time"
)

// A Permit opens one file until a time, for whoever has it: there is no cookie
// and no session behind it any more.
type Permit struct {
	Path    string    // decoded, with a slash in front: "/castle/audio/01.m4a"
	Expires time.Time // whole seconds, exclusive; zero means that the file is free
}

// Grants returns the admission of a session and what it opens at this moment,
// without stamps: each grant ends as that of a stamp would, rounded up to the
// window and never past the end of the admission or of the entitlement. What
// opens later is left out, so that there may be none. The session is not rotated,
// and its device counts as no more present than before.
//
// When the source's word has aged, it is asked again as by Renew, or a device
// that never renews would outlive a refund: a refusal ends the visit, a yes is
// not recorded. A Denial says that the admission is over.
func (k *Keeper) Grants(ctx context.Context, s Session) (*Admission, []Grant, error) {
	now := k.opts.Now()
	found, err := k.book.Find(ctx, s.Hash(), now)
	if err != nil {
		return nil, nil, proven(err, true)
	}
	fresh, _, err := k.recheck(ctx, found, now)
	if err != nil {
		return nil, nil, k.dismiss(ctx, found, s, err, now)
	}
	admission := fresh.of(found)
	later := func(g Grant) bool { return !g.NotBefore.IsZero() }
	return bound(admission), slices.DeleteFunc(k.grants(admission, now), later), nil
}

// Permit returns what opens a file: nothing is needed for a free one, and for any
// other it is the grant that lasts longest. It returns false for a file that the
// grants do not open. Path is decoded and canonical, see urlpath.Canonical.
func (k *Keeper) Permit(path string, grants []Grant) (Permit, bool) {
	if k.rules.free(path) {
		return Permit{Path: path}, true
	}
	permit := Permit{Path: path}
	for _, g := range grants {
		if within, ok := below(path, g.Path); ok && within != "" && g.Expires.After(permit.Expires) {
			permit.Expires = g.Expires
		}
	}
	return permit, !permit.Expires.IsZero()
}

// free reports whether path is in a part of an attraction that needs no ticket.
func (r *Rules) free(path string) bool {
	for _, a := range r.Attractions {
		within, ok := below(path, a.Prefix)
		if segment, rest, _ := strings.Cut(within, "/"); ok && rest != "" && slices.Contains(a.Free, segment) {
			return true
		}
	}
	return false
}

// below returns the part of path that is below prefix, which has no outer slashes.
func below(path, prefix string) (within string, ok bool) {
	return strings.CutPrefix(path, "/"+prefix+"/")
}
