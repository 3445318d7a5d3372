package mirror

import (
	"context"
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

// slowest is how long a request with so many bytes may take, with what the SDK
// tries again: a minute, and as long as 64 KiB a second need.
func slowest(size int64) time.Duration {
	return time.Minute + time.Duration(size>>16)*time.Second
}

// ask is one request that carries size bytes; no more than Parallel of them are
// on their way at a time.
func ask[T any](ctx context.Context, m *Mirror, size int64, do func(context.Context) (T, error)) (answer T, err error) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return answer, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, slowest(size))
	defer cancel()
	return do(ctx)
}
