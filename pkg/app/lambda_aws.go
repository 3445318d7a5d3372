package app

import (
	"context"
	"errors"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// functionAWS returns region and credentials as Lambda gives them to a function,
// in its environment. The many other ways of finding them are left out of it: 2
// MB, and time at each start. An empty region means that of the function.
func functionAWS(region string) aws.Config {
	if region == "" {
		region = os.Getenv("AWS_REGION")
	}
	c := aws.Config{Region: region, HTTPClient: awsClient(), Credentials: aws.NewCredentialsCache(aws.CredentialsProviderFunc(functionCredentials))}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" { // an emulator, as all AWS tools find it
		c.BaseEndpoint = &endpoint
	}
	return c
}

func functionCredentials(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "environment of the function",
	}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return c, errors.New("the environment has no credentials, want a function with a role")
	}
	return c, nil
}
