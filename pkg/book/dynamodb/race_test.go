package dynamodb_test

import (
	"context"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
	"github.com/handstamp/handstamp/pkg/gate"
)

// A meddler does something once, after a session was read and before anything
// else is.
type meddler struct {
	dynamodb.Owner
	meddle func()
}

func (m *meddler) BatchGetItem(ctx context.Context, in *sdk.BatchGetItemInput, o ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error) {
	out, err := m.Owner.BatchGetItem(ctx, in, o...)
	for _, ask := range in.RequestItems {
		if meddle := m.meddle; meddle != nil && strings.HasPrefix(faketable.Text(ask.Keys[0]["pk"]), "S#") {
			m.meddle = nil
			meddle()
		}
	}
	return out, err
}

// TestMovedMeanwhile: what another instance does between two reads is nobody's theft.
func TestMovedMeanwhile(t *testing.T) {
	t.Parallel()
	again := entry("2")
	again.Previous = session("1")
	tests := []struct {
		name   string
		meddle func(b gate.Book) error
		reason gate.Reason // of the renewal; empty means that it succeeds
		lives  string      // session that does afterwards
	}{
		{"shown again", func(b gate.Book) error { _, err := b.Enter(t.Context(), again); return err }, gate.ReasonNoSession, "2"},
		{"renewed", func(b gate.Book) error { _, err := b.Renew(t.Context(), renewal("1", "2", noon)); return err }, "", "2"},
		{"renewed long ago", func(b gate.Book) error {
			_, err := b.Renew(t.Context(), renewal("1", "2", noon.Add(-time.Minute)))
			return err
		}, gate.ReasonNoSession, ""},
		{"left", func(b gate.Book) error { return b.Leave(t.Context(), session("1"), noon) }, gate.ReasonNoSession, ""},
		{"revoked", func(b gate.Book) error {
			_, err := b.Revoke(t.Context(), gate.Target{Kind: gate.TargetAttraction, ID: "castle"}, noon)
			return err
		}, gate.ReasonNoSession, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := faketable.New()
			other, client := open(t, table), &meddler{Owner: table}
			b := open(t, client)
			enter(t, other, entry("1"))
			client.meddle = func() {
				if err := tt.meddle(other); err != nil {
					t.Errorf("meddling = %v", err)
				}
			}
			a, err := b.Renew(t.Context(), renewal("1", "2", noon))
			if tt.reason != "" {
				denied(t, "Renew", err, tt.reason)
			} else if err != nil || a.Held != session("2") {
				t.Errorf("Renew = %+v, %v, want session 2 held", a, err)
			}
			if _, err := b.Find(t.Context(), session("2"), noon); (err == nil) != (tt.lives == "2") {
				t.Errorf("Find = %v, want that session %q lives", err, tt.lives)
			}
		})
	}
}

// TestSessionOfAnotherTicket: one that a device has is taken, one that a device
// had is free.
func TestSessionOfAnotherTicket(t *testing.T) {
	t.Parallel()
	b := open(t, faketable.New())
	enter(t, b, entry("1"))
	e := entry("1")
	e.Ticket = fingerprint("B")
	if a, err := b.Enter(t.Context(), e); a != nil || err == nil {
		t.Errorf("Enter = %+v, %v, want an error, as the session is another ticket's", a, err)
	}
	if err := b.Leave(t.Context(), session("1"), noon); err != nil {
		t.Fatal(err)
	}
	a := enter(t, b, e)
	if found, err := b.Find(t.Context(), session("1"), noon); err != nil || found.ID != a.ID {
		t.Errorf("Find = %+v, %v, want admission %s", found, err, a.ID)
	}
}
