package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/handstamp/handstamp/pkg/book"
)

// event returns what the audit is to say of a request, so far. The book adds
// the time and the number.
func (s *Server) event(ctx context.Context, action, target string) book.AuditEvent {
	return book.AuditEvent{Actor: by(ctx).id, Action: action, Target: target, Request: requestID(ctx)}
}

// hashOf returns the SHA-256 of v as JSON, in hexadecimal: what the audit keeps
// of a state before and after a change.
func hashOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // only plain structs come here
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
