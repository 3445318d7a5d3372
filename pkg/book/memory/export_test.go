package memory

import "github.com/handstamp/handstamp/pkg/gate"

// Revoke stands in for the administration, which this book does not have.
func (b *Book) Revoke(ticket gate.Fingerprint) { b.visits[ticket].admission.State = gate.StateRevoked }
