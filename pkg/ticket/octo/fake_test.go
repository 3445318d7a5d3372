package octo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/octo"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

const token = "an-api-key-that-nobody-may-see"

type object = map[string]any

// A contract is what OCTO publishes, see test/octo/generate.mjs.
type contract struct {
	Statuses   []string
	Parameters map[string][]string
	Errors     map[string]object
	Differs    map[string][]string `json:"differs_from_schema"`
}

func read(t *testing.T, name string, to any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A fake is a reservation system with the published bookings.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	bookings map[string]object          // by a name of their own
	texts    map[string]json.RawMessage // of bookings that were sent already; marshalling is slow under the race detector
	errors   map[string]object
	fault    http.HandlerFunc
	asked    []*http.Request
}

func newFake(t *testing.T) *fake {
	f := &fake{}
	var c contract
	read(t, "bookings.json", &f.bookings)
	read(t, "contract.json", &c)
	f.errors = c.Errors
	f.bookings["sharing_gone"] = f.copy("cancelled", "SHARED", 801)
	f.bookings["sharing"] = f.copy("confirmed", "SHARED", 802)
	f.bookings["twice_a"] = f.copy("confirmed", "TWICES", 803)
	f.bookings["twice_b"] = f.copy("confirmed", "TWICES", 804)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /octo/bookings", f.list)
	mux.HandleFunc("GET /octo/bookings/{uuid}", f.one)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked = append(f.asked, r)
		fault := f.fault
		f.mu.Unlock()
		switch {
		case fault != nil:
			fault(w, r)
		case r.Header.Get("Authorization") != "Bearer "+token:
			f.fail(w, "Forbidden Response")
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// copy returns a booking with another reference and UUID.
func (f *fake) copy(name, reference string, n int) object {
	b := object{}
	for k, v := range f.bookings[name] {
		b[k] = v
	}
	b["supplierReference"], b["resellerReference"], b["uuid"] = reference, nil, fmt.Sprintf("5a17c3d0-0000-4000-8000-%012d", n)
	return b
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	f.texts = nil
}

func (f *fake) text(name string) json.RawMessage {
	if f.texts == nil {
		f.texts = map[string]json.RawMessage{}
	}
	if f.texts[name] == nil {
		f.texts[name], _ = json.Marshal(f.bookings[name])
	}
	return f.texts[name]
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if text, ok := body.(json.RawMessage); ok {
		_, _ = w.Write(text)
		return
	}
	_ = json.NewEncoder(w).Encode(body)
}

// fail answers with a published error: all of them come with 400.
func (f *fake) fail(w http.ResponseWriter, name string) {
	answer(w, http.StatusBadRequest, f.errors[name])
}

// list finds nothing by the reference of a unit, as OCTO's mock server does.
func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := r.URL.Query()
	if len(q) != 1 {
		f.fail(w, "Bad Request Response")
		return
	}
	var found [][]byte
	for name, b := range f.bookings {
		for field := range q {
			if text, ok := b[field].(string); ok && strings.EqualFold(text, q.Get(field)) {
				found = append(found, f.text(name))
			}
		}
	}
	if q.Get("supplierReference") == "DOWNED" {
		f.fail(w, "Internal Server Error Response")
		return
	}
	answer(w, http.StatusOK, json.RawMessage("["+string(bytes.Join(found, []byte(",")))+"]"))
}

func (f *fake) one(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, b := range f.bookings {
		if b["uuid"] == r.PathValue("uuid") {
			answer(w, http.StatusOK, f.text(name))
			return
		}
	}
	f.fail(w, "Invalid Booking UUID Response")
}

var (
	entry = gate.Product{Attraction: "castle", Package: "basic"}
	audio = gate.Product{Attraction: "castle", Package: "audio"}
)

func (f *fake) open(t *testing.T, change func(*octo.Config, *octo.Options)) *octo.Source {
	t.Helper()
	cfg := octo.Config{
		URL: f.URL + "/octo/", Token: token, UUIDs: true,
		Products: []octo.Product{
			{ID: "castle", Buys: []gate.Product{entry}, Seats: 1},
			{ID: "castle", Unit: "FAMILY", Buys: []gate.Product{entry}, Seats: 5},
			{ID: "castle", Option: "DEFAULT", Unit: "audioguide", Buys: []gate.Product{audio}, Seats: 1},
			{ID: "castle", Option: "VIP", Buys: []gate.Product{audio}, Seats: 9},
		},
	}
	client, err := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	opts := octo.Options{Client: client, Secret: []byte("0123456789abcdef")}
	if change != nil {
		change(&cfg, &opts)
	}
	s, err := octo.New(cfg, opts)
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	t.Cleanup(func() { s.Close(); client.Close() })
	return s
}

// by is a credential with factors: name, value, name, value.
func by(code string, factors ...string) gate.Credential {
	c := gate.Credential{Code: gate.Secret(code), Factors: map[string]gate.Secret{}}
	for i := 0; i < len(factors); i += 2 {
		c.Factors[factors[i]] = gate.Secret(factors[i+1])
	}
	return c
}

func uuid(n int) string { return fmt.Sprintf("%x-0000-4000-8000-%012d", 0x5a17c3d0+n, n) }
