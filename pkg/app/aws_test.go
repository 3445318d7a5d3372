package app

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Whatever calls AWS gives up on an answer that does not come.
func TestAWSHasADeadline(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	loaded, err := loadAWS(t.Context(), "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]aws.Config{"loadAWS": loaded, "functionAWS": functionAWS("eu-west-1")} {
		client, ok := c.HTTPClient.(*awshttp.BuildableClient)
		if !ok || client.GetTimeout() != awsTimeout {
			t.Errorf("%s: client %T %+v, want one with a limit of %v", name, c.HTTPClient, c.HTTPClient, awsTimeout)
		}
	}
}
