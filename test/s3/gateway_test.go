package s3_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the gateways of these tests are configured with. Words in capitals are
// replaced.
const (
	settings = `http: {listen: "ADDRESS", public_url: "http://ADDRESS", drain: 0s}
media: {url: "http://ADDRESS"}
book: BOOK
keys: {dir: KEYS}
log: {format: json}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}]
objects:
  bucket: BUCKET
  region: us-east-1
  path_style: on
` + rulesText
	rulesText = `  rules:
    - {area: photos, keys: "photos/{ticket}/*", read: [visitor, staff], write: [visitor], types: [image/jpeg, image/png], max_size: 1MiB}
    - {area: staff, keys: "staff/*", read: [staff], write: [back-office], types: [text/csv, image/jpeg], max_size: 20MiB}
  tokens:
    - {id: desk, token: "env:DESK_TOKEN", roles: [staff]}
    - {id: office, token: "env:OFFICE_TOKEN", roles: [back-office]}
`
	ticketList = "code,attraction,packages,seats\nCASTLE-ADA-7Q4M-2XKD,castle,audio,4\nCASTLE-BOB-3K6Z-8MDF,castle,audio,4\n"
)

// A gateway is "handstamp serve" with the bucket of a store.
type gateway struct {
	*program
	http         *http.Client
	desk, office string // tokens
}

// A setup is what gateways differ in; the zero value is the usual one.
type setup struct {
	endpoint string  // under which it reaches the server; empty means that of the store
	key      keyPair // zero is that of a new user with the rights that are printed
	objects  string  // more lines for the section "objects"
	book     string  // empty means one in memory; the pepper of another is of pepper
}

// pepper is that of gateways that share a book.
const pepper = "0123456789abcdef0123456789abcdef"

// newGateway starts a gateway.
func (s *store) newGateway(t *testing.T, with setup) *gateway {
	t.Helper()
	dir := t.TempDir()
	if with.endpoint == "" {
		with.endpoint = s.endpoint
	}
	if with.key == (keyPair{}) {
		with.key = newUser(t, s.printed(t))
	}
	with.objects += "  endpoint: " + with.endpoint + "\n"
	g := &gateway{http: newHTTP(t), desk: text(26) + text(26), office: text(26) + text(26)}
	g.program = start(t, dir, environment(with.key, "DESK_TOKEN="+g.desk, "OFFICE_TOKEN="+g.office, "PEPPER="+pepper),
		"serve", "--config", s.write(t, dir, with))
	g.listening(t)
	return g
}

// write puts configuration and tickets into a folder.
func (s *store) write(t *testing.T, dir string, with setup) (config string) {
	t.Helper()
	keys, err := filepath.Abs("../../keys.example")
	if err != nil {
		t.Fatal(err)
	}
	book := cmp.Or(with.book, "{kind: memory}")
	text := strings.NewReplacer("ADDRESS", freeAddress(t), "BOOK", book, "BUCKET", s.bucket, "KEYS", keys).Replace(settings) + with.objects
	config = filepath.Join(dir, "config.yaml")
	for name, content := range map[string]string{config: text, filepath.Join(dir, "tickets.csv"): ticketList} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// freeAddress returns one of this machine where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// printed returns the policy that "check --iam" prints for a gateway.
func (s *store) printed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	printed := run(t, dir, environment(keyPair{}, "DESK_TOKEN="+text(26)+text(26), "OFFICE_TOKEN="+text(26)+text(26)),
		"check", "--iam", "--account", "000000000000", "--config", s.write(t, dir, setup{}))
	return s.withForms(t, printed)
}

// admit shows a ticket and returns the session.
func (g *gateway) admit(t *testing.T, code string) string {
	t.Helper()
	var pass struct{ Session string }
	g.call(t, http.StatusOK, "", "POST /v1/tickets/verify", map[string]string{"ticket": code, "delivery": "json"}, &pass)
	return pass.Session
}

// call asks "METHOD /path", for whoever bearer is, and reads the answer, which
// must have a status.
func (g *gateway) call(t *testing.T, want int, bearer, what string, body, into any) *reply {
	t.Helper()
	method, path, _ := strings.Cut(what, " ")
	var send io.Reader
	headers := []string{"Content-Type: application/json"}
	if bearer != "" {
		headers = append(headers, "Authorization: Bearer "+bearer)
	}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		send = bytes.NewReader(text)
	}
	r := ask(t, g.http, method, g.address+path, send, headers...)
	if r.status != want {
		t.Fatalf("%s = %v, want %d", what, r, want)
	}
	if into != nil {
		if err := json.Unmarshal(r.body, into); err != nil {
			t.Fatalf("%s: %v in %s", what, err, r.body)
		}
	}
	return r
}

type urlsReply struct {
	URLs []struct {
		Key, URL, Code string
		ExpiresAt      time.Time `json:"expires_at"`
	}
}

// urls asks for presigned URLs, all of which must be there.
func (g *gateway) urls(t *testing.T, bearer string, keys ...string) []string {
	t.Helper()
	var answer urlsReply
	g.call(t, http.StatusOK, bearer, "POST /v1/objects/urls", map[string]any{"keys": keys}, &answer)
	urls := make([]string, len(answer.URLs))
	for i, item := range answer.URLs {
		if urls[i] = item.URL; item.URL == "" || item.Key != keys[i] {
			t.Fatalf("POST /v1/objects/urls: item %d is %+v, want a URL for %q", i, item, keys[i])
		}
	}
	return urls
}
