package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// An admissionReply is a visit on record.
type admissionReply struct {
	ID           string             `json:"id"`
	State        gate.State         `json:"state"`
	Ticket       string             `json:"ticket,omitempty"` // id, if it was issued here and this is not a list
	Source       string             `json:"source,omitempty"`
	Begins       time.Time          `json:"begins_at"`
	Ends         time.Time          `json:"ends_at"`
	FirstUse     time.Time          `json:"first_use_at,omitzero"`
	Seats        int                `json:"seats"`
	Taken        int                `json:"taken"`
	Entitlements []entitlementReply `json:"entitlements"`
	Devices      []deviceReply      `json:"devices,omitempty"` // not in a list
}

type entitlementReply struct {
	Attraction string    `json:"attraction"`
	Package    string    `json:"package,omitempty"`
	From       time.Time `json:"from,omitzero"`
	Until      time.Time `json:"until"`
}

type deviceReply struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	FirstSeen time.Time `json:"first_seen_at"`
	LastSeen  time.Time `json:"last_seen_at"`
	Ended     time.Time `json:"ended_at,omitzero"`
}

func newAdmissionReply(a *gate.Admission) admissionReply {
	reply := admissionReply{ID: a.ID, State: a.State, Source: a.Source, Begins: a.Begins.UTC(), Ends: a.Ends.UTC(), FirstUse: a.FirstUse.UTC(),
		Seats: a.Seats, Taken: a.Taken, Entitlements: []entitlementReply{}}
	for _, e := range a.Entitlements {
		reply.Entitlements = append(reply.Entitlements, entitlementReply{e.Attraction, e.Package, e.From.UTC(), e.Until.UTC()})
	}
	return reply
}

func newDeviceReply(d *book.Device) deviceReply {
	return deviceReply{d.ID, d.State, d.FirstSeen.UTC(), d.LastSeen.UTC(), d.Ended.UTC()}
}

type admissionsReply struct {
	Admissions []admissionReply `json:"admissions"`
	Next       string           `json:"next,omitempty"`
}

// handleAdmissions serves GET /admin/v1/admissions: a page of visits, the
// newest first.
func (s *Server) handleAdmissions(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "ticket", "attraction", "cursor", "limit")
	who, limit := by(r.Context()), q.limit()
	place, err := q.place(who)
	if err != nil {
		return err
	}
	id := q.values.Get("ticket")
	code, err := s.codeOf(r.Context(), id)
	if err != nil {
		return err
	}
	list := pages[gate.Admission]{who: who, cursors: s.cursors, query: []string{"admissions", who.id, place, id},
		fetch: func(ctx context.Context, after string, limit int) ([]gate.Admission, string, error) {
			return s.office.Book.Admissions(ctx, book.AdmissionQuery{Ticket: code, Attraction: place, After: after, Limit: limit})
		}, places: s.placesAt}
	found, next, err := list.page(r.Context(), q.values.Get("cursor"), limit)
	if err != nil {
		return err
	}
	reply := admissionsReply{Admissions: make([]admissionReply, len(found)), Next: next}
	for i := range found {
		reply.Admissions[i] = newAdmissionReply(&found[i])
	}
	writeJSON(w, http.StatusOK, reply)
	return nil
}

// codeOf returns what the book knows the ticket with an id by, zero for no id.
func (s *Server) codeOf(ctx context.Context, id string) (gate.Fingerprint, error) {
	if id == "" {
		return gate.Fingerprint{}, nil
	}
	if !onRecord.MatchString(id) {
		return gate.Fingerprint{}, errNotFound()
	}
	found, err := s.office.Book.Record(ctx, id)
	if err != nil {
		return gate.Fingerprint{}, err
	}
	if !by(ctx).sees(placesIn(found)) {
		return gate.Fingerprint{}, errNotFound()
	}
	return found.Code, nil
}

// placesAt returns the attractions that an admission belongs to: those that it
// opens, and those that its ticket does, if it was issued here. An admission
// that has lost some still is of the ticket that buys them.
func (s *Server) placesAt(ctx context.Context, a *gate.Admission) ([]string, error) {
	var ids []string
	for _, e := range a.Entitlements {
		ids = append(ids, e.Attraction)
	}
	found, err := s.office.Book.Lookup(ctx, a.Ticket)
	switch {
	case errors.Is(err, gate.ErrNoTarget):
		return ids, nil
	case err != nil:
		return nil, err
	}
	return append(ids, placesIn(found)...), nil
}

// visit returns an admission if who asks may see it.
func (s *Server) visit(ctx context.Context, id string) (*gate.Admission, error) {
	found, err := s.office.Book.Admission(ctx, id)
	if err != nil || !by(ctx).limited() {
		return found, err
	}
	places, err := s.placesAt(ctx, found)
	if err != nil {
		return nil, err
	}
	if !by(ctx).sees(places) {
		return nil, errNotFound()
	}
	return found, nil
}

// handleAdmission serves GET /admin/v1/admissions/{id}: a visit with its ticket
// and its devices.
func (s *Server) handleAdmission(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	found, err := s.visit(r.Context(), id)
	if err != nil {
		return err
	}
	devices, err := s.office.Book.Devices(r.Context(), id)
	if err != nil {
		return err
	}
	reply := newAdmissionReply(found)
	for i := range devices {
		reply.Devices = append(reply.Devices, newDeviceReply(&devices[i]))
	}
	switch ticket, err := s.office.Book.Lookup(r.Context(), found.Ticket); {
	case err == nil:
		reply.Ticket = ticket.ID
	case !errors.Is(err, gate.ErrNoTarget):
		return err
	}
	writeJSON(w, http.StatusOK, reply)
	return nil
}
