package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// errConflict means that somebody else was faster: what was read is not so any
// more, and has to be read again.
var errConflict = errors.New("others were faster every time")

// A verdict says what a failed request leaves to do.
type verdict int

const (
	final     verdict = iota // asking again does not help; nothing was written
	throttled                // DynamoDB takes no more now; nothing was written
	again                    // somebody else is at the same items now; nothing was written
	unknown                  // it may have been done
	lost                     // a condition does not hold; nothing was written
	refused                  // the table takes no writes from us; nothing was written
)

// codes are what DynamoDB says, by what it means. What is not among them, such
// as a time-out, is unknown if it is the server's or the network's fault.
// See "Error handling with DynamoDB" in its developer guide.
var codes = map[string]verdict{
	"ThrottlingException":                      throttled,
	"ThrottlingError":                          throttled,
	"Throttling":                               throttled,
	"ProvisionedThroughputExceededException":   throttled,
	"ProvisionedThroughputExceeded":            throttled,
	"RequestLimitExceeded":                     throttled,
	"LimitExceededException":                   throttled,
	"ItemCollectionSizeLimitExceededException": refused,
	"AccessDeniedException":                    refused,
	"TransactionConflictException":             again,
	"TransactionConflict":                      again,
	"TransactionInProgressException":           unknown,
	"ValidationException":                      final,
	"ValidationError":                          final,
	"ResourceNotFoundException":                final,
	"SerializationException":                   final,
	"UnrecognizedClientException":              final,
	"InvalidSignatureException":                final,
	"ExpiredTokenException":                    final,
	"MissingAuthenticationTokenException":      final,
	"ConditionalCheckFailedException":          lost,
	"ConditionalCheckFailed":                   lost,
}

// judge says what err leaves to do.
func judge(err error) verdict {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return judgeReasons(cancelled.CancellationReasons)
	}
	var failure smithy.APIError
	if !errors.As(err, &failure) {
		return unknown
	}
	if v, ok := codes[failure.ErrorCode()]; ok {
		return v
	}
	if failure.ErrorFault() == smithy.FaultClient {
		return final
	}
	return unknown
}

// judgeReasons says why a transaction was cancelled: a condition that does not
// hold counts more than somebody else's being there.
func judgeReasons(reasons []types.CancellationReason) verdict {
	found := final
	for _, r := range reasons {
		switch v := codes[aws.ToString(r.Code)]; {
		case v == lost:
			return lost
		case v != final && found == final:
			found = v
		}
	}
	return found
}

// mine reports whether a transaction failed because it had been done before:
// an item that is in its way was written by it.
func mine(err error, token string) bool {
	return slices.ContainsFunc(standing(err), func(a attributes) bool { return text(a, attrBy) == token })
}

// standing returns the items whose conditions did not hold.
func standing(err error) (all []attributes) {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		for _, r := range cancelled.CancellationReasons {
			if aws.ToString(r.Code) == "ConditionalCheckFailed" && r.Item != nil {
				all = append(all, r.Item)
			}
		}
	}
	return all
}

// Waits between attempts: a random time below one that doubles.
const (
	firstWait   = 4 * time.Millisecond
	longestWait = 250 * time.Millisecond
)

// pause waits before attempt number n, counted from 1. It returns an error if
// the time is over, or will be.
func pause(ctx context.Context, n int) error {
	most := min(longestWait, firstWait<<min(n-1, 10))
	wait := time.NewTimer(rand.N(most)) // #nosec G404 -- nobody gains by guessing a wait
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

// giveUp says what was wrong when the time was over.
func giveUp(over, err error) error { return fmt.Errorf("%w (%w)", err, over) }

// limit bounds one call to the book.
func (b *Book) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.opts.Budget)
}

// ask makes a request that changes nothing, until it is answered or the budget
// is spent.
func ask[T any](ctx context.Context, b *Book, f func(ctx context.Context) (T, error)) (T, error) {
	for n := 1; ; n++ {
		answer, err := timed(ctx, b, f)
		if v := judge(err); err == nil || v != throttled && v != unknown && v != again {
			return answer, err
		}
		if over := pause(ctx, n); over != nil {
			return answer, giveUp(over, err)
		}
	}
}

// timed makes one request.
func timed[T any](ctx context.Context, b *Book, f func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, b.opts.Timeout)
	defer cancel()
	return f(ctx)
}
