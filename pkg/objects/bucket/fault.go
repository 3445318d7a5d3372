package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ErrNotFound is returned for an object that does not exist, or that the store
// will not show: without the right to list a bucket both are 403. So is everything
// with a key that is wrong, a clock that is wrong or a right that is missing, of
// which Options.Log hears once a minute. It is fs.ErrNotExist as well.
var ErrNotFound = fmt.Errorf("no such object: %w", fs.ErrNotExist)

// ErrBusy is returned, as a *BusyError, when the store takes no more requests for
// now, or when the object was replaced between two looks at it.
var ErrBusy = errors.New("the store is busy")

// errSilent ends a call or a body of a store that says nothing.
var errSilent = errors.New("the store says nothing any more")

// A BusyError is ErrBusy with the time after which to ask again.
type BusyError struct {
	After time.Duration // whole seconds, at least one
	Err   error         // of the store
}

func (e *BusyError) Error() string { return ErrBusy.Error() + ": " + e.Err.Error() }

// Is reports whether target is ErrBusy.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

func (e *BusyError) Unwrap() error { return e.Err }

// RetryAfter returns After, for callers who know no more than this method.
func (e *BusyError) RetryAfter() time.Duration { return e.After }

// fault says what an error of the SDK means.
func (b *Bucket) fault(ctx context.Context, key string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause // the SDK says only "canceled"
	}
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil {
		return fmt.Errorf("object %q: %w", key, err)
	}
	h := answer.Response.Header
	switch status := answer.HTTPStatusCode(); status {
	case http.StatusForbidden:
		b.denied.Do(func() {
			b.opts.Log.WarnContext(ctx, "bucket denies access", "bucket", b.name, "key", key, "err", err)
		})
		return fmt.Errorf("%w: object %q: %w", ErrNotFound, key, err)
	case http.StatusNotFound:
		return fmt.Errorf("%w (%q, %d)", ErrNotFound, key, status)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusPreconditionFailed:
		return &BusyError{retryAfter(h), fmt.Errorf("object %q: %w", key, err)}
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return fmt.Errorf("object %q: the bucket is in another place, region %q: %w", key, h.Get("X-Amz-Bucket-Region"), err)
	}
	return fmt.Errorf("object %q: %w", key, err)
}

// retryAfter returns what the store says in seconds, from a second to a minute.
func retryAfter(h http.Header) time.Duration {
	seconds, _ := strconv.Atoi(h.Get("Retry-After"))
	return time.Duration(min(max(seconds, 1), 60)) * time.Second
}
