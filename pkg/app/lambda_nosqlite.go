//go:build lambda.norpc

package app

import (
	"context"
	"fmt"

	"github.com/handstamp/handstamp/pkg/config"
)

// openSQLite refuses: a build for AWS Lambda has no SQLite in it.
func openSQLite(context.Context, *config.Config, Options, bool) (fileLedger, error) {
	return nil, fmt.Errorf("book.kind: %w", ErrFunctionBook)
}
