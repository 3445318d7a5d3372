package dynamodb_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// noon is when all visits here begin; a book must not look at its own clock.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// fingerprint and session name tickets and devices.
func fingerprint(name string) gate.Fingerprint { return sha256.Sum256([]byte("ticket " + name)) }
func session(name string) gate.SessionHash     { return sha256.Sum256([]byte("session " + name)) }

// entry is a device's request to get in with ticket "A", one hour from noon.
func entry(device string) gate.Entry {
	return gate.Entry{
		Ticket: fingerprint("A"), At: noon, Ends: noon.Add(time.Hour), Seats: 3, Session: session(device),
		Entitlements: []gate.Entitlement{{Attraction: "castle", Package: "audio", Until: noon.Add(time.Hour)}},
	}
}

func enter(t testing.TB, b gate.Book, e gate.Entry) *gate.Admission {
	t.Helper()
	a, err := b.Enter(t.Context(), e)
	if err != nil {
		t.Fatalf("Enter = %v, want an admission", err)
	}
	return a
}

// renewal rotates the session of a device to its next one.
func renewal(from, to string, at time.Time) gate.Renewal {
	return gate.Renewal{Session: session(from), Next: session(to), At: at, Grace: gate.RotationGrace}
}

// record is a ticket for the castle.
func record(code string) book.Record {
	return book.Record{ID: "id " + code, Code: fingerprint(code), Products: []gate.Product{{Attraction: "castle", Package: "audio"}, {Attraction: "castle"}},
		Seats: 4, ValidFrom: noon, ValidUntil: noon.Add(time.Hour), Note: "a note", Batch: "spring", Issued: noon}
}

// denied makes sure that err is a denial for reason.
func denied(t testing.TB, what string, err error, reason gate.Reason) {
	t.Helper()
	var denial *gate.Denial
	if !errors.As(err, &denial) || denial.Reason != reason {
		t.Errorf("%s = %v, want a denial %q", what, err, reason)
	}
}
