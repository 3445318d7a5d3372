//go:build lambda.noweb

package app

import (
	"context"
	"errors"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

// webSource refuses: a build with the tag lambda.noweb has no expressions in it,
// which make a function a third larger.
func (a *App) webSource(config.Source) (gate.Verifier, error) {
	return nil, errors.New(`kind web is not in this build (hint: build it without the tag "lambda.noweb")`)
}

// A Trace is one exchange with a source of kind web, which this build has not.
type Trace struct{ Ticket *gate.Ticket }

func trace(context.Context, gate.Verifier, gate.Credential) (*Trace, bool, error) {
	return nil, false, nil
}
