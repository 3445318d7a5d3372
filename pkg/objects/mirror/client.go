package mirror

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A Client is the part of *s3.Client that is used.
type Client interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	ListMultipartUploads(context.Context, *s3.ListMultipartUploadsInput, ...func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error)
	ListParts(context.Context, *s3.ListPartsInput, ...func(*s3.Options)) (*s3.ListPartsOutput, error)
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
}

var _ Client = (*s3.Client)(nil)

// Times of requests.
const (
	answerTime  = time.Minute     // for a request that carries no content
	silenceTime = 5 * time.Minute // for one that does, while nothing moves: a slow line has much under way when it looks still
)

// errSilent ends a request with content on which nothing moves any more.
var errSilent = fmt.Errorf("nothing moved for %v", silenceTime)

// slowest is how long the bucket may take to put size bytes together: a minute, and
// as long as 64 KiB a second need.
func slowest(size int64) time.Duration {
	return answerTime + time.Duration(size>>16)*time.Second
}

// enter waits until fewer than Parallel requests are on their way, and returns how
// to say that one has ended.
func (m *Mirror) enter(ctx context.Context) (leave func(), err error) {
	select {
	case m.slots <- struct{}{}:
		return func() { <-m.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask is one request without content, with what the SDK tries again.
func ask[T any](ctx context.Context, m *Mirror, limit time.Duration, do func(context.Context) (T, error)) (answer T, err error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return answer, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
}

// send is one request that carries content. However slow the line is and however
// many requests share it, it goes on for as long as something moves.
func send[T any](ctx context.Context, m *Mirror, content *io.SectionReader, do func(context.Context, io.ReadSeeker) (T, error)) (answer T, err error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return answer, err
	}
	defer leave()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(silenceTime, func() { cancel(errSilent) })
	defer silent.Stop()
	answer, err = do(ctx, &moving{content, silent})
	if err != nil && context.Cause(ctx) == errSilent {
		err = errSilent // the SDK says only "canceled"
	}
	return answer, err
}

// A moving is content that puts off an end whenever some of it is taken.
type moving struct {
	*io.SectionReader
	end *time.Timer
}

func (m *moving) Read(p []byte) (int, error) {
	m.end.Reset(silenceTime)
	return m.SectionReader.Read(p)
}
