package outbound_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs all tests with a proxy in the environment, which is not asked.
// net/http reads it once in a process.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		if err := os.Setenv(name, "http://127.0.0.1:1"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
