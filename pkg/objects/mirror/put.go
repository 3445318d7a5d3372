package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ErrChecksum is returned when the bucket has other bytes than were sent.
var ErrChecksum = errors.New("the bucket answered with another checksum")

// put sends a file, in one or in parts.
func (m *Mirror) put(ctx context.Context, s Step) (err error) {
	if s.sum == nil {
		if s.sum, err = m.sum(s.Name, s.Size); err != nil {
			return err
		}
	}
	f, err := m.open(s.Name)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.sum.parts == nil {
		return m.putWhole(ctx, s, f)
	}
	return m.putParts(ctx, s, f)
}

func (m *Mirror) putWhole(ctx context.Context, s Step, f *os.File) error {
	out, err := ask(ctx, m, s.Size, func(ctx context.Context) (*s3.PutObjectOutput, error) {
		return m.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &m.to.Bucket, Key: aws.String(m.to.Key(s.Name)), Body: io.NewSectionReader(f, 0, s.Size), ContentLength: &s.Size,
			ContentType: &s.Type, CacheControl: &s.Cache, Metadata: map[string]string{sumKey: s.sum.text},
			ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: &s.sum.text,
		})
	})
	if err != nil {
		return err
	}
	m.sent(s.Size)
	return same(out.ChecksumSHA256, s.sum.text)
}

// same returns ErrChecksum if the bucket says another checksum. Some S3-compatible
// stores say none.
func same(got *string, want string) error {
	if got != nil && *got != want {
		return fmt.Errorf("%w: %s, want %s", ErrChecksum, *got, want)
	}
	return nil
}
