package mirror

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// list returns the sizes of what is below the prefix, by name. The empty
// objects that consoles make for folders are left out.
func (m *Mirror) list(ctx context.Context) (map[string]int64, error) {
	sizes := map[string]int64{}
	in := &s3.ListObjectsV2Input{Bucket: &m.to.Bucket, Prefix: aws.String(m.to.below())}
	for {
		out, err := ask(ctx, m, answerTime, func(ctx context.Context) (*s3.ListObjectsV2Output, error) { return m.client.ListObjectsV2(ctx, in) })
		if err != nil {
			return nil, err
		}
		for _, o := range out.Contents {
			name, ok := strings.CutPrefix(aws.ToString(o.Key), m.to.below())
			if ok && name != "" && !strings.HasSuffix(name, "/") {
				sizes[name] = aws.ToInt64(o.Size)
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return sizes, nil
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

// sumKey names the metadata with a file's checksum, for buckets that do not keep
// checksums themselves.
const sumKey = "handstamp-sha256"

// differs says what is not right about the object for a step whose file was
// read; empty means nothing.
func (m *Mirror) differs(ctx context.Context, s *Step) (why string, err error) {
	out, err := ask(ctx, m, answerTime, func(ctx context.Context) (*s3.HeadObjectOutput, error) {
		return m.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &m.to.Bucket, Key: aws.String(m.to.Key(s.Name)), ChecksumMode: types.ChecksumModeEnabled})
	})
	var missing *types.NotFound
	switch {
	case errors.As(err, &missing):
		return "new", nil
	case err != nil:
		return "", err
	}
	checksum := aws.ToString(out.ChecksumSHA256)
	if checksum == "" {
		checksum = out.Metadata[sumKey]
	}
	switch {
	case aws.ToInt64(out.ContentLength) != s.Size:
		return "other size", nil
	case checksum != s.sum.text:
		return "other content", nil
	case aws.ToString(out.ContentType) != s.Type:
		return "other type", nil
	case aws.ToString(out.CacheControl) != s.Cache:
		return "other caching", nil
	}
	return "", nil
}

// remove deletes an object below the prefix.
func (m *Mirror) remove(ctx context.Context, s Step) error {
	_, err := ask(ctx, m, answerTime, func(ctx context.Context) (*s3.DeleteObjectOutput, error) {
		return m.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &m.to.Bucket, Key: aws.String(m.to.Key(s.Name))})
	})
	return err
}
