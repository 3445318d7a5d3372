package dynamodb_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/booktest"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/gate"
)

// endpoint is where a real DynamoDB Local listens. Without one there are no
// real tests: test/dynamodb.sh starts it, runs them and fails without them.
func endpoint(t testing.TB) string {
	t.Helper()
	url := os.Getenv("HANDSTAMP_DYNAMODB")
	if url == "" {
		t.Skip("run by test/dynamodb.sh")
	}
	return url
}

// local returns a client of DynamoDB Local, which takes any credentials.
func local(t testing.TB) *sdk.Client {
	t.Helper()
	wire := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(wire.CloseIdleConnections)
	return sdk.New(sdk.Options{BaseEndpoint: aws.String(endpoint(t)), Region: "eu-central-1", HTTPClient: wire,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		})})
}

// tables counts those that this process has made.
var tables atomic.Int64

// tableOptions are those of a new table. A machine that is busy with other
// tests has time.
func tableOptions() dynamodb.Options {
	return dynamodb.Options{Table: fmt.Sprintf("book-%d-%d", time.Now().UnixNano(), tables.Add(1)), Budget: time.Minute, Timeout: 10 * time.Second}
}

// made returns a book in a new table of DynamoDB Local.
func made(t testing.TB, client dynamodb.Owner) *dynamodb.Book {
	return create(t, client, tableOptions())
}

// create returns a book in a table, which it makes if it is not there.
func create(t testing.TB, client dynamodb.Owner, opts dynamodb.Options) *dynamodb.Book {
	t.Helper()
	if err := dynamodb.Create(t.Context(), client, opts); err != nil {
		t.Fatalf("Create = %v", err)
	}
	b, err := dynamodb.Open(t.Context(), client, opts)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	return b
}

func TestReal(t *testing.T) {
	client := local(t)
	booktest.Run(t, func(t *testing.T) gate.Book { return made(t, client) })
}

// TestRealModel is the longest of them: HANDSTAMP_MODEL_OPERATIONS for each of
// four goes at once, or 5,000.
func TestRealModel(t *testing.T) {
	client := local(t)
	for i := range 4 {
		t.Run(fmt.Sprint("go ", i), func(t *testing.T) {
			t.Parallel()
			booktest.Model(t, func(t *testing.T) gate.Book { return made(t, client) }, 5_000)
		})
	}
}

func TestRealLedger(t *testing.T) {
	client := local(t)
	booktest.RunLedger(t, func(t *testing.T) booktest.Ledger {
		inFront := &faulty{Owner: client}
		return ledger{made(t, inFront), inFront}
	})
}

func TestRealFiles(t *testing.T) {
	client := local(t)
	booktest.RunFiles(t, func(t *testing.T) book.Files { return made(t, client) })
	booktest.RunFiles(t, func(t *testing.T) book.Files { return made(t, &faulty{Owner: client, percent: 5}) })
}

// Sixty-four devices come at once, and there are three seats.
func TestRealSeats(t *testing.T) {
	client := local(t)
	opts := tableOptions()
	all := &instances{}
	for range 4 {
		all.books = append(all.books, create(t, client, opts))
	}
	seats(t, all)
}

func TestRealCounters(t *testing.T) {
	client := local(t)
	opts := tableOptions()
	create(t, client, opts)
	counters(t, client, opts.Table)
}

// Faults before and after the real thing.
func TestRealWithFaults(t *testing.T) {
	client := &faulty{Owner: local(t), percent: 10}
	booktest.Run(t, func(t *testing.T) gate.Book { return made(t, client) })
	if os.Getenv("HANDSTAMP_MODEL_OPERATIONS") == "" {
		booktest.Model(t, func(t *testing.T) gate.Book { return made(t, client) }, 500)
	}
	if client.faults.Load() < 100 {
		t.Errorf("%d faults, want hundreds", client.faults.Load())
	}
}
