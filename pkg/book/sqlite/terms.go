package sqlite

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// terms scans and keeps what a record says of time beside its own two columns.
type terms struct{ of *gate.Validity }

// kept returns v as it is kept: nil if it says nothing.
func (v terms) kept() any {
	t := *v.of
	t.From, t.Until = time.Time{}, time.Time{} // they have columns
	t.Slot = gate.Interval{From: t.Slot.From.UTC(), Until: t.Slot.Until.UTC()}
	if t == (gate.Validity{}) {
		return nil
	}
	return text(t)
}

// Scan implements sql.Scanner.
func (v terms) Scan(value any) error {
	*v.of = gate.Validity{}
	switch s := value.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(s), v.of)
	}
	return fmt.Errorf("terms are %T, want text", value)
}
