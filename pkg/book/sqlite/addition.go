package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	engine "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// addRows is how many rows one statement adds: that halves the time that a
// million takes.
const addRows = 50

// A listed record has its place in a list, which counts from 1.
type listed struct {
	book.Record
	number int
}

// blame says which record is to blame for err.
func (l *listed) blame(err error) error {
	return fmt.Errorf("record %d, id %q: %w", l.number, l.ID, err)
}

// add puts records into the book and returns those whose codes are on record
// already, or come twice. The others belong to an import, unless that is 0. What
// waits in another import is taken out of it: nobody could see it yet.
func (t *tx) add(list []*listed, imports int64) (known []*listed, err error) {
	var last int64
	if err := t.row(`SELECT coalesce(max(seq), 0) FROM records`, nil, &last); err != nil {
		return nil, err
	}
	for len(list) > 0 {
		n := addRows
		if len(list) < n {
			n = 1
		}
		added, same, err := t.unknown(list[:n], imports)
		if err != nil {
			return nil, err
		}
		if err := t.insertRecords(added, last+1, imports); err != nil {
			return nil, err
		}
		known, last, list = append(known, same...), last+int64(len(added)), list[n:]
	}
	return known, nil
}

// unknown parts records into those to be added and those whose codes are on record.
func (t *tx) unknown(list []*listed, imports int64) (added, known []*listed, err error) {
	have, err := t.have(list, imports)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range list {
		was, ok := have[r.Code]
		switch {
		case !ok:
		case was.seq == 0, !was.elsewhere:
			known = append(known, r)
			continue
		default:
			if err := t.forget(text([]int64{was.seq})); err != nil {
				return nil, nil, err
			}
			if r.Revoked.IsZero() {
				r.Revoked = was.revoked
			}
		}
		have[r.Code] = had{}
		added = append(added, r)
	}
	return added, known, nil
}

// A had record is on record; the zero one comes in the same statement.
type had struct {
	seq       int64
	elsewhere bool // it waits in another import
	revoked   time.Time
}

func (t *tx) have(list []*listed, imports int64) (map[gate.Fingerprint]had, error) {
	args := make([]any, 0, len(list)+1)
	for i := range list {
		args = append(args, list[i].Code[:12])
	}
	s, err := t.prepare(`SELECT r.code, r.seq, r.revoked, r.import IS NOT ? AND NOT ` + counts + ` FROM records r
		WHERE substr(r.code, 1, 12) IN (` + marks("?", len(list)) + `)`)
	if err != nil {
		return nil, err
	}
	rows, err := s.Query(append([]any{imports}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have := make(map[gate.Fingerprint]had)
	for rows.Next() {
		var code gate.Fingerprint
		var h had
		if err := rows.Scan(digest{(*[32]byte)(&code)}, &h.seq, instant{&h.revoked}, &h.elsewhere); err != nil {
			return nil, err
		}
		have[code] = h
	}
	return have, rows.Err()
}

// marks is a list of n parameters or groups of them.
func marks(one string, n int) string { return strings.TrimSuffix(strings.Repeat(one+", ", n), ", ") }

// insertRecords adds records under the numbers from seq on.
func (t *tx) insertRecords(list []*listed, seq, imports int64) error {
	for len(list) > 0 {
		n := addRows
		if len(list) < n {
			n = 1
		}
		err := t.insertRows(list[:n], seq, imports)
		if taken(err) && n > 1 { // by one of them
			for i := range list[:n] {
				if err := t.insertRows(list[i:i+1], seq+int64(i), imports); err != nil {
					return err
				}
			}
			err = errors.New("a constraint failed for many records, and for none of them")
		}
		if taken(err) {
			err = list[0].blame(fmt.Errorf("its id, or the beginning of its code, %w", book.ErrDuplicate))
		}
		if err != nil {
			return err
		}
		list, seq = list[n:], seq+int64(n)
	}
	return nil
}

func (t *tx) insertRows(list []*listed, seq, imports int64) error {
	var rows, places []any
	for i := range list {
		r := list[i]
		if r.Issued.IsZero() {
			r.Issued = t.book.opts.Now()
		}
		if r.ID == "" {
			r.ID = recordID(r.Issued)
		}
		rows = append(rows, seq+int64(i), r.ID, r.Code[:], text(products{&r.Products}), r.Seats, micros(r.ValidFrom), micros(r.ValidUntil),
			r.Note, r.Batch, r.Issued.UnixMicro(), micros(r.Revoked), sql.NullInt64{Int64: imports, Valid: imports != 0}, terms{&r.Terms}.kept())
		for _, p := range r.Products {
			places = append(places, p.Attraction, seq+int64(i))
		}
	}
	_, err := t.exec(`INSERT INTO records (seq, id, code, products, seats, valid_from, valid_until, note, batch, issued, revoked, import, terms)
		VALUES `+marks("("+marks("?", 13)+")", len(list)), rows...)
	for len(places) > 0 && err == nil {
		n := addRows
		if len(places) < 2*n {
			n = 1
		}
		_, err = t.exec(`INSERT INTO record_places (attraction, record) VALUES `+marks("(?, ?)", n)+` ON CONFLICT DO NOTHING`, places[:2*n]...)
		places = places[2*n:]
	}
	return err
}

// taken reports whether a value that must be unique was not.
func taken(err error) bool {
	var failure *engine.Error
	return errors.As(err, &failure) && failure.Code()&0xff == codes.SQLITE_CONSTRAINT
}

// forget takes records out again that nobody could see: a JSON list of their
// numbers.
func (t *tx) forget(seqs string) error {
	for _, query := range []string{
		`DELETE FROM record_places WHERE (attraction, record) IN (SELECT p.value ->> 0, r.seq
			FROM json_each(?) l JOIN records r ON r.seq = l.value, json_each(r.products) p)`,
		`DELETE FROM records WHERE seq IN (SELECT value FROM json_each(?))`,
	} {
		if _, err := t.exec(query, seqs); err != nil {
			return err
		}
	}
	return nil
}
