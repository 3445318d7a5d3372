package mirror

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// find looks for the latest upload of the file that was broken off, and for what
// arrived of it. Without one u.id stays empty.
func (u *upload) find(ctx context.Context) error {
	latest, err := u.latest(ctx)
	if err != nil || latest == nil {
		return err
	}
	u.id = aws.ToString(latest.UploadId)
	u.have = map[int32]types.Part{}
	in := &s3.ListPartsInput{Bucket: &u.to.Bucket, Key: &u.key, UploadId: &u.id}
	for {
		out, err := ask(ctx, u.Mirror, answerTime, func(ctx context.Context) (*s3.ListPartsOutput, error) { return u.client.ListParts(ctx, in) })
		if err != nil {
			return err
		}
		for _, p := range out.Parts {
			u.have[aws.ToInt32(p.PartNumber)] = p
		}
		if !aws.ToBool(out.IsTruncated) {
			return nil
		}
		in.PartNumberMarker = out.NextPartNumberMarker
	}
}

// latest returns the upload of the file that was begun last, nil if there is
// none. One without SHA-256 of its parts, as other programs begin them, is none.
func (u *upload) latest(ctx context.Context) (latest *types.MultipartUpload, err error) {
	in := &s3.ListMultipartUploadsInput{Bucket: &u.to.Bucket, Prefix: &u.key}
	for {
		out, err := ask(ctx, u.Mirror, answerTime, func(ctx context.Context) (*s3.ListMultipartUploadsOutput, error) {
			return u.client.ListMultipartUploads(ctx, in)
		})
		if err != nil {
			return nil, err
		}
		for _, one := range out.Uploads {
			ours := aws.ToString(one.Key) == u.key && one.ChecksumAlgorithm == types.ChecksumAlgorithmSha256
			if ours && (latest == nil || aws.ToTime(one.Initiated).After(aws.ToTime(latest.Initiated))) {
				latest = &one
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return latest, nil
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}
