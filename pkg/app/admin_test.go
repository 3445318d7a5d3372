package app_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/handstamp/handstamp/pkg/config"
)

// TestAdminLockout: wrong keys that come through a trusted proxy count for who
// sent them. Who comes otherwise cannot choose whom they count for, and all who
// come over a Unix socket, where there are no addresses, are one.
func TestAdminLockout(t *testing.T) {
	tests := []struct {
		name          string
		remote        string // the other end of the connection
		wrong, honest string // X-Forwarded-For of who guesses and of staff
		want          int    // of staff
	}{
		{"proxy", "10.0.0.7:4000", "192.0.2.1", "192.0.2.2", http.StatusOK},
		{"proxy, the same address", "10.0.0.7:4000", "192.0.2.1", "192.0.2.1", http.StatusTooManyRequests},
		{"no proxy", "203.0.113.9:4000", "192.0.2.1", "192.0.2.2", http.StatusTooManyRequests},
		{"socket", "@", "192.0.2.1", "192.0.2.2", http.StatusTooManyRequests},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newVenue(t, "sqlite", func(c *config.Config) { c.HTTP.TrustedProxies = []string{"10.0.0.0/8"} })
			ask := func(key, client string) int {
				r := httptest.NewRequest("GET", "http://localhost/admin/v1/tickets", nil)
				r.RemoteAddr = tt.remote
				r.Header.Set("Authorization", "Bearer "+key)
				r.Header.Set("X-Forwarded-For", client)
				w := httptest.NewRecorder()
				v.app.Load().Admin.ServeHTTP(w, r)
				return w.Code
			}
			for range 10 {
				if got := ask("a wrong key", tt.wrong); got != http.StatusUnauthorized {
					t.Fatalf("a wrong key = %d, want 401", got)
				}
			}
			if got := ask("a wrong key", tt.wrong); got != http.StatusTooManyRequests {
				t.Errorf("the eleventh wrong key = %d, want 429", got)
			}
			if got := ask(adminKey, tt.honest); got != tt.want {
				t.Errorf("staff at %s from %s = %d after ten wrong keys, want %d", tt.honest, tt.remote, got, tt.want)
			}
		})
	}
}
