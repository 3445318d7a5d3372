package admin

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/gorilla/mux"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A ticketReply is a ticket on record. It has no code and nothing made of one.
type ticketReply struct {
	ID         string         `json:"id"`
	Batch      string         `json:"batch,omitempty"`
	Products   []productReply `json:"products"`
	Seats      int            `json:"seats,omitempty"`
	ValidFrom  time.Time      `json:"valid_from,omitzero"`
	ValidUntil time.Time      `json:"valid_until,omitzero"`
	Note       string         `json:"note,omitempty"`
	IssuedAt   time.Time      `json:"issued_at"`
	RevokedAt  time.Time      `json:"revoked_at,omitzero"`
	FileOwner  string         `json:"file_owner,omitempty"` // of one ticket, not in lists
}

type productReply struct {
	Attraction string `json:"attraction"`
	Package    string `json:"package,omitempty"`
}

func newTicketReplyOf(r *book.Record) ticketReply {
	t := ticketReply{ID: r.ID, Batch: r.Batch, Products: []productReply{}, Seats: r.Seats, ValidFrom: r.ValidFrom.UTC(), ValidUntil: r.ValidUntil.UTC(),
		Note: r.Note, IssuedAt: r.Issued.UTC(), RevokedAt: r.Revoked.UTC()}
	for _, p := range r.Products {
		t.Products = append(t.Products, productReply(p))
	}
	return t
}

func newTicketReplies(records []book.Record) []ticketReply {
	all := make([]ticketReply, len(records))
	for i := range records {
		all[i] = newTicketReplyOf(&records[i])
	}
	return all
}

// placesIn returns the attractions that a record opens.
func placesIn(r *book.Record) (ids []string) {
	for _, p := range r.Products {
		ids = append(ids, p.Attraction)
	}
	return ids
}

// onRecord is what an id can look like, so that a book is asked for nothing else.
var onRecord = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// idOf returns the id in the path.
func idOf(r *http.Request) (string, error) {
	id := mux.Vars(r)["id"]
	if !onRecord.MatchString(id) {
		return "", errNotFound()
	}
	return id, nil
}

// record returns the ticket with the id in the path if who asks may see it.
func (s *Server) record(r *http.Request) (*book.Record, error) {
	id, err := idOf(r)
	if err != nil {
		return nil, err
	}
	found, err := s.office.Book.Record(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if !by(r.Context()).sees(placesIn(found)) {
		return nil, errNotFound()
	}
	return found, nil
}

// handleTicket serves GET /admin/v1/tickets/{id}.
func (s *Server) handleTicket(w http.ResponseWriter, r *http.Request) error {
	found, err := s.record(r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.one(found))
	return nil
}

// one returns the reply about a single ticket.
func (s *Server) one(r *book.Record) ticketReply {
	t := newTicketReplyOf(r)
	if s.opts.FileOwner != nil {
		t.FileOwner = s.opts.FileOwner(r.Code)
	}
	return t
}

// A codeForm is the body of POST /admin/v1/tickets/find.
type codeForm struct {
	Code string `json:"code"`
}

func (f *codeForm) faults() []fault {
	if f.Code == "" {
		return []fault{{"code", "is missing: as it stands on the ticket"}}
	}
	return nil
}

// handleFindTicket serves POST /admin/v1/tickets/find: the ticket with a code,
// which does not belong into a URL. Who looks for too many that are not there is
// guessing, and has to wait.
func (s *Server) handleFindTicket(w http.ResponseWriter, r *http.Request) error {
	form := &codeForm{}
	if err := readForm(w, r, form); err != nil {
		return err
	}
	code, err := s.office.Issuer.Fingerprint(gate.Secret(form.Code))
	if err != nil {
		return invalid(fault{"code", "cannot be a code; look for typing errors"})
	}
	who := by(r.Context())
	if wait := s.misses.locked(who.id, s.opts.Now()); wait > 0 {
		return errLockedOut(wait, errors.New("too many codes that are not on record"))
	}
	found, err := s.find(r.Context(), code)
	if errors.Is(err, gate.ErrNoTarget) {
		s.misses.fail(who.id, s.opts.Now())
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.one(found))
	return nil
}

// find returns the ticket with a code if who asks may see it, and otherwise
// what it returns for one that does not exist.
func (s *Server) find(ctx context.Context, code gate.Fingerprint) (*book.Record, error) {
	found, err := s.office.Book.Lookup(ctx, code)
	if err != nil {
		return nil, err
	}
	if !by(ctx).sees(placesIn(found)) {
		return nil, gate.ErrNoTarget
	}
	return found, nil
}
