package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/awslambda/lambdatest"
)

// The real binary answers each form with its own refusal, and shows nobody what
// was shown to it.
func TestTheRealBinary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Lambda is Linux")
	}
	binary := filepath.Join(t.TempDir(), "bootstrap")
	if err := lambdatest.Build(binary, "."); err != nil {
		t.Fatal(err)
	}
	e, err := lambdatest.Start(t, binary, "HANDSTAMP_CONFIG=../lambda/testdata/config.yaml", "HANDSTAMP_AUTHORIZER_ATTRACTION=castle")
	if err != nil {
		t.Fatalf("Start = %v; it wrote:\n%s", err, e.Output())
	}
	t.Logf("init %v", e.Init.Round(time.Millisecond))
	for form, want := range map[string]string{
		"http-api-2.0": `{"isAuthorized":false}`, "http-api-1.0": `"Effect":"Deny"`, "rest-request": `"errorMessage":"Unauthorized"`, "rest-token": `"errorMessage":"Unauthorized"`,
	} {
		text, err := os.ReadFile(filepath.Join("../../pkg/awslambda/authorizer/testdata", form+".json"))
		if err != nil {
			t.Fatal(err)
		}
		result := e.Invoke(text, 3*time.Second)
		if got := string(result.Body); !strings.Contains(got, want) || result.Error != strings.HasPrefix(form, "rest") || strings.Contains(got, "SESSION") {
			t.Errorf("%s = %s, error %v, want %s", form, got, result.Error, want)
		}
	}
	if strings.Contains(e.Output(), "SESSION") {
		t.Errorf("log has the session in it: %s", e.Output())
	}
}

func TestUnknownAttraction(t *testing.T) {
	t.Setenv("HANDSTAMP_CONFIG", "../lambda/testdata/config.yaml")
	t.Setenv("HANDSTAMP_AUTHORIZER_ATTRACTION", "zoo")
	if _, err := start(t.Context()); err == nil || !strings.Contains(err.Error(), "zoo") {
		t.Errorf("start = %v, want an error about the attraction", err)
	}
}
