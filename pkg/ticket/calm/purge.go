package calm

import "github.com/handstamp/handstamp/pkg/gate"

// Purge forgets the ticket that the source names ref, and returns how many
// verdicts that were. Call it when the source reports a change: whoever asks
// after it has returned gets an answer that is newer than the call. A refusal
// has no ref; see PurgeCode.
func (s *Source) Purge(ref string) int {
	if ref == "" {
		return 0
	}
	k := s.sealer.subject("ref", ref)
	return s.purge(func(v verdict) bool { return v.ref == k })
}

// PurgeCode is Purge for all that was said of a code, at any attraction and
// with any factors. A code that cannot be one is not remembered.
func (s *Source) PurgeCode(code gate.Secret) int {
	if s.opts.Normalise != nil {
		normal, err := s.opts.Normalise(code)
		if err != nil {
			return 0
		}
		code = normal
	}
	if code == "" {
		return 0
	}
	k := s.sealer.subject("code", code.Reveal())
	return s.purge(func(v verdict) bool { return v.code == k })
}

// PurgeAll forgets every verdict.
func (s *Source) PurgeAll() int { return s.purge(func(verdict) bool { return true }) }

// purge forgets the verdicts that match. Of a question that is on its way
// nobody can tell what its answer will be, or when it was given: it is for those
// who wait for it, and for nobody else.
func (s *Source) purge(match func(verdict) bool) int {
	s.age.Add(1)
	s.tower.divert()
	return s.allow.forget(match) + s.deny.forget(match)
}
