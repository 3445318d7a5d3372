package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// The states of a device. A seat that was left, lost or taken back is free.
const (
	seatTaken   = "seated"
	seatLeft    = "left"
	seatEvicted = "evicted"
	seatRevoked = "revoked"
)

// A seated device is one that showed a session, with its visit.
type seated struct {
	visit
	device   int64
	state    string
	current  bool      // it showed the session that it has
	previous bool      // it showed the one before
	rotated  time.Time // when the session that it has took the place of the one before; zero if Enter gave it out
	spent    time.Time // when the session that it showed was rotated away
}

// deviceQuery finds the device that has a session or once had it.
const deviceQuery = `SELECT d.seq, d.id, d.state, d.session IS ?1, d.previous IS ?1, d.session, d.rotated,
	(SELECT at FROM spent WHERE session = ?1), ` + visitColumns + `
	FROM devices d JOIN admissions a ON a.seq = d.admission JOIN tickets t ON t.fingerprint = a.ticket
	WHERE d.seq = coalesce((SELECT seq FROM devices WHERE session = ?1), (SELECT device FROM spent WHERE session = ?1))`

func (d *seated) fields() []any {
	return append([]any{&d.device, &d.Device, &d.state, &d.current, &d.previous, digest{(*[32]byte)(&d.Held)}, instant{&d.rotated},
		instant{&d.spent}}, d.visit.fields()...)
}

// living returns a denial unless the device has a seat in a visit that goes on.
// found is what looking for it said.
func (d *seated) living(found error, at time.Time) error {
	switch {
	case errors.Is(found, sql.ErrNoRows):
		return gate.Deny(gate.ReasonNoSession, nil)
	case found != nil:
		return found
	case d.over(at), d.state == seatLeft, d.state == seatEvicted:
		return gate.Deny(gate.ReasonNoSession, nil)
	case d.State == gate.StateRevoked, d.state == seatRevoked:
		return gate.Deny(gate.ReasonRevoked, nil)
	}
	return nil
}

// young reports whether the session that the device has began by a rotation
// only a moment ago. By a clock that was set back that was a moment ahead.
func (d *seated) young(at time.Time, grace time.Duration) bool {
	return !d.rotated.IsZero() && at.Sub(d.rotated).Abs() < grace
}

// inGrace reports whether the device showed the session before its current one
// soon after the rotation.
func (d *seated) inGrace(at time.Time, grace time.Duration) bool {
	return d.previous && at.Sub(d.spent).Abs() <= grace
}

// late reports whether a session comes again long after it was rotated away.
// If the clock was set back, nobody can tell.
func (d *seated) late(at time.Time, grace time.Duration) bool { return at.Sub(d.spent) > grace }

// Find implements gate.Book. For gate.RotationGrace after a rotation the
// session before finds the admission too. It does not wait for writes.
func (b *Book) Find(ctx context.Context, s gate.SessionHash, at time.Time) (*gate.Admission, error) {
	d := &seated{}
	err := d.living(b.find.QueryRowContext(ctx, s[:]).Scan(d.fields()...), at)
	if err == nil && !d.current && !d.inGrace(at, gate.RotationGrace) {
		err = gate.Deny(gate.ReasonNoSession, nil)
	}
	if err != nil {
		return nil, b.explain("find", err)
	}
	return d.answer(), nil
}

// Leave implements gate.Book. For gate.RotationGrace after a rotation the
// session before leaves too.
func (b *Book) Leave(ctx context.Context, s gate.SessionHash, at time.Time) error {
	_, err := answer(ctx, b, "leave", func(t *tx) (struct{}, error) { return struct{}{}, t.leave(s, at) })
	return err
}

func (t *tx) leave(s gate.SessionHash, at time.Time) error {
	d := &seated{}
	err := t.row(deviceQuery, []any{s[:]}, d.fields()...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	case d.state != seatTaken, !d.current && !d.inGrace(at, gate.RotationGrace):
		return nil
	}
	if _, err := t.exec(`UPDATE devices SET state = 'left', session = NULL, previous = NULL, ended = ? WHERE seq = ?`, micros(at), d.device); err != nil {
		return err
	}
	return t.touch(&d.visit)
}
