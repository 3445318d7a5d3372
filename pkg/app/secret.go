package app

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/handstamp/handstamp/pkg/config"
)

// pepper resolves the configured pepper, or makes one that lasts as long as
// the process.
func pepper(s config.Secret) ([]byte, error) {
	if s.IsZero() {
		return []byte(rand.Text()), nil
	}
	text, err := s.Resolve()
	if err != nil {
		return nil, fmt.Errorf("book.pepper: %w", err)
	}
	return text, nil
}

// secret returns a key for one purpose that follows from the pepper: the same
// wherever the book is shared, and worth nothing for anything else.
func (a *App) secret(purpose string) []byte { return derived(a.pepper, purpose) }

func derived(pepper []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte("handstamp " + purpose))
	return mac.Sum(nil)
}
