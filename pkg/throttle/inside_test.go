package throttle

import (
	"testing"

	"pgregory.net/rapid"
)

// A segment is a map that forgets, but never what was used since half as many
// others as it holds, and never brings back what was replaced or deleted.
func TestSegmentForgetsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := segment{half: 4}
		model := map[Key]Counter{}
		var used []Key // the last one last
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			k := Key{Part: rapid.Uint8Range(0, 11).Draw(t, "key")}
			got := s.load(k)
			since := map[Key]bool{}
			for i := len(used) - 1; i >= 0 && used[i] != k; i-- {
				since[used[i]] = true
			}
			switch {
			case got == model[k]:
			case got != Counter{}:
				t.Fatalf("load(%v) = %v, want %v or nothing", k, got, model[k])
			case len(since) < s.half:
				t.Fatalf("load(%v) = nothing after %d others, want %v", k, len(since), model[k])
			}
			next := Counter{Failed: rapid.Uint32Range(0, 3).Draw(t, "next")}
			if next != got {
				s.swap(k, got, next)
			}
			model[k] = next
			used = append(used, k)
			if n := len(s.young) + len(s.old); n > 2*s.half {
				t.Fatalf("%d counters, want at most %d", n, 2*s.half)
			}
		}
	})
}
