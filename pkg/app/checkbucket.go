package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/handstamp/handstamp/pkg/objects/bucket"
	"github.com/handstamp/handstamp/pkg/probe"
)

// bucket looks at the bucket of private files: it is there, and nobody else gets
// at a file that is none of the public ones.
func (c *checker) bucket(ctx context.Context) {
	const id, says = "bucket_there", "the bucket of private files can be reached"
	o := c.cfg.Objects
	if o.Bucket == "" || c.opts.Offline {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	store, err := bucket.Open(ctx, bucket.Config{Name: o.Bucket, Region: o.Region, Endpoint: o.Endpoint, PathStyle: bool(o.PathStyle)})
	if err == nil {
		defer store.Close()
		_, err = store.Client().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &o.Bucket})
	}
	c.need(id, says, err, o.Bucket, `"handstamp check --iam" prints what AWS has to permit; see that name and region are right`)
	if err == nil {
		c.private(ctx, store.Client())
	}
}

// private asks for one private file as a stranger.
func (c *checker) private(ctx context.Context, client *s3.Client) {
	const id, says = "bucket_private", "strangers do not get at private files"
	key, err := c.privateKey(ctx, client)
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		c.add(id, says, probe.Skipped, "the bucket may not be listed: "+api.ErrorCode(), "")
		return
	case err != nil:
		c.add(id, says, probe.Skipped, err.Error(), "")
		return
	}
	status, err := c.asStranger(ctx, client, key)
	switch {
	case err != nil:
		c.add(id, says, probe.Skipped, err.Error(), "")
	case status == http.StatusOK || status == http.StatusPartialContent:
		c.add(id, says, probe.Failed, "a private file came without a signature", "block public access to the bucket, and take away its public policy and ACLs")
	default:
		c.add(id, says, probe.Passed, fmt.Sprintf("%d without a signature", status), "")
	}
}

// privateKey returns the key of a file that no rule makes public.
func (c *checker) privateKey(ctx context.Context, client *s3.Client) (string, error) {
	out, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &c.cfg.Objects.Bucket, MaxKeys: aws.Int32(1000)})
	if err != nil {
		return "", err
	}
	for _, o := range out.Contents {
		if key := aws.ToString(o.Key); !c.public(key) {
			return key, nil
		}
	}
	return "", errors.New("there is no private file to try")
}

// public reports whether a key may belong to a rule that makes files public.
func (c *checker) public(key string) bool {
	for _, r := range c.cfg.Objects.Rules {
		fixed, _, _ := strings.Cut(r.Keys, "{")
		fixed, _, _ = strings.Cut(fixed, "*")
		if bool(r.Public) && strings.HasPrefix(key, fixed) {
			return true
		}
	}
	return false
}

// asStranger asks for one byte of a file without a signature.
func (c *checker) asStranger(ctx context.Context, client *s3.Client, key string) (int, error) {
	signed, err := s3.NewPresignClient(client).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &c.cfg.Objects.Bucket, Key: &key})
	if err != nil {
		return 0, errors.New("no address can be made for a file")
	}
	plain, err := url.Parse(signed.URL)
	if err != nil {
		return 0, errors.New("no address can be made for a file")
	}
	plain.RawQuery = ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, plain.String(), nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Range", "bytes=0-0")
	stranger := c.client()
	defer stranger.CloseIdleConnections()
	res, err := stranger.Do(req) // #nosec G704 -- the operator names the bucket
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
