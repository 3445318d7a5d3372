package admin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A timed writer notes the last deadline that it was given.
type timed struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (w *timed) SetWriteDeadline(at time.Time) error {
	w.until = at
	return nil
}

// A reply can be read for some seconds from when it is there, and one with many
// tickets for minutes.
func TestTimeToRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               time.Duration
	}{
		{http.MethodGet, ticketsPath, "", http.StatusOK, 15 * time.Second},
		{http.MethodGet, ticketsPath + "/nothing", "", http.StatusNotFound, 15 * time.Second},
		{http.MethodPost, ticketsPath, `{"attraction":"tower"}`, http.StatusCreated, 2 * time.Minute},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, "http://localhost"+tt.path, strings.NewReader(tt.body))
		r.Header.Set("Authorization", "Bearer "+secrets["root"].Reveal())
		r.Header.Set("Content-Type", "application/json")
		w := &timed{ResponseRecorder: httptest.NewRecorder()}
		before := time.Now()
		s.admin.ServeHTTP(w, r)
		if least, most := before.Add(tt.want), time.Now().Add(tt.want); w.Code != tt.status || w.until.Before(least) || w.until.After(most) {
			t.Errorf("%s %s = %d, to be read until %v, want %d and %v to %v", tt.method, tt.path, w.Code, w.until, tt.status, least, most)
		}
	}
}
