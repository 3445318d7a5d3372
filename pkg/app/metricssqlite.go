//go:build !lambda.norpc

package app

import (
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/telemetry"
)

// readBook shows the numbers of a book that keeps some.
func readBook(b gate.Book) telemetry.Read {
	return func(emit telemetry.Emit) {
		book, ok := b.(*sqlite.Book)
		if !ok {
			return
		}
		s := book.Stats()
		emit(telemetry.BookCommits, float64(s.Commits))
		emit(telemetry.BookWrites, float64(s.Writes))
		emit(telemetry.BookFailures, float64(s.Failures))
		emit(telemetry.BookWaiting, float64(s.Waiting))
	}
}
