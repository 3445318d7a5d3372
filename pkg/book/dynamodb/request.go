package dynamodb

import (
	"errors"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// An answered request may come again.
type answered struct {
	Body      hash      `json:"body"`
	Admission string    `json:"admission"`
	Device    string    `json:"device"`
	At        time.Time `json:"at"`
}

// repeated returns the admission for a request that was answered before and
// comes again, or nil.
func (w *work) repeated(t *ticket, request *item, e gate.Entry) (*gate.Admission, error) {
	if request == nil || request.doc == "" {
		return nil, nil
	}
	var before answered
	if err := request.read(&before); err != nil {
		return nil, err
	}
	switch {
	case e.At.Sub(before.At) >= day:
		return nil, nil
	case before.Body != hash(e.Request.Body):
		return nil, gate.ErrOtherRequest
	}
	v, err := w.visitOf(t, before.Admission)
	switch {
	case err != nil:
		return nil, err
	case v == nil, v.over(e.At):
		return nil, nil
	case v.State == gate.StateRevoked:
		return nil, gate.Deny(gate.ReasonRevoked, nil)
	}
	if d := v.device(before.Device); d != nil && v == t.Visit {
		return t.answer(v, d), nil
	}
	return nil, w.whyGone(before.Device, nil)
}

// visitOf returns a visit of the ticket, or nil. It may be one that another followed.
func (w *work) visitOf(t *ticket, id string) (*visit, error) {
	if t.Visit != nil && t.Visit.ID == id {
		return t.Visit, nil
	}
	it, err := w.one(w.ctx, admissionKey(id))
	if err != nil || it.doc == "" {
		return nil, err
	}
	var a archived
	err = it.read(&a)
	return a.Visit, err
}

// whyGone says why a device has no seat: a denial if it was revoked, or else.
func (w *work) whyGone(device string, orElse error) error {
	it, err := w.one(w.ctx, deviceKey(device))
	if err != nil || it.doc == "" {
		return errors.Join(err, orElse)
	}
	var s seating
	if err := it.read(&s); err != nil {
		return err
	}
	if s.State == seatRevoked {
		return gate.Deny(gate.ReasonRevoked, nil)
	}
	return orElse
}

// remember records which device a request was for.
func (w *work) remember(t *ticket, request *item, d *device, e gate.Entry) error {
	if request == nil {
		return nil
	}
	request.own, request.expires = t.name(), w.keepUntil(e.At, keepSessions)
	return w.putDoc(request, answered{hash(e.Request.Body), t.Visit.ID, d.ID, e.At.UTC()})
}
