package app

import (
	"context"
	"errors"
	"fmt"

	kvs "github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"

	"github.com/handstamp/handstamp/pkg/denylist"
)

// buildDenylist exports revocations to CloudFront, if that is wanted.
func (a *App) buildDenylist(ctx context.Context) error {
	d := a.cfg.Denylist
	if d.KeyValueStore == "" {
		return nil
	}
	source, ok := a.book.(denylist.Source)
	if !ok {
		return fmt.Errorf("denylist: %w", errors.New("the book does not say what was revoked"))
	}
	c, err := loadAWS(ctx, "")
	if err != nil {
		return fmt.Errorf("denylist: %w", err)
	}
	store, err := denylist.NewKeyValueStore(kvs.NewFromConfig(c), d.KeyValueStore)
	if err != nil {
		return fmt.Errorf("denylist: %w", err)
	}
	exporter := denylist.NewExporter(source, a.rules, store, denylist.Options{
		Exposure: a.keeper.Exposure(), Window: a.window(), Interval: d.Interval, Now: a.opts.Now, Log: a.opts.Log,
	})
	a.keeps(exporter, readDenylist(exporter))
	a.tasks = append(a.tasks, func(ctx context.Context) { exporter.Run(ctx) })
	return nil
}
