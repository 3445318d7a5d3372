package app_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book/sqlite/sqlitetest"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// visitSite is where API and media are, on one host as recommended.
const visitSite = "https://visit.example.org"

// code is a ticket for castle and zoo, from the list, with three seats.
const code = "CASTLE-AND-ZOO-TICKET-0001"

// A venue is a whole gateway for the sample attractions: visitor API, media and
// administration, by a clock that tests set.
type venue struct {
	t     testing.TB
	cfg   *config.Config
	opts  app.Options
	booth *booth
	clock atomic.Int64 // nanoseconds since 1970
	app   atomic.Pointer[app.App]
}

// newVenue opens a venue with a book of that kind, on a summer morning.
func newVenue(t testing.TB, book string, change func(*config.Config)) *venue {
	t.Helper()
	v := &venue{t: t, cfg: config.Default(), booth: newBooth(t)}
	v.set(time.Date(2026, 7, 1, 8, 0, 0, 300_000_000, time.UTC))
	v.cfg.HTTP.PublicURL, v.cfg.Media.URL = visitSite, visitSite
	v.cfg.Throttle.Floor, v.cfg.Throttle.Jitter = 0, 0 // they wait by the clock on the wall
	v.cfg.Sources = []config.Source{{ID: "booth", Kind: "roll"}}
	v.cfg.Attractions = []config.Attraction{
		{ID: "castle", Name: "Castle", Timezone: "Europe/Madrid", Free: []string{"free"}, Sources: []string{"booth"},
			Packages: []config.Package{{ID: "audio"}, {ID: "premium"}}},
		{ID: "zoo", Name: "Zoo", Timezone: "Europe/Madrid", Free: []string{"free"}, Sources: []string{"booth"},
			Packages: []config.Package{{ID: "audio"}}},
	}
	v.opts = app.Options{Ring: newRing(t, keyring.ECDSA), Media: guide.Sample(), Now: v.now, Sources: map[string]gate.Verifier{"booth": v.booth}}
	v.keep(book)
	if change != nil {
		change(v.cfg)
	}
	v.open()
	t.Cleanup(func() { v.close() })
	return v
}

// keep chooses the book. One that lasts comes with tickets of its own and with
// the administration.
func (v *venue) keep(book string) {
	v.cfg.Book.Kind = book
	if book != "sqlite" {
		return
	}
	pepper, err := config.ParseSecret("a pepper for tests only")
	if err != nil {
		v.t.Fatal(err)
	}
	v.cfg.Book.File, v.cfg.Book.Pepper = filepath.Join(v.t.TempDir(), "book.db"), pepper
	sqlitetest.Put(v.t, v.cfg.Book.File)
	v.cfg.Sources = append(v.cfg.Sources, config.Source{ID: "desk", Kind: "issued"})
	for i := range v.cfg.Attractions {
		v.cfg.Attractions[i].Sources = []string{"desk", "booth"}
	}
	v.opts.AdminKeys = []admin.Key{{ID: "test", Secret: adminKey, Scopes: []admin.Scope{admin.Everything}}}
}

const adminKey = "test-key-of-32-characters-and-a-few-more"

func (v *venue) open() {
	v.t.Helper()
	a, err := app.New(context.Background(), v.cfg, v.opts)
	if err != nil {
		v.t.Fatalf("New: %v", err)
	}
	v.app.Store(a)
}

func (v *venue) close() {
	v.t.Helper()
	if err := v.app.Load().Close(); err != nil {
		v.t.Errorf("Close: %v", err)
	}
}

// restart is a new process with the same configuration and the same book.
func (v *venue) restart() {
	v.close()
	v.open()
}

func (v *venue) now() time.Time       { return time.Unix(0, v.clock.Load()).UTC() }
func (v *venue) set(t time.Time)      { v.clock.Store(t.UnixNano()) }
func (v *venue) pass(d time.Duration) { v.clock.Add(int64(d)) }

func newRing(t testing.TB, kind keyring.Type) *keyring.Ring {
	t.Helper()
	key, err := keyring.Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.New([]keyring.Key{{ID: "KTEST0000001", Public: key.Public(), Private: key}}, "KTEST0000001")
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// A booth sells tickets, and is away when a test says so.
type booth struct {
	*roll.Roll
	away  atomic.Bool
	asked atomic.Int64 // while it was away
}

func newBooth(t testing.TB) *booth {
	t.Helper()
	text := "code,attraction,seats\n" + code + ",castle;zoo,3\n"
	list, err := roll.Parse("list.csv", []byte(text), roll.Options{Secret: []byte("a secret for tests only")})
	if err != nil {
		t.Fatal(err)
	}
	return &booth{Roll: list}
}

var errAway = errors.New("the booth is shut")

func (b *booth) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	if b.away.Load() {
		b.asked.Add(1)
		return nil, errAway
	}
	return b.Roll.Verify(ctx, c)
}

func (b *booth) Recheck(ctx context.Context, source, ref string) (*gate.Ticket, error) {
	if b.away.Load() {
		b.asked.Add(1)
		return nil, errAway
	}
	return b.Roll.Recheck(ctx, source, ref)
}

// A browser is one device: a cookie jar and a way to the gateway.
type browser struct {
	venue  *venue
	client *http.Client
	addr   string
	lose   atomic.Int64 // answers to POST that get lost from now on
}

// enter returns a device that was never here. Without a jar it has net/http's.
func (v *venue) enter(jar http.CookieJar) *browser {
	v.t.Helper()
	if jar == nil {
		var err error
		if jar, err = cookiejar.New(nil); err != nil {
			v.t.Fatal(err)
		}
	}
	b := &browser{venue: v, addr: "192.0.2.7:40000"}
	b.client = &http.Client{Transport: b, Jar: jar}
	return b
}

var errLost = errors.New("the answer was lost")

// RoundTrip takes a request to the gateway and its answer back, if it is not lost.
func (b *browser) RoundTrip(r *http.Request) (*http.Response, error) {
	in := *r
	in.RequestURI, in.RemoteAddr, in.TLS = r.URL.RequestURI(), b.addr, &tls.ConnectionState{}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	b.venue.app.Load().Handler.ServeHTTP(w, &in)
	if r.Method == http.MethodPost && b.lose.Load() > 0 && b.lose.Add(-1) >= 0 {
		return nil, errLost
	}
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// An answer is all of one: a pass, a problem, or bytes.
type answer struct {
	status int
	header http.Header
	body   []byte

	Admission struct {
		ID      string
		Ends    time.Time `json:"ends_at"`
		Devices int
	}
	Grants []struct {
		Attraction, Package string
		Expires             time.Time `json:"expires_at"`
	}
	RefreshAfter int `json:"refresh_after"`
	Code         string
	Reason       string
}

func (a *answer) String() string {
	return fmt.Sprintf("%d %s %s %s", a.status, a.Code, a.Reason, a.header.Get("X-Handstamp-Reason"))
}

// ask sends a request as a browser does that is on the site's own page. It
// returns nil if the answer was lost. header is names and values in turn.
func (b *browser) ask(method, path, body string, header ...string) *answer {
	r, err := http.NewRequest(method, visitSite+path, strings.NewReader(body))
	if err != nil {
		panic(err) // the path is the test's
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != http.MethodGet {
		r.Header.Set("Origin", visitSite)
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body) // a recorder's does not fail
	a := &answer{status: resp.StatusCode, header: resp.Header, body: text}
	if strings.Contains(a.header.Get("Content-Type"), "json") {
		_ = json.Unmarshal(a.body, a) // what is missing will be missed
	}
	return a
}

func (b *browser) verify(ticket string, header ...string) *answer {
	return b.ask("POST", "/v1/tickets/verify", fmt.Sprintf(`{"ticket":%q}`, ticket), header...)
}

func (b *browser) renew() *answer { return b.ask("POST", "/v1/admission/renew", "") }

// A track is a file that plays, part after part, over and over.
type track struct {
	path string
	data []byte
	at   int
}

// part is what a player asks for at a time, in bytes.
const part = 1 << 10

func newTrack(t testing.TB, path string) *track {
	t.Helper()
	data, err := fs.ReadFile(guide.Sample(), strings.TrimPrefix(path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	return &track{path: path, data: data}
}

// play fetches the next part and returns an error unless it is all there.
func (tr *track) play(b *browser) error {
	end := min(tr.at+part, len(tr.data))
	a := b.ask("GET", tr.path, "", "Range", fmt.Sprintf("bytes=%d-%d", tr.at, end-1))
	if a == nil || a.status != http.StatusPartialContent {
		return fmt.Errorf("GET %s from byte %d = %v, want 206", tr.path, tr.at, a)
	}
	if !bytes.Equal(a.body, tr.data[tr.at:end]) {
		return fmt.Errorf("GET %s from byte %d = %d other bytes", tr.path, tr.at, len(a.body))
	}
	tr.at = end % len(tr.data)
	return nil
}

// A tab plays a track and renews when and how the browser client does
// (pkg/guide/app/client.js), but for the locks and the news between tabs: each
// acts as if it were alone, which is what browsers without Web Locks do.
type tab struct {
	*browser
	*track
	dice     *rand.Rand
	renewAt  time.Time
	failures int
	renewals int
	refused  *answer // that ended the visit
}

// clientTimeout is how long the client waits for an answer.
const clientTimeout = 15 * time.Second

func (b *browser) tab(path string, seed uint64) *tab {
	b.venue.t.Helper()
	return &tab{browser: b, track: newTrack(b.venue.t, path), dice: rand.New(rand.NewPCG(seed, 1))}
}

// accept plans the next renewal: a little early, and not all at once.
func (tb *tab) accept(a *answer) {
	tb.failures = 0
	tb.plan(float64(a.RefreshAfter) * (0.92 + tb.dice.Float64()*0.06))
}

func (tb *tab) plan(seconds float64) {
	tb.renewAt = tb.venue.now().Add(time.Duration(seconds * float64(time.Second)))
}

// look renews if it is time to.
func (tb *tab) look() {
	if tb.refused != nil || tb.venue.now().Before(tb.renewAt) {
		return
	}
	a := tb.renew()
	switch {
	case a == nil:
		tb.backOff(clientTimeout.Seconds(), 0)
	case a.status == http.StatusOK:
		tb.renewals++
		tb.accept(a)
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		tb.refused = a
	default:
		wait, _ := strconv.Atoi(a.header.Get("Retry-After"))
		tb.backOff(0, float64(wait))
	}
}

// backOff tries again later: after waiting for an answer in vain, and not before
// the gateway wants it.
func (tb *tab) backOff(waited, least float64) {
	tb.failures++
	pause := min(60, float64(int(1)<<min(tb.failures, 6))) * (0.75 + tb.dice.Float64()/2)
	tb.plan(waited + max(pause, least))
}

// tick is how often a track asks for its next part.
const tick = 5 * time.Second

// TestVisit: whoever shows a good ticket once hears everything for six hours,
// or twelve with FULL_TESTS set, by cookies of fifteen minutes, whatever
// happens meanwhile.
func TestVisit(t *testing.T) {
	hours := 6
	if os.Getenv("FULL_TESTS") != "" {
		hours = 12
	}
	hall, tower, owls := "/castle/audio/hall.m4a", "/castle/premium/tower.m4a", "/zoo/audio/owls.m4a"
	tests := []struct {
		name   string
		book   string
		tabs   []string
		during func(v *venue, b *browser, since time.Duration)
		asked  int64 // times at least that the booth was asked while it was shut
	}{
		{name: "the booth is shut for an hour", book: "memory", tabs: []string{hall}, during: shutFor(4*time.Hour, 5*time.Hour), asked: 2},
		{name: "three tabs that know nothing of each other", book: "memory", tabs: []string{hall, tower, owls}},
		{name: "answers get lost and the gateway restarts", book: "sqlite", tabs: []string{hall}, during: loseAndRestart},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVenue(t, tt.book, nil)
			tabs := v.begin(uint64(i), tt.tabs...)
			for since := time.Duration(0); since < time.Duration(hours)*time.Hour; since += tick {
				if tt.during != nil {
					tt.during(v, tabs[0].browser, since)
				}
				v.step(t, tabs, int(since/tick))
			}
			for _, tb := range tabs {
				if least, most := 6*hours, 6*hours*5/4; tb.renewals < least || tb.renewals > most { // one in two thirds of 15 minutes, or a little less
					t.Errorf("%s: %d renewals in %d hours, want %d to %d", tb.path, tb.renewals, hours, least, most)
				}
			}
			if n := v.booth.asked.Load(); n < tt.asked {
				t.Errorf("the booth was asked %d times while it was shut, want %d or more", n, tt.asked)
			}
			v.oneDevice(tabs[0].browser)
		})
	}
}

// begin lets a visitor in who opens a tab for each path.
func (v *venue) begin(seed uint64, paths ...string) (tabs []*tab) {
	v.t.Helper()
	b := v.enter(nil)
	a := b.verify(code)
	if a == nil || a.status != http.StatusOK {
		v.t.Fatalf("verify = %v, want 200", a)
	}
	for n, path := range paths {
		tb := b.tab(path, seed*100+uint64(n))
		tb.accept(a)
		tabs = append(tabs, tb)
	}
	return tabs
}

// step is tick number n: every tab renews if it is time to, one of them, in
// turn, plays a part, and time passes.
func (v *venue) step(t *testing.T, tabs []*tab, n int) {
	t.Helper()
	for _, tb := range tabs {
		tb.look()
		if tb.refused != nil {
			t.Fatalf("%v: renewal = %v, want 200", v.now(), tb.refused)
		}
	}
	tb := tabs[n%len(tabs)]
	if err := tb.play(tb.browser); err != nil {
		t.Fatalf("%v, after %d renewals: %v", v.now(), tb.renewals, err)
	}
	v.pass(tick)
}

// oneDevice fails the test unless all of the visit took one seat.
func (v *venue) oneDevice(b *browser) {
	v.t.Helper()
	if a := b.ask("GET", "/v1/admission", ""); a.status != http.StatusOK || a.Admission.Devices != 1 {
		v.t.Errorf("after the visit: GET /v1/admission = %v with %d devices, want 200 and 1", a, a.Admission.Devices)
	}
}

// loseAndRestart loses every third answer to a renewal, and begins a new process
// every two hours.
func loseAndRestart(v *venue, b *browser, since time.Duration) {
	if since%(27*time.Minute) == 0 {
		b.lose.Store(1)
	}
	if since%(2*time.Hour) == time.Hour {
		v.restart()
	}
}

func shutFor(from, to time.Duration) func(*venue, *browser, time.Duration) {
	return func(v *venue, _ *browser, since time.Duration) { v.booth.away.Store(since >= from && since < to) }
}

// TestVisitTabsAtOnce: tabs that wake up together renew at the same moment, each
// with the session that the jar has, and all of them play on.
func TestVisitTabsAtOnce(t *testing.T) {
	v := newVenue(t, "sqlite", nil)
	tabs := v.begin(3, slices.Repeat([]string{"/castle/audio/hall.m4a"}, 16)...)
	rounds := 8
	if os.Getenv("FULL_TESTS") != "" {
		rounds = 20
	}
	for range rounds {
		v.pass(9*time.Minute + 50*time.Second) // all are due
		var crowd sync.WaitGroup
		for _, tb := range tabs {
			crowd.Go(tb.look)
		}
		crowd.Wait()
		v.pass(2 * time.Second) // some may have been told to come back
		for n := range tabs {
			v.step(t, tabs, n)
		}
	}
	v.oneDevice(tabs[0].browser)
}

// TestVisitAfterSilence: a renewal whose answer was lost can be repeated for
// gate.RotationGrace. Later the session counts as stolen; then the ticket has to
// be shown again, and takes no second seat.
func TestVisitAfterSilence(t *testing.T) {
	for _, book := range []string{"memory", "sqlite"} {
		for silence, want := range map[time.Duration]int{
			clientTimeout:                    http.StatusOK, // the client's first try again is little later
			gate.RotationGrace:               http.StatusOK,
			gate.RotationGrace + time.Second: http.StatusUnauthorized,
			10 * time.Minute:                 http.StatusUnauthorized,
		} {
			t.Run(fmt.Sprint(book, " ", silence), func(t *testing.T) {
				v := newVenue(t, book, nil)
				b := v.enter(nil)
				b.verify(code)
				v.pass(9 * time.Minute)
				b.lose.Store(1)
				if a := b.renew(); a != nil {
					t.Fatalf("renewal whose answer is lost = %v", a)
				}
				v.pass(silence)
				if book == "sqlite" {
					v.restart() // it knows all the same
				}
				if a := b.renew(); a.status != want {
					t.Errorf("renewal %v after a lost answer = %v, want %d", silence, a, want)
				}
				if a := b.verify(code); a.status != http.StatusOK || a.Admission.Devices != 1 {
					t.Errorf("the ticket shown again = %v with %d devices, want 200 and 1", a, a.Admission.Devices)
				}
			})
		}
	}
}

// TestVisitNewcomerWhileShut: who is not in yet hears that nobody knows, which
// says nothing against the ticket.
func TestVisitNewcomerWhileShut(t *testing.T) {
	v := newVenue(t, "memory", nil)
	v.booth.away.Store(true)
	if a := v.enter(nil).verify(code); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("verify while the booth is shut = %v, want 503 with Retry-After", a)
	}
	v.booth.away.Store(false)
	if a := v.enter(nil).verify(code); a.status != http.StatusOK {
		t.Errorf("verify when it is open again = %v, want 200", a)
	}
}

// TestVisitUntilClosing: everything plays until the castle closes, and nothing
// from then on, by whatever way.
func TestVisitUntilClosing(t *testing.T) {
	t.Parallel()
	v := newVenue(t, "sqlite", func(c *config.Config) {
		for i := range c.Attractions {
			c.Attractions[i].Opening.Weekly = []config.WeekHours{{Days: []string{"mon-sun"}, Hours: []string{"10:00-22:00"}}}
		}
	})
	closing := time.Date(2026, 7, 1, 20, 0, 0, 0, time.UTC) // 22:00 in Madrid
	v.set(closing.Add(-4*time.Hour + 300*time.Millisecond))
	tabs := v.begin(7, "/castle/audio/hall.m4a", "/zoo/audio/owls.m4a")
	for n := 0; v.now().Before(closing); n++ {
		v.step(t, tabs, n)
	}
	if n := tabs[0].renewals; n < 24 || n > 40 { // more often in the end, as less and less is left
		t.Errorf("%d renewals in the last four hours, want 24 to 40", n)
	}
	b := tabs[0].browser
	for _, late := range []time.Duration{0, time.Minute, 119 * time.Minute} {
		v.set(closing.Add(late))
		if a := b.ask("GET", "/castle/audio/hall.m4a", "", "Range", "bytes=0-99"); a.status != http.StatusForbidden || !strings.HasPrefix(a.header.Get("X-Handstamp-Reason"), "end") {
			t.Errorf("%v after closing: a part of a track = %v, want 403 as its end has come", late, a)
		}
		if a := b.ask("GET", "/castle/free/welcome.m4a", ""); a.status != http.StatusOK {
			t.Errorf("%v after closing: what is free = %v, want 200", late, a)
		}
		if a := v.enter(nil).verify(code); a.status != http.StatusForbidden || a.Reason != string(gate.ReasonNotYetValid) {
			t.Errorf("%v after closing: the ticket = %v, want 403 not_yet_valid", late, a)
		}
	}
	if a := b.renew(); a.status != http.StatusUnauthorized || a.Code != "session_required" {
		t.Errorf("after closing: renewal = %v, want 401 session_required", a)
	}
	if a := b.ask("GET", "/castle/audio/hall.m4a", ""); a.status != http.StatusForbidden || len(b.stamps("/castle/audio/")) != 0 {
		t.Errorf("after that: %v with %d cookies, want 403 and none", a, len(b.stamps("/castle/audio/")))
	}
}

// stamps are the cookies that the device sends with a path.
func (b *browser) stamps(path string) []*http.Cookie {
	r, err := http.NewRequest("GET", visitSite+path, nil)
	if err != nil {
		panic(err) // the path is the test's
	}
	return b.client.Jar.Cookies(r.URL)
}
