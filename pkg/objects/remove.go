package objects

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/book"
)

const (
	sweepGrace = time.Minute // an upload that is being confirmed is left alone
	sweepMost  = 1000        // files in a call
	sweepFails = 5           // in a row, after which a call gives up: it is not the file
)

// Remove deletes a file that the holder may write, whether or not the object is
// still there. Presigned URLs of it open nothing from then on.
//
// The index hears of it first, so that the file opens for nobody, whatever fails
// later. After an error Remove may be called again; Sweep would delete the object,
// too. A caller who goes away changes nothing about it.
func (d *Desk) Remove(ctx context.Context, h Holder, key string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	files, err := d.lookUp(ctx, key)
	if err != nil {
		return err
	}
	f, now := files[key], d.opts.Now()
	if err := d.writes(d.party(h, now), key, removable(f, now)); err != nil {
		return err
	}
	if f == nil {
		return d.erase(ctx, key)
	}
	if err := d.index.DiscardFile(ctx, key, now); err != nil && !errors.Is(err, book.ErrNoFile) { // another call was faster
		return fmt.Errorf("note that the file is to be deleted: %w", err)
	}
	return d.drop(ctx, f)
}

// removable returns f as those see it who may delete it: also while its object is
// still to be deleted.
func removable(f *book.File, now time.Time) *book.File {
	if f == nil || !f.Discarded() || now.Before(f.Expires) {
		return f
	}
	asIf := *f
	asIf.Confirmed = now
	return &asIf
}

// drop deletes an object, and then what the index has of it. It can be called
// again if one of the two fails.
//
// The sender of the file may have the permission to send it once more. Until such
// an upload would be given up, the index keeps an entry that nobody can confirm:
// what arrives is shown to nobody, and swept.
func (d *Desk) drop(ctx context.Context, f *book.File) error {
	if err := d.erase(ctx, f.Key); err != nil {
		return err
	}
	var err error
	if over := f.Added.Add(d.opts.Confirm); d.opts.Now().Before(over) {
		err = d.index.DiscardFile(ctx, f.Key, over)
	} else {
		err = d.index.RemoveFile(ctx, f.Key)
	}
	if err != nil && !errors.Is(err, book.ErrNoFile) {
		return fmt.Errorf("forget the file: %w", err)
	}
	return nil
}

// erase deletes an object. One that is not there is no error.
func (d *Desk) erase(ctx context.Context, key string) error {
	_, err := d.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(d.bucket), Key: aws.String(key)})
	if err != nil && !isAbsent(err) {
		return fmt.Errorf("delete the object: %w", err)
	}
	return nil
}

// Sweep deletes uploads that were given up, with objects that arrived too late,
// and files that Remove could not delete. It returns how many. It deletes at most
// 1,000 at a time and is to be called again and again, by a task or a schedule;
// several may run at once. What it could not delete stays for the next call, which
// turns to all others first.
func (d *Desk) Sweep(ctx context.Context) (int, error) {
	before := d.opts.Now().Add(-sweepGrace)
	files, err := d.index.UnconfirmedFiles(ctx, before, sweepMost)
	if err != nil {
		return 0, fmt.Errorf("find uploads that were given up: %w", err)
	}
	var problems []error
	swept, fails := 0, 0
	for i := range files {
		if err := d.sweep(ctx, &files[i], before); err != nil {
			problems = append(problems, err)
			fails++
		} else {
			swept++
			fails = 0
		}
		if ctx.Err() != nil || fails == sweepFails {
			break
		}
	}
	return swept, joined(problems)
}

// sweep deletes one file. If it cannot, it puts the entry behind those that
// expired before a time: what can never be deleted must not stand before all else.
func (d *Desk) sweep(ctx context.Context, f *book.File, before time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := d.drop(ctx, f)
	if err == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	if later := d.index.DiscardFile(last, f.Key, before.Add(-time.Microsecond)); later != nil && !errors.Is(later, book.ErrNoFile) {
		err = errors.Join(err, fmt.Errorf("put it off: %w", later))
	}
	return fmt.Errorf("%q: %w", f.Key, err)
}

// joined returns the first problems, and how many there are.
func joined(problems []error) error {
	if more := len(problems) - sweepFails; more > 0 {
		return errors.Join(append(problems[:sweepFails:sweepFails], fmt.Errorf("and %d more", more))...)
	}
	return errors.Join(problems...)
}
