package app

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
)

// awsTimeout is how long one try of a call to AWS may take, with its answer. The
// SDK tries three times, and by itself waits for an answer without an end. It is
// for calls whose answers are small: objects are streamed by clients of their own.
const awsTimeout = 15 * time.Second

// awsClient returns what calls AWS.
func awsClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(awsTimeout)
}

// loadAWS finds region and credentials as all AWS tools do. An empty region
// means that of the environment.
func loadAWS(ctx context.Context, region string) (aws.Config, error) {
	opts := []func(*awsconfig.LoadOptions) error{awsconfig.WithHTTPClient(awsClient())}
	if region != "" {
		opts = append(opts, awsconfig.WithRegion(region))
	}
	return awsconfig.LoadDefaultConfig(ctx, opts...)
}
