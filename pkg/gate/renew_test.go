package gate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// An office is a desk that can be asked about a ticket again.
type office struct {
	*desk
	again  *gate.Ticket // nil means the desk's
	err    error
	asked  int
	source string
	ref    string
	ask    func() // before it answers
}

func (o *office) Recheck(_ context.Context, source, ref string) (*gate.Ticket, error) {
	o.asked++
	o.source, o.ref = source, ref
	if o.ask != nil {
		o.ask()
	}
	if o.again != nil || o.err != nil {
		return o.again, o.err
	}
	return o.ticket, nil
}

// newOffice is a world whose source sells a castle ticket and can be asked again.
func newOffice(opts gate.Options) (*world, *office) {
	w := newWorld(opts)
	w.desk.ticket.Ref = "order 17"
	o := &office{desk: &w.desk}
	opts.Now = func() time.Time { return w.now }
	if opts.Pepper == nil {
		opts.Pepper = []byte("pepper")
	}
	w.Keeper = gate.NewKeeper(o, &gate.Rules{Attractions: places()}, &w.book, &w.press, opts)
	return w, o
}

func (w *world) renew(t *testing.T, s gate.Session) *gate.Pass {
	t.Helper()
	pass, err := w.Renew(t.Context(), s)
	if err != nil {
		t.Fatalf("Renew = %v, want a pass", err)
	}
	return pass
}

// refusesRenewal makes sure that a renewal is denied for a reason that may be shown.
func (w *world) refusesRenewal(t *testing.T, s gate.Session, reason gate.Reason) {
	t.Helper()
	pass, err := w.Renew(t.Context(), s)
	var denial *gate.Denial
	if pass != nil || !errors.As(err, &denial) || denial.Reason != reason || !denial.Proven {
		t.Fatalf("Renew = %+v, %v, want a proven denial %q", pass, err, reason)
	}
}

// fails makes sure that a renewal fails with want, and blames nobody.
func (w *world) fails(t *testing.T, s gate.Session, want error) {
	t.Helper()
	pass, err := w.Renew(t.Context(), s)
	var denial *gate.Denial
	if pass != nil || !errors.Is(err, want) || errors.As(err, &denial) {
		t.Fatalf("Renew = %+v, %v, want %v and no denial", pass, err, want)
	}
}

func (w *world) later(d time.Duration) { w.now = w.now.Add(d) }

func TestRenew(t *testing.T) {
	w, o := newOffice(gate.Options{})
	first := w.admit(t, "", "")
	w.later(9 * time.Minute)
	pass := w.renew(t, first.Session)
	if pass.Session == "" || pass.Session == first.Session || pass.Admission.ID != first.Admission.ID || pass.Admission.Device != first.Admission.Device {
		t.Errorf("Renew = %+v, want the next session of the same device", pass.Admission)
	}
	if len(pass.Stamps) != 1 || !pass.Stamps[0].Grant.Expires.Equal(noon.Add(24*time.Minute)) || pass.Refresh != 10*time.Minute || !pass.Now.Equal(w.now) {
		t.Errorf("Renew = %+v, want a stamp for 15 minutes", pass)
	}
	if !slices.Equal(paths(pass.Stale), []string{"/castle/premium/"}) || pass.Degraded || pass.Replaced != "" {
		t.Errorf("Renew = %+v, want the castle's other package cleared", pass)
	}
	if o.asked != 0 {
		t.Errorf("the source was asked %d times about a verdict of 9 minutes, want none", o.asked)
	}
	w.renew(t, pass.Session)
}

func TestRenewAsksAgainWhenTheVerdictHasAged(t *testing.T) {
	w, o := newOffice(gate.Options{Verdict: 10 * time.Minute})
	pass := w.admit(t, "", "")
	w.later(10*time.Minute - 1)
	pass = w.renew(t, pass.Session)
	if o.asked != 0 {
		t.Errorf("asked %d times before 10 minutes, want none", o.asked)
	}
	w.later(1)
	pass = w.renew(t, pass.Session)
	if o.asked != 1 || o.source != "list" || o.ref != "order 17" || pass.Degraded {
		t.Errorf("asked %d times for %q %q, want once for the ticket", o.asked, o.source, o.ref)
	}
	if !pass.Admission.VerdictAt.Equal(w.now) {
		t.Errorf("verdict at %v, want %v", pass.Admission.VerdictAt, w.now)
	}
	w.later(10*time.Minute - 1) // from the second answer on
	pass = w.renew(t, pass.Session)
	w.later(1)
	w.renew(t, pass.Session)
	if o.asked != 2 {
		t.Errorf("asked %d times, want twice", o.asked)
	}
}

// A source that cannot be asked again, or not about this ticket, has spoken for
// the whole visit.
func TestRenewAsksNobodyWhoCannotTell(t *testing.T) {
	w := newWorld(gate.Options{})
	w.desk.ticket.Ref = "order 17"
	pass := w.admit(t, "", "")
	w.later(5 * time.Hour)
	w.renew(t, pass.Session)
	if w.desk.asked != 1 {
		t.Errorf("Verify was asked %d times, want once", w.desk.asked)
	}
	w, o := newOffice(gate.Options{})
	w.desk.ticket.Ref = ""
	pass = w.admit(t, "", "")
	w.later(5 * time.Hour)
	w.renew(t, pass.Session)
	if o.asked != 0 {
		t.Errorf("asked %d times about a ticket without a reference, want none", o.asked)
	}
}

func TestRenewTakesWhatTheSourceSaysNow(t *testing.T) {
	w, o := newOffice(gate.Options{})
	w.desk.ticket.Buys = []gate.Product{{Attraction: "castle"}}
	pass := w.admit(t, "", "")
	o.again = &gate.Ticket{Buys: []gate.Product{{Attraction: "castle", Package: "premium"}, {Attraction: "zoo"}}, ValidUntil: noon.Add(time.Hour)}
	w.later(20 * time.Minute)
	pass = w.renew(t, pass.Session)
	if len(pass.Stamps) != 1 || pass.Stamps[0].Grant.Path != "castle/premium" || !slices.Equal(paths(pass.Stale), []string{"/castle/audio/"}) {
		t.Errorf("Renew = %+v, want premium alone: the visit is not for the zoo", pass)
	}
	if !pass.Admission.Ends.Equal(noon.Add(time.Hour)) {
		t.Errorf("the admission ends %v, want with its ticket at 13:00", pass.Admission.Ends)
	}
	if found, err := w.Admission(t.Context(), pass.Session); err != nil || !found.Admission.Ends.Equal(noon.Add(time.Hour)) {
		t.Errorf("Admission = %+v, %v, want the same end", found, err)
	}
}

// refusals are all that a source may answer, and whether the ticket is dead.
func refusals() map[gate.Reason]bool {
	return map[gate.Reason]bool{
		gate.ReasonCancelled: true, gate.ReasonBlocked: true, gate.ReasonReplaced: true, gate.ReasonRevoked: true, gate.ReasonUnknown: true,
		gate.ReasonExpired: false, gate.ReasonNotYetValid: false, gate.ReasonNotPaid: false, gate.ReasonWrongAttraction: false,
		gate.ReasonNotIncluded: false, gate.ReasonSeatsTaken: false, gate.ReasonSeeStaff: false, gate.ReasonMalformed: false,
	}
}

func TestRenewRefusedBySource(t *testing.T) {
	for reason, dead := range refusals() {
		t.Run(string(reason), func(t *testing.T) {
			w, o := newOffice(gate.Options{Seats: 2})
			pass := w.admit(t, "", "")
			other := w.admit(t, "", "")
			w.later(11 * time.Minute)
			o.err = fmt.Errorf("ask the seller: %w", gate.Deny(reason, errDown))
			w.refusesRenewal(t, pass.Session, reason)

			// It stays denied when the source is down or of another mind.
			after := gate.ReasonNoSession
			if dead {
				after = gate.ReasonRevoked
			}
			for _, o.err = range []error{errDown, nil} {
				w.refusesRenewal(t, pass.Session, after)
			}
			if _, err := w.Admission(t.Context(), pass.Session); err == nil {
				t.Error("Admission of a visit that has ended succeeds")
			}
			// A dead ticket ends the visit of all; a sick one may be shown again.
			_, renewed := w.Renew(t.Context(), other.Session)
			again, shown := w.Admit(t.Context(), gate.Credential{Code: "a1"})
			if (renewed != nil) != dead || (shown != nil) != dead {
				t.Errorf("the other device: %v, the ticket shown again: %v, want errors %v", renewed, shown, dead)
			}
			if !dead && again.Admission.Taken != 2 {
				t.Errorf("%d seats taken, want 2: the other device's and this one's", again.Admission.Taken)
			}
		})
	}
}

// The source knows the ticket, but it buys nothing here any more.
func TestRenewRefusedByRules(t *testing.T) {
	castle := []gate.Product{{Attraction: "castle", Package: "audio"}}
	tests := []struct {
		name   string
		ticket gate.Ticket
		want   gate.Reason
	}{
		{"expired", gate.Ticket{Buys: castle, ValidUntil: noon.Add(11 * time.Minute)}, gate.ReasonExpired},
		{"in its last fraction of a second", gate.Ticket{Buys: castle, ValidUntil: noon.Add(11*time.Minute + 1)}, gate.ReasonExpired},
		{"put off", gate.Ticket{Buys: castle, ValidFrom: noon.Add(12 * time.Minute)}, gate.ReasonNotYetValid},
		{"buys nothing", gate.Ticket{}, gate.ReasonNotIncluded},
		{"for another place", gate.Ticket{Buys: []gate.Product{{Attraction: "zoo"}}}, gate.ReasonNotIncluded},
		{"for a package that is gone", gate.Ticket{Buys: []gate.Product{{Attraction: "castle", Package: "gold"}}}, gate.ReasonNotIncluded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, o := newOffice(gate.Options{})
			pass := w.admit(t, "", "")
			w.later(11 * time.Minute)
			o.again = &tt.ticket
			w.refusesRenewal(t, pass.Session, tt.want)
			o.again, o.err = nil, errDown // the older word was good, but it is not the last
			w.refusesRenewal(t, pass.Session, gate.ReasonNoSession)
		})
	}
}

// While it cannot be written down that the visit has ended, nobody gets stamps
// and nobody is blamed.
func TestRenewRefusedWhileTheBookIsDown(t *testing.T) {
	for _, reason := range []gate.Reason{gate.ReasonCancelled, gate.ReasonNotPaid} {
		w, o := newOffice(gate.Options{})
		pass := w.admit(t, "", "")
		w.later(11 * time.Minute)
		o.err = gate.Deny(reason, nil)
		w.book.revoke, w.book.leave = errDown, errDown
		w.fails(t, pass.Session, errDown)
		w.book.revoke, w.book.leave = nil, nil
		w.refusesRenewal(t, pass.Session, reason)
	}
}

func TestRenewWhileTheSourceIsDown(t *testing.T) {
	const verdict, outage = 10 * time.Minute, 2 * time.Hour
	w, o := newOffice(gate.Options{Verdict: verdict, Outage: outage})
	pass := w.admit(t, "", "")
	o.err = errDown
	w.later(verdict)
	pass = w.renew(t, pass.Session)
	if !pass.Degraded || o.asked != 1 || !pass.Admission.VerdictAt.Equal(noon) || len(pass.Stamps) != 1 {
		t.Errorf("Renew = %+v, want a pass on the older word", pass)
	}
	w.now = noon.Add(verdict + outage - 1)
	pass = w.renew(t, pass.Session)
	if !pass.Degraded || o.asked != 2 {
		t.Errorf("Renew = %+v, want a pass on the older word", pass)
	}
	w.now = noon.Add(verdict + outage)
	w.fails(t, pass.Session, errDown)
	_, err := w.Renew(t.Context(), pass.Session)
	if err == nil || !strings.Contains(err.Error(), "the source has not answered for 2h10m0s") {
		t.Errorf("Renew = %v, want how long it has not answered", err)
	}
	o.err = nil // after however long
	w.later(3 * time.Hour)
	if pass = w.renew(t, pass.Session); pass.Degraded || !pass.Admission.VerdictAt.Equal(w.now) {
		t.Errorf("Renew = %+v, want a fresh verdict", pass)
	}
}

// A source that cannot be asked again is not down: what it said holds.
func TestRenewWithASourceThatCannotBeAskedAgain(t *testing.T) {
	w, o := newOffice(gate.Options{Verdict: time.Minute, Outage: -1})
	pass := w.admit(t, "", "")
	o.err = fmt.Errorf("source %q: %w", "list", errors.ErrUnsupported)
	for range 3 {
		w.now = w.now.Add(10 * time.Minute)
		if pass = w.renew(t, pass.Session); pass.Degraded || len(pass.Stamps) != 1 {
			t.Errorf("Renew = degraded %t, %d stamps, want a pass as ever", pass.Degraded, len(pass.Stamps))
		}
	}
}

func TestRenewWithoutOutage(t *testing.T) {
	w, o := newOffice(gate.Options{Outage: -1})
	pass := w.admit(t, "", "")
	o.err = errDown
	w.later(gate.DefaultVerdict)
	w.fails(t, pass.Session, errDown)
}

// An outage does not lengthen anything: the visit ends with its ticket.
func TestOutageEndsWithTheTicket(t *testing.T) {
	w, o := newOffice(gate.Options{})
	w.desk.ticket.ValidUntil = noon.Add(20 * time.Minute)
	pass := w.admit(t, "", "")
	o.err = errDown
	w.later(19 * time.Minute)
	pass = w.renew(t, pass.Session)
	if got := pass.Stamps[0].Grant.Expires; !got.Equal(noon.Add(20 * time.Minute)) {
		t.Errorf("cookies end %v, want with the ticket", got)
	}
	w.later(time.Minute)
	w.refusesRenewal(t, pass.Session, gate.ReasonNoSession)
}

// A viewer who goes away while the source thinks has not met an outage, and
// keeps the session: the answer would never arrive.
func TestRenewOfAViewerWhoGoesAway(t *testing.T) {
	w, o := newOffice(gate.Options{})
	pass := w.admit(t, "", "")
	w.later(11 * time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	o.ask, o.err = cancel, context.Canceled
	var denial *gate.Denial
	if got, err := w.Renew(ctx, pass.Session); got != nil || !errors.Is(err, context.Canceled) || errors.As(err, &denial) {
		t.Errorf("Renew = %+v, %v, want the cancellation", got, err)
	}
	o.ask, o.err = nil, nil
	w.later(time.Minute)
	w.renew(t, pass.Session)
}

func TestRenewWhileTheBookIsDown(t *testing.T) {
	w, _ := newOffice(gate.Options{})
	pass := w.admit(t, "", "")
	w.book.find = errDown
	w.fails(t, pass.Session, errDown)
	w.book.find, w.book.renew = nil, errDown
	w.fails(t, pass.Session, errDown)
	w.book.renew = nil
	w.renew(t, pass.Session)
}

// However long nothing can be stamped, the session that a visitor has stays
// good: only an answer takes it away.
func TestRenewWhileStampingIsDown(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	pass := w.admit(t, "", "")
	w.press.err = errDown
	for range 5 {
		w.later(time.Minute) // longer than the grace of a rotated session
		w.fails(t, pass.Session, errDown)
	}
	w.press.err = nil
	next := w.renew(t, pass.Session)
	if next.Admission.Device != pass.Admission.Device {
		t.Errorf("renewed as device %s, want %s", next.Admission.Device, pass.Admission.Device)
	}
	w.later(time.Minute)
	w.renew(t, next.Session)
}

// The book has the last word: what it says that the visit opens is stamped.
func TestRenewStampsWhatTheBookSays(t *testing.T) {
	w, o := newOffice(gate.Options{})
	w.desk.ticket.Buys = []gate.Product{{Attraction: "castle"}, {Attraction: "zoo"}}
	pass := w.admit(t, "", "")
	w.later(11 * time.Minute)
	o.ask = func() { // a revocation meanwhile, of which the source knows nothing
		if _, err := w.Keeper.Revoke(t.Context(), gate.Target{Kind: gate.TargetAttraction, ID: "zoo"}); err != nil {
			t.Error(err)
		}
	}
	pass = w.renew(t, pass.Session)
	for _, s := range pass.Stamps {
		if s.Grant.Attraction == "zoo" {
			t.Errorf("stamped %+v after its attraction was revoked", s.Grant)
		}
	}
	if len(pass.Stamps) != 2 {
		t.Errorf("%d stamps, want the castle's two", len(pass.Stamps))
	}
	// Should it be all that there was, and stamping fail just then, nobody is in.
	w.book.renewed = func(a *gate.Admission) { a.Entitlements = nil }
	w.refusesRenewal(t, pass.Session, gate.ReasonExpired)
}

func TestRenewIsRefusedByTheBook(t *testing.T) {
	w, _ := newOffice(gate.Options{})
	w.refusesRenewal(t, gate.NewSession(), gate.ReasonNoSession)
	w.refusesRenewal(t, "", gate.ReasonNoSession)
	pass := w.admit(t, "", "")
	w.book.renew = gate.Deny(gate.ReasonRevoked, nil) // between looking and renewing
	w.refusesRenewal(t, pass.Session, gate.ReasonRevoked)
	w.book.renew = nil
	w.later(gate.DefaultLongest)
	w.refusesRenewal(t, pass.Session, gate.ReasonNoSession)
}

// A lost answer, and twenty tabs: the next session is one, whoever asks.
func TestRenewGivesOneNextSession(t *testing.T) {
	w, _ := newOffice(gate.Options{})
	pass := w.admit(t, "", "")
	w.later(time.Minute)
	sessions := make([]gate.Session, 20)
	var tabs sync.WaitGroup
	w.press.mute = true
	for i := range sessions {
		tabs.Go(func() {
			got, err := w.Renew(t.Context(), pass.Session)
			if err != nil {
				t.Errorf("Renew = %v", err)
				return
			}
			sessions[i] = got.Session
		})
	}
	tabs.Wait()
	for _, s := range sessions {
		if s != sessions[0] || len(s.Reveal()) != 26 {
			t.Fatalf("next sessions %q and %q, want one of 26 characters", sessions[0].Reveal(), s.Reveal())
		}
	}
	w.later(gate.RotationGrace)
	if again := w.renew(t, pass.Session); again.Session != sessions[0] || again.Admission.Taken != 1 {
		t.Errorf("after 30 s: %+v, want the same session", again.Admission)
	}
	w.later(time.Minute)
	w.renew(t, sessions[0])
}

// Who has a session but not the pepper cannot tell the next one.
func TestNextSessionNeedsThePepper(t *testing.T) {
	next := func(pepper string, s gate.Session) gate.Session {
		w, _ := newOffice(gate.Options{Pepper: []byte(pepper)})
		e := gate.Entry{At: noon, Ends: noon.Add(time.Hour), Seats: 1, Session: s.Hash(),
			Entitlements: []gate.Entitlement{{Attraction: "zoo", Until: noon.Add(time.Hour)}}}
		if _, err := w.book.Enter(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		return w.renew(t, s).Session
	}
	seen := map[gate.Session]string{}
	for _, pepper := range []string{"pepper", "Pepper", "pepper2", "salt"} {
		for _, s := range []gate.Session{"AAAA", "AAAB", "AAA", "AAAAA"} {
			got := next(pepper, s)
			if had, twice := seen[got]; twice || got != next(pepper, s) {
				t.Errorf("pepper %q, session %q: next session like %s, want one of its own", pepper, s.Reveal(), had)
			}
			seen[got] = fmt.Sprintf("pepper %q, session %q", pepper, s.Reveal())
		}
	}
}

// A session that was rotated away tells that somebody has a copy: neither the
// thief nor the device goes on, and the seat is free for the ticket.
func TestRenewWithAStolenSession(t *testing.T) {
	for generations := 1; generations <= 3; generations++ {
		w, _ := newOffice(gate.Options{Seats: 1})
		first := w.admit(t, "", "")
		last := first
		for range generations {
			w.later(9 * time.Minute)
			last = w.renew(t, last.Session)
		}
		w.later(gate.RotationGrace + time.Second)
		w.refusesRenewal(t, first.Session, gate.ReasonNoSession)
		w.refusesRenewal(t, last.Session, gate.ReasonRevoked)
		if again := w.admit(t, "", ""); again.Admission.Device == first.Admission.Device {
			t.Error("the ticket gave the stolen device back")
		}
	}
}

// To look at an admission with an old session throws nobody out.
func TestAdmissionWithAnOldSession(t *testing.T) {
	w, _ := newOffice(gate.Options{})
	first := w.admit(t, "", "")
	next := w.renew(t, first.Session)
	w.later(time.Minute)
	var denial *gate.Denial
	if _, err := w.Admission(t.Context(), first.Session); !errors.As(err, &denial) || denial.Reason != gate.ReasonNoSession {
		t.Errorf("Admission = %v, want no_session", err)
	}
	w.renew(t, next.Session)
}

// With the clock set back an hour there is no cookie that ended before it
// began, and no source is asked about the future.
func TestRenewWithTheClockSetBack(t *testing.T) {
	w, o := newOffice(gate.Options{})
	pass := w.admit(t, "", "")
	w.later(-time.Hour)
	pass = w.renew(t, pass.Session)
	if got := pass.Stamps[0].Grant.Expires.Sub(w.now); got != gate.DefaultLifetime || pass.Refresh <= 0 || o.asked != 0 {
		t.Errorf("cookie lives %v, refresh after %v, asked %d times, want 15 minutes and nobody asked", got, pass.Refresh, o.asked)
	}
	if !pass.Admission.FirstUse.Equal(noon) || !pass.Admission.Ends.Equal(noon.Add(gate.DefaultLongest)) {
		t.Errorf("admission %+v, want first use and end where they were", pass.Admission)
	}
}

// A device shows all that it has; one of them is of this ticket.
func TestAdmitFindsItsSessionAmongMany(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	castle := w.admit(t, "", "")
	w.desk.ticket = &gate.Ticket{Source: "list", Normal: "B2", Seats: 1, Buys: []gate.Product{{Attraction: "zoo"}}}
	zoo := w.admit(t, "", "")
	for range 3 {
		pass, err := w.Admit(t.Context(), gate.Credential{Code: "b2"}, "", gate.NewSession(), castle.Session, zoo.Session)
		if err != nil || pass.Replaced != zoo.Session || pass.Admission.Taken != 1 || pass.Admission.ID != zoo.Admission.ID {
			t.Fatalf("Admit = %+v, %v, want the zoo's seat again", pass, err)
		}
		zoo = pass
	}
	w.renew(t, castle.Session) // it was not touched
	w.book.find = errDown
	if _, err := w.Admit(t.Context(), gate.Credential{Code: "b2"}, zoo.Session); !errors.Is(err, errDown) {
		t.Errorf("Admit = %v, want the book's failure and no second seat", err)
	}
	w.book.find = nil
	if _, err := w.Leave(t.Context(), zoo.Session, castle.Session); err != nil {
		t.Fatal(err)
	}
	w.refusesRenewal(t, zoo.Session, gate.ReasonNoSession)
}

func TestIdleSeatsChangeHands(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1, Idle: 20 * time.Minute, Swaps: 1})
	admit := func() error {
		_, err := w.Admit(t.Context(), gate.Credential{Code: "a1"})
		return err
	}
	first := w.admit(t, "", "")
	w.later(15 * time.Minute)
	w.renew(t, first.Session)
	w.later(20 * time.Minute)
	var denial *gate.Denial
	if err := admit(); !errors.As(err, &denial) || denial.Reason != gate.ReasonSeatsTaken {
		t.Errorf("Admit while the device is busy = %v, want seats_taken", err)
	}
	w.later(time.Second)
	if err := admit(); err != nil {
		t.Errorf("Admit after 20 idle minutes = %v, want a seat", err)
	}
	w.later(time.Hour)
	if err := admit(); !errors.As(err, &denial) || denial.Reason != gate.ReasonSeatsTaken {
		t.Errorf("Admit after the last swap = %v, want seats_taken", err)
	}
	for _, opts := range []gate.Options{{Seats: 1, Swaps: -1}, {Seats: 1, Idle: -1}} {
		w, _ = newOffice(opts)
		w.admit(t, "", "")
		w.later(20 * time.Hour)
		if err := admit(); !errors.As(err, &denial) || denial.Reason != gate.ReasonSeatsTaken {
			t.Errorf("%+v: Admit = %v, want seats_taken for ever", opts, err)
		}
	}
}

func TestRenewalErrorsDoNotShowTheSession(t *testing.T) {
	w, o := newOffice(gate.Options{})
	pass := w.admit(t, "", "")
	w.later(11 * time.Minute)
	for _, fault := range []func(){
		func() { o.err = errDown; w.later(9 * time.Hour) },
		func() { o.err, w.press.err = nil, errDown },
		func() { w.press.err, w.book.renew = nil, errDown },
		func() { w.book.renew, w.book.find = nil, errDown },
		func() { w.book.find, o.err, w.book.revoke = nil, gate.Deny(gate.ReasonCancelled, nil), errDown },
	} {
		fault()
		_, err := w.Renew(t.Context(), pass.Session)
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), pass.Session.Reveal()) {
			t.Errorf("Renew = %v, want an error without the session", err)
		}
	}
}
