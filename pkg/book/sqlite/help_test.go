package sqlite_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// noon is when all visits here begin; a book must not look at its own clock.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// fingerprint and session name tickets and devices.
func fingerprint(name string) gate.Fingerprint { return sha256.Sum256([]byte("ticket " + name)) }
func session(name string) gate.SessionHash     { return sha256.Sum256([]byte("session " + name)) }

// name is what device i shows after so many rotations.
func name(i, rotations int) string { return fmt.Sprint("device ", i, " session ", rotations) }

// entry is a device's request to get in with ticket "A", one hour from noon.
func entry(device string) gate.Entry {
	return gate.Entry{
		Ticket: fingerprint("A"), At: noon, Ends: noon.Add(time.Hour), Seats: 3, Session: session(device),
		Entitlements: []gate.Entitlement{{Attraction: "castle", Package: "audio", Until: noon.Add(time.Hour)}},
	}
}

func enter(t testing.TB, b *sqlite.Book, e gate.Entry) *gate.Admission {
	t.Helper()
	a, err := b.Enter(t.Context(), e)
	if err != nil {
		t.Fatalf("Enter = %v, want an admission", err)
	}
	return a
}

// renewal rotates the session of a device to its next one.
func renewal(from, to string, at time.Time) gate.Renewal {
	return gate.Renewal{Session: session(from), Next: session(to), At: at, Grace: 30 * time.Second}
}

func renew(t testing.TB, b *sqlite.Book, r gate.Renewal) *gate.Admission {
	t.Helper()
	a, err := b.Renew(t.Context(), r)
	if err != nil {
		t.Fatalf("Renew = %v, want an admission", err)
	}
	return a
}

// denied makes sure that err is a denial for reason.
func denied(t testing.TB, what string, err error, reason gate.Reason) {
	t.Helper()
	var denial *gate.Denial
	if !errors.As(err, &denial) || denial.Reason != reason || denial.Proven {
		t.Fatalf("%s = %v, want a denial %q", what, err, reason)
	}
}

// finds makes sure that Find says reason, or succeeds if that is empty.
func finds(t testing.TB, b *sqlite.Book, device string, at time.Time, reason gate.Reason) {
	t.Helper()
	_, err := b.Find(t.Context(), session(device), at)
	if reason == "" && err != nil {
		t.Fatalf("Find(%q) = %v, want an admission", device, err)
	}
	if reason != "" {
		denied(t, "Find("+device+")", err, reason)
	}
}

// revoke revokes target and makes sure of how many it affected.
func revoke(t testing.TB, b *sqlite.Book, target gate.Target, at time.Time, want int) {
	t.Helper()
	if n, err := b.Revoke(t.Context(), target, at); n != want || err != nil {
		t.Fatalf("Revoke(%+v) = %d, %v, want %d, nil", target, n, err, want)
	}
}

func isRevoked(err error) bool {
	var denial *gate.Denial
	return errors.As(err, &denial) && denial.Reason == gate.ReasonRevoked
}

// oversold makes sure that no admission has more devices than seats, and
// returns how many admissions and devices there are.
func oversold(t testing.TB, b *sqlite.Book) (admissions, devices int) {
	t.Helper()
	q := book.AdmissionQuery{Limit: 1000}
	for {
		page, next, err := b.Admissions(t.Context(), q)
		if err != nil {
			t.Fatalf("Admissions = %v", err)
		}
		for _, a := range page {
			admissions, devices = admissions+1, devices+a.Taken
			if a.Taken > a.Seats {
				t.Errorf("%d of %d seats of admission %s are taken", a.Taken, a.Seats, a.ID)
			}
		}
		if next == "" {
			return admissions, devices
		}
		q.After = next
	}
}

// rounds is how often a test with chance in it is done.
func rounds(t *testing.T, variable string, usual int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	if testing.Short() {
		return min(usual, 3)
	}
	return usual
}

// troubled leaves a test to "make trouble" and "make test-all": it kills processes, fills disks or
// holds locks, and would compete with the other packages' tests for seconds.
func troubled(t *testing.T) {
	t.Helper()
	if os.Getenv("FULL_TESTS") == "" {
		t.Skip(`run by "make trouble" and "make test-all"`)
	}
}
