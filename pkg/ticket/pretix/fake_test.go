package pretix_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/pretix"
)

const token = "a-token-that-nobody-may-see"

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// A fake is a pretix with one organizer: as much of it as a Source asks, with
// answers in the shape of pretix 2026.8.0, see TestReal for the real one.
type fake struct {
	*httptest.Server
	mu        sync.Mutex
	positions []*seat
	revoked   []mark
	blocked   []mark
	keys      map[string][]string // by event
	dates     map[string]string   // by id, JSON
	redeem    func(w http.ResponseWriter, body map[string]any) bool
	fault     http.HandlerFunc // answers in place of everything else
	asked     []string         // method and URI
}

// A seat is a position; the zero values are those of a paid ticket.
type seat struct {
	id, item, variation, addOnTo int64
	list                         int64
	event, order, secret, status string
	pending, approval            bool
	blocked                      string // JSON
	from, until                  string // RFC 3339
	subevent                     string // JSON
	checkins                     []map[string]any
	gone                         bool // cancelled by itself
}

// A mark is an entry of the revoked or the blocked list.
type mark struct {
	event, secret string
	at            time.Time
	off           bool
}

func newFake(t *testing.T) *fake {
	f := &fake{keys: map[string][]string{}, dates: map[string]string{}}
	mux := http.NewServeMux()
	const o = "/api/v1/organizers/castle"
	mux.HandleFunc("GET "+o+"/checkinrpc/search/{$}", f.search)
	mux.HandleFunc("POST "+o+"/checkinrpc/redeem/{$}", f.redeemed)
	mux.HandleFunc("GET "+o+"/events/{event}/{$}", f.event)
	mux.HandleFunc("GET "+o+"/events/{event}/revokedsecrets/{$}", func(w http.ResponseWriter, r *http.Request) { f.list(w, r, &f.revoked, "created") })
	mux.HandleFunc("GET "+o+"/events/{event}/blockedsecrets/{$}", func(w http.ResponseWriter, r *http.Request) { f.list(w, r, &f.blocked, "updated") })
	mux.HandleFunc("GET "+o+"/events/{event}/subevents/{id}/{$}", f.subevent)
	mux.HandleFunc("GET "+o+"/events/{event}/checkinlists/{$}", f.lists)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked = append(f.asked, r.Method+" "+r.RequestURI)
		fault := f.fault
		f.mu.Unlock()
		switch {
		case fault != nil:
			fault(w, r)
		case r.Header.Get("Authorization") != "Token "+token:
			http.Error(w, `{"detail":"Invalid token."}`, http.StatusUnauthorized)
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

func (f *fake) find(secret string) *seat {
	for _, p := range f.positions {
		if p.secret == secret {
			return p
		}
	}
	return nil
}

func null(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func raw(text string) any {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

func when(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// json has the fields of a real answer, personal ones as well.
func (p *seat) json() map[string]any {
	status := p.status
	if status == "" {
		status = "p"
	}
	checkins := p.checkins
	if checkins == nil {
		checkins = []map[string]any{}
	}
	return map[string]any{
		"id": p.id, "order": p.order, "positionid": 1, "item": p.item, "variation": null(p.variation), "price": "10.00",
		"attendee_name": "Ada Byron", "attendee_name_parts": map[string]any{"full_name": "Ada Byron"}, "attendee_email": "ada@example.org",
		"zipcode": "69117", "secret": p.secret, "addon_to": null(p.addOnTo), "subevent": raw(p.subevent), "checkins": checkins,
		"pseudonymization_id": "YTFLMTH7N7", "require_attention": false, "order__status": status, "order__valid_if_pending": p.pending,
		"order__require_approval": p.approval, "order__locale": "en", "valid_from": when(p.from), "valid_until": when(p.until), "blocked": raw(p.blocked),
	}
}

// search filters as pretix does: by all of its parameters, and "search" by the
// beginnings of secrets and order codes.
func (f *fake) search(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := r.URL.Query()
	if q.Get("secret") == down {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	results := []any{}
	for _, p := range f.positions {
		wanted := false
		for _, l := range q["list"] {
			wanted = wanted || l == strconv.FormatInt(p.list, 10)
		}
		text := strings.ToLower(q.Get("search"))
		if !wanted || p.gone || q.Has("secret") && q.Get("secret") != p.secret ||
			q.Has("addon_to") && q.Get("addon_to") != strconv.FormatInt(p.addOnTo, 10) ||
			q.Has("order") && !strings.EqualFold(q.Get("order"), p.order) ||
			!strings.HasPrefix(strings.ToLower(p.secret), text) && !strings.HasPrefix(strings.ToLower(p.order), text) {
			continue
		}
		results = append(results, p.json())
	}
	answer(w, http.StatusOK, map[string]any{"count": len(results), "next": nil, "previous": nil, "results": results})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	text, _ := json.Marshal(body)
	_, _ = w.Write(text) // without a line break: an answer is whole or it is not
}

// redeemed knows the check-ins of one list that lets everybody in again.
func (f *fake) redeemed(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		answer(w, http.StatusBadRequest, map[string]any{"detail": "JSON parse error"})
		return
	}
	if f.redeem != nil && f.redeem(w, body) {
		return
	}
	p := f.find(body["secret"].(string))
	if p == nil {
		answer(w, http.StatusNotFound, map[string]any{"detail": "Not found.", "status": "error", "reason": "invalid"})
		return
	}
	if nonce := body["nonce"]; len(p.checkins) == 0 || p.checkins[len(p.checkins)-1]["nonce"] != nonce {
		p.checkins = append(p.checkins, map[string]any{"list": p.list, "type": "entry", "datetime": noon.Format(time.RFC3339), "nonce": nonce})
	}
	answer(w, http.StatusCreated, map[string]any{"status": "ok", "position": p.json()})
}

func (f *fake) event(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	keys := f.keys[r.PathValue("event")]
	if keys == nil {
		keys = []string{}
	}
	answer(w, http.StatusOK, map[string]any{"slug": r.PathValue("event"), "valid_keys": map[string]any{"pretix_sig1": keys}})
}

func (f *fake) subevent(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, ok := f.dates[r.PathValue("id")]
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"detail": "Not found."})
		return
	}
	answer(w, http.StatusOK, json.RawMessage(text))
}

func (f *fake) lists(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"count": 1, "next": nil, "results": []any{map[string]any{
		"id": 1, "allow_multiple_entries": true, "consider_tickets_used": false}}})
}

// list answers in pages of two, newest first.
func (f *fake) list(w http.ResponseWriter, r *http.Request, marks *[]mark, field string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := r.URL.Query()
	since, err := time.Parse(time.RFC3339, q.Get(field+"_since"))
	if q.Has(field+"_since") && (err != nil || since.Year() < 1) {
		answer(w, http.StatusBadRequest, map[string]any{field + "_since": []string{"Enter a valid date/time."}})
		return
	}
	var all []any
	for i := len(*marks) - 1; i >= 0; i-- {
		m := (*marks)[i]
		if m.event != r.PathValue("event") || m.at.Before(since) {
			continue
		}
		e := map[string]any{"id": i, "secret": m.secret, field: m.at.Format(time.RFC3339Nano)}
		if field == "updated" {
			e["blocked"] = !m.off
		}
		all = append(all, e)
	}
	number, _ := strconv.Atoi(q.Get("page"))
	first, last := min(2*(number-1), len(all)), min(2*number, len(all))
	var next any
	if last < len(all) {
		next = "https://elsewhere.example/?page=2" // not to be followed
	}
	answer(w, http.StatusOK, map[string]any{"count": len(all), "next": next, "results": append([]any{}, all[first:last]...)})
}

// open returns a Source that asks f.
func (f *fake) open(t *testing.T, change func(*pretix.Config, *pretix.Options)) *pretix.Source {
	t.Helper()
	cfg := pretix.Config{
		URL: f.URL, Organizer: "castle", Token: token,
		Events: []pretix.Event{{Slug: "museum", List: 1}},
		Products: []pretix.Product{
			{Item: 1, Buys: []gate.Product{{Attraction: "castle", Package: "audio"}}},
			{Item: 2, Buys: []gate.Product{{Attraction: "castle", Package: "premium"}}, Seats: 1},
			{Item: 4, Buys: []gate.Product{{Attraction: "castle", Package: "audio"}}, Seats: 2},
			{Item: 4, Variation: 9, Buys: []gate.Product{{Attraction: "castle", Package: "audio"}}, Seats: 6},
		},
	}
	client, err := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	opts := pretix.Options{Client: client, Secret: []byte("0123456789abcdef"), Now: func() time.Time { return noon }, Refresh: -1}
	if change != nil {
		change(&cfg, &opts)
	}
	s, err := pretix.New(cfg, opts)
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		client.Close()
	})
	return s
}

// A signer mints codes as pretix does.
type signer struct{ private ed25519.PrivateKey }

func newSigner(seed byte) signer {
	return signer{ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+seed)), ed25519.SeedSize)))}
}

// wire is the public key as the API spells it.
func (s signer) wire(t *testing.T) string { return base64.StdEncoding.EncodeToString([]byte(s.pem(t))) }

func (s signer) pem(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (s signer) code(payload []byte) string {
	signature := ed25519.Sign(s.private, payload)
	raw := []byte{1, byte(len(payload) >> 8), byte(len(payload)), 0, byte(len(signature))}
	return backwards(append(append(raw, payload...), signature...))
}

func backwards(raw []byte) string {
	text := []byte(base64.StdEncoding.EncodeToString(raw))
	for i, j := 0, len(text)-1; i < j; i, j = i+1, j-1 {
		text[i], text[j] = text[j], text[i]
	}
	return string(text)
}

// payload is a protobuf message; numbers that are 0 are written, as pretix does
// for those with presence.
func payload(item, variation, subevent, from, until int64) []byte {
	text := append([]byte{1<<3 | 2, 9}, fmt.Sprintf("seed%05d", item)...)
	for i, n := range []int64{item, variation, subevent, from, until} {
		text = append(text, byte((i+2)<<3))
		for u := uint64(n); ; u >>= 7 {
			if u < 0x80 {
				text = append(text, byte(u))
				break
			}
			text = append(text, byte(u)|0x80)
		}
	}
	return text
}
