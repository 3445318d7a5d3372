package objects

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
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
	return d.drop(ctx, key)
}

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
