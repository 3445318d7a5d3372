package httpapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/objects"
	"github.com/handstamp/handstamp/pkg/ticket"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The tickets of the tests. A weak code could be guessed, a strong one not.
const (
	strongCode     = "K7QM-2XWD-9FTR-HB4N" // castle, audio, two devices
	strongZoo      = "Z7QM-2XWD-9FTR-HB4N"
	strongPass     = "P7QM-2XWD-9FTR-HB4N" // castle and zoo
	strongExpired  = "E7QM-2XWD-9FTR-HB4N"
	strongEarly    = "F7QM-2XWD-9FTR-HB4N"
	strongNothing  = "N7QM-2XWD-9FTR-HB4N" // a package that nobody has
	strongLong     = "L7QM-2XWD-9FTR-HB4N" // castle and zoo, without an end
	strongPremium  = "Q7QM-2XWD-9FTR-HB4N" // castle, premium
	strongUnknown  = "U7QM-2XWD-9FTR-HB4N"
	weakCode       = "WEAK-1"
	weakZoo        = "WEAK-2"
	weakExpired    = "WEAK-3"
	weakEarly      = "WEAK-4"
	weakNothing    = "WEAK-5"
	weakOneSeat    = "WEAK-6"
	weakUnknown    = "WEAK-9"
	trustedOrigin  = "https://app.example.org"
	sessionName    = "__Secure-handstamp_admission"
	deviceName     = "__Secure-handstamp-device"
	verifyPath     = "/v1/tickets/verify"
	admissionPath  = "/v1/admission"
	renewPath      = "/v1/admission/renew"
	contentPath    = "/v1/attractions/castle/content"
	ticketRollText = `code,attraction,packages,seats,valid_from,valid_until
K7QM-2XWD-9FTR-HB4N,castle,audio,2,,
Z7QM-2XWD-9FTR-HB4N,zoo,,,,
P7QM-2XWD-9FTR-HB4N,castle;zoo,,,,2026-07-01T18:00:00Z
E7QM-2XWD-9FTR-HB4N,castle,,,,2026-07-01T11:00:00Z
F7QM-2XWD-9FTR-HB4N,castle,,,2026-07-01T13:00:00Z,
N7QM-2XWD-9FTR-HB4N,castle,gold,,,
L7QM-2XWD-9FTR-HB4N,castle;zoo,,,,
Q7QM-2XWD-9FTR-HB4N,castle,premium,,,
WEAK-1,castle,audio,2,,
WEAK-2,zoo,,,,
WEAK-3,castle,,,,2026-07-01T11:00:00Z
WEAK-4,castle,,,2026-07-01T13:00:00Z,
WEAK-5,castle,gold,,,
WEAK-6,castle,audio,1,,
`
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func attractions() []*gate.Attraction {
	return []*gate.Attraction{
		{ID: "castle", Prefix: "castle", Packages: []gate.Package{{ID: "audio"}, {ID: "premium"}}, Free: []string{"free"}, Sources: []string{"list"}},
		{ID: "zoo", Prefix: "spain/zoo", Sources: []string{"list"}},
	}
}

func places() []httpapi.Place {
	return []httpapi.Place{
		{
			ID: "castle", Name: "Example Castle", Intro: "Eight centuries.", CoverURL: "https://media.example.org/castle/free/cover.jpg", Timezone: "Europe/Madrid",
			Packages: []httpapi.PlacePackage{{ID: "audio", Name: "Audio guide"}},
			Items: []httpapi.Item{
				{ID: "hall", Stop: 1, Title: "Hall", Kind: "audio", Package: "audio", URL: "https://media.example.org/castle/audio/hall.m4a",
					StreamURL: "https://media.example.org/castle/audio/hall/index.m3u8", ImageURL: "https://media.example.org/castle/free/hall.svg", Seconds: 12.5, Text: "Mind the step."},
				{ID: "map", Title: "Map", Kind: "map", URL: "https://media.example.org/castle/free/map.svg"},
			},
		},
		{ID: "zoo", Name: "Zoo"},
	}
}

// placesAt is places with the media on another site, and a paid image.
func placesAt(site string) []httpapi.Place {
	list := places()
	items := &list[0].Items
	*items = append(*items, httpapi.Item{ID: "garden", Title: "Garden", Kind: "image", Package: "audio", ImageURL: "https://media.example.org/castle/audio/garden.jpg"})
	for i := range *items {
		for _, url := range []*string{&(*items)[i].URL, &(*items)[i].StreamURL, &(*items)[i].ImageURL} {
			*url = strings.Replace(*url, "https://media.example.org", site, 1)
		}
	}
	return list
}

// A site is a gateway with everything around it real, but for the clock and
// for the faults that a test puts in.
type site struct {
	api                 *httpapi.Server
	url                 string
	client              *http.Client // with cookies; speaks like an app, without Origin
	group               cloudfront.KeyGroup
	log                 lockedBuffer
	mu                  sync.Mutex
	now                 time.Time
	runs                time.Time // since when the clock runs; zero means that it stands still
	tickets             string    // more lines of the list
	gate                *gate.Keeper
	verify              func(gate.Credential) error // before the verifier
	recheck             func(ref string) error      // before the verifier is asked again; nil means that it cannot be
	book                error                       // instead of the book
	stamp               func() error                // before the stamper
	stream              objects.Streamer            // instead of the bucket
	link                error                       // instead of signed URLs
	lost                gate.SessionHash            // the book knows nothing about it now
	unlinked, mediaHere bool                        // nothing signs URLs; the places' URLs are of this site
	server              *httptest.Server
	keyType             keyring.Type
	opts                httpapi.Options
}

// A lockedBuffer is a log that is read while it is written.
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

// canonical is how the codes of the tests are spelled.
func canonical(code string) (canonical, kind string, strong bool) {
	normal, err := ticket.Normalise(gate.Secret(code))
	if err != nil {
		return "", roll.Kind, false
	}
	return normal.Reveal(), roll.Kind, ticket.Proven(normal)
}

var keyOf = map[keyring.Type]func() *keyring.Ring{
	keyring.ECDSA: sync.OnceValue(func() *keyring.Ring { return newRing(keyring.ECDSA) }),
	keyring.RSA:   sync.OnceValue(func() *keyring.Ring { return newRing(keyring.RSA) }),
}

func newRing(kind keyring.Type) *keyring.Ring {
	key, err := keyring.Generate(kind)
	if err != nil {
		panic(err)
	}
	ring, err := keyring.New([]keyring.Key{{ID: "KTESTTEST1", Public: key.Public(), Private: key}}, "KTESTTEST1")
	if err != nil {
		panic(err)
	}
	return ring
}

// newSite starts a gateway on this machine, over TLS.
func newSite(t *testing.T, change ...func(*site)) *site {
	t.Helper()
	s := &site{now: noon, keyType: keyring.ECDSA}
	s.opts.TrustedOrigins = []string{trustedOrigin}
	s.opts.Canonical = canonical
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.api.ServeHTTP(w, r) }))
	s.url = "https://" + s.server.Listener.Addr().String()
	s.opts.PublicOrigin = s.url
	for _, f := range change {
		f(s)
	}
	s.opts.Now = s.clock
	s.opts.Log = slog.New(slog.NewJSONHandler(&s.log, nil))
	s.gate = s.keeper(t)
	list := places()
	if s.mediaHere {
		list = placesAt(s.url)
	}
	if s.unlinked {
		s.opts.Links = nil
	}
	api, err := httpapi.New(s.gate, list, s.opts)
	if err != nil {
		t.Fatal(err)
	}
	s.api = api
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	s.server.Config.DisableGeneralOptionsHandler = true // or net/http answers "OPTIONS *"
	if strings.HasPrefix(s.url, "https://") {
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
	t.Cleanup(s.server.Close)
	s.client = s.device(t)
	return s
}

func (s *site) keeper(t *testing.T) *gate.Keeper {
	t.Helper()
	list, err := roll.Parse("tickets.csv", []byte(ticketRollText+s.tickets), roll.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chooser, err := ticket.NewChooser([]ticket.Source{{ID: "list", Verifier: list}}, attractions())
	if err != nil {
		t.Fatal(err)
	}
	at, err := cloudfront.ParseSite(s.url)
	if err != nil {
		t.Fatal(err)
	}
	ring := keyOf[s.keyType]()
	stamper, err := cloudfront.NewStamper(at, ring, cloudfront.StamperOptions{Now: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	public, err := cloudfront.NewPublicKey(ring.Keys()[0].ID, ring.Keys()[0].Public)
	if err != nil {
		t.Fatal(err)
	}
	s.group = cloudfront.NewKeyGroup(public)
	s.opts.Links = faultyLinker{cloudfront.NewLinker(stamper, cloudfront.LinkerOptions{}), s}
	return gate.NewKeeper(faultyVerifier{s, chooser}, &gate.Rules{Attractions: attractions()}, faultyBook{memory.New(), s},
		faultyStamper{stamper, s}, gate.Options{Now: s.clock, Pepper: []byte("pepper")})
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs.IsZero() {
		return s.now
	}
	return s.now.Add(time.Since(s.runs))
}

func (s *site) at(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// device returns the client of one more device, with a cookie jar of its own.
func (s *site) device(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: s.server.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client
}

// The faults: each stands in front of the real thing.

type faultyVerifier struct {
	s    *site
	next gate.Verifier
}

func (v faultyVerifier) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	if v.s.verify != nil {
		if err := v.s.verify(c); err != nil {
			return nil, err
		}
	}
	found, err := v.next.Verify(ctx, c)
	if err != nil || v.s.recheck == nil {
		return found, err
	}
	known := *found
	known.Ref = c.Code.Reveal() // our stand-in for a box office that has orders
	return &known, nil
}

func (v faultyVerifier) Recheck(ctx context.Context, _, ref string) (*gate.Ticket, error) {
	if err := v.s.recheck(ref); err != nil {
		return nil, err
	}
	return v.next.Verify(ctx, gate.Credential{Code: gate.Secret(ref)})
}

type faultyBook struct {
	*memory.Book
	s *site
}

func (b faultyBook) Enter(ctx context.Context, e gate.Entry) (*gate.Admission, error) {
	if b.s.book != nil {
		return nil, b.s.book
	}
	return b.Book.Enter(ctx, e)
}

func (b faultyBook) Find(ctx context.Context, h gate.SessionHash, at time.Time) (*gate.Admission, error) {
	if b.s.book != nil {
		return nil, b.s.book
	}
	if h == b.s.lost {
		return nil, errors.New("this page of the book cannot be read")
	}
	return b.Book.Find(ctx, h, at)
}

func (b faultyBook) Renew(ctx context.Context, r gate.Renewal) (*gate.Admission, error) {
	if b.s.book != nil {
		return nil, b.s.book
	}
	return b.Book.Renew(ctx, r)
}

func (b faultyBook) Leave(ctx context.Context, h gate.SessionHash, at time.Time) error {
	return errors.Join(b.s.book, b.Book.Leave(ctx, h, at))
}

type faultyStamper struct {
	*cloudfront.Stamper
	s *site
}

func (p faultyStamper) Stamp(ctx context.Context, g gate.Grant) (*gate.Stamp, error) {
	if p.s.stamp != nil {
		if err := p.s.stamp(); err != nil {
			return nil, err
		}
	}
	return p.Stamper.Stamp(ctx, g)
}

type faultyLinker struct {
	*cloudfront.Linker
	s *site
}

func (l faultyLinker) Links(ctx context.Context, permits []gate.Permit) ([]string, error) {
	if l.s.link != nil {
		return nil, l.s.link
	}
	return l.Linker.Links(ctx, permits)
}

// A reply is what came back, read to its end.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	cookies []*http.Cookie
	closes  bool // the connection ends here
}

type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Reason    string `json:"reason"`
	RequestID string `json:"request_id"`
}

func (r *reply) problem(t *testing.T) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil || r.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %q is no problem: %v", r.status, r.body, err)
	}
	return p
}

type pass struct {
	Admission struct {
		ID       string    `json:"id"`
		EndsAt   time.Time `json:"ends_at"`
		Devices  int       `json:"devices"`
		Seats    int       `json:"seats"`
		BeginsAt time.Time `json:"begins_at"`
	} `json:"admission"`
	Grants []struct {
		Attraction string    `json:"attraction"`
		Package    string    `json:"package"`
		Resource   string    `json:"resource"`
		CookiePath string    `json:"cookie_path"`
		ExpiresAt  time.Time `json:"expires_at"`
		Cookies    []struct {
			Name, Value, Domain, Path string
		} `json:"cookies"`
	} `json:"grants"`
	RefreshAfter int       `json:"refresh_after"`
	ServerTime   time.Time `json:"server_time"`
	Session      string    `json:"session"`
}

func (r *reply) pass(t *testing.T) pass {
	t.Helper()
	var p pass
	if err := json.Unmarshal(r.body, &p); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %q is no pass: %v", r.status, r.body, err)
	}
	return p
}

// do sends a request and holds the reply against the contract. Headers come in
// pairs; body may be nil.
func (s *site) do(t *testing.T, client *http.Client, method, path string, body io.Reader, headers ...string) *reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	got := readReply(t, response)
	bare, _, _ := strings.Cut(path, "?")
	checkContract(t, method, bare, got)
	return got
}

func readReply(t *testing.T, response *http.Response) *reply {
	t.Helper()
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &reply{status: response.StatusCode, header: response.Header, body: text, cookies: response.Cookies(), closes: response.Close}
}

// post sends a body to the verification endpoint.
func (s *site) post(t *testing.T, client *http.Client, body string, headers ...string) *reply {
	t.Helper()
	if len(headers) == 0 || !strings.Contains(strings.Join(headers, "\n"), "Content-Type") {
		headers = append(headers, "Content-Type", "application/json")
	}
	return s.do(t, client, http.MethodPost, verifyPath, strings.NewReader(body), headers...)
}

// show shows a ticket, at an attraction if where is not empty.
func (s *site) show(t *testing.T, client *http.Client, code, where string, headers ...string) *reply {
	t.Helper()
	shown := map[string]string{"ticket": code}
	if where != "" {
		shown["attraction"] = where
	}
	body, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	return s.post(t, client, string(body), headers...)
}

// admit is show for a ticket that must be good.
func (s *site) admit(t *testing.T, client *http.Client, code string) pass {
	t.Helper()
	return s.show(t, client, code, "").pass(t)
}

// opens asks CloudFront's rules whether the cookies in a device's jar open a
// path of the site at some time.
func (s *site) opens(t *testing.T, client *http.Client, path string, at time.Time) bool {
	t.Helper()
	u, err := url.Parse(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for _, c := range client.Jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return s.decide(path, strings.Join(pairs, "; "), at)
}

func (s *site) decide(path, cookies string, at time.Time) bool {
	var decider cloudfront.Decider
	return decider.Decide(cloudfront.Request{URL: s.url + path, Cookies: []string{cookies}}, s.group, at).Allowed
}

// tlsConfig trusts the test server, for those who dial by hand.
func (s *site) tlsConfig() *tls.Config {
	return s.server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
}
