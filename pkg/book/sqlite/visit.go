package sqlite

import (
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A visit is an admission as it is on record.
type visit struct {
	gate.Admission
	seq  int64
	lost []string // attractions that were revoked
}

// visitColumns are what a visit is scanned from, with admissions as a and
// tickets as t.
const visitColumns = `a.seq, a.id, a.ticket, a.state, a.begins, a.ends, t.first_use, a.seats,
	(SELECT count(*) FROM devices s WHERE s.admission = a.seq AND s.state = 'seated'),
	a.entitlements, a.lost, a.source, a.ref, a.verdict, a.revision`

// fields are where visitColumns go.
func (v *visit) fields() []any {
	return []any{&v.seq, &v.ID, digest{(*[32]byte)(&v.Ticket)}, &v.State, instant{&v.Begins}, instant{&v.Ends},
		instant{&v.FirstUse}, &v.Seats, &v.Taken, document{&v.Entitlements}, document{&v.lost}, &v.Source, &v.Ref,
		instant{&v.VerdictAt}, &v.Revision}
}

// over reports whether the visit has ended by itself.
func (v *visit) over(at time.Time) bool { return v.State == gate.StateEnded || !at.Before(v.Ends) }

// answer returns the admission for somebody outside.
func (v *visit) answer() *gate.Admission {
	a := v.Admission
	a.Entitlements = slices.Clone(a.Entitlements)
	return &a
}

// latest returns the ticket's last visit, or nil.
func (t *tx) latest(ticket gate.Fingerprint) (*visit, error) {
	v := &visit{}
	err := t.row(`SELECT `+visitColumns+` FROM admissions a JOIN tickets t ON t.fingerprint = a.ticket
		WHERE a.ticket = ? ORDER BY a.seq DESC LIMIT 1`, []any{ticket[:]}, v.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return v, err
}

// save writes what can change in a visit.
func (t *tx) save(v *visit) error {
	v.Revision++
	_, err := t.exec(`UPDATE admissions SET seats = ?, entitlements = ?, lost = ?, source = ?, ref = ?, verdict = ?, revision = ?
		WHERE seq = ?`, v.Seats, text(v.Entitlements), text(v.lost), v.Source, v.Ref, micros(v.VerdictAt), v.Revision, v.seq)
	if err != nil {
		return err
	}
	return t.place(v)
}

// place records which attractions the visit has opened.
func (t *tx) place(v *visit) error {
	last := ""
	for _, e := range v.Entitlements { // sorted
		if e.Attraction == last && last != "" {
			continue
		}
		last = e.Attraction
		if _, err := t.exec(`INSERT INTO places (attraction, admission) VALUES (?, ?) ON CONFLICT DO NOTHING`, last, v.seq); err != nil {
			return err
		}
	}
	return nil
}

// touch counts a change that is not in the visit's own row.
func (t *tx) touch(v *visit) error {
	v.Revision++
	_, err := t.exec(`UPDATE admissions SET revision = ? WHERE seq = ?`, v.Revision, v.seq)
	return err
}
