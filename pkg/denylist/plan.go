package denylist

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// An Edit changes one entry of a Store.
type Edit struct {
	Key   string
	Value string // empty deletes the entry
}

// entries are what a store has, or should have: keys and until when they matter.
type entries map[string]time.Time

// own returns those of the values in a store that are ours. An entry whose value
// makes no sense has the zero time.
func own(values map[string]string) entries {
	have := entries{}
	for key, value := range values {
		if strings.HasPrefix(key, ours) {
			have[key] = parseTime(value)
		}
	}
	return have
}

// edits returns what has to change for a store with have to have want at the
// time now, the attractions first. An entry that is there stays until its own
// time has passed, whether or not it is wanted: nothing that was revoked comes
// back to life, and the list of what is wanted may have been cut short.
func edits(have, want entries, now time.Time) []Edit {
	var todo []Edit
	for key, until := range want {
		if until.After(have[key]) && !passed(until, now) {
			todo = append(todo, Edit{key, formatTime(until)})
		}
	}
	for key, until := range have {
		if passed(until, now) && passed(want[key], now) {
			todo = append(todo, Edit{Key: key})
		}
	}
	slices.SortFunc(todo, inOrder)
	return todo
}

// inOrder puts what closes a door before what cleans up.
func inOrder(a, b Edit) int {
	if (a.Value == "") != (b.Value == "") {
		return cmp.Compare(b.Value, a.Value)
	}
	return cmp.Compare(a.Key, b.Key)
}

// apply notes edits that were made.
func (e entries) apply(done []Edit) {
	for _, edit := range done {
		if edit.Value == "" {
			delete(e, edit.Key)
		} else {
			e[edit.Key] = parseTime(edit.Value)
		}
	}
}

// passed reports whether every cookie that expires at until has ended, by
// anybody's clock.
func passed(until, now time.Time) bool { return now.After(until.Add(skew)) }

// A Places knows the attractions. *gate.Rules is one.
type Places interface {
	Attraction(id string) (*gate.Attraction, bool)
}

// want returns the entries for what was revoked, and how much of it cannot be
// said in a list: an attraction that is not configured any more, or whose prefix
// is too deep.
func (e *Exporter) want(revoked []book.Revocation) (want entries, left int) {
	want = entries{}
	for _, r := range revoked {
		key, ok := e.key(r)
		if !ok {
			left++
			continue
		}
		if until := e.until(r.At); key != "" && until.After(want[key]) {
			want[key] = until
		}
	}
	return want, left
}

// key returns the key for r, none if it is not exported.
func (e *Exporter) key(r book.Revocation) (key string, ok bool) {
	switch {
	case r.Kind == gate.TargetAttraction:
		place, ok := e.places.Attraction(r.Attraction)
		if !ok {
			return "", false
		}
		return keyOfPrefix(place.Prefix)
	case r.Kind == gate.TargetDevice && e.opts.Sessions:
		return keyOfSession(r.Session), true
	}
	return "", true
}

// until returns the latest expiry that a cookie can have which was signed
// before at: as gate rounds it, up to a multiple of the window since 1970.
func (e *Exporter) until(at time.Time) time.Time {
	window := int64(e.opts.Window / time.Second)
	latest := at.Add(skew + e.opts.Exposure - e.opts.Window + time.Second - 1).Unix()
	return time.Unix((latest+window-1)/window*window, 0)
}
