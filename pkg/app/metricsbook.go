package app

import (
	"context"
	"errors"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/telemetry"
)

// timed returns the book as the keeper has it. Everybody else has the book
// itself, which can do more than a gate.Book.
func (a *App) timed(b gate.Book) gate.Book {
	if !a.watched {
		return b
	}
	return watchedBook{b, a.opts.Meter, a.opts.Tracer}
}

// A watchedBook is a gate.Book that is timed and traced.
type watchedBook struct {
	book   gate.Book
	meter  telemetry.Meter
	tracer telemetry.Tracer
}

// An operation is under way in a book.
type operation struct {
	meter telemetry.Meter
	span  telemetry.Span
	name  string
	began time.Time
}

func (b watchedBook) begin(ctx context.Context, name string) (context.Context, operation) {
	ctx, span := b.tracer.Start(ctx, "book")
	return ctx, operation{b.meter, span, name, time.Now()}
}

func (o operation) end(err error) {
	outcome := recordedAs(err)
	o.meter.Observe(telemetry.BookSeconds, time.Since(o.began).Seconds(), o.name, outcome)
	o.span.Describe("book."+o.name, telemetry.Attr{Key: "handstamp.outcome", Value: outcome})
	o.span.End(outcome == failed)
}

// recordedAs returns the label for what a book said.
func recordedAs(err error) string {
	var denial *gate.Denial
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &denial), errors.Is(err, gate.ErrNoTarget), errors.Is(err, gate.ErrOtherRequest):
		return "denied"
	case errors.Is(err, gate.ErrReadOnly):
		return "read_only"
	case errors.Is(err, context.Canceled):
		return gone
	}
	return failed
}

// FirstUse implements gate.Book.
func (b watchedBook) FirstUse(ctx context.Context, t gate.Fingerprint) (time.Time, error) {
	ctx, o := b.begin(ctx, "first_use")
	first, err := b.book.FirstUse(ctx, t)
	o.end(err)
	return first, err
}

// Enter implements gate.Book.
func (b watchedBook) Enter(ctx context.Context, e gate.Entry) (*gate.Admission, error) {
	ctx, o := b.begin(ctx, "enter")
	a, err := b.book.Enter(ctx, e)
	o.end(err)
	return a, err
}

// Find implements gate.Book.
func (b watchedBook) Find(ctx context.Context, s gate.SessionHash, at time.Time) (*gate.Admission, error) {
	ctx, o := b.begin(ctx, "find")
	a, err := b.book.Find(ctx, s, at)
	o.end(err)
	return a, err
}

// Renew implements gate.Book.
func (b watchedBook) Renew(ctx context.Context, r gate.Renewal) (*gate.Admission, error) {
	ctx, o := b.begin(ctx, "renew")
	a, err := b.book.Renew(ctx, r)
	o.end(err)
	return a, err
}

// Revoke implements gate.Book.
func (b watchedBook) Revoke(ctx context.Context, t gate.Target, at time.Time) (int, error) {
	ctx, o := b.begin(ctx, "revoke")
	n, err := b.book.Revoke(ctx, t, at)
	o.end(err)
	return n, err
}

// Leave implements gate.Book.
func (b watchedBook) Leave(ctx context.Context, s gate.SessionHash, at time.Time) error {
	ctx, o := b.begin(ctx, "leave")
	err := b.book.Leave(ctx, s, at)
	o.end(err)
	return err
}
