//go:build !lambda.norpc

package app

import (
	"context"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/config"
)

// openSQLite opens the book of cfg in its file. In production a file that is
// missing is not made anew: it would let everybody in again whom it had kept out.
func openSQLite(ctx context.Context, cfg *config.Config, opts Options, skipCheck bool) (fileLedger, error) {
	return sqlite.Open(ctx, cfg.Book.File, sqlite.Options{Create: !cfg.Production() && !opts.existing, SkipCheck: skipCheck, Now: opts.Now, Log: opts.Log})
}
