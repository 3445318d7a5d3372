package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
)

// A counter is a source with the text of its settings file.
type counter struct {
	config.Source
	settings string
}

// gateway builds one with counters: the first sells for the castle, the second
// for the zoo, the third for the park. It is closed when the test ends.
func gateway(t testing.TB, change func(*config.Config), counters ...counter) *app.App {
	t.Helper()
	cfg := config.Default()
	cfg.Throttle.Floor, cfg.Throttle.Jitter = 0, 0
	cfg.Sources, cfg.Attractions = nil, nil
	dir := t.TempDir()
	for i, c := range counters {
		c.Settings = filepath.Join(dir, c.ID+".yaml")
		if err := os.WriteFile(c.Settings, []byte(c.settings), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg.Sources = append(cfg.Sources, c.Source)
		cfg.Attractions = append(cfg.Attractions, config.Attraction{ID: places[i], Timezone: "Europe/Madrid", Sources: []string{c.ID},
			Packages: []config.Package{{ID: "audio", Seats: 1000}, {ID: "premium", Seats: 1000}}})
	}
	if change != nil {
		change(cfg)
	}
	a, err := app.New(t.Context(), cfg, app.Options{Ring: newRing(t, keyring.ECDSA)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return a
}

var places = []string{"castle", "zoo", "park"}

// atOffice is a source of kind web that asks an office which sells for the castle.
func atOffice(office *boxoffice.Office, timeout time.Duration) counter {
	return counter{config.Source{ID: "office", Kind: "web", Timeout: timeout}, `
network: {allow: [127.0.0.0/8]}
request: {url: "` + office.URL + `/tickets/{code}"}
answer: {shape: "{code: string, state: string}"}
decide:
  echo: body.code
  valid: body.state == "sold"
  reasons: [{when: body.state == "refunded", reason: cancelled}]
  grants: [{attraction: castle, package: audio}]
`}
}

// The codes of the office: all others are unknown.
const (
	good     = "GOOD0000TICKET00"
	refunded = "REFUNDED0TICKET0"
	unknown  = "UNKNOWN0TICKET00"
)

// sell is the API of an office, as documented.
func sell(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch {
	case strings.HasPrefix(code, "GOOD"):
		boxoffice.Write(w, 200, `{"code":"`+code+`","state":"sold"}`)
	case strings.HasPrefix(code, "REFUNDED"):
		boxoffice.Write(w, 200, `{"code":"`+code+`","state":"refunded"}`)
	default:
		boxoffice.Write(w, 404, `{}`)
	}
}

// shown is what a visitor hears who shows a code.
func shown(a *app.App, code string) *answer { return shownAt(a, code, "", nil) }

func shownAt(a *app.App, code, attraction string, factors map[string]string) *answer {
	body, _ := json.Marshal(struct { // of texts
		Ticket     string            `json:"ticket"`
		Attraction string            `json:"attraction,omitempty"`
		Factors    map[string]string `json:"factors,omitempty"`
	}{code, attraction, factors})
	resp := ask(a.Handler, "POST", "/v1/tickets/verify", string(body))
	text, _ := io.ReadAll(resp.Body) // a recorder's does not fail
	got := &answer{status: resp.StatusCode, header: resp.Header, body: text}
	_ = json.Unmarshal(text, got) // what is missing will be missed
	return got
}

// unfair returns what is wrong with an answer while the office misbehaves:
// nobody may get in who should not, nobody with a good ticket may be refused,
// and who gets neither is told when to come back.
func unfair(code string, got *answer) error {
	isGood := strings.HasPrefix(code, "GOOD")
	stamped := strings.Contains(strings.Join(got.header.Values("Set-Cookie"), " "), "CloudFront-Signature=")
	wait, _ := strconv.Atoi(got.header.Get("Retry-After"))
	switch {
	case got.status == 503 && wait > 0 && !stamped, got.status == 200 && isGood && stamped, got.status == 403 && !isGood && !stamped:
		return nil
	}
	return fmt.Errorf("verify %q = %v, Retry-After %d, stamped %v", code, got, wait, stamped)
}

// TestFaults: whatever an office does wrong, nobody is admitted or refused
// because of it, and when it is over everybody gets what the office says.
func TestFaults(t *testing.T) {
	for _, fault := range boxoffice.Faults() {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			office := boxoffice.New(t, sell)
			if wantsRest(fault) { // and gets it, in no time at all
				synctest.Test(t, func(t *testing.T) { suffer(t, office, fault) })
				return
			}
			suffer(t, office, fault)
		})
	}
}

// wantsRest reports whether a fault comes with a Retry-After.
func wantsRest(f boxoffice.Fault) bool {
	return f.Name == boxoffice.Status(429).Name || f.Name == boxoffice.Status(503).Name
}

// suffer shows all codes while an office misbehaves, and again afterwards.
func suffer(t *testing.T, office *boxoffice.Office, fault boxoffice.Fault) {
	timeout := 10 * time.Second // as nothing should take long
	if fault.Slow {
		timeout = 200 * time.Millisecond
	}
	a := gateway(t, nil, atOffice(office, timeout))
	office.Misbehave(fault)
	for _, code := range []string{good, refunded, unknown} {
		got := shown(a, code)
		if got.status != 503 || unfair(code, got) != nil {
			t.Errorf("verify %q = %v, want 503 with Retry-After", code, got)
		}
		if wait, _ := strconv.Atoi(got.header.Get("Retry-After")); wantsRest(fault) && wait < 7 {
			t.Errorf("verify %q = %v with Retry-After %d, want 7 or more, as the office said", code, got, wait)
		}
	}
	office.Misbehave(boxoffice.Fault{})
	for code, want := range map[string]int{good: 200, refunded: 403, unknown: 403} {
		got := shown(a, code)
		busy := fault.Slow && got.status == 503 // a machine that is busy takes longer than that, too
		if err := unfair(code, got); err != nil || got.status != want && !busy {
			t.Errorf("when it is over: verify %q = %v, %v, want %d", code, got, err, want)
		}
	}
}

// TestAnswersAboutAnotherTicket: an office mixes its answers up. A bad ticket is
// not good by that, nor a good one bad.
func TestAnswersAboutAnotherTicket(t *testing.T) {
	for _, first := range []string{good, refunded} {
		office := boxoffice.New(t, sell)
		a := gateway(t, nil, atOffice(office, 10*time.Second))
		before := shown(a, first)
		if err := unfair(first, before); err != nil || before.status == 503 {
			t.Fatalf("before: %v, %v", before, err)
		}
		office.Misbehave(boxoffice.Mixed)
		for _, code := range []string{good + "1", refunded + "1", unknown} {
			if got := shown(a, code); got.status != 503 || unfair(code, got) != nil {
				t.Errorf("verify %q, answered with that about %q = %v, want 503 with Retry-After", code, first, got)
			}
		}
	}
}

// TestRedirectToAnotherHost: what another host says of a ticket is not heard.
func TestRedirectToAnotherHost(t *testing.T) {
	office, other := boxoffice.New(t, sell), boxoffice.New(t, sell)
	a := gateway(t, nil, atOffice(office, 10*time.Second))
	office.Misbehave(boxoffice.Redirect(other.URL + "/tickets/" + good))
	for _, code := range []string{good, unknown} {
		if got := shown(a, code); got.status != 503 || unfair(code, got) != nil {
			t.Errorf("verify %q = %v, want 503 with Retry-After", code, got)
		}
	}
	if n := other.Asked(); n != 0 {
		t.Errorf("the other host was asked %d times, want 0", n)
	}
}

// TestFlapping: an office fails every second time, until it is left alone for a
// while. Who comes back as told hears what it says.
func TestFlapping(t *testing.T) {
	office := boxoffice.New(t, sell)
	office.Misbehave(boxoffice.Flapping)
	synctest.Test(t, func(t *testing.T) {
		a := gateway(t, nil, atOffice(office, 10*time.Second))
		guests := make([]guest, 40)
		come(a, guests, func(n int) string { return fmt.Sprint([]string{good, unknown}[n%2], n) })
		again := 0
		for _, g := range guests {
			if err := unfair(g.code, g.last); err != nil || g.last.status == 503 {
				t.Errorf("%q, shown %d times in %v: %v, %v, want what the office says", g.code, g.times, g.took, g.last, err)
			}
			again += g.times - 1
		}
		if again == 0 {
			t.Error("the office never failed")
		}
	})
}

// TestListByURL: a list is fetched with its header, read again, and asked for
// factors. Until it can be fetched nobody knows a ticket.
func TestListByURL(t *testing.T) {
	list := "code,attraction,packages\n" + good + ",castle,audio\n"
	office := boxoffice.New(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer of-the-list" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, list)
	})
	t.Setenv("HANDSTAMP_TEST_LIST", "Bearer of-the-list")
	fetched := counter{config.Source{ID: "list", Kind: "roll"}, `
url: "` + office.URL + `/tickets.csv"
header: {authorization: "env:HANDSTAMP_TEST_LIST"}
network: {allow: [127.0.0.0/8]}
interval: 30s
factor_key: 0123456789abcdef
`}
	a := gateway(t, nil, fetched)
	if got := shown(a, good); got.status != 200 || got.Grants[0].Package != "audio" {
		t.Errorf("verify of a ticket on the list = %v, want 200 for audio", got)
	}
	if got := shown(a, unknown); got.status != 403 {
		t.Errorf("verify of another = %v, want 403", got)
	}
	if err := a.ProbeSources(t.Context())["list"]; err != nil {
		t.Errorf("ProbeSources: %v", err)
	}
	office.Misbehave(boxoffice.Status(502))
	a = gateway(t, nil, fetched)
	if got := shown(a, good); got.status != 503 {
		t.Errorf("verify while there is no list = %v, want 503", got)
	}
	if err := a.ProbeSources(t.Context())["list"]; err == nil {
		t.Error("ProbeSources: no error, want why there is no list")
	}
}

func TestListSettingsAreStrict(t *testing.T) {
	for settings, want := range map[string]string{
		"json: true": "url: missing",
		"url: \"https://tickets.example.org/a.csv\"\ninterval: 10ms":                      "1s or more",
		"url: \"https://tickets.example.org/a.csv\"\nheader: {\"a b\": c}":                "no name of a header",
		"url: \"https://tickets.example.org/a.csv\"\nheader: {a: \"b\\r\\nX-Evil: 1\"}":   "what none may have",
		"url: \"ftp://tickets.example.org/a.csv\"":                                        "https://",
		"url: \"https://tickets.example.org/a.csv\"\nfactor_key: short":                   "actor",
		"url: \"https://tickets.example.org/a.csv\"\nfile: a.csv":                         "file",
		"url: \"https://tickets.example.org/a.csv\"\nnetwork: {ca: nowhere-ca.pem}":       "nowhere-ca.pem",
		"url: \"https://tickets.example.org/a.csv\"\ndelta: \"https://u:p@example.org/\"": "delta",
	} {
		if _, err := withSource(t, "roll", settings, nil); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Evil") {
			t.Errorf("New with %q = %v, want an error about %q", settings, err, want)
		}
	}
}

// hostile returns a code of what injections are made of, and of n.
func hostile(random *rand.Rand, n int) string {
	parts := []string{
		"A", "7", "/", "../", "..", "/..;/", `\`, "%2e%2e%2f", "%2E", "%00", "%0d%0a", "\r\nX-Evil: 1\r\n", "\n", "?", "#", "&", "&list=1", "=", ";", ":",
		"@evil.example", "//evil.example", "'", `"`, `","valid":true,"x":"`, `\u0000`, "<", ">", "{code}", "${x}", "{{x}}", "}", "' OR 1=1--",
		"é", "\x00", "\x7f", "|", "`", "^", "~", "+", "*", "$", "１", "\u202e", " HTTP/1.1", "\t",
	}
	var b strings.Builder
	for range 2 + random.IntN(5) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return fmt.Sprint(b.String(), "N", n)
}

// A value in a URL has no characters but unreserved and escaped ones, RFC 3986,
// and in a form "+" for a space.
const (
	urlValue  = `(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+`
	formValue = `(?:[A-Za-z0-9._~+-]|%[0-9A-F]{2})+`
)

// asks are what the sources of urlBuilders may send: method and target.
var asks = []*regexp.Regexp{
	regexp.MustCompile(`^GET /api/tickets/(?P<path>` + urlValue + `)/state\?where=castle&code=(?P<query>` + urlValue + `)$`),
	regexp.MustCompile(`^GET /api/v1/organizers/zoo/checkinrpc/search/\?(?:(?:expand=subevent|ignore_status=true|list=1|(?:search|secret)=` + formValue + `)(?:&|$))+$`),
	regexp.MustCompile(`^GET /octo/bookings(?:\?(?:supplier|reseller)Reference=` + formValue + `|/[0-9a-f-]{36})$`),
}

// urlBuilders are sources that build URLs, one for each place.
func urlBuilders(offices []*boxoffice.Office) []counter {
	const local = "network: {allow: [127.0.0.0/8]}\n"
	source := func(id string) config.Source { return config.Source{ID: id, Kind: id, Timeout: 10 * time.Second} }
	return []counter{
		{source("web"), local + `
code: {exact: true}
request:
  url: "` + offices[0].URL + `/api/tickets/{code}/state?where={attraction}&code={code}"
  header: {X-Ticket: "c={code}"}
answer: {shape: "{code: string}"}
decide: {echo: body.code, valid: "true", grants: [{attraction: castle}]}
`},
		{source("pretix"), local + `
url: "` + offices[1].URL + `"
organizer: zoo
token: secret-token
events: [{slug: summer, list: 1}]
products: [{item: 1, buys: [zoo]}]
`},
		{source("octo"), local + `
url: "` + offices[2].URL + `/octo"
token: secret-token
products: [{id: a, buys: [park]}]
`},
	}
}

// TestHostileCodes: two thousand codes that try to leave their place, or ten
// thousand with FULL_TESTS set, through the kinds of sources that put
// codes into URLs, in turn. Nothing unescaped leaves, and host, path and header
// are those that are configured.
func TestHostileCodes(t *testing.T) {
	total := 2_000
	if os.Getenv("FULL_TESTS") != "" {
		total = 10_000
	}
	offices := []*boxoffice.Office{boxoffice.New(t, boxoffice.JSON(404, `{}`)),
		boxoffice.New(t, boxoffice.JSON(200, `{"count":0,"next":null,"previous":null,"results":[]}`)), boxoffice.New(t, boxoffice.JSON(200, `[]`))}
	a := gateway(t, func(c *config.Config) { c.Throttle.Enabled = false }, urlBuilders(offices)...)
	var crowd sync.WaitGroup
	const workers = 8
	for w := range workers {
		crowd.Go(func() {
			random := rand.New(rand.NewPCG(5, uint64(w)))
			for n := w; n < total; n += workers {
				if err := showHostile(t, a, hostile(random, n), places[n/workers%len(places)], n < 300); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	crowd.Wait()
	for i, office := range offices {
		if n := office.Asked(); n < total/20 {
			t.Errorf("the office of the %s was asked %d times, so the codes were not hostile but hopeless", places[i], n)
		}
		for _, r := range office.Requests() {
			if err := astray(r, asks[i], strings.TrimPrefix(office.URL, "http://")); err != nil {
				t.Fatalf("the office of the %s: %v", places[i], err)
			}
		}
	}
}

// showHostile shows a code, over HTTP or to the keeper itself.
func showHostile(t *testing.T, a *app.App, code, place string, overHTTP bool) error {
	if overHTTP {
		if got := shownAt(a, code, place, map[string]string{"surname": code}); got.status != 403 && got.status != 400 {
			return fmt.Errorf("verify %q at the %s = %v, want 403 or 400", code, place, got)
		}
		return nil
	}
	c := gate.Credential{Code: gate.Secret(code), Attraction: place, Factors: map[string]gate.Secret{"surname": gate.Secret(code)}}
	if _, err := a.Keeper().Admit(t.Context(), c); !isDenial(err) {
		return fmt.Errorf("Admit(%q at the %s) = %v, want a denial", code, place, err)
	}
	return nil
}

func isDenial(err error) bool {
	var denial *gate.Denial
	return errors.As(err, &denial)
}

// astray returns an error unless a request is what its source may send to host.
func astray(r boxoffice.Request, want *regexp.Regexp, host string) error {
	line := r.Method + " " + r.URI
	found := want.FindStringSubmatch(line)
	if found == nil || r.Host != host || r.Body != "" || r.Header.Get("X-Evil") != "" {
		return fmt.Errorf("%q to %q with headers %q, want %v to %q", line, r.Host, r.Header, want, host)
	}
	if len(found) == 1 {
		return nil
	}
	for _, text := range found[1:] {
		if code, err := url.PathUnescape(text); err != nil || "c="+code != r.Header.Get("X-Ticket") {
			return fmt.Errorf("%q is about %q, and its header about %q", line, code, r.Header.Get("X-Ticket"))
		}
	}
	return nil
}

// A stall is an office that says something of its own about every ticket and
// every place, and of one ticket always the same.
type stall struct {
	name   string
	reason string // why it refuses
}

// said is what the stall says: a state, and the package that is sold.
func (s stall) said(code, where string) (state, pack string) {
	state = []string{"unknown", "refused", "sold", "sold"}[pick(s.name, code, where)]
	return state, []string{"audio", "premium"}[pick(s.name, code)%2]
}

// pick draws one of four by texts.
func pick(texts ...string) int {
	h := fnv.New64a()
	_, _ = io.WriteString(h, strings.Join(texts, "|"))
	return int(h.Sum64() >> 20 % 4)
}

func (s stall) serve(w http.ResponseWriter, r *http.Request) {
	code := strings.TrimPrefix(r.URL.Path, "/tickets/")
	state, pack := s.said(code, r.URL.Query().Get("at"))
	if state == "unknown" {
		boxoffice.Write(w, 404, `{}`)
		return
	}
	boxoffice.Write(w, 200, `{"code":"`+code+`","state":"`+state+`","pack":"`+pack+`"}`)
}

// counter is a source that believes of its stall that it sells everywhere.
func (s stall) counter(office *boxoffice.Office) counter {
	text := `
network: {allow: [127.0.0.0/8]}
request: {url: "` + office.URL + `/tickets/{code}?at={attraction}"}
answer: {shape: "{code: string, state: string, pack: string}"}
decide:
  echo: body.code
  valid: body.state == "sold"
  reasons: [{reason: ` + s.reason + `}]
  grants:
`
	for _, place := range places[:2] {
		for _, pack := range []string{"audio", "premium"} {
			text += fmt.Sprintf("    - {when: body.pack == %q, attraction: %s, package: %s}\n", pack, place, pack)
		}
	}
	return counter{config.Source{ID: s.name, Kind: "web", Timeout: 10 * time.Second}, text}
}

// TestVerdictsDoNotCross: two sources that remember verdicts, each for one of two
// attractions. In any order of questions, everybody hears what the right source
// says of his ticket and his place, and nothing else.
func TestVerdictsDoNotCross(t *testing.T) {
	stalls := []stall{{"stall-a", "cancelled"}, {"stall-b", "blocked"}}
	offices := []*boxoffice.Office{boxoffice.New(t, stalls[0].serve), boxoffice.New(t, stalls[1].serve)}
	a := gateway(t, func(c *config.Config) { c.Throttle.Enabled = false }, stalls[0].counter(offices[0]), stalls[1].counter(offices[1]))
	const workers, shows, codes = 4, 500, 40
	var crowd sync.WaitGroup
	for w := range workers {
		crowd.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(w)))
			for range shows {
				code := fmt.Sprintf("TICKET%dOFMANYWORDS", random.IntN(codes))
				place := []string{"castle", "zoo", ""}[random.IntN(3)]
				if got, want := heard(shownAt(a, code, place, nil)), expected(stalls, code, place); got != want {
					t.Errorf("verify %q at %q = %s, want %s", code, place, got, want)
				}
			}
		})
	}
	crowd.Wait()
	if n := offices[0].Asked() + offices[1].Asked(); n > codes*4 {
		t.Errorf("the offices were asked %d times about %d codes in two ways each, so nothing was remembered", n, codes)
	}
}

// heard sums an answer up: what is opened, or why nothing is.
func heard(a *answer) string {
	text := fmt.Sprint(a.status, " ", a.Reason)
	for _, g := range a.Grants {
		text += " " + g.Attraction + "/" + g.Package
	}
	return text
}

// expected is what heard should return: the sources of the place, or both in
// their order, and the second only after an "unknown".
func expected(stalls []stall, code, place string) string {
	for i, s := range stalls {
		if place != "" && place != places[i] {
			continue
		}
		switch state, pack := s.said(code, place); state {
		case "sold":
			return "200  " + places[i] + "/" + pack
		case "refused":
			return "403 " + s.reason
		}
	}
	return "403 "
}
