// Package boot starts a function of AWS Lambda: where its configuration is, how
// its log looks, what becomes of a start that fails. It follows "Lambda runtime
// API" in the Lambda Developer Guide.
package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

// The variables that a function reads itself.
const (
	ConfigVariable   = "HANDSTAMP_CONFIG"    // the configuration file; unset means config.yaml beside the binary
	SecretsVariable  = "HANDSTAMP_SECRETS"   // secrets to fetch, see app.SecretFetcher; unset means none
	BasePathVariable = "HANDSTAMP_BASE_PATH" // see awslambda.Options.BasePath
)

// Timeout is how long a start may take. Lambda gives it 10 s.
const Timeout = 9 * time.Second

// attempts are how often something that may only be late is tried.
const attempts = 3

// Config reads the configuration. Variables that begin with HANDSTAMP_ and are
// in other are not keys of it.
func Config(other ...string) (*config.Config, error) {
	path := os.Getenv(ConfigVariable)
	if path == "" {
		binary, err := os.Executable()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(filepath.Dir(binary), "config.yaml")
	}
	return config.Load(path, config.Options{OtherEnv: append(other, ConfigVariable, SecretsVariable, BasePathVariable)})
}

// A Fetcher gets secrets by name, see app.SecretFetcher.
type Fetcher interface {
	Fetch(ctx context.Context, list string) (map[string]gate.Secret, error)
}

// Lend fetches the secrets that SecretsVariable lists and makes them variables of
// this process, for references like env:PEPPER, until giveBack is called. They
// are never in the configuration of the function, where its environment is shown.
func Lend(ctx context.Context, f Fetcher) (giveBack func(), err error) {
	list := os.Getenv(SecretsVariable)
	if list == "" {
		return func() {}, nil
	}
	var secrets map[string]gate.Secret
	err = Retry(ctx, func(ctx context.Context) (err error) {
		secrets, err = f.Fetch(ctx, list)
		return err
	})
	if err != nil {
		return func() {}, err
	}
	for name, value := range secrets {
		if err := os.Setenv(name, value.Reveal()); err != nil {
			return func() {}, err
		}
	}
	return func() {
		for name := range secrets {
			_ = os.Unsetenv(name) // only fails for a name that is none
		}
	}, nil
}

// Retry calls start until it succeeds, three times at most.
func Retry(ctx context.Context, start func(context.Context) error) error {
	wait := 200 * time.Millisecond
	for try := 1; ; try++ {
		err := start(ctx)
		if err == nil || try == attempts {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		wait *= 2
	}
}

// Log returns the log that c describes, as Lambda collects it from w. The zero
// Log is one of JSON lines.
func Log(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // info before there is a configuration
	opts := app.LogOptions(level)
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

// Fail tells Lambda that the start failed, without saying why: whoever calls the
// function is shown what is said here. It is for the log to say more.
func Fail(ctx context.Context) error {
	api := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	if api == "" {
		return nil
	}
	body, err := json.Marshal(map[string]any{
		"errorType": "Handstamp.Start", "errorMessage": "the function could not start, its log says why", "stackTrace": []string{},
	})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body)) // #nosec G704 -- the address is the platform's
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Lambda-Runtime-Function-Error-Type", "Handstamp.Start")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	resp, err := client.Do(r) // #nosec G704 -- the address is the platform's
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
