package app

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// An edge is built once for a ring, however many requests wait for it, and
// whether or not it can be.
func TestEdgesAreBuiltOnce(t *testing.T) {
	first, second, third := new(keyring.Ring), new(keyring.Ring), new(keyring.Ring)
	doors := map[*keyring.Ring]http.Handler{first: http.NewServeMux(), third: http.NewServeMux()}
	ring, built := first, 0
	var log bytes.Buffer
	e := &edges{
		build: func() (http.Handler, error) {
			if built++; doors[ring] == nil {
				return nil, errors.New("no such key")
			}
			return doors[ring], nil
		},
		keys: func() *keyring.Ring { return ring },
		log:  slog.New(slog.NewTextHandler(&log, nil)),
	}
	for _, step := range []struct {
		name  string
		ring  *keyring.Ring
		want  *keyring.Ring // whose keys are trusted
		built int
	}{{"at first", first, first, 1}, {"bad keys", second, first, 2}, {"good ones", third, third, 3}} {
		ring = step.ring
		for range 3 {
			if got := e.now(); got != doors[step.want] {
				t.Errorf("%s: now() is not the edge that was wanted", step.name)
			}
		}
		if err := e.renew(ring); err != nil { // as of a request that saw the ring before, and waited
			t.Errorf("%s: renew() = %v, want nil", step.name, err)
		}
		if built != step.built {
			t.Errorf("%s: the edge was built %d times, want %d", step.name, built, step.built)
		}
	}
	if got := strings.Count(log.String(), "goes on with the keys it had"); got != 1 {
		t.Errorf("the failure was logged %d times, want once:\n%s", got, log.String())
	}
}
