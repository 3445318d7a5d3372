package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A revokedReply says what taking something back did. Revoked is always true:
// anything else is an error.
type revokedReply struct {
	Revoked  bool      `json:"revoked"`
	Affected int       `json:"affected"`
	Exposure int       `json:"exposure_seconds"`
	Ends     time.Time `json:"exposure_ends_at"`
}

// answerRevoked says how long cookies that are out may still open something:
// as long as the gate makes them, but not beyond until, if that is not zero.
// The clock is read after the book has answered, as a renewal may have been
// made until then.
func (s *Server) answerRevoked(w http.ResponseWriter, affected int, until time.Time) {
	now := s.opts.Now()
	ends := now.Add(s.office.Gate.Exposure())
	if !until.IsZero() && until.Before(ends) {
		ends = until
	}
	if ends.Before(now) {
		ends = now
	}
	ends = ends.UTC().Add(time.Second - time.Nanosecond).Truncate(time.Second)
	writeJSON(w, http.StatusOK, revokedReply{Revoked: true, Affected: affected, Exposure: seconds(ends.Sub(now)), Ends: ends})
}

// nothing is the body of a revocation that says it all in its path.
type nothing struct{}

func (*nothing) faults() []fault { return nil }

// handleRevokeTicket serves POST /admin/v1/tickets/{id}/revoke: the ticket is
// refused for ever, and all its admissions end.
func (s *Server) handleRevokeTicket(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r, &nothing{}); err != nil {
		return err
	}
	found, err := s.record(r)
	if err != nil {
		return err
	}
	at := s.opts.Now().Truncate(time.Microsecond) // as the book keeps it
	e := s.event(r.Context(), "ticket.revoke", found.ID)
	after := *found
	if found.Revoked.IsZero() {
		after.Revoked = at
	}
	e.Before, e.After = hashOf(newTicketReplyOf(found)), hashOf(newTicketReplyOf(&after))
	affected, err := s.office.Book.RevokeRecord(r.Context(), found.ID, at, e)
	if err != nil {
		return err
	}
	s.answerRevoked(w, affected, s.lastOf(r.Context(), found))
	return nil
}

// settled is how long after its time a revocation has certainly been made.
const settled = time.Minute

// lastOf returns when the last cookie of a ticket that is revoked now ends, as
// far as the book tells: not after its admissions end, and not long after it was
// revoked, if it was before. A book that does not tell gives no limit.
func (s *Server) lastOf(ctx context.Context, r *book.Record) time.Time {
	ends := time.Unix(0, 0) // a ticket that was never shown has no cookies
	visits, next, err := s.office.Book.Admissions(ctx, book.AdmissionQuery{Ticket: r.Code, Limit: maxLimit})
	if err != nil || next != "" {
		return time.Time{}
	}
	for _, a := range visits {
		if a.Ends.After(ends) {
			ends = a.Ends
		}
	}
	if before := r.Revoked.Add(settled + s.office.Gate.Exposure()); !r.Revoked.IsZero() && before.Before(ends) {
		return before
	}
	return ends
}

// handleRevokeAdmission serves POST /admin/v1/admissions/{id}/revoke: the visit
// ends, and its ticket begins no other one until it would have ended.
func (s *Server) handleRevokeAdmission(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r, &nothing{}); err != nil {
		return err
	}
	id, err := idOf(r)
	if err != nil {
		return err
	}
	found, err := s.visit(r.Context(), id)
	if err != nil {
		return err
	}
	e := s.event(r.Context(), "admission.revoke", id)
	after := *found
	after.State = gate.StateRevoked
	e.Before, e.After = hashOf(newAdmissionReply(found)), hashOf(newAdmissionReply(&after))
	return s.takeBack(w, r, gate.Target{Kind: gate.TargetAdmission, ID: id}, e, found.Ends)
}

// takeBack revokes a target and answers; until is when the last cookie ends.
func (s *Server) takeBack(w http.ResponseWriter, r *http.Request, target gate.Target, e book.AuditEvent, until time.Time) error {
	affected, err := s.office.Book.TakeBack(r.Context(), target, s.opts.Now(), e)
	if err != nil {
		return err
	}
	s.answerRevoked(w, affected, until)
	return nil
}

// A deviceForm is the body of POST /admin/v1/devices/{id}/revoke.
type deviceForm struct {
	Admission string `json:"admission"`

	limited bool // whoever asks has a key for some attractions only
}

// The book knows the device, but not yet whose it is.
func (f *deviceForm) faults() []fault {
	switch {
	case f.Admission == "" && f.limited:
		return []fault{{"admission", "is missing: with a key that is limited to attractions, say whose device it is"}}
	case f.Admission != "" && !onRecord.MatchString(f.Admission):
		return []fault{{"admission", "want the id of an admission"}}
	}
	return nil
}

// handleRevokeDevice serves POST /admin/v1/devices/{id}/revoke: one device goes
// on no longer, and its seat is free.
func (s *Server) handleRevokeDevice(w http.ResponseWriter, r *http.Request) error {
	form := &deviceForm{limited: by(r.Context()).limited()}
	if err := readForm(w, r, form); err != nil {
		return err
	}
	id, err := idOf(r)
	if err != nil {
		return err
	}
	before, until := deviceReply{ID: id}, time.Time{}
	if form.Admission != "" {
		if before, until, err = s.device(r.Context(), id, form.Admission); err != nil {
			return err
		}
	}
	after := before
	after.State = "revoked"
	e := s.event(r.Context(), "device.revoke", id)
	e.Before, e.After = hashOf(before), hashOf(after)
	return s.takeBack(w, r, gate.Target{Kind: gate.TargetDevice, ID: id}, e, until)
}

// device returns a device of an admission that who asks may see, and when that
// ends.
func (s *Server) device(ctx context.Context, id, admission string) (deviceReply, time.Time, error) {
	found, err := s.visit(ctx, admission)
	if err != nil {
		return deviceReply{}, time.Time{}, err
	}
	devices, err := s.office.Book.Devices(ctx, admission)
	if err != nil {
		return deviceReply{}, time.Time{}, err
	}
	i := slices.IndexFunc(devices, func(d book.Device) bool { return d.ID == id })
	if i < 0 {
		return deviceReply{}, time.Time{}, errNotFound()
	}
	return newDeviceReply(&devices[i]), found.Ends, nil
}

// A confirmForm is the body of POST /admin/v1/attractions/{id}/revoke.
type confirmForm struct {
	Confirm string `json:"confirm"`

	id string // that it has to say
}

func (f *confirmForm) faults() []fault {
	if f.Confirm != f.id {
		return []fault{{"confirm", "want the id of the attraction once more: this ends every visit to it"}}
	}
	return nil
}

// handleRevokeAttraction serves POST /admin/v1/attractions/{id}/revoke: every
// visit loses the attraction, and ends if it opens nothing else. Tickets stay
// good.
func (s *Server) handleRevokeAttraction(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	if gate.CheckSlug(id) != nil || !by(r.Context()).sees([]string{id}) {
		return errNotFound()
	}
	if err := readForm(w, r, &confirmForm{id: id}); err != nil {
		return err
	}
	e := s.event(r.Context(), "attraction.revoke", id)
	e.Before = hashOf(map[string]string{"attraction": id})
	e.After = hashOf(map[string]string{"attraction": id, "revoked_at": timeText(s.opts.Now())})
	return s.takeBack(w, r, gate.Target{Kind: gate.TargetAttraction, ID: id}, e, time.Time{})
}
