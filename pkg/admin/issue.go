package admin

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// handleIssue serves POST /admin/v1/tickets: it issues tickets and shows their
// codes. They are written out before they are issued, so that nothing that
// fails on the way leaves tickets that nobody has the codes of.
func (s *Server) handleIssue(w http.ResponseWriter, r *http.Request) error {
	write, err := s.output(r)
	if err != nil {
		return err
	}
	key, err := requestKey(r)
	if err != nil {
		return err
	}
	o := &order{places: s.placesOf(by(r.Context())), now: s.opts.Now()}
	if err := readForm(w, r, o); err != nil {
		return err
	}
	b, err := s.newBatch(by(r.Context()).id, key, o)
	if err != nil {
		return err
	}
	reply, err := write(b)
	if err != nil {
		return err
	}
	err = s.office.Book.Issue(r.Context(), b.records, s.issued(r.Context(), b))
	if errors.Is(err, book.ErrDuplicate) {
		reply, err = s.again(r.Context(), b, write)
	}
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(batchTimeout)) // without a connection there is nothing to limit
	reply.write(w)
	return nil
}

// placesOf returns the attractions that somebody may issue tickets for.
func (s *Server) placesOf(who *actor) func(id string) (*gate.Attraction, bool) {
	return func(id string) (*gate.Attraction, bool) {
		place, ok := s.office.attraction(id)
		return place, ok && who.sees([]string{id})
	}
}

// maxRequestKey is the longest idempotency key, in bytes.
const maxRequestKey = 128

// requestKey returns the Idempotency-Key of a request, if it has one.
func requestKey(r *http.Request) (gate.Secret, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return "", nil
	}
	if len(keys) > 1 || keys[0] == "" || len(keys[0]) > maxRequestKey {
		return "", badRequest("The header Idempotency-Key comes once and has 1 to 128 characters.")
	}
	return gate.Secret(keys[0]), nil
}

// A batch is tickets that are issued together.
type batch struct {
	request string // who asks, and the key of the request; empty for one without
	records []book.Record
	codes   []gate.Secret // of the records, in their order
}

// newBatch makes the tickets of an order. With a key they follow from it, and
// from who asks: nobody gets the tickets of another by the same key.
func (s *Server) newBatch(who string, key gate.Secret, o *order) (*batch, error) {
	b := &batch{}
	name := newID(o.now)
	if key != "" {
		b.request = who + "\n" + key.Reveal()
		sum := sha256.Sum256([]byte("batch\n" + b.request))
		name = base32.StdEncoding.EncodeToString(sum[:15])
	}
	if o.Batch != nil {
		name = *o.Batch
	}
	record := o.record(name)
	for n := range o.count() {
		code, err := s.code(b.request, n)
		if err != nil {
			return nil, err
		}
		if record.Code, err = s.office.Issuer.Fingerprint(code); err != nil {
			return nil, fmt.Errorf("fingerprint of a new code: %w", err)
		}
		record.ID = newID(o.now)
		b.records, b.codes = append(b.records, record), append(b.codes, code)
	}
	return b, nil
}

func (s *Server) code(request string, n int) (code gate.Secret, err error) {
	if request == "" {
		code, err = s.office.Issuer.New()
	} else {
		code, err = s.office.Issuer.Derive(request, n)
	}
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return code, nil
}

// newID returns an id that begins with the time, so that those of one batch lie
// together on disk, and goes on with 75 random bits. It has 26 characters.
func newID(at time.Time) string {
	var micros [8]byte
	for i, rest := len(micros)-1, uint64(at.UnixMicro())<<9; i >= 0; i, rest = i-1, rest>>8 {
		micros[i] = byte(rest)
	}
	return base32.HexEncoding.EncodeToString(micros[:])[:11] + rand.Text()[:15]
}

func (s *Server) issued(ctx context.Context, b *batch) book.AuditEvent {
	e := s.event(ctx, "ticket.issue", b.records[0].Batch)
	e.After = hashOf(newTicketReplies(b.records))
	e.Detail = fmt.Sprintf("tickets: %d, attraction: %s", len(b.records), b.records[0].Products[0].Attraction)
	return e
}

// maxRepeat is how long after it was made a request can be made again.
const maxRepeat = 24 * time.Hour

// again answers a request whose tickets are on record. If it is the one that
// issued them, as its key and all that it asks for say, its answer was lost, and
// it gets them again. The audit says that codes were shown once more.
func (s *Server) again(ctx context.Context, b *batch, write writer) (*output, error) {
	if b.request == "" {
		return nil, &requestError{status: http.StatusConflict, code: "conflict", detail: "A code is on record already; nothing was issued. Ask again."}
	}
	if err := s.recall(ctx, b); err != nil {
		return nil, err
	}
	e := s.event(ctx, "ticket.show_again", b.records[0].Batch)
	e.Before = hashOf(newTicketReplies(b.records))
	e.After = e.Before
	e.Detail = fmt.Sprintf("tickets: %d", len(b.records))
	reply, err := write(b)
	if err != nil {
		return nil, err
	}
	return reply, s.office.Book.Append(ctx, e)
}

// recall puts the records that are in the book in place of those of b, or
// returns an error if they are of another request: other in number or content.
func (s *Server) recall(ctx context.Context, b *batch) error {
	other := &requestError{status: http.StatusUnprocessableEntity, code: "idempotency_key_reused",
		detail: "This Idempotency-Key came with another body, or a day ago. Nothing was issued; choose a new one."}
	for i := range b.records {
		found, err := s.office.Book.Lookup(ctx, b.records[i].Code)
		switch {
		case errors.Is(err, gate.ErrNoTarget):
			return other
		case err != nil:
			return err
		case !same(found, &b.records[i]) || b.records[i].Issued.Sub(found.Issued) > maxRepeat:
			return other
		}
		b.records[i] = *found
	}
	next, err := s.code(b.request, len(b.records))
	if err != nil {
		return err
	}
	beyond, err := s.office.Issuer.Fingerprint(next)
	if err != nil {
		return err
	}
	if _, err = s.office.Book.Lookup(ctx, beyond); errors.Is(err, gate.ErrNoTarget) {
		return nil
	}
	return errors.Join(err, other)
}

// An output is a reply that is ready.
type output struct {
	kind string // media type
	body bytes.Buffer
}

func (o *output) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", o.kind)
	if o.kind != kindJSON {
		h.Set("Content-Disposition", "attachment")
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(o.body.Bytes()) // #nosec G705 -- an attachment, never a page: nosniff and a policy without scripts
}
