package admin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/book/sqlite/sqlitetest"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/issued"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ticketsPath = "/admin/v1/tickets"

var (
	noon   = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	pepper = []byte("pepper of the tests, 32 bytes xxx")
)

// secrets are the keys of the tests, by the id of who holds them.
var secrets = func() map[string]gate.Secret {
	all := map[string]gate.Secret{}
	for _, id := range []string{"root", "tower", "both", "reader", "issuer", "revoker", "clerk", "auditor"} {
		all[id] = gate.Secret(rand.Text() + rand.Text())
	}
	return all
}()

func keys() []admin.Key {
	return []admin.Key{
		{ID: "root", Secret: secrets["root"], Scopes: []admin.Scope{admin.Everything}},
		{ID: "tower", Secret: secrets["tower"], Scopes: []admin.Scope{admin.TicketsIssue, admin.TicketsRead, admin.TicketsRevoke, admin.AdmissionsRead, admin.AdmissionsRevoke}, Attractions: []string{"tower"}},
		{ID: "both", Secret: secrets["both"], Scopes: []admin.Scope{admin.Everything}, Attractions: []string{"tower", "castle"}},
		{ID: "reader", Secret: secrets["reader"], Scopes: []admin.Scope{admin.TicketsRead}},
		{ID: "issuer", Secret: secrets["issuer"], Scopes: []admin.Scope{admin.TicketsIssue}},
		{ID: "revoker", Secret: secrets["revoker"], Scopes: []admin.Scope{admin.TicketsRevoke}},
		{ID: "clerk", Secret: secrets["clerk"], Scopes: []admin.Scope{admin.AdmissionsRead}},
		{ID: "auditor", Secret: secrets["auditor"], Scopes: []admin.Scope{admin.AuditRead}},
	}
}

func attractions() []*gate.Attraction {
	return []*gate.Attraction{
		{ID: "castle", Prefix: "castle", Packages: []gate.Package{{ID: "audio"}, {ID: "premium"}}, Sources: []string{"desk"}},
		{ID: "tower", Prefix: "tower", Packages: []gate.Package{{ID: "audio"}}, Sources: []string{"desk"}},
		{ID: "tower-2", Prefix: "tower-2", Sources: []string{"desk"}},
	}
}

// An issuer is the one that an operator gets, with a switch for trouble.
type issuer struct{ s *site }

func (i issuer) New() (gate.Secret, error) {
	if i.s.sameCode != "" {
		return i.s.sameCode, nil
	}
	return issued.New(nil)
}

func (i issuer) Derive(request string, n int) (gate.Secret, error) {
	return issued.Derive([]byte("secret of the issuer, for codes"), request, n)
}
func (i issuer) Show(code gate.Secret) gate.Secret { return issued.Grouped(code) }
func (i issuer) Fingerprint(code gate.Secret) (gate.Fingerprint, error) {
	return issued.Fingerprint(pepper, "desk", code)
}

// A faultyBook is a real one behind an error and what happens before a change.
type faultyBook struct {
	*sqlite.Book
	s *site
}

func (b faultyBook) Record(ctx context.Context, id string) (*book.Record, error) {
	if b.s.down != nil {
		return nil, b.s.down
	}
	return b.Book.Record(ctx, id)
}

func (b faultyBook) Lookup(ctx context.Context, code gate.Fingerprint) (*book.Record, error) {
	if b.s.down != nil {
		return nil, b.s.down
	}
	return b.Book.Lookup(ctx, code)
}

func (b faultyBook) Append(ctx context.Context, e book.AuditEvent) error {
	if b.s.down != nil {
		return b.s.down
	}
	return b.Book.Append(ctx, e)
}

// A stamper signs nothing, but says until when it would have.
type stamper struct{}

func (stamper) Stamp(_ context.Context, g gate.Grant) (*gate.Stamp, error) {
	return &gate.Stamp{Grant: g}, nil
}
func (stamper) Clear(string) []*http.Cookie { return nil }

// A site is the administration with everything around it real, but for the
// clock, what CloudFront would see, and the faults that a test puts in.
type site struct {
	admin    *admin.Server
	book     *sqlite.Book
	keeper   *gate.Keeper
	file     string
	opts     admin.Options
	keys     []admin.Key
	log      lockedBuffer
	down     error       // instead of what the book says
	sameCode gate.Secret // of every new ticket

	mu  sync.Mutex
	now time.Time
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newSite(t testing.TB, change ...func(*site)) *site {
	t.Helper()
	s := &site{now: noon, keys: keys(), file: filepath.Join(t.TempDir(), "book.db")}
	for _, f := range change {
		f(s)
	}
	s.opts.Now = s.clock
	s.opts.Log = slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sqlitetest.Put(t, s.file)
	b, err := sqlite.Open(t.Context(), s.file, sqlite.Options{Create: true, Now: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	s.book = b
	source := issued.NewSource("desk", pepper, b, issued.Options{})
	s.keeper = gate.NewKeeper(source, &gate.Rules{Attractions: attractions()}, b, stamper{}, gate.Options{Pepper: pepper, Now: s.clock})
	s.admin, err = admin.New(admin.Office{Book: faultyBook{b, s}, Gate: s.keeper, Issuer: issuer{s}, Attractions: attractions()}, s.keys, s.opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) at(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// A reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Errors []struct {
		Where  string `json:"where"`
		Detail string `json:"detail"`
	} `json:"errors"`
	RequestID string `json:"request_id"`
}

func (r *reply) problem(t *testing.T) problem {
	t.Helper()
	return read[problem](t, r, r.status, "application/problem+json")
}

// read decodes a reply that must have a status and a media type.
func read[T any](t *testing.T, r *reply, status int, kind string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(r.body, &v); err != nil || r.status != status || r.header.Get("Content-Type") != kind {
		t.Fatalf("%d %s %s: %v, want %d %s", r.status, r.header.Get("Content-Type"), r.body, err, status, kind)
	}
	return v
}

// do sends a request as somebody, nobody if who is empty, and holds the reply
// against the contract. Headers come in pairs; Host and Remote are the
// request's own.
func (s *site) do(t *testing.T, who, method, path, body string, headers ...string) *reply {
	t.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+path, from)
	if body != "" && !strings.Contains(strings.Join(headers, "\n"), "Content-Type") {
		r.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+secrets[who].Reveal())
	}
	for i := 0; i < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		case "Remote":
			r.RemoteAddr = headers[i+1]
		default:
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	return s.serve(t, r)
}

func (s *site) serve(t *testing.T, r *http.Request) *reply {
	t.Helper()
	w := httptest.NewRecorder()
	s.admin.ServeHTTP(w, r)
	got := &reply{w.Code, w.Header(), w.Body.Bytes()}
	path, _, _ := strings.Cut(r.URL.Path, "?")
	checkContract(t, r.Method, path, got)
	return got
}

func (s *site) get(t *testing.T, who, path string) *reply {
	t.Helper()
	return s.do(t, who, http.MethodGet, path, "")
}

func (s *site) post(t *testing.T, who, path, body string, headers ...string) *reply {
	t.Helper()
	return s.do(t, who, http.MethodPost, path, body, headers...)
}

type ticket struct {
	ID         string    `json:"id"`
	Code       string    `json:"code"`
	Attraction string    `json:"attraction"`
	Packages   []string  `json:"packages"`
	Products   []product `json:"products"`
	Seats      int       `json:"seats"`
	ValidFrom  time.Time `json:"valid_from"`
	ValidUntil time.Time `json:"valid_until"`
	Note       string    `json:"note"`
	Batch      string    `json:"batch"`
	RevokedAt  time.Time `json:"revoked_at"`
}

type product struct{ Attraction, Package string }

type batch struct {
	Batch   string
	Tickets []ticket
}

// issue issues tickets as somebody who may.
func (s *site) issue(t *testing.T, who, body string, headers ...string) batch {
	t.Helper()
	return read[batch](t, s.post(t, who, ticketsPath, body, headers...), http.StatusCreated, "application/json")
}

// combined puts a ticket on record that opens two attractions, as an import does.
func (s *site) combined(t *testing.T, code gate.Secret) string {
	t.Helper()
	fingerprint, err := issued.Fingerprint(pepper, "desk", code)
	if err != nil {
		t.Fatal(err)
	}
	r := book.Record{ID: "COMBINED" + code.Reveal(), Code: fingerprint, Products: []gate.Product{{Attraction: "tower"}, {Attraction: "castle"}}}
	if err := s.book.Issue(t.Context(), []book.Record{r}, book.AuditEvent{}); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func (s *site) admit(t *testing.T, code string) *gate.Pass {
	t.Helper()
	pass, err := s.keeper.Admit(t.Context(), gate.Credential{Code: gate.Secret(code)})
	if err != nil {
		t.Fatalf("Admit = %v, want a pass", err)
	}
	return pass
}

// events returns the whole audit.
func (s *site) events(t *testing.T) []book.AuditEvent {
	t.Helper()
	events, err := s.book.Audit(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

type revoked struct {
	Revoked  bool      `json:"revoked"`
	Affected int       `json:"affected"`
	Exposure int       `json:"exposure_seconds"`
	Ends     time.Time `json:"exposure_ends_at"`
}

func (s *site) revoke(t *testing.T, who, path, body string) revoked {
	t.Helper()
	return read[revoked](t, s.post(t, who, path, body), http.StatusOK, "application/json")
}
