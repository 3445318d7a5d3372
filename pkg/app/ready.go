package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/handstamp/handstamp/pkg/gate"
)

// ready returns an error while the book cannot be read: nobody can get in then,
// and nobody can renew. It looks up a session that nobody has.
func (a *App) ready(ctx context.Context) error {
	var denial *gate.Denial
	if _, err := a.shelf.book.Find(ctx, gate.SessionHash{}, a.opts.Now()); err != nil && !errors.As(err, &denial) {
		return fmt.Errorf("book: %w", err)
	}
	return nil
}
