package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ErrChecksum is returned when the bucket has other bytes than were sent.
var ErrChecksum = errors.New("the bucket answered with another checksum")

// ErrChanged is returned for a file that was written to while it was sent.
var ErrChanged = errors.New("the file changed while it was sent")

// put sends a file, in one or in parts.
func (m *Mirror) put(ctx context.Context, s Step) error {
	f, err := m.open(s.Name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.Size() != s.Size:
		return fmt.Errorf("%w: it has %d bytes, and had %d", ErrChanged, info.Size(), s.Size)
	case s.sum == nil:
		if s.sum, err = sumOf(io.NewSectionReader(f, 0, s.Size), s.Size, m.opts.PartSize); err != nil {
			return err
		}
	}
	if s.sum.parts == nil {
		return m.putWhole(ctx, s, f, info)
	}
	return m.putParts(ctx, s, f, info)
}

func (m *Mirror) putWhole(ctx context.Context, s Step, f *os.File, info fs.FileInfo) error {
	if err := m.unchanged(s.Name, info); err != nil { // since its checksum was made
		return err
	}
	out, err := send(ctx, m, io.NewSectionReader(f, 0, s.Size), func(ctx context.Context, body io.ReadSeeker) (*s3.PutObjectOutput, error) {
		return m.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &m.to.Bucket, Key: aws.String(m.to.Key(s.Name)), Body: body, ContentLength: &s.Size,
			ContentType: &s.Type, CacheControl: &s.Cache, Metadata: map[string]string{sumKey: s.sum.text},
			ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: &s.sum.text,
		})
	})
	if err != nil {
		return err
	}
	m.sent(s.Size)
	if err := same(out.ChecksumSHA256, s.sum.text); err != nil {
		return err
	}
	return m.unchanged(s.Name, info)
}

// unchanged returns ErrChanged if the file of a name is not the one any more that
// was opened, or was written to since. What was sent of it may end in the middle.
func (m *Mirror) unchanged(name string, opened fs.FileInfo) error {
	now, err := m.root.Stat(name)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrChanged, err)
	case !os.SameFile(opened, now):
		return fmt.Errorf("%w: another one has its name", ErrChanged)
	case now.Size() != opened.Size():
		return fmt.Errorf("%w: it has %d bytes, and had %d", ErrChanged, now.Size(), opened.Size())
	case !now.ModTime().Equal(opened.ModTime()):
		return fmt.Errorf("%w: it was written to at %v", ErrChanged, now.ModTime().UTC())
	}
	return nil
}

// same returns ErrChecksum if the bucket says another checksum. Some S3-compatible
// stores say none.
func same(got *string, want string) error {
	if got != nil && *got != want {
		return fmt.Errorf("%w: %s, want %s", ErrChecksum, *got, want)
	}
	return nil
}
