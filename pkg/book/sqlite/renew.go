package sqlite

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

var errReused = errors.New("session used again after it was rotated")

// Renew implements gate.Book. From then on the device has the session r.Next,
// unless its own began by a rotation less than r.Grace ago.
//
// The session before counts for r.Grace after the rotation: a lost answer, or
// the other tabs of a browser. It does not rotate anything, so the device must
// have r.Next of the renewal that did; a caller who derives r.Next from
// r.Session sends the same one with every answer. Later, whoever shows a
// session that was rotated away, however long ago, has stolen it, or has shown
// that somebody else did: the device is revoked, its seat is free, the audit
// says so, and the denial has ReasonNoSession.
//
// What an attraction's revocation took away is not given back by a verdict,
// only by Enter.
func (b *Book) Renew(ctx context.Context, r gate.Renewal) (*gate.Admission, error) {
	if (r.Next == gate.SessionHash{}) || r.Next == r.Session {
		return nil, b.explain("renew", errors.New("a renewal without a new session"))
	}
	return answer(ctx, b, "renew", func(t *tx) (*gate.Admission, error) { return t.renew(r) })
}

func (t *tx) renew(r gate.Renewal) (*gate.Admission, error) {
	d := &seated{}
	if err := d.living(t.row(deviceQuery, []any{r.Session[:]}, d.fields()...), r.At); err != nil {
		return nil, err
	}
	var err error
	switch {
	case d.current && d.young(r.At, r.Grace):
		err = t.see(d, r.At)
	case d.current:
		err = t.rotate(d, r)
	case d.inGrace(r.At, r.Grace):
	case d.late(r.At, r.Grace):
		err = t.stolen(d, r)
	default:
		err = gate.Deny(gate.ReasonNoSession, errReused)
	}
	if err == nil {
		err = t.refresh(&d.visit, r.Fresh)
	}
	if err != nil {
		return nil, err
	}
	return d.answer(), nil
}

// see notes that the device is there. A clock that was set back changes nothing.
func (t *tx) see(d *seated, at time.Time) error {
	_, err := t.exec(`UPDATE devices SET last_seen = max(last_seen, ?) WHERE seq = ?`, at.UnixMicro(), d.device)
	return err
}

// rotate gives the device its next session. The one that it had is spent; it
// may have been so before, in an earlier life of a request that came again.
func (t *tx) rotate(d *seated, r gate.Renewal) error {
	d.Held = r.Next
	if _, err := t.exec(`UPDATE devices SET session = ?1, previous = ?2, rotated = ?3, last_seen = max(last_seen, ?3) WHERE seq = ?4`,
		r.Next[:], r.Session[:], r.At.UnixMicro(), d.device); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO spent (session, device, at) VALUES (?, ?, ?)
		ON CONFLICT (session) DO UPDATE SET device = excluded.device, at = excluded.at`, r.Session[:], d.device, r.At.UnixMicro())
	return err
}

// refresh replaces what the visit may open by what the source says now, if it
// was asked.
func (t *tx) refresh(v *visit, fresh *gate.Verdict) error {
	if fresh == nil {
		return t.touch(v)
	}
	v.VerdictAt = floor(fresh.At)
	v.Entitlements = slices.DeleteFunc(gate.Merge(nil, fresh.Entitlements), func(e gate.Entitlement) bool {
		return slices.Contains(v.lost, e.Attraction)
	})
	return t.save(v)
}

// stolen revokes a device of whose sessions somebody has a copy.
func (t *tx) stolen(d *seated, r gate.Renewal) error {
	if _, err := t.exec(`UPDATE devices SET state = 'revoked', ended = ? WHERE seq = ?`, micros(r.At), d.device); err != nil {
		return err
	}
	if err := t.touch(&d.visit); err != nil {
		return err
	}
	if err := t.append(book.AuditEvent{At: r.At, Actor: "book", Action: "device.revoke", Target: d.Device, Detail: errReused.Error()}); err != nil {
		return err
	}
	t.keep = true
	return gate.Deny(gate.ReasonNoSession, errReused)
}
