package objects_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/objects"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// A clock is set by tests.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

func (c *clock) add(d time.Duration) { c.set(c.now().Add(d)) }

// A vault gives out credentials, new ones after each Invalidate.
type vault struct {
	mu          sync.Mutex
	creds       aws.Credentials
	next        []aws.Credentials
	err         error
	invalidated int
}

func (v *vault) Retrieve(context.Context) (aws.Credentials, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.creds, v.err
}

func (v *vault) Invalidate() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.invalidated++
	if len(v.next) > 0 {
		v.creds, v.next = v.next[0], v.next[1:]
	}
}

func (v *vault) put(c aws.Credentials, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.creds, v.err = c, err
}

// lasting are the credentials of a user, which have no end.
var lasting = aws.Credentials{AccessKeyID: "AKIDLASTING", SecretAccessKey: "secret-of-lasting"}

// A site is a Desk at a fake S3.
type site struct {
	t      testing.TB
	clock  *clock
	s3     *fakeS3
	vault  *vault
	book   *memory.Book
	client *s3.Client
	http   *http.Client
	desk   *objects.Desk
}

func rules() []objects.Rule {
	return []objects.Rule{
		{Area: "photos", Keys: "photos/{ticket}/*", Read: []string{"visitor", "staff"}, Write: []string{"visitor", "photo-desk"},
			Types: []string{"image/*"}, MaxSize: 1000},
		{Area: "staff", Keys: "staff/*", Read: []string{"staff"}, Write: []string{"photo-desk"}, Types: []string{"text/csv"}},
		{Area: "receipts", Keys: "receipts/*", Read: []string{"owner", "staff"}, Write: []string{"photo-desk"}, Types: []string{"application/pdf"}},
		{Area: "guestbook", Keys: "guestbook/{attraction}/*", Read: []string{"visitor"}, Write: []string{"owner"},
			Types: []string{"image/jpeg", "image/svg+xml"}, Public: true},
		{Area: "drafts", Keys: "drafts/{admission}/{device}/*", Read: []string{"visitor"}, Write: []string{"visitor"}, Types: []string{"text/plain"}},
		{Area: "press", Keys: "press/*", Read: []string{"everyone"}},
	}
}

func newSite(t testing.TB, change ...func(*objects.Options)) *site {
	t.Helper()
	s := &site{t: t, clock: &clock{t: noon}, vault: &vault{creds: lasting}, book: memory.New()}
	s.s3 = &fakeS3{now: s.clock.now, bucket: "private", region: "eu-central-1", objects: map[string]object{},
		secrets: map[string]string{lasting.AccessKeyID: lasting.SecretAccessKey}, tokens: map[string]string{}, ends: map[string]time.Time{}}
	server := httptest.NewServer(s.s3)
	transport := &http.Transport{}
	s.http = &http.Client{Transport: transport}
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	s.client = s3.New(s3.Options{Region: s.s3.region, BaseEndpoint: aws.String(server.URL), UsePathStyle: true,
		Credentials: s.vault, HTTPClient: s.http, RetryMaxAttempts: 1})
	opts := objects.Options{Identify: identify, Now: s.clock.now}
	for _, c := range change {
		c(&opts)
	}
	var err error
	if s.desk, err = objects.New(s.client, s.s3.bucket, s.book, rules(), opts); err != nil {
		t.Fatalf("New = %v", err)
	}
	return s
}

// role returns credentials that end, and makes them known to the fake S3.
func (s *site) role(id string, ends time.Time) aws.Credentials {
	c := aws.Credentials{AccessKeyID: id, SecretAccessKey: "secret-of-" + id, SessionToken: "token/of+" + id + "==", CanExpire: true, Expires: ends}
	s.s3.mu.Lock()
	defer s.s3.mu.Unlock()
	s.s3.secrets[id], s.s3.tokens[id], s.s3.ends[id] = c.SecretAccessKey, c.SessionToken, ends
	return c
}

func identify(f gate.Fingerprint) string {
	m := hmac.New(sha256.New, []byte("pepper"))
	m.Write(f[:])
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// ticket returns the name of a ticket.
func ticket(code string) string { return identify(sha256.Sum256([]byte(code))) }

// admission returns a living one for attractions, until an hour after noon.
func admission(code string, attractions ...string) *gate.Admission {
	a := &gate.Admission{ID: "ADM" + code, Device: "DEV" + code, Ticket: sha256.Sum256([]byte(code)), State: gate.StateActive,
		Begins: noon.Add(-time.Hour), Ends: noon.Add(time.Hour)}
	for _, id := range attractions {
		a.Entitlements = append(a.Entitlements, gate.Entitlement{Attraction: id, Until: noon.Add(time.Hour)})
	}
	return a
}

func viewer(admissions ...*gate.Admission) objects.Holder {
	return objects.Holder{Admissions: admissions}
}

func roles(names ...string) objects.Holder { return objects.Holder{Token: "desk-1", Roles: names} }

// index puts a confirmed file into the index, and its object into the bucket.
func (s *site) index(f book.File) {
	s.t.Helper()
	f.Size = 1000
	f.Added, f.Expires = noon.Add(-time.Hour), noon.Add(time.Hour)
	if err := s.book.AddFile(s.t.Context(), f); err != nil {
		s.t.Fatalf("AddFile(%q) = %v", f.Key, err)
	}
	f.Confirmed = noon
	if err := s.book.ConfirmFile(s.t.Context(), f); err != nil {
		s.t.Fatalf("ConfirmFile(%q) = %v", f.Key, err)
	}
	s.store(f.Key, f.Type, "body of "+f.Key)
}

func (s *site) store(key, kind, body string) {
	s.s3.mu.Lock()
	defer s.s3.mu.Unlock()
	s.s3.objects[key] = object{body: []byte(body), kind: kind}
}

func (s *site) stored(key string) (object, bool) {
	s.s3.mu.Lock()
	defer s.s3.mu.Unlock()
	o, ok := s.s3.objects[key]
	return o, ok
}

// link returns the one link of a key.
func (s *site) link(h objects.Holder, key string) objects.Link {
	s.t.Helper()
	links, err := s.desk.Links(s.t.Context(), h, []string{key})
	if err != nil || len(links) != 1 || links[0].Key != key {
		s.t.Fatalf("Links(%q) = %+v, %v, want one link", key, links, err)
	}
	return links[0]
}

// fetch asks for a URL and returns the status, the headers and the body.
func (s *site) fetch(method, url string, header map[string]string, body io.Reader) (int, http.Header, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := s.http.Do(r)
	if err != nil {
		s.t.Fatalf("%s: %v", method, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// expect fetches url and compares the status.
func (s *site) expect(want int, method, url string) {
	s.t.Helper()
	if got, _, text := s.fetch(method, url, nil, nil); got != want {
		s.t.Errorf("%s %s: %d %s, want %d", method, strings.SplitN(url, "?", 2)[0], got, text, want)
	}
}
