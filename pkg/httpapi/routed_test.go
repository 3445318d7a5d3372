package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
)

func TestRouted(t *testing.T) {
	var told string
	keeper := gate.NewKeeper(nil, &gate.Rules{}, memory.New(), nil, gate.Options{})
	s, err := httpapi.New(keeper, nil, httpapi.Options{Routed: func(_ *http.Request, template string) { told += template }})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, path, want string }{
		{"GET", "/healthz", "/healthz"},
		{"GET", "/v1/attractions/castle/content", "/v1/attractions/{id}/content"},
		{"GET", "/v1/objects/area/a/file.pdf", "/v1/objects/{key}"},
		{"POST", "/v1/tickets/verify", "/v1/tickets/verify"},
		{"GET", "/nothing", ""},
		{"DELETE", "/healthz", ""},
		{"GET", "/v1/../healthz", ""},
	} {
		told = ""
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(tt.method, tt.path, nil))
		if told != tt.want {
			t.Errorf("%s %s: told %q, want %q", tt.method, tt.path, told, tt.want)
		}
	}
}
