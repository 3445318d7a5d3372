package dynamodb_test

import (
	"context"
	"crypto/rand"
	"io"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
)

// A faulty client does to requests what DynamoDB and the network do on a bad
// day. It stands in front of the fake table and of DynamoDB Local alike.
type faulty struct {
	dynamodb.Owner
	percent int                               // of requests that meet a fault
	forgets bool                              // transactions are not recognised by their tokens
	write   func(do func() error) (err error) // nil means a random fault
	noAudit atomic.Bool                       // the audit cannot be written
	faults  atomic.Int64
}

// strikes decides whether a request meets a fault.
func (f *faulty) strikes() bool {
	if mathrand.IntN(100) >= f.percent {
		return false
	}
	f.faults.Add(1)
	return true
}

var (
	errThrottled = &types.ThrottlingException{Message: aws.String("too fast")}
	errSpent     = &types.ProvisionedThroughputExceededException{Message: aws.String("too much")}
	errServer    = &types.InternalServerError{Message: aws.String("sorry")}
)

// cancelled is a transaction that was cancelled for a reason.
func cancelled(code string) error {
	return &types.TransactionCanceledException{Message: aws.String("cancelled"),
		CancellationReasons: []types.CancellationReason{{Code: aws.String("None")}, {Code: aws.String(code)}}}
}

// writeFaults are what can become of a transaction. Some of them have made it.
var writeFaults = []func(do func() error) error{
	func(func() error) error { return errThrottled },
	func(func() error) error { return errSpent },
	func(func() error) error { return errServer },
	func(func() error) error { return io.ErrUnexpectedEOF },
	func(func() error) error { return context.DeadlineExceeded },
	func(func() error) error { return cancelled("TransactionConflict") },
	func(func() error) error { return cancelled("ThrottlingError") },
	func(func() error) error { return cancelled("ProvisionedThroughputExceeded") },
	func(do func() error) error { return lose(do, errServer) },
	func(do func() error) error { return lose(do, io.ErrUnexpectedEOF) },
	func(do func() error) error { return lose(do, context.DeadlineExceeded) },
	func(do func() error) error {
		return lose(do, &types.TransactionInProgressException{Message: aws.String("wait")})
	},
}

// lose does something whose answer gets lost: the caller is told err, done or not.
func lose(do func() error, err error) error {
	_ = do()
	return err
}

func (f *faulty) TransactWriteItems(ctx context.Context, in *sdk.TransactWriteItemsInput, o ...func(*sdk.Options)) (out *sdk.TransactWriteItemsOutput, err error) {
	do := func() error {
		if f.forgets {
			other := *in
			other.ClientRequestToken = aws.String(rand.Text())
			in = &other
		}
		out, err = f.Owner.TransactWriteItems(ctx, in, o...)
		return err
	}
	switch {
	case f.noAudit.Load() && audits(in):
		return nil, &faketable.Error{Code: "AccessDeniedException"}
	case f.write != nil:
		return &sdk.TransactWriteItemsOutput{}, f.write(do)
	case f.strikes():
		return nil, writeFaults[mathrand.IntN(len(writeFaults))](do)
	}
	return out, do()
}

// audits reports whether a transaction writes an event.
func audits(in *sdk.TransactWriteItemsInput) bool {
	return slices.ContainsFunc(in.TransactItems, func(w types.TransactWriteItem) bool {
		return w.Put != nil && strings.HasPrefix(faketable.Text(w.Put.Item["pk"]), "L")
	})
}

func (f *faulty) BatchGetItem(ctx context.Context, in *sdk.BatchGetItemInput, o ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error) {
	if !f.strikes() {
		return f.Owner.BatchGetItem(ctx, in, o...)
	}
	if mathrand.IntN(2) == 0 {
		return nil, []error{errThrottled, errServer, io.ErrUnexpectedEOF}[mathrand.IntN(3)]
	}
	return f.some(ctx, in, o...)
}

// some answers for a part of the keys and leaves the others unprocessed.
func (f *faulty) some(ctx context.Context, in *sdk.BatchGetItemInput, o ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error) {
	part, left := *in, map[string]types.KeysAndAttributes{}
	part.RequestItems = map[string]types.KeysAndAttributes{}
	for table, ask := range in.RequestItems {
		n := mathrand.IntN(len(ask.Keys))
		less, rest := ask, ask
		less.Keys, rest.Keys = ask.Keys[:n], ask.Keys[n:]
		left[table] = rest
		if n > 0 {
			part.RequestItems[table] = less
		}
	}
	if len(part.RequestItems) == 0 {
		return &sdk.BatchGetItemOutput{UnprocessedKeys: left}, nil
	}
	out, err := f.Owner.BatchGetItem(ctx, &part, o...)
	if err == nil {
		out.UnprocessedKeys = left
	}
	return out, err
}

func (f *faulty) Query(ctx context.Context, in *sdk.QueryInput, o ...func(*sdk.Options)) (*sdk.QueryOutput, error) {
	if f.strikes() {
		return nil, []error{errThrottled, errServer}[mathrand.IntN(2)]
	}
	return f.Owner.Query(ctx, in, o...)
}
