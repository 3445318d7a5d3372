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
	sweepFails = 5           // after which a call gives up: it is not the file
)

// Remove deletes a file that the holder may write, whether or not the object is
// still there. Presigned URLs of it open nothing from then on.
func (d *Desk) Remove(ctx context.Context, h Holder, key string) error {
	files, err := d.lookUp(ctx, key)
	if err != nil {
		return err
	}
	if err := d.writes(d.party(h, d.opts.Now()), key, files[key]); err != nil {
		return err
	}
	if f := files[key]; f != nil {
		return d.discard(ctx, f)
	}
	return d.drop(ctx, key)
}

// discard is drop for a file that its sender may have the permission to send
// once more. Until such an upload would be given up, the index keeps an entry
// that nobody can confirm: what arrives is shown to nobody, and swept.
func (d *Desk) discard(ctx context.Context, f *book.File) error {
	if err := d.drop(ctx, f.Key); err != nil {
		return err
	}
	over := f.Added.Add(d.opts.Confirm)
	if !d.opts.Now().Before(over) {
		return nil
	}
	err := d.index.AddFile(ctx, book.File{Key: f.Key, Owner: f.Owner, Area: f.Area, Added: f.Added, Expires: over})
	if err != nil && !errors.Is(err, book.ErrDuplicate) { // another call was faster
		return fmt.Errorf("note that the file is deleted: %w", err)
	}
	return nil
}

// isDiscarded reports whether an entry stands for a file that was deleted: an
// upload that is waited for has a size.
func isDiscarded(f *book.File) bool { return f.Confirmed.IsZero() && f.Size == 0 }

// drop deletes an object, and then what the index has of it, so that it can be
// called again if one of the two fails.
func (d *Desk) drop(ctx context.Context, key string) error {
	_, err := d.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(d.bucket), Key: aws.String(key)})
	if err != nil && !isAbsent(err) {
		return fmt.Errorf("delete the object: %w", err)
	}
	if err := d.index.RemoveFile(ctx, key); err != nil {
		return fmt.Errorf("forget the file: %w", err)
	}
	return nil
}

// Sweep deletes uploads that were given up, with objects that arrived too late,
// and returns how many. It deletes at most 1,000 at a time and is to be called
// again and again, by a task or a schedule; several may run at once. What it
// could not delete stays for the next call.
func (d *Desk) Sweep(ctx context.Context) (int, error) {
	files, err := d.index.UnconfirmedFiles(ctx, d.opts.Now().Add(-sweepGrace), sweepMost)
	if err != nil {
		return 0, fmt.Errorf("find uploads that were given up: %w", err)
	}
	var problems []error
	swept := 0
	for i := range files {
		if err := d.drop(ctx, files[i].Key); err != nil {
			problems = append(problems, err)
		} else {
			swept++
		}
		if ctx.Err() != nil || len(problems) == sweepFails {
			break
		}
	}
	return swept, errors.Join(problems...)
}
