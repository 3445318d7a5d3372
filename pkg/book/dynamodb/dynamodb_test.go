package dynamodb_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/book/booktest"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, func(t *testing.T) gate.Book { return open(t, faketable.New()) })
}

// Four instances share a table, and every call goes to another one.
func TestManyInstances(t *testing.T) {
	t.Parallel()
	booktest.Run(t, func(t *testing.T) gate.Book { return spread(t, faketable.New()) })
}

func TestModel(t *testing.T) {
	t.Parallel()
	booktest.Model(t, func(t *testing.T) gate.Book { return spread(t, faketable.New()) }, 500)
}

// TestModelWithFaults: whatever becomes of requests and answers, every call
// gets the same answer as without.
func TestModelWithFaults(t *testing.T) {
	t.Parallel()
	for name, forgets := range map[string]bool{"tokens": false, "request ids": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &faulty{percent: 20, forgets: forgets}
			booktest.Model(t, func(t *testing.T) gate.Book {
				client.Owner = faketable.New()
				return open(t, client)
			}, 150)
			if client.faults.Load() < 50 {
				t.Errorf("%d faults, want a hundred or so", client.faults.Load())
			}
		})
	}
}

func TestBookWithFaults(t *testing.T) {
	t.Parallel()
	booktest.Run(t, func(t *testing.T) gate.Book { return spread(t, &faulty{Owner: faketable.New(), percent: 4}) })
}

// open returns a book over a client. It has time for a slow machine.
func open(t testing.TB, client dynamodb.Client) *dynamodb.Book {
	t.Helper()
	b, err := dynamodb.Open(t.Context(), client, dynamodb.Options{Budget: time.Minute})
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	return b
}

// instances are books that share a table.
type instances struct {
	books []*dynamodb.Book
	calls atomic.Int64
}

func spread(t testing.TB, client dynamodb.Client) *instances {
	t.Helper()
	all := &instances{}
	for range 4 {
		all.books = append(all.books, open(t, client))
	}
	return all
}

func (i *instances) next() *dynamodb.Book { return i.books[i.calls.Add(1)%int64(len(i.books))] }

func (i *instances) FirstUse(ctx context.Context, t gate.Fingerprint) (time.Time, error) {
	return i.next().FirstUse(ctx, t)
}

func (i *instances) Enter(ctx context.Context, e gate.Entry) (*gate.Admission, error) {
	return i.next().Enter(ctx, e)
}

func (i *instances) Find(ctx context.Context, s gate.SessionHash, at time.Time) (*gate.Admission, error) {
	return i.next().Find(ctx, s, at)
}

func (i *instances) Renew(ctx context.Context, r gate.Renewal) (*gate.Admission, error) {
	return i.next().Renew(ctx, r)
}

func (i *instances) Revoke(ctx context.Context, t gate.Target, at time.Time) (int, error) {
	return i.next().Revoke(ctx, t, at)
}

func (i *instances) Leave(ctx context.Context, s gate.SessionHash, at time.Time) error {
	return i.next().Leave(ctx, s, at)
}
