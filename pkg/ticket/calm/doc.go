// Package calm stands between visitors in a hurry and a ticket source with
// limits. Wrap puts one around a gate.Verifier; what it adds, from the outside
// in:
//
//   - normalise: one spelling of a code, so that one ticket is one question
//   - cache: a verdict is kept for a short while, an error never
//   - coalesce: a question that is being asked is not asked a second time
//   - line: the source is asked so often and by so many at a time, and no more;
//     whoever comes then waits in order, and not for ever
//   - breaker: a source that fails is left alone for a while
//   - deadline: an answer that takes too long is none; a panic is a failure
//
// Nothing is ever asked twice to get an answer, so that a source whose question
// uses the ticket up may be wrapped too. Every question stands for itself: the
// source is shown nothing that is not part of the key under which its verdict
// is kept, neither the viewer's context nor another spelling of the code.
//
// No goroutine lives longer than the questions that are being asked. Time is
// that of package time.
package calm
