package s3_test

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

type operation struct {
	name string
	ask  func(context.Context) error
}

// operations are what somebody could try with an object.
func operations(client *s3.Client, bucket, key string) []operation {
	return []operation{
		{"GetObject", func(ctx context.Context) error {
			out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
			if err == nil {
				_ = out.Body.Close()
			}
			return err
		}},
		{"HeadObject", func(ctx context.Context) error {
			_, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
			return err
		}},
		{"PutObject", func(ctx context.Context) error {
			_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")})
			return err
		}},
		{"DeleteObject", func(ctx context.Context) error {
			_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
			return err
		}},
	}
}

// statusOf returns the status with which the server refused, 0 if it did not.
func statusOf(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}
