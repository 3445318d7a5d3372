//go:build lambda.norpc

package app

import (
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/telemetry"
)

// readBook shows nothing: a build for AWS Lambda has no SQLite in it.
func readBook(gate.Book) telemetry.Read { return func(telemetry.Emit) {} }
