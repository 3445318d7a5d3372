// Package booktest holds the tests that every admission book must pass,
// whatever it keeps the admissions in:
//
//	func TestBook(t *testing.T) {
//		booktest.Run(t, func(t *testing.T) gate.Book { return memory.New() })
//	}
//
// The tests are those of the contract in gate.Book. They use whole seconds
// where an instant must come back as it was, so a book may store less than
// nanoseconds; it must then end an admission too early rather than too late.
package booktest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Run tests the books that open returns, a new and empty one at each call.
func Run(t *testing.T, open func(t *testing.T) gate.Book) {
	t.Helper()
	tests := []struct {
		name string
		test func(*testing.T, gate.Book)
	}{
		{"opens", opens},
		{"keeps what the source says", keepsFirstUse},
		{"joins", joins},
		{"counts seats", countsSeats},
		{"refusal changes nothing", refusalChangesNothing},
		{"refuses nonsense", refusesNonsense},
		{"previous session keeps its seat", previousKeepsSeat},
		{"previous session keeps its seat when seats shrink", previousKeepsSeatWhenSeatsShrink},
		{"previous session is used once", previousIsUsedOnce},
		{"previous session of another ticket", previousOfAnotherTicket},
		{"seats may grow", seatsMayGrow},
		{"leave frees the seat", leaveFreesSeat},
		{"leave forgives", leaveForgives},
		{"find refuses strangers", findRefusesStrangers},
		{"ends", ends},
		{"ends no later than asked", endsNoLater},
		{"reopens", reopens},
		{"merges entitlements", mergesEntitlements},
		{"hands out copies", handsOutCopies},
		{"tickets do not meet", ticketsDoNotMeet},
		{"crowd at the last seats", crowd},
		{"crowd with one previous session", crowdWithOnePrevious},
		{"coming and going", comingAndGoing},
		{"cancelled requests", cancelled},

		{"renew rotates the session", rotates},
		{"renew again after a lost answer", renewsAgainWithinGrace},
		{"grace ends", graceEnds},
		{"a session used again", reuse},
		{"renew refuses strangers", renewRefusesStrangers},
		{"renew ends with the visit", renewEnds},
		{"renew takes a fresh verdict", takesFreshVerdict},
		{"a young session stays", youngSessionStays},
		{"a young session is seen", youngSessionIsSeen},
		{"a session that was entered with is rotated", enteredSessionIsRotated},
		{"tells the session of the device", tellsSession},
		{"tabs over two rotations", tabsOverTwoRotations},
		{"twenty tabs renew at once", twentyTabs},
		{"renew at once with different sessions", twoThieves},
		{"a session comes back", sessionComesBack},
		{"leave after a rotation", leaveAfterRotation},
		{"previous session after a rotation", previousWithinGrace},

		{"revoke a ticket", revokesTicket},
		{"revoke a ticket that nobody has shown", revokesTicketThatNobodyHasShown},
		{"revoke what is over", revokesWhatIsOver},
		{"revoke an admission", revokesAdmission},
		{"revoke a device", revokesDevice},
		{"revoke a device that left", revokesDeviceThatLeft},
		{"revoke an attraction", revokesAttraction},
		{"revoke what is on record", revokesWhatIsOnRecord},
		{"renew amid revoke", renewAmidRevoke},

		{"a request comes again", comesAgain},
		{"a key comes with another request", comesWithOtherBody},
		{"a key belongs to its ticket", keyBelongsToTicket},
		{"a key is forgotten after a day", isForgottenAfterADay},
		{"a refused request is not remembered", refusalIsNotRemembered},
		{"a request comes again too late", comesAgainTooLate},
		{"a request comes many times at once", comesManyTimesAtOnce},

		{"idle device loses its seat", idleLosesSeat},
		{"renewing device is not idle", renewingIsNotIdle},
		{"swaps are counted", swapsAreCounted},
		{"swaps outlive the visit", swapsOutliveTheVisit},
		{"idle is off", idleIsOff},
		{"idle devices go together", idleGoTogether},
		{"idle device keeps its seat", idleKeepsSeat},
		{"clock set back", clockBack},
		{"clock set back after the end", clockBackAfterTheEnd},
		{"first use stays", firstUseStays},
		{"knows the first use", knowsFirstUse},
		{"a refusal is no use", refusalIsNoUse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

// noon is when all visits here begin; a book must not look at its own clock.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// fingerprint and session name tickets and devices in tests.
func fingerprint(name string) gate.Fingerprint { return sha256.Sum256([]byte("ticket " + name)) }
func session(name string) gate.SessionHash     { return sha256.Sum256([]byte("session " + name)) }

// entry is a device's request to get in with ticket "A", one hour from noon.
func entry(device string) gate.Entry {
	return gate.Entry{
		Ticket: fingerprint("A"), At: noon, Ends: noon.Add(time.Hour), Seats: 3, Session: session(device),
		Entitlements: []gate.Entitlement{{Attraction: "castle", Package: "audio", Until: noon.Add(time.Hour)}},
	}
}

func enter(t *testing.T, b gate.Book, e gate.Entry) *gate.Admission {
	t.Helper()
	a, err := b.Enter(t.Context(), e)
	if err != nil {
		t.Fatalf("Enter = %v, want an admission", err)
	}
	return a
}

func find(t *testing.T, b gate.Book, device string, at time.Time) *gate.Admission {
	t.Helper()
	a, err := b.Find(t.Context(), session(device), at)
	if err != nil {
		t.Fatalf("Find(%q) = %v, want an admission", device, err)
	}
	return a
}

func leave(t *testing.T, b gate.Book, device string) {
	t.Helper()
	if err := b.Leave(t.Context(), session(device), noon); err != nil {
		t.Fatalf("Leave(%q) = %v", device, err)
	}
}

// refused makes sure that err is a denial for reason, which a book never calls
// proven: it does not know what the viewer showed.
func refused(t *testing.T, what string, err error, reason gate.Reason) {
	t.Helper()
	var denial *gate.Denial
	if !errors.As(err, &denial) || denial.Reason != reason || denial.Proven {
		t.Fatalf("%s = %v, want a denial %q", what, err, reason)
	}
}

func refusesEntry(t *testing.T, b gate.Book, e gate.Entry, reason gate.Reason) {
	t.Helper()
	a, err := b.Enter(t.Context(), e)
	if a != nil {
		t.Fatalf("Enter = %+v, want no admission", a)
	}
	refused(t, "Enter", err, reason)
}

func refusesSession(t *testing.T, b gate.Book, device string, at time.Time) {
	t.Helper()
	a, err := b.Find(t.Context(), session(device), at)
	if a != nil {
		t.Fatalf("Find(%q) = %+v, want no admission", device, a)
	}
	refused(t, fmt.Sprintf("Find(%q)", device), err, gate.ReasonNoSession)
}

// same compares admissions as far as a book must give them back unchanged.
func same(t *testing.T, got, want *gate.Admission) {
	t.Helper()
	if got.ID != want.ID || got.Ticket != want.Ticket || got.State != want.State || got.Seats != want.Seats || got.Taken != want.Taken ||
		!got.Begins.Equal(want.Begins) || !got.Ends.Equal(want.Ends) || !got.FirstUse.Equal(want.FirstUse) {
		t.Errorf("admission %+v, want %+v", got, want)
	}
	sameEntitlements(t, got.Entitlements, want.Entitlements)
}

func sameEntitlements(t *testing.T, got, want []gate.Entitlement) {
	t.Helper()
	equal := len(got) == len(want)
	for i := 0; equal && i < len(got); i++ {
		g, w := got[i], want[i]
		equal = g.Attraction == w.Attraction && g.Package == w.Package && g.Until.Equal(w.Until) &&
			g.From.Equal(w.From) && g.From.IsZero() == w.From.IsZero()
	}
	if !equal {
		t.Errorf("entitlements %+v, want %+v", got, want)
	}
}
