package gate

import (
	"fmt"
	"io"
	"log/slog"
)

// A Secret is text that must not reach a log, an error or a reply: a ticket
// code, a session token. Printing it in any way gives "[redacted]".
type Secret string

const redacted = "[redacted]"

// Reveal returns the text itself. Every call is a place to look at in review.
func (s Secret) Reveal() string { return string(s) }

// String, GoString, Format, LogValue and MarshalText redact.
func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
