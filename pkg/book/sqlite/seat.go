package sqlite

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/handstamp/handstamp/pkg/gate"
)

// seat gives the device a place in the visit: the one that it has, a free one,
// or that of a device which has been idle for too long.
func (t *tx) seat(v *visit, e gate.Entry) (device int64, err error) {
	if device, err = t.sameSeat(v, e); device != 0 || err != nil {
		return device, err
	}
	for ; v.Taken >= e.Seats; v.Taken-- {
		if err := t.evict(v, e); err != nil {
			return 0, err
		}
	}
	v.Device, v.Taken = rand.Text(), v.Taken+1
	device, _, err = t.insert(`INSERT INTO devices (id, admission, state, session, first_seen, last_seen)
		VALUES (?, ?, 'seated', ?, ?, ?)`, v.Device, v.seq, e.Session[:], micros(e.At), micros(e.At))
	return device, err
}

// sameSeat finds the device that showed a session of this visit, or until a
// moment ago had it, and gives it the new one. It returns 0 if there is none.
func (t *tx) sameSeat(v *visit, e gate.Entry) (device int64, err error) {
	if (e.Previous == gate.SessionHash{}) || v.Taken == 0 {
		return 0, nil
	}
	at, around := e.At.UnixMicro(), gate.RotationGrace.Microseconds()
	err = t.row(`UPDATE devices SET session = ?1, previous = NULL, rotated = NULL, last_seen = max(last_seen, ?2)
		WHERE admission = ?3 AND state = 'seated'
		AND (session = ?4 OR previous = ?4 AND rotated BETWEEN ?2 - ?5 AND ?2 + ?5)
		RETURNING seq, id`, []any{e.Session[:], at, v.seq, e.Previous[:], around}, &device, &v.Device)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return device, err
}

// evict takes the seat of the device that has been idle longest, if it was
// idle for long enough and the ticket's seats have not changed hands too often.
func (t *tx) evict(v *visit, e gate.Entry) error {
	full := gate.Deny(gate.ReasonSeatsTaken, fmt.Errorf("%d of %d seats of admission %s", v.Taken, e.Seats, v.ID))
	if e.Idle <= 0 || e.Swaps <= 0 {
		return full
	}
	at := e.At.UnixMicro()
	n, err := t.exec(`UPDATE devices SET state = 'evicted', session = NULL, previous = NULL, ended = ?1
		WHERE seq = (SELECT seq FROM devices WHERE admission = ?2 AND state = 'seated' AND last_seen < ?1 - ?3 ORDER BY last_seen, seq LIMIT 1)
		AND ?4 > (SELECT count(*) FROM devices d JOIN admissions a ON a.seq = d.admission
			WHERE a.ticket = ?5 AND d.state = 'evicted' AND d.ended > ?1 - ?6)`,
		at, v.seq, e.Idle.Microseconds(), e.Swaps, e.Ticket[:], day.Microseconds())
	if err == nil && n == 0 {
		return full
	}
	return err
}

// repeated returns the visit of a request that was answered before, or nil.
func (t *tx) repeated(e gate.Entry) (*visit, error) {
	if e.Request.Key == [32]byte{} {
		return nil, nil
	}
	var body [32]byte
	var state string
	v := &visit{}
	key := requestKey(e)
	err := t.row(`SELECT r.body, d.id, d.state, d.session, `+visitColumns+` FROM requests r JOIN devices d ON d.seq = r.device
		JOIN admissions a ON a.seq = d.admission JOIN tickets t ON t.fingerprint = a.ticket
		WHERE r.key = ? AND r.at > ?`, []any{key[:], e.At.Add(-day).UnixMicro()},
		append([]any{digest{&body}, &v.Device, &state, digest{(*[32]byte)(&v.Held)}}, v.fields()...)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case body != e.Request.Body:
		return nil, gate.ErrOtherRequest
	case v.over(e.At):
		return nil, nil
	case state == seatRevoked, v.State == gate.StateRevoked:
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	case state != seatTaken:
		return nil, nil
	}
	return v, nil
}

// requestKey is the key as it is on record: SHA-256 of the ticket that it
// belongs to, and of the key.
func requestKey(e gate.Entry) [sha256.Size]byte {
	return sha256.Sum256(append(e.Ticket[:], e.Request.Key[:]...))
}

// remember records which device a request was for.
func (t *tx) remember(e gate.Entry, device int64) error {
	if e.Request.Key == [32]byte{} {
		return nil
	}
	key := requestKey(e)
	_, err := t.exec(`INSERT INTO requests (key, body, device, at) VALUES (?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET body = excluded.body, device = excluded.device, at = excluded.at`,
		key[:], e.Request.Body[:], device, e.At.UnixMicro())
	return err
}
