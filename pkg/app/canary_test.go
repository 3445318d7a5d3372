package app_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
)

// The canaries: secrets that are known beforehand. Those that are made on the way
// are added.
const (
	canaryCode   = "CNRYCODE7X2MQ4WD"
	canaryWrong  = "CNRYWRONGQ4WD7X2"
	canaryOffice = "CNRYOFFICEGOOD01"
	canaryPanic  = "CNRYPANIC2MQ4WD7"
	canaryName   = "CnryGarciaSurname"
	canaryAdmin  = "cnryadmin-8f1b6e0c5a927d34e1f0b8c6d5a4937281"
	canaryToken  = "cnrytoken-5d0e9a7c3f18b2641c7e8d9f0a3b5c6472"
	canaryBearer = "cnryoffice-3f18b2641c7e8d9f0a3b5c64"
	canaryPepper = "cnrypepper-9a7c3f18b2641c7e8d9f0a3b"
	canaryAWS    = "cnryawssecret0123456789abcdefghijklmnopq"
)

// An aviary is a gateway with canaries in all its secrets.
type aviary struct {
	t       *testing.T
	app     *app.App
	log     syncBuffer
	birds   map[string]string // by what they are
	replies []string          // to what was refused
	cookies []*http.Cookie
	cfg     *config.Config
}

// A syncBuffer is written from many sides.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// panics is a source that breaks down with the code in its hands.
type panics struct{}

func (panics) Verify(_ context.Context, c gate.Credential) (*gate.Ticket, error) {
	panic("no idea what to do with " + c.Code.Reveal())
}

func newAviary(t *testing.T, level slog.Level) *aviary {
	t.Helper()
	keys, err := filepath.Abs("../../keys.example")
	if err != nil {
		t.Fatal(err)
	}
	office := boxoffice.New(t, func(w http.ResponseWriter, r *http.Request) {
		switch code := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; {
		case strings.Contains(code, "GOOD"):
			boxoffice.Write(w, 200, `{"code":"`+code+`","state":"sold"}`)
		default: // an error page that says everything it knows
			boxoffice.Write(w, 500, `{"error":"`+code+" "+r.Header.Get("Authorization")+`"}`)
		}
	})
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.yaml": `http: {public_url: "http://127.0.0.1:8080"}
keys: {dir: "` + keys + `"}
throttle: {floor: 0s, jitter: 0s}
book: {kind: sqlite, file: book.db, pepper: "env:CANARY_PEPPER"}
admin: {listen: "127.0.0.1:1", keys: [{id: desk, key: "env:CANARY_ADMIN", scopes: ["*"]}]}
objects:
  bucket: files
  region: eu-west-1
  endpoint: http://127.0.0.1:1
  path_style: on
  rules: [{area: photos, keys: "photos/{ticket}/*", read: [visitor, staff], write: [visitor, staff], types: [image/jpeg], max_size: 1MiB}]
  tokens: [{id: back, token: "env:CANARY_TOKEN", roles: [staff]}]
sources:
  - {id: list, kind: roll, file: tickets.csv, match: "CNRYCODE.*|CNRYWRONG.*"}
  - {id: office, kind: web, settings: office.yaml, match: "CNRYOFFICE.*"}
  - {id: broken, kind: roll, file: tickets.csv, match: "CNRYPANIC.*"}
  - {id: own, kind: issued}
attractions:
  - {id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list, office, broken, own]}
`,
		"office.yaml": `network: {allow: [127.0.0.0/8]}
request: {url: "` + office.URL + `/tickets/{code}"}
auth: {bearer: "env:CANARY_BEARER"}
answer: {shape: "{code: string, state: string}"}
decide: {echo: body.code, valid: body.state == "sold", grants: [{attraction: castle, package: audio}]}
`,
		"tickets.csv": "code,attraction,packages,seats\n" + canaryCode + ",castle,,3\n",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := &aviary{t: t, birds: map[string]string{"code": canaryCode, "wrong code": canaryWrong, "office's code": canaryOffice, "panicking code": canaryPanic,
		"surname": canaryName, "admin key": canaryAdmin, "token": canaryToken, "source secret": canaryBearer, "pepper": canaryPepper, "AWS secret": canaryAWS}}
	for name, value := range map[string]string{"CANARY_PEPPER": canaryPepper, "CANARY_ADMIN": canaryAdmin, "CANARY_TOKEN": canaryToken, "CANARY_BEARER": canaryBearer,
		"AWS_ACCESS_KEY_ID": "AKIACANARYCANARYCANA", "AWS_SECRET_ACCESS_KEY": canaryAWS} {
		t.Setenv(name, value)
	}
	pem, err := os.ReadFile(filepath.Join(keys, "KEXAMPLE0001.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(pem), "\n") {
		if len(line) == 64 && i%5 == 1 {
			a.birds[fmt.Sprint("key, line ", i)] = line
		}
	}
	if a.cfg, err = config.Load(filepath.Join(dir, "config.yaml"), config.Options{}); err != nil {
		t.Fatal(err)
	}
	log := app.NewLog(config.Log{Format: "json"}, level, &a.log)
	a.app, err = app.New(t.Context(), a.cfg, app.Options{Log: log, Sources: map[string]gate.Verifier{"broken": panics{}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.app.Close() })
	return a
}

// ask sends a request with the cookies of the visitor. Headers come in pairs.
func (a *aviary) ask(h http.Handler, method, path, body string, headers ...string) (int, []byte) {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	r.RequestURI = path
	if h == a.app.Admin {
		r.Host = "127.0.0.1"
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	for _, c := range a.cookies {
		if strings.HasPrefix(path, c.Path) {
			r.AddCookie(c)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		a.keep(c)
	}
	if w.Code >= 400 {
		a.replies = append(a.replies, method+" "+w.Result().Status+" "+w.Body.String()+fmt.Sprint(w.Header()["Location"]))
	}
	return w.Code, w.Body.Bytes()
}

// keep takes a cookie in. The key pair ID and the name of the hash are public.
func (a *aviary) keep(c *http.Cookie) {
	if c.MaxAge < 0 || c.Value == "" {
		return
	}
	a.cookies = slices.DeleteFunc(a.cookies, func(old *http.Cookie) bool { return old.Name == c.Name && old.Path == c.Path })
	a.cookies = append(a.cookies, c)
	if !strings.HasSuffix(c.Name, "Key-Pair-Id") && !strings.HasSuffix(c.Name, "Hash-Algorithm") && !strings.HasSuffix(c.Name, "device") {
		for i, part := range strings.Split(c.Value, ".") {
			a.birds[fmt.Sprint("cookie ", c.Name, " ", i, " ", len(a.birds))] = part
		}
	}
}

// live is all that visitors, staff and strangers do.
func (a *aviary) live() {
	t, front := a.t, a.app.Handler
	want := func(status int) func(int, []byte) []byte {
		return func(got int, body []byte) []byte {
			t.Helper()
			if got != status {
				t.Errorf("%d %s, want %d", got, body, status)
			}
			return body
		}
	}
	verify := func(code, more string) (int, []byte) {
		return a.ask(front, "POST", "/v1/tickets/verify", fmt.Sprintf(`{"ticket":%q%s}`, code, more))
	}
	want(403)(verify(canaryWrong, ""))
	want(500)(verify(canaryPanic, `,"factors":{"surname":"`+canaryName+`"}`))
	want(503)(verify("CNRYOFFICEDOWN77", `,"factors":{"surname":"`+canaryName+`"}`))
	want(400)(verify(canaryCode, `,"`+canaryCode+`":1`))
	want(400)(verify(canaryCode, `,"attraction":"`+canaryCode+`/.."`))
	want(400)(a.ask(front, "POST", "/v1/tickets/verify", `{"ticket":"`+canaryCode))
	want(413)(a.ask(front, "POST", "/v1/tickets/verify", `{"ticket":"`+strings.Repeat(canaryCode, 5000)+`"}`))
	want(200)(verify(canaryOffice, ""))
	native := want(200)(verify(canaryCode, `,"delivery":"json"`))
	var pass struct{ Session string }
	if err := json.Unmarshal(native, &pass); err != nil || pass.Session == "" {
		t.Fatalf("delivery json: %v in %s", err, native)
	}
	a.birds["session in the body"] = pass.Session
	want(200)(verify(canaryCode, ""))
	want(200)(a.ask(front, "GET", "/v1/admission", ""))
	want(200)(a.ask(front, "POST", "/v1/admission/renew", ""))
	for _, path := range []string{"/" + canaryCode, "/v1/" + canaryCode + "?ticket=" + canaryCode, "/v1/attractions/" + canaryCode + "/content", "/castle/audio/hall.m4a",
		"/castle/audio/hall.m4a?Policy=" + canaryToken + "&Signature=" + canaryToken, "/v1//" + canaryCode, "/v1/%2e%2e/" + canaryCode} {
		a.ask(front, "GET", path, "", "Referer", "http://127.0.0.1:8080/t#"+canaryCode, "User-Agent", canaryCode, "Origin", "https://elsewhere.example.org")
		a.ask(front, "DELETE", path, "", "Origin", "https://elsewhere.example.org")
	}
	a.files(front)
	a.staff()
	a.ask(front, "DELETE", "/v1/admission", "")
}

// files asks for URLs and private files.
func (a *aviary) files(front http.Handler) {
	_, body := a.ask(front, "POST", "/v1/urls", `{"paths":["/castle/audio/hall.m4a"]}`)
	a.addURLs(string(body))
	_, body = a.ask(front, "POST", "/v1/uploads", `{"area":"photos","content_type":"image/jpeg","size":5}`)
	a.addURLs(string(body))
	a.ask(front, "POST", "/v1/uploads", `{"area":"`+canaryToken+`","content_type":"image/jpeg","size":5}`)
	jar := a.cookies
	a.cookies = nil
	a.ask(front, "POST", "/v1/objects/urls", `{"keys":["photos/x/y"]}`, "Authorization", "Bearer "+canaryToken)
	a.ask(front, "GET", "/v1/admission", "", "Authorization", "Bearer "+canaryToken+"x")
	a.ask(front, "GET", "/v1/objects?area=photos", "", "Authorization", "Bearer "+canaryToken)
	a.ask(front, "GET", "/v1/objects/photos/"+strings.ToLower(canaryCode), "", "Authorization", "Bearer "+canaryToken[1:])
	a.cookies = jar
}

// addURLs makes canaries of what opens something in signed URLs and forms.
func (a *aviary) addURLs(body string) {
	for _, name := range []string{"Signature=", "Policy=", `"policy":"`, `"x-amz-signature":"`, `"X-Amz-Signature":"`} {
		if _, rest, ok := strings.Cut(body, name); ok {
			end := strings.IndexAny(rest, `&"\`)
			a.birds[fmt.Sprint(name, len(a.birds))] = rest[:max(end, 0)]
		}
	}
}

// staff uses the administration, with the key and with wrong ones.
func (a *aviary) staff() {
	right := []string{"Authorization", "Bearer " + canaryAdmin}
	_, body := a.ask(a.app.Admin, "POST", "/admin/v1/tickets", `{"attraction":"castle","count":1}`, right...)
	var issued struct{ Tickets []struct{ Code string } }
	if json.Unmarshal(body, &issued) == nil && len(issued.Tickets) > 0 {
		a.birds["issued code"] = issued.Tickets[0].Code
	}
	a.ask(a.app.Admin, "GET", "/admin/v1/audit", "", right...)
	a.ask(a.app.Admin, "GET", "/admin/v1/audit", "", "Authorization", "Bearer "+canaryAdmin[:30])
	a.ask(a.app.Admin, "GET", "/admin/v1/audit?key="+canaryAdmin, "")
	a.ask(a.app.Admin, "POST", "/admin/v1/revocations", `{"code":"`+canaryCode+`"}`, right...)
	a.ask(a.app.Admin, "POST", "/admin/v1/"+canaryAdmin, `{"`+canaryAdmin+`":1}`, right...)
}

// found returns where a canary sings in a text, in any of its spellings.
func found(text, bird string) bool {
	if len(bird) < 8 {
		return false
	}
	raw := []byte(bird)
	for _, s := range []string{bird, strings.ToLower(bird), strings.ToUpper(bird), base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
		hex.EncodeToString(raw), url.QueryEscape(bird), fmt.Sprint(raw), strings.Join(chunks(bird, 4), "-")} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// lineWith returns the line of a text in which a canary sings.
func lineWith(text, bird string) string {
	for line := range strings.Lines(text) {
		if found(line, bird) {
			return line
		}
	}
	return ""
}

func chunks(s string, n int) (parts []string) {
	for ; len(s) > n; s = s[n:] {
		parts = append(parts, s[:n])
	}
	return append(parts, s)
}

// Whatever visitors, staff and strangers do, no secret gets into the log, into the
// audit or into the answer to what was refused.
func TestNoCanarySings(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		t.Run(level.String(), func(t *testing.T) {
			a := newAviary(t, level)
			a.live()
			ledger, closer, err := app.OpenLedger(t.Context(), a.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer closer.Close()
			events, err := ledger.Audit(t.Context(), 0, 1000)
			if err != nil || len(events) == 0 {
				t.Fatalf("Audit = %d events, %v", len(events), err)
			}
			texts := map[string]string{"log": a.log.String(), "audit": auditText(events), "replies": strings.Join(a.replies, "\n")}
			for where, text := range texts {
				for what, bird := range a.birds {
					if found(text, bird) {
						t.Errorf("the %s tells the %s:\n%s", where, what, lineWith(text, bird))
					}
				}
			}
			for _, want := range []string{"panic in a handler", "request refused", "administration"} {
				if !strings.Contains(texts["log"], want) {
					t.Errorf("the log does not say %q; nothing is proven", want)
				}
			}
			if len(a.birds) < 20 || len(a.replies) < 15 {
				t.Errorf("only %d canaries and %d refusals; nothing is proven", len(a.birds), len(a.replies))
			}
		})
	}
}

func auditText(events []book.AuditEvent) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s %s %s %s %s %s\n", e.Actor, e.Action, e.Target, e.Request, e.Before, e.After, e.Detail)
	}
	return b.String()
}
