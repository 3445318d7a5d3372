// Command authorizer is a Lambda authorizer: other APIs of an attraction open to
// whoever is on a visit, or holds a ticket. See docs/lambda.md.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/awslambda/authorizer"
	"github.com/handstamp/handstamp/pkg/awslambda/boot"
	"github.com/handstamp/handstamp/pkg/config"
)

// The variables that are only for authorizers.
const (
	fromVariable       = "HANDSTAMP_AUTHORIZER_FROM"       // see authorizer.Options.From; "cookie" alone is the gateway's own
	attractionVariable = "HANDSTAMP_AUTHORIZER_ATTRACTION" // see authorizer.Options.Attraction
	answerVariable     = "HANDSTAMP_AUTHORIZER_ANSWER"     // "policy", see authorizer.Options.Policy; anything else is simple
)

func main() {
	log := boot.Log(config.Log{}, os.Stderr)
	ctx, cancel := context.WithTimeout(context.Background(), boot.Timeout)
	a, err := start(ctx)
	if err != nil {
		log.Error("the authorizer cannot start", "err", err)
		_ = boot.Fail(ctx) // Lambda notices anyway
		cancel()
		os.Exit(1)
	}
	cancel()
	lambda.Start(a)
}

func start(ctx context.Context) (*authorizer.Authorizer, error) {
	giveBack, err := boot.Lend(ctx, app.NewSecretFetcher())
	if err != nil {
		return nil, err
	}
	defer giveBack()
	cfg, err := boot.Config(fromVariable, attractionVariable, answerVariable)
	if err != nil {
		return nil, err
	}
	log := boot.Log(cfg.Log, os.Stderr)
	opts := authorizer.Options{
		From: os.Getenv(fromVariable), Attraction: os.Getenv(attractionVariable), Policy: os.Getenv(answerVariable) == "policy", Log: log,
	}
	if opts.From == "cookie" {
		opts.From = "cookie:" + app.SessionCookie(cfg)
	}
	if opts.Attraction != "" {
		if _, err := app.Place(cfg, opts.Attraction); err != nil {
			return nil, err
		}
	}
	var guard *app.Guard
	err = boot.Retry(ctx, func(ctx context.Context) (err error) {
		guard, err = app.NewGuard(ctx, cfg, app.Options{Log: log})
		return err
	})
	if err != nil {
		return nil, err
	}
	return authorizer.New(guard, opts)
}
