package gate

import (
	"context"
	"net/http"
	"time"
)

// A Grant opens one path prefix for a while.
type Grant struct {
	Attraction string    // id
	Package    string    // id; empty means the whole attraction
	Path       string    // prefix without outer slashes: "castle/audio"
	NotBefore  time.Time // whole seconds, exclusive; zero means at once, whatever the clocks of those who check
	Expires    time.Time // whole seconds, exclusive
}

// A Stamp is a grant that a CDN believes: signed cookies for one prefix.
type Stamp struct {
	Grant      Grant
	Resource   string         // what the policy names: "https://media.example.org/castle/audio/*"
	CookiePath string         // "/castle/audio/"
	Cookies    []*http.Cookie // to set
	Stale      []*http.Cookie // to delete in the same reply, or an old one would lock the viewer out
}

// A Stamper signs grants. Implementations are safe for concurrent use.
type Stamper interface {
	// Stamp returns the signed cookies for g, all of them or an error.
	Stamp(ctx context.Context, g Grant) (*Stamp, error)
	// Clear returns cookies that delete every stamp for the path prefix.
	Clear(path string) []*http.Cookie
}
