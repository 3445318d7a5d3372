package mirror

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// An upload is a file on its way in parts.
type upload struct {
	*Mirror
	step Step
	info fs.FileInfo // of the file when it was opened
	key  string
	id   string
	have map[int32]types.Part // by number from 1: what the bucket has of it already
}

// putParts sends a file in parts, and goes on with an upload that was broken
// off. The headers of such a one are as it was begun with; if these are not
// right anymore, the file is sent anew.
func (m *Mirror) putParts(ctx context.Context, s Step, f *os.File, info fs.FileInfo) error {
	u := &upload{Mirror: m, step: s, info: info, key: m.to.Key(s.Name)}
	if err := u.find(ctx); err != nil {
		return fmt.Errorf("look for an upload that was broken off: %w", err)
	}
	resumed := u.id != ""
	if err := u.run(ctx, f); err != nil || !resumed {
		return err
	}
	why, err := m.differs(ctx, &s)
	if err != nil || why == "" {
		return err
	}
	return (&upload{Mirror: m, step: s, info: info, key: u.key}).run(ctx, f)
}

// run sends what the bucket has not, and closes the upload.
func (u *upload) run(ctx context.Context, f *os.File) error {
	if u.id == "" {
		if err := u.create(ctx); err != nil {
			return err
		}
	}
	done := make([]types.CompletedPart, len(u.step.sum.parts))
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(u.opts.Parallel)
	for i := range done {
		group.Go(func() (err error) {
			done[i], err = u.part(sending, f, i)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := u.unchanged(u.step.Name, u.info); err != nil {
		return err
	}
	return u.complete(ctx, done)
}

func (u *upload) create(ctx context.Context) error {
	out, err := ask(ctx, u.Mirror, answerTime, func(ctx context.Context) (*s3.CreateMultipartUploadOutput, error) {
		return u.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: &u.to.Bucket, Key: &u.key, ContentType: &u.step.Type, CacheControl: &u.step.Cache,
			Metadata:          map[string]string{sumKey: u.step.sum.text},
			ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumType: types.ChecksumTypeComposite,
		})
	})
	if err != nil {
		return err
	}
	u.id = aws.ToString(out.UploadId)
	return nil
}

// part sends part i, from 0, unless the bucket has it.
func (u *upload) part(ctx context.Context, f *os.File, i int) (types.CompletedPart, error) {
	number := int32(i + 1) // #nosec G115 -- at most maxParts
	from := int64(i) * u.step.sum.part
	size := min(u.step.sum.part, u.step.Size-from)
	want := u.step.sum.parts[i]
	if p, ok := u.have[number]; ok && aws.ToString(p.ChecksumSHA256) == want && aws.ToInt64(p.Size) == size {
		u.sent(size)
		return types.CompletedPart{PartNumber: &number, ETag: p.ETag, ChecksumSHA256: &want}, nil
	}
	out, err := send(ctx, u.Mirror, io.NewSectionReader(f, from, size), func(ctx context.Context, body io.ReadSeeker) (*s3.UploadPartOutput, error) {
		return u.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &u.to.Bucket, Key: &u.key, UploadId: &u.id, PartNumber: &number, ContentLength: &size,
			Body: body, ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumSHA256: &want,
		})
	})
	if err == nil {
		err = same(out.ChecksumSHA256, want)
	}
	if err != nil {
		return types.CompletedPart{}, fmt.Errorf("part %d of %d: %w", number, len(u.step.sum.parts), err)
	}
	u.sent(size)
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumSHA256: &want}, nil
}

func (u *upload) complete(ctx context.Context, parts []types.CompletedPart) error {
	out, err := ask(ctx, u.Mirror, slowest(u.step.Size), func(ctx context.Context) (*s3.CompleteMultipartUploadOutput, error) {
		return u.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &u.to.Bucket, Key: &u.key, UploadId: &u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	})
	if err != nil {
		return err
	}
	return same(out.ChecksumSHA256, u.step.sum.text)
}
