package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// An object is what HeadObject says of one.
type object struct {
	key      string
	etag     string // quoted; empty if the store has none
	size     int64
	modified time.Time   // zero if the store does not say
	asked    time.Time   // when the store was
	header   http.Header // that describes it, for viewers
}

// look asks for an object. One whose length the store does not say is refused.
func (b *Bucket) look(ctx context.Context, key string) (*object, error) {
	asked := time.Now()
	ctx, cancel := context.WithTimeout(ctx, b.opts.CallTimeout)
	defer cancel()
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key}, asStored)
	if err != nil {
		return nil, b.fault(ctx, key, err)
	}
	if out.ContentLength == nil || *out.ContentLength < 0 {
		return nil, fmt.Errorf("object %q: the store does not say its length", key)
	}
	o := &object{key: key, etag: aws.ToString(out.ETag), size: *out.ContentLength, modified: aws.ToTime(out.LastModified), asked: asked,
		header: http.Header{"Accept-Ranges": {"bytes"}}}
	for name, value := range map[string]*string{
		"Cache-Control": out.CacheControl, "Content-Disposition": out.ContentDisposition, "Content-Encoding": out.ContentEncoding,
		"Content-Language": out.ContentLanguage, "Content-Type": out.ContentType, "Etag": out.ETag,
	} {
		if aws.ToString(value) != "" {
			o.header.Set(name, *value)
		}
	}
	if o.header.Get("Content-Type") == "" {
		o.header.Set("Content-Type", "binary/octet-stream") // as S3 has it, so that nobody guesses
	}
	return o, nil
}

// asStored leaves out checksums: parts of objects have none, and the store's
// length and ETag are checked here.
func asStored(o *s3.Options) {
	o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	o.DisableLogOutputChecksumValidationSkipped = true
}

// A part is a range of an object on its way from the store. It is read by one
// goroutine at a time.
type part struct {
	ctx    context.Context // of the call; its cause says why it ended
	cancel context.CancelCauseFunc
	silent *time.Timer // runs while somebody waits for the store
	idle   time.Duration
	body   io.ReadCloser
	left   int64 // bytes
}

// fetch asks for the bytes first to last of o, as it was when it was looked at, and
// gives the store so long to begin.
func (b *Bucket) fetch(ctx context.Context, o *object, first, last int64, limit time.Duration) (*part, error) {
	in := &s3.GetObjectInput{Bucket: &b.name, Key: &o.key}
	if strings.HasPrefix(o.etag, `"`) { // a weak one never matches; expect compares it
		in.IfMatch = &o.etag
	}
	if first > 0 || last < o.size-1 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", first, last))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	silent := time.AfterFunc(limit, func() { cancel(errSilent) })
	out, err := b.client.GetObject(ctx, in, asStored)
	silent.Stop()
	if err != nil {
		defer cancel(nil)
		return nil, b.fault(ctx, o.key, err)
	}
	p := &part{ctx, cancel, silent, b.opts.IdleTimeout, out.Body, last - first + 1}
	if err := o.expect(in, out, first, last); err != nil {
		p.Close()
		return nil, fmt.Errorf("object %q: %w", o.key, err)
	}
	return p, nil
}

// expect holds an answer against what was asked for.
func (o *object) expect(in *s3.GetObjectInput, out *s3.GetObjectOutput, first, last int64) error {
	length, want := int64(-1), ""
	if out.ContentLength != nil {
		length = *out.ContentLength
	}
	if in.Range != nil {
		want = fmt.Sprintf("bytes %d-%d/%d", first, last, o.size)
	}
	switch {
	case length != last-first+1:
		return fmt.Errorf("the store sends %d bytes (-1: it does not say), want %d", length, last-first+1)
	case aws.ToString(out.ContentRange) != want:
		return fmt.Errorf("the store sends range %q, want %q", aws.ToString(out.ContentRange), want)
	case aws.ToString(out.ETag) != o.etag:
		return errors.New("the store sends another version")
	}
	return nil
}

// Read gives the store its time, and takes an end that comes too early for what
// it is.
func (p *part) Read(into []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	p.silent.Reset(p.idle)
	n, err := p.body.Read(into[:min(int64(len(into)), p.left)])
	p.silent.Stop()
	p.left -= int64(n)
	switch cause := context.Cause(p.ctx); {
	case p.left == 0:
		return n, nil
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	case err != nil && cause != nil:
		err = cause
	}
	return n, err
}

// Close gives a connection back that was read to its end, and cuts another.
func (p *part) Close() error {
	p.silent.Stop()
	p.cancel(nil)
	return p.body.Close()
}
