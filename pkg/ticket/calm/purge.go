package calm

// PurgeAll forgets every verdict, and returns how many that were. Call it when
// the source reports a change: whoever asks after it has returned gets an answer
// that is newer than the call. Of a question that is on its way nobody can tell
// when its answer was given: it is for those who wait for it, and for nobody
// else.
func (s *Source) PurgeAll() int {
	s.age.Add(1)
	s.tower.divert()
	return s.allow.forget() + s.deny.forget()
}
