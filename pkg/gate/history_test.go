package gate_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A history is a visit in which anything may happen.
type history struct {
	*world
	office   *office
	t        *rapid.T
	opts     gate.Options
	sessions []gate.Session
	ended    map[string]bool // IDs of admissions and devices that were revoked
}

// What must always hold, through any history of showing the ticket, renewing,
// leaving and revoking, with a source that changes its mind and a book that is
// full at times: cookie expiry <=
// admission end <= entitlement end, and what was revoked does not come back.
func TestNoHistoryLengthensAVisit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := gate.Options{
			Lifetime: rapid.SampledFrom([]time.Duration{0, time.Second, 90 * time.Second, time.Hour}).Draw(t, "lifetime"),
			Window:   rapid.SampledFrom([]time.Duration{0, -1, 7 * time.Second, time.Hour}).Draw(t, "window"),
			Verdict:  rapid.SampledFrom([]time.Duration{0, 1, time.Hour}).Draw(t, "verdict"),
			Seats:    2, Idle: 5 * time.Minute,
		}
		w, o := newOffice(opts)
		h := &history{world: w, office: o, t: t, opts: opts, ended: map[string]bool{}}
		t.Repeat(map[string]func(*rapid.T){
			"admit": h.admit, "renew": h.renew, "leave": h.leave, "revoke": h.revoke, "time passes": h.pass, "the book fills up": h.fill, "the source changes its mind": h.change,
		})
	})
}

func (h *history) session(t *rapid.T) gate.Session {
	if len(h.sessions) == 0 {
		return ""
	}
	return h.sessions[max(0, len(h.sessions)-1-rapid.IntRange(0, 3).Draw(t, "session"))]
}

func (h *history) admit(t *rapid.T) {
	where := rapid.SampledFrom([]string{"", "castle", "zoo"}).Draw(t, "where")
	key := rapid.SampledFrom([]gate.Secret{"", "K", "L"}).Draw(t, "key")
	h.check(h.AdmitOnce(t.Context(), key, gate.Credential{Code: "a1", Attraction: where}, h.session(t)))
}

func (h *history) renew(t *rapid.T) { h.check(h.Renew(t.Context(), h.session(t))) }

func (h *history) leave(t *rapid.T) {
	if _, err := h.Leave(t.Context(), h.session(t)); err != nil && !errors.Is(err, gate.ErrReadOnly) {
		t.Fatalf("Leave = %v", err)
	}
}

func (h *history) revoke(t *rapid.T) {
	target := gate.Target{Kind: gate.TargetAttraction, ID: rapid.SampledFrom([]string{"castle", "zoo"}).Draw(t, "attraction")}
	if pass, err := h.Admission(t.Context(), h.session(t)); err == nil {
		switch rapid.SampledFrom([]gate.TargetKind{gate.TargetAttraction, gate.TargetDevice, gate.TargetAdmission}).Draw(t, "kind") {
		case gate.TargetDevice:
			target = gate.Target{Kind: gate.TargetDevice, ID: pass.Admission.Device}
		case gate.TargetAdmission:
			target = gate.Target{Kind: gate.TargetAdmission, ID: pass.Admission.ID}
		}
	}
	got, err := h.Keeper.Revoke(t.Context(), target)
	if errors.Is(err, gate.ErrReadOnly) {
		return
	}
	if err != nil && !errors.Is(err, gate.ErrNoTarget) || err == nil && got.Exposure != h.Exposure() {
		t.Fatalf("Revoke = %+v, %v", got, err)
	}
	if target.Kind != gate.TargetAttraction {
		h.ended[target.ID] = true
	}
}

func (h *history) pass(t *rapid.T) {
	h.later(rapid.SampledFrom([]time.Duration{1, 999_999_999, 10 * time.Second, 31 * time.Second, 6 * time.Minute, 25 * time.Minute, 5 * time.Hour, -time.Hour}).Draw(t, "later"))
}

// fill lets the book take no entries, or takes that back.
func (h *history) fill(*rapid.T) {
	if h.world.book.renew == nil {
		h.world.book.freeze()
	} else {
		h.world.book.thaw()
	}
}

func (h *history) change(t *rapid.T) {
	buys := []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "castle", Package: "premium"}, {Attraction: "zoo"}}
	ticket := *h.world.desk.ticket
	ticket.Buys = buys[rapid.IntRange(0, 2).Draw(t, "buys"):]
	ticket.ValidUntil = time.Time{}
	if rapid.Bool().Draw(t, "ends") {
		ticket.ValidUntil = h.now.Add(time.Duration(rapid.Int64Range(-1, int64(3*time.Hour)).Draw(t, "until")))
	}
	h.world.desk.ticket = &ticket
	h.office.err = rapid.SampledFrom([]error{nil, nil, nil, errDown, gate.Deny(gate.ReasonNotPaid, nil)}).Draw(t, "again")
}

// check holds what a viewer got against all that must hold.
func (h *history) check(pass *gate.Pass, err error) {
	var denial *gate.Denial
	switch {
	case errors.As(err, &denial) || errors.Is(err, errDown) || errors.Is(err, gate.ErrOtherRequest) || errors.Is(err, gate.ErrReadOnly):
		return
	case err != nil:
		h.t.Fatalf("got %v, want a pass, a denial, the source's failure or the book's", err)
	}
	h.sessions = append(h.sessions, pass.Session)
	a := pass.Admission
	var last time.Time
	for _, e := range a.Entitlements {
		if e.Until.After(last) {
			last = e.Until
		}
	}
	if a.Ends.After(last) || a.Ends.After(a.Begins.Add(gate.DefaultLongest)) || !a.Ends.After(h.now) {
		h.t.Fatalf("at %v the admission %+v ends after all that it opens, after a day, or is over", h.now, a)
	}
	if h.ended[a.ID] || h.ended[a.Device] || a.State != gate.StateActive {
		h.t.Fatalf("admission %+v was revoked", a)
	}
	if a.Taken > a.Seats {
		h.t.Fatalf("%d of %d seats taken", a.Taken, a.Seats)
	}
	for _, s := range pass.Stamps {
		i := slices.IndexFunc(a.Entitlements, func(e gate.Entitlement) bool {
			return e.Attraction == s.Grant.Attraction && e.Package == s.Grant.Package
		})
		e := s.Grant.Expires
		if i < 0 || e.After(a.Ends) || e.After(a.Entitlements[i].Until) || !e.After(h.now) || e.Sub(h.now) > h.Exposure() {
			h.t.Fatalf("at %v the cookie for %+v is too long for %+v", h.now, s.Grant, a)
		}
	}
	if len(pass.Stamps) == 0 || pass.Session == "" || pass.Refresh < 0 {
		h.t.Fatalf("pass %+v, want stamps, a session and when to come again", pass)
	}
}
