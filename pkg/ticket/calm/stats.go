package calm

// Stats are what a Source has done since it was made, and what it is doing.
type Stats struct {
	Hits     uint64 // tickets that were remembered
	Refusals uint64 // refusals that were remembered
	Asked    uint64 // questions that reached the source
	Joined   uint64 // viewers who got the answer to another one's question
	Busy     uint64 // questions that had no turn in time
	Spared   uint64 // viewers, or questions in line, that met an open breaker
	Failures uint64 // questions without an answer
	Late     uint64 // failures for want of time
	Panics   uint64 // failures by panic

	Waiting    int    // questions in line
	Answering  int    // questions that hold a slot: they are next, or being answered
	Remembered int    // verdicts in memory
	Breaker    string // "closed", "half-open" or "open"
}

// Stats returns the numbers of now. They are read one after the other.
func (s *Source) Stats() Stats {
	return Stats{
		Hits: s.counts.hits.Load(), Refusals: s.counts.refusals.Load(), Asked: s.counts.asked.Load(),
		Joined: s.counts.joined.Load(), Busy: s.counts.busy.Load(), Spared: s.counts.spared.Load(),
		Failures: s.counts.failures.Load(), Late: s.counts.late.Load(), Panics: s.caller.panics.Load(),
		Waiting: int(s.line.waiting.Load()), Answering: len(s.line.slots),
		Remembered: s.allow.size() + s.deny.size(), Breaker: s.breaker.circuit.State().String(),
	}
}
