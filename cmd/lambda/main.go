// Command lambda is the gateway as a function of AWS Lambda, behind an HTTP or
// REST API, a function URL or a load balancer. See docs/lambda.md.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/awslambda"
	"github.com/handstamp/handstamp/pkg/awslambda/boot"
	"github.com/handstamp/handstamp/pkg/config"
)

// farewell is how long the end may take: SIGKILL follows SIGTERM half a second
// later.
const farewell = 300 * time.Millisecond

func main() {
	log := boot.Log(config.Log{}, os.Stderr)
	ctx, cancel := context.WithTimeout(context.Background(), boot.Timeout)
	f, err := start(ctx)
	if err != nil {
		log.Error("the function cannot start", "err", err)
		_ = boot.Fail(ctx) // Lambda notices anyway
		cancel()
		os.Exit(1)
	}
	cancel()
	lambda.StartWithOptions(f.adapter, lambda.WithEnableSIGTERM(f.stop))
}

// A function is a gateway that is ready for events.
type function struct {
	gateway *app.Function
	adapter *awslambda.Adapter
	log     *slog.Logger
}

func start(ctx context.Context) (*function, error) {
	giveBack, err := boot.Lend(ctx, app.NewSecretFetcher())
	if err != nil {
		return nil, err
	}
	defer giveBack()
	cfg, err := boot.Config()
	if err != nil {
		return nil, err
	}
	f := &function{log: boot.Log(cfg.Log, os.Stderr)}
	for _, warning := range cfg.Warnings {
		f.log.Warn("configuration", "warning", warning)
	}
	err = boot.Retry(ctx, func(ctx context.Context) (err error) {
		f.gateway, err = app.NewFunction(ctx, cfg, app.Options{Log: f.log})
		return err
	})
	if err != nil {
		return nil, err
	}
	public, err := url.Parse(cfg.HTTP.PublicURL)
	if err != nil {
		return nil, errors.Join(errors.New("http.public_url is no URL"), f.gateway.Close())
	}
	f.adapter, err = awslambda.New(http.HandlerFunc(f.gateway.ServeHTTP), awslambda.Options{Host: public.Host, BasePath: os.Getenv(boot.BasePathVariable), Log: f.log})
	if err != nil {
		return nil, errors.Join(err, f.gateway.Close())
	}
	return f, nil
}

// stop ends the process in time. What was answered is on record already: nothing
// is kept back for the end.
func (f *function) stop() {
	closed := make(chan error, 1)
	go func() { closed <- f.gateway.Close() }()
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case err := <-closed:
		if err != nil {
			f.log.Error("gateway not closed cleanly", "err", err)
		}
	case <-timer.C:
		f.log.Error("gateway not closed in time")
	}
	os.Exit(0)
}
