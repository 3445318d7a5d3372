package app

import (
	"context"
	"io"
	"iter"
	"sync/atomic"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// A Ledger is a book that lasts: the visitors' side and the administration's.
type Ledger interface {
	gate.Book
	admin.Book
	Import(ctx context.Context, batch string, records iter.Seq[book.Record], by book.AuditEvent) (added, unchanged int, err error)
	Prune(ctx context.Context, at time.Time) (admissions int, err error)
}

// A fileLedger is a book in a file.
type fileLedger interface {
	Ledger
	io.Closer
}

// OpenLedger opens the book of cfg for commands, without a gateway. Closing is
// the caller's.
func OpenLedger(ctx context.Context, cfg *config.Config) (Ledger, io.Closer, error) {
	return openLedger(ctx, cfg, Options{})
}

// OpenExisting is OpenLedger for commands that only read: it never makes a book.
func OpenExisting(ctx context.Context, cfg *config.Config) (Ledger, io.Closer, error) {
	return openLedger(ctx, cfg, Options{existing: true})
}

func openLedger(ctx context.Context, cfg *config.Config, opts Options) (Ledger, io.Closer, error) {
	switch cfg.Book.Kind {
	case "sqlite":
		b, err := openSQLite(ctx, cfg, opts, true)
		return b, b, err
	case "dynamodb":
		b, err := openTable(ctx, cfg, nil)
		return b, io.NopCloser(nil), err
	}
	return nil, nil, ErrNoLedger
}

// A shelf is an open book. Gateways that follow each other share it.
type shelf struct {
	book     gate.Book
	counters throttle.Store
	close    func() error
	users    atomic.Int32
}

func (s *shelf) release() error {
	if s.users.Add(-1) > 0 || s.close == nil {
		return nil
	}
	return s.close()
}

// buildBook opens the book of admissions, or takes over that of the gateway
// before.
func (a *App) buildBook(ctx context.Context) (err error) {
	if old := a.opts.before; old != nil && sameBook(old.cfg.Book, a.cfg.Book) {
		a.shelf = old.shelf
	} else if a.shelf, err = a.openShelf(ctx); err != nil {
		return err
	}
	a.shelf.users.Add(1)
	a.book, a.counters = a.shelf.book, a.shelf.counters
	a.keeps(a.shelf, readBook(a.book))
	if a.cfg.Book.Lasting() {
		a.tasks = append(a.tasks, a.prune)
	}
	return nil
}

// sameBook reports whether two configurations mean the same book. Its pepper
// is not part of it.
func sameBook(a, b config.Book) bool {
	a.Pepper, b.Pepper = config.Secret{}, config.Secret{}
	return a == b
}

// openShelf opens the book. In production a file that is missing is not made
// anew: it would let everybody in again whom it had kept out.
func (a *App) openShelf(ctx context.Context) (*shelf, error) {
	switch a.cfg.Book.Kind {
	case "sqlite":
		b, err := openSQLite(ctx, a.cfg, a.opts, false)
		if err != nil {
			return nil, err
		}
		return &shelf{book: b, close: b.Close}, nil
	case "dynamodb":
		b, err := openTable(ctx, a.cfg, a.opts.Now)
		if err != nil {
			return nil, err
		}
		client, err := Table(ctx, a.cfg)
		if err != nil {
			return nil, err
		}
		return &shelf{book: b, counters: dynamodb.NewCounters(client, dynamodb.CounterOptions{Table: a.cfg.Book.Table})}, nil
	}
	return &shelf{book: memory.New()}, nil
}

func openTable(ctx context.Context, cfg *config.Config, now func() time.Time) (*dynamodb.Book, error) {
	client, err := Table(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return dynamodb.Open(ctx, client, dynamodb.Options{Table: cfg.Book.Table, Now: now})
}

// Table returns the client for the table of cfg.
func Table(ctx context.Context, cfg *config.Config) (*awsdynamodb.Client, error) {
	c, err := loadAWS(ctx, cfg.Book.Region)
	if err != nil {
		return nil, err
	}
	return awsdynamodb.NewFromConfig(c, func(o *awsdynamodb.Options) {
		if cfg.Book.Endpoint != "" {
			o.BaseEndpoint = &cfg.Book.Endpoint
		}
	}), nil
}

// pruneEvery is how often the book forgets what is over.
const pruneEvery = time.Hour

// prune has the book forget what is over, now and then.
func (a *App) prune(ctx context.Context) {
	ledger, ok := a.book.(Ledger)
	if !ok {
		return
	}
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		switch n, err := ledger.Prune(ctx, a.opts.Now()); {
		case err != nil && ctx.Err() == nil:
			a.opts.Log.Error("book not pruned", "err", err)
		case n > 0:
			a.opts.Log.Info("book pruned", "admissions", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
