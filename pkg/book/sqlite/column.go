package sqlite

import (
	"encoding/json"
	"fmt"
	"time"
)

// micros is t as a column: microseconds since 1970, rounded down, so that
// nothing ends later than it was said to. The zero time is NULL.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// text is v as JSON. What this package stores can always be encoded.
func text(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// instant scans what micros made.
type instant struct{ to *time.Time }

func (i instant) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*i.to = time.Time{}
	case int64:
		*i.to = time.UnixMicro(value).UTC()
	default:
		return fmt.Errorf("a time is %T, want an integer", value)
	}
	return nil
}

// digest scans a hash; NULL is zero.
type digest struct{ to *[32]byte }

func (d digest) Scan(value any) error {
	b, ok := value.([]byte)
	if value != nil && (!ok || len(b) != len(d.to)) {
		return fmt.Errorf("a hash is %T of %d bytes, want %d", value, len(b), len(d.to))
	}
	*d.to = [32]byte{}
	copy(d.to[:], b)
	return nil
}

// document scans what text made.
type document struct{ to any }

func (d document) Scan(value any) error {
	s, ok := value.(string)
	if !ok {
		return fmt.Errorf("a document is %T, want text", value)
	}
	return json.Unmarshal([]byte(s), d.to)
}
