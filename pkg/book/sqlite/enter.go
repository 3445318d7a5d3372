package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// day is how long a request is remembered, and over which swaps are counted.
const day = 24 * time.Hour

// FirstUse implements gate.Book. It does not wait for writes.
func (b *Book) FirstUse(ctx context.Context, f gate.Fingerprint) (first time.Time, err error) {
	err = b.reader.QueryRowContext(ctx, `SELECT first_use FROM tickets WHERE fingerprint = ?`, f[:]).Scan(instant{&first})
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return first, b.explain("find a first use", err)
}

// Enter implements gate.Book.
//
// A ticket that was revoked is refused for ever. One whose last admission was
// revoked alone is refused until that admission would have ended. One whose
// admission ended because an attraction was revoked begins a new one.
//
// A request that comes again gets the same admission and device while that
// device has its seat. If the device has left or lost its seat since, the
// request counts as a new one.
func (b *Book) Enter(ctx context.Context, e gate.Entry) (*gate.Admission, error) {
	switch {
	case e.Seats < 1:
		return nil, b.explain("enter", fmt.Errorf("%d seats, want at least 1", e.Seats))
	case e.Session == gate.SessionHash{}:
		return nil, b.explain("enter", errors.New("an entry without a session"))
	}
	return answer(ctx, b, "enter", func(t *tx) (*gate.Admission, error) { return t.enter(e) })
}

func (t *tx) enter(e gate.Entry) (*gate.Admission, error) {
	v, err := t.repeated(e)
	if err != nil {
		return nil, err
	}
	if v != nil {
		return v.answer(), nil
	}
	v, isNew, err := t.visit(e)
	if err != nil {
		return nil, err
	}
	device, err := t.seat(v, e)
	if err != nil {
		return nil, err
	}
	v.Held = e.Session
	if !isNew {
		v.join(e)
		if err := t.save(v); err != nil {
			return nil, err
		}
	}
	return v.answer(), t.remember(e, device)
}

// visit returns the visit that goes on with this ticket, or opens one.
func (t *tx) visit(e gate.Entry) (v *visit, isNew bool, err error) {
	firstUse, err := t.show(e)
	if err != nil {
		return nil, false, err
	}
	v, err = t.latest(e.Ticket)
	switch {
	case err != nil:
		return nil, false, err
	case v == nil:
	case v.State == gate.StateRevoked && e.At.Before(v.Ends):
		return nil, false, gate.Deny(gate.ReasonRevoked, fmt.Errorf("admission %s is revoked until %s", v.ID, v.Ends.Format(time.RFC3339)))
	case v.State == gate.StateActive && !v.over(e.At):
		return v, false, nil
	default:
		if err := t.close(v, e.At); err != nil {
			return nil, false, err
		}
	}
	v, err = t.open(e, firstUse)
	return v, true, err
}

// show puts the ticket on record and returns its first use.
func (t *tx) show(e gate.Entry) (firstUse time.Time, err error) {
	if firstUse = e.FirstUse; firstUse.IsZero() {
		firstUse = e.At
	}
	var revoked time.Time
	err = t.row(`INSERT INTO tickets (fingerprint, first_use) VALUES (?, ?)
		ON CONFLICT (fingerprint) DO UPDATE SET first_use = coalesce(first_use, excluded.first_use)
		RETURNING first_use, revoked`, []any{e.Ticket[:], micros(firstUse)}, instant{&firstUse}, instant{&revoked})
	if err == nil && !revoked.IsZero() {
		err = gate.Deny(gate.ReasonRevoked, fmt.Errorf("ticket revoked at %s", revoked.Format(time.RFC3339)))
	}
	return firstUse, err
}

func (t *tx) open(e gate.Entry, firstUse time.Time) (*visit, error) {
	v := &visit{Admission: gate.Admission{ID: rand.Text(), Ticket: e.Ticket, State: gate.StateActive,
		Begins: floor(e.At), Ends: floor(e.Ends), FirstUse: firstUse, Revision: 1}, lost: []string{}}
	v.join(e)
	var err error
	v.seq, _, err = t.insert(`INSERT INTO admissions (id, ticket, state, begins, ends, seats, entitlements, source, ref, verdict, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, v.ID, v.Ticket[:], v.State, v.Begins.UnixMicro(), v.Ends.UnixMicro(), v.Seats,
		text(v.Entitlements), v.Source, v.Ref, micros(v.VerdictAt), v.Revision)
	if err != nil {
		return nil, err
	}
	return v, t.place(v)
}

// close ends a visit that another one follows. Its sessions are forgotten, so
// that setting the clock back brings none of them to life.
func (t *tx) close(v *visit, at time.Time) error {
	if _, err := t.exec(`UPDATE admissions SET state = 'ended', revision = revision + 1 WHERE seq = ? AND state = 'active'`, v.seq); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE devices SET state = iif(state = 'seated', 'left', state), session = NULL, previous = NULL,
		ended = coalesce(ended, ?) WHERE admission = ? AND session IS NOT NULL`, micros(at), v.seq)
	return err
}

// join puts into the visit what the entry says.
func (v *visit) join(e gate.Entry) {
	v.Seats, v.Entitlements = e.Seats, gate.Merge(v.Entitlements, e.Entitlements)
	v.Source, v.Ref = e.Source, e.Ref
	if at := floor(e.At); at.After(v.VerdictAt) {
		v.VerdictAt = at
	}
	v.lost = slices.DeleteFunc(v.lost, func(id string) bool {
		return slices.ContainsFunc(e.Entitlements, func(e gate.Entitlement) bool { return e.Attraction == id })
	})
}

// floor returns t as the file keeps it.
func floor(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }
