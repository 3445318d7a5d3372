package edge_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/handstamp/handstamp/pkg/edge"
)

func TestDecided(t *testing.T) {
	var mu sync.Mutex
	var told []string
	p := newPark(t, func(c *edge.Config) {
		c.Decided = func(r *http.Request, what string) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, r.Method+" "+what)
		}
	})
	ask(t, p.srv, "GET", "/x")
	ask(t, p.srv, "GET", "/castle/01.m4a")
	ask(t, p.srv, "HEAD", "/castle/01.m4a", "Cookie: "+p.castle.cookie(t, "castle"))
	ask(t, p.srv, "GET", "/castle/01.m4a", "Cookie: "+p.tower.cookie(t, "castle"))
	ask(t, p.srv, "GET", "/castle/../x")
	ask(t, p.srv, "DELETE", "/x")
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"GET public", "GET MissingKey", "HEAD allowed", "GET InvalidKey", "GET path", "DELETE method"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
