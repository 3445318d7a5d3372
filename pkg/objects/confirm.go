package objects

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/handstamp/handstamp/pkg/book"
)

// callTime is how long a call may take that asks the store or its credentials. It
// is less than what a viewer waits for an answer, and than sweepGrace, so that no
// file is deleted while it is confirmed.
const callTime = 10 * time.Second

// ConfirmUpload looks whether the file is in the bucket as announced, and notes
// that. It may be called again. It returns ErrNotFound for an upload that the
// holder may not write or that was given up, ErrNotUploaded while the file is
// not there, and ErrMismatch for another one, which it deletes.
func (d *Desk) ConfirmUpload(ctx context.Context, h Holder, key string) (book.File, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	f, err := d.announced(ctx, h, key)
	if err != nil || !f.Confirmed.IsZero() {
		return f, err
	}
	head, err := d.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(d.bucket), Key: aws.String(key), ChecksumMode: types.ChecksumModeEnabled,
	})
	if isAbsent(err) {
		return book.File{}, ErrNotUploaded
	}
	if err != nil {
		return book.File{}, fmt.Errorf("look for the upload: %w", err)
	}
	wrong := compare(&f, head)
	if wrong == nil && f.SHA256 != "" {
		wrong, err = d.verify(ctx, &f, head)
	}
	switch {
	case err != nil:
		return book.File{}, fmt.Errorf("read the upload: %w", err)
	case wrong != nil:
		return book.File{}, d.reject(ctx, &f, wrong)
	}
	f.Size, f.ETag, f.Confirmed = aws.ToInt64(head.ContentLength), aws.ToString(head.ETag), d.opts.Now().UTC()
	err = d.index.ConfirmFile(ctx, f)
	if errors.Is(err, book.ErrNoFile) {
		return book.File{}, ErrNotFound
	}
	if err != nil {
		return book.File{}, fmt.Errorf("confirm the upload: %w", err)
	}
	return f, nil
}

// announced returns an upload that the holder may confirm, or has.
func (d *Desk) announced(ctx context.Context, h Holder, key string) (book.File, error) {
	files, err := d.lookUp(ctx, key)
	if err != nil {
		return book.File{}, err
	}
	f, now := files[key], d.opts.Now()
	if f == nil {
		return book.File{}, absent(key)
	}
	asIf := *f
	asIf.Confirmed = now // whoever may write the file may confirm it
	if err := d.writes(d.party(h, now), key, &asIf); err != nil {
		return book.File{}, err
	}
	if f.Discarded() || f.Confirmed.IsZero() && !now.Before(f.Expires) {
		return book.File{}, ErrNotFound
	}
	return *f, nil
}

// absent returns why there is no file of a key.
func absent(key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return ErrNotFound
}

// compare returns what is wrong with the object, nil if it is f. One that is
// packed, which a PUT can say without a signature for it, would be of any size
// and content once a browser has unpacked it.
func compare(f *book.File, head *s3.HeadObjectOutput) error {
	size, kind := aws.ToInt64(head.ContentLength), aws.ToString(head.ContentType)
	switch {
	case size < 1 || size > f.Size:
		return fmt.Errorf("%d bytes, want 1 to %d", size, f.Size)
	case !strings.EqualFold(kind, f.Type):
		return fmt.Errorf("content type %.80q, want %q", kind, f.Type)
	case aws.ToString(head.ContentEncoding) != "":
		return fmt.Errorf("content encoding %.80q, want none", *head.ContentEncoding)
	}
	return nil
}

// verify returns what is wrong with the checksum of the object, nil if it is that
// of f. A store that keeps none may not have looked at it when the file arrived:
// then the object is read. Its ETag says that it is still the one of head.
func (d *Desk) verify(ctx context.Context, f *book.File, head *s3.HeadObjectOutput) (wrong, err error) {
	sum := aws.ToString(head.ChecksumSHA256)
	if sum == "" {
		if sum, err = d.digest(ctx, f.Key, head); err != nil {
			return nil, err
		}
	}
	if sum != f.SHA256 {
		return fmt.Errorf("SHA-256 %.80q, want %q", sum, f.SHA256), nil
	}
	return nil, nil
}

// digest reads an object and returns its SHA-256 in base64.
func (d *Desk) digest(ctx context.Context, key string, head *s3.HeadObjectOutput) (string, error) {
	out, err := d.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(d.bucket), Key: aws.String(key), IfMatch: head.ETag})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	h := sha256.New()
	if _, err := io.CopyN(h, out.Body, aws.ToInt64(head.ContentLength)); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
}

// reject deletes what is not what was announced.
func (d *Desk) reject(ctx context.Context, f *book.File, wrong error) error {
	if err := d.drop(ctx, f); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrMismatch, wrong)
}

// isAbsent reports whether S3 says that there is no such object. Without the
// permission to list the bucket it does not say so, but 403, and nobody knows. Nor
// does anybody if the bucket itself is not there, which S3 cannot say to a HEAD.
func isAbsent(err error) bool {
	var response *smithyhttp.ResponseError
	var said smithy.APIError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusNotFound &&
		!(errors.As(err, &said) && said.ErrorCode() == "NoSuchBucket")
}
