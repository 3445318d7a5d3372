package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/objects"
	"github.com/handstamp/handstamp/pkg/objects/bucket"
	"github.com/handstamp/handstamp/pkg/throttle"
)

const (
	objectsPath = "/v1/objects"
	keysPath    = "/v1/objects/urls"
	uploadsPath = "/v1/uploads"
	confirmPath = "/v1/uploads/confirm"
	staffToken  = "q8ZkR2vN7xWcT4mB9yHjL1pF6sDgK3aV" // #nosec G101 -- of the tests alone
	deskToken   = "w5TnY8rJ2kXbM7dQ4fCzP9hV1gLs6eUa" // #nosec G101 -- of the tests alone
	photo       = "no picture, but its bytes"
)

// A store is a bucket behind the protocol of S3. It checks no signature: pkg/objects
// has a test of that.
type store struct {
	mu      sync.Mutex
	objects map[string]string
	seen    []http.Header // of what was asked with a signed header
	down    bool
	denied  bool
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/private"), "/")
	s.seen = append(s.seen, r.Header.Clone())
	body, there := s.objects[key]
	switch {
	case s.down:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	case s.denied:
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodPost:
		s.form(w, r)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		w.WriteHeader(http.StatusNotFound)
	default:
		sum := sha256.Sum256([]byte(body))
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
		http.ServeContent(w, r, "", noon.Add(-time.Hour), strings.NewReader(body))
	}
}

func (s *store) form(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f, _, err := r.FormFile("file")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, _ := io.ReadAll(f)
	s.objects[r.FormValue("key")] = string(body)
	w.WriteHeader(http.StatusNoContent)
}

func (s *store) put(key, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = body
}

func (s *store) has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.objects[key]
	return ok
}

// An archive is a site with private files.
type archive struct {
	*site
	store *store
	index *memory.Book
	web   string // of the store
	http  *http.Client
}

func identify(f gate.Fingerprint) string { return hex.EncodeToString(f[:8]) }

func fileRules() []objects.Rule {
	return []objects.Rule{
		{Area: "photos", Keys: "photos/{ticket}/*", Read: []string{"visitor", "staff"}, Write: []string{"visitor", "photo-desk"}, Types: []string{"image/*"}, MaxSize: 1000},
		{Area: "staff", Keys: "staff/*", Read: []string{"staff"}, Write: []string{"photo-desk"}, Types: []string{"text/csv"}},
		{Area: "press", Keys: "press/*", Read: []string{"everyone"}},
	}
}

func newArchive(t *testing.T, change ...func(*site)) *archive {
	t.Helper()
	a := &archive{store: &store{objects: map[string]string{}}, index: memory.New()}
	server := httptest.NewServer(a.store)
	transport := &http.Transport{}
	a.web, a.http = server.URL, &http.Client{Transport: transport}
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	a.site = newSite(t, append(change, func(s *site) { a.site = s; a.options(t, &s.opts) })...)
	return a
}

func (a *archive) options(t *testing.T, opts *httpapi.Options) {
	t.Helper()
	client := s3.New(s3.Options{Region: "eu-central-1", BaseEndpoint: aws.String(a.web), UsePathStyle: true, HTTPClient: a.http, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret"}, nil
		})})
	var stream objects.Streamer = bucket.New(client, "private", bucket.Options{})
	if a.site.stream != nil {
		stream = a.site.stream
	}
	desk, err := objects.New(client, "private", a.index, fileRules(), objects.Options{Identify: identify, Now: a.clock, Stream: stream})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := objects.NewTokens([]objects.Token{
		{ID: "office", Secret: staffToken, Roles: []string{"staff"}}, {ID: "desk", Secret: deskToken, Roles: []string{"photo-desk"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	opts.Objects, opts.Tokens = desk, tokens
}

// folder returns the folder of a device's ticket.
func (a *archive) folder(t *testing.T, client *http.Client) string {
	t.Helper()
	p, err := a.gate.Admission(t.Context(), gate.Session(strings.Split(a.sessionOf(t, client), ".")[0]))
	if err != nil {
		t.Fatal(err)
	}
	return "photos/" + identify(p.Admission.Ticket) + "/"
}

// stream asks for a file, whose reply is not JSON.
func (a *archive) stream(t *testing.T, client *http.Client, method, key string, headers ...string) *reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.url+objectsPath+"/"+key, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, key, err)
	}
	return readReply(t, response)
}

func (a *archive) json(t *testing.T, client *http.Client, path, body string, headers ...string) *reply {
	t.Helper()
	return a.do(t, client, http.MethodPost, path, strings.NewReader(body), append(headers, "Content-Type", "application/json")...)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

type fileReply struct {
	Key         string            `json:"key"`
	Area        string            `json:"area"`
	Type        string            `json:"content_type"`
	Size        int64             `json:"size"`
	URL         string            `json:"url"`
	Method      string            `json:"method"`
	Fields      map[string]string `json:"fields"`
	Headers     map[string]string `json:"headers"`
	MaxSize     int64             `json:"max_size"`
	ConfirmedAt time.Time         `json:"confirmed_at"`
	ExpiresAt   time.Time         `json:"expires_at"`
}

func (r *reply) file(t *testing.T) fileReply {
	t.Helper()
	var f fileReply
	if err := json.Unmarshal(r.body, &f); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %s is no file: %v", r.status, r.body, err)
	}
	return f
}

// upload sends a photo as a browser would, up to its confirmation.
func (a *archive) upload(t *testing.T, client *http.Client) string {
	t.Helper()
	up := a.json(t, client, uploadsPath, `{"area":"photos","name":"Ada.jpg","content_type":"image/jpeg","size":25}`).file(t)
	if up.Method != http.MethodPost || up.Fields["key"] != up.Key || up.MaxSize != 25 {
		t.Fatalf("upload = %+v, want a form for 25 bytes", up)
	}
	if r := a.json(t, client, confirmPath, fmt.Sprintf(`{"key":%q}`, up.Key)); r.status != http.StatusConflict || r.problem(t).Code != "not_uploaded" {
		t.Errorf("confirmed before it was sent: %d %s, want 409", r.status, r.body)
	}
	a.send(t, up)
	if f := a.json(t, client, confirmPath, fmt.Sprintf(`{"key":%q}`, up.Key)).file(t); f.Size != 25 || f.ConfirmedAt.IsZero() {
		t.Errorf("confirmed = %+v, want 25 bytes", f)
	}
	return up.Key
}

func (a *archive) send(t *testing.T, up fileReply) {
	t.Helper()
	var body strings.Builder
	form := multipart.NewWriter(&body)
	for name, value := range up.Fields {
		_ = form.WriteField(name, value)
	}
	part, _ := form.CreateFormFile("file", "Ada.jpg")
	_, _ = io.WriteString(part, photo)
	_ = form.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, up.URL, strings.NewReader(body.String()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	response, err := a.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent && response.StatusCode != http.StatusCreated {
		t.Fatalf("the form was answered with %d", response.StatusCode)
	}
}

// The life of a photo: sent, seen by its owner and by staff, by nobody else, gone.
func TestPhoto(t *testing.T) {
	a := newArchive(t)
	ada, bob := a.client, a.device(t)
	a.admit(t, ada, strongCode)
	a.admit(t, bob, strongZoo)
	key := a.upload(t, ada)
	if !strings.HasPrefix(key, a.folder(t, ada)) {
		t.Fatalf("key %q, want it in the folder of the ticket", key)
	}
	for name, r := range map[string]*reply{
		"owner": a.stream(t, ada, "GET", key), "staff": a.stream(t, a.device(t), "GET", key, bearer(staffToken)...),
	} {
		if r.status != http.StatusOK || string(r.body) != photo || r.header.Get("Content-Type") != "image/jpeg" || r.header.Get("ETag") == "" {
			t.Errorf("%s got %d %q %v, want the photo", name, r.status, r.body, r.header)
		}
	}
	absent := a.stream(t, bob, "GET", a.folder(t, bob)+"nothing.jpg")
	for name, r := range map[string]*reply{
		"other visitor": a.stream(t, bob, "GET", key), "role that may only write": a.stream(t, a.device(t), "GET", key, bearer(deskToken)...),
		"owner, another's area": a.stream(t, ada, "GET", "staff/list.csv"), "owner, no area": a.stream(t, ada, "GET", "tower/x"),
	} {
		if r.status != http.StatusNotFound || string(anonymous(t, r)) != string(anonymous(t, absent)) {
			t.Errorf("%s got %d %s, want the 404 of a file that is not there: %s", name, r.status, r.body, absent.body)
		}
	}
	if r := a.stream(t, a.device(t), "GET", key); r.status != http.StatusUnauthorized || r.problem(t).Code != "session_required" {
		t.Errorf("nobody got %d %s, want 401", r.status, r.body)
	}
	if r := a.stream(t, bob, "DELETE", key); r.status != http.StatusNotFound || !a.store.has(key) {
		t.Errorf("another visitor's DELETE = %d %s, want 404", r.status, r.body)
	}
	if r := a.do(t, ada, http.MethodDelete, objectsPath+"/"+key, nil); r.status != http.StatusNoContent || a.store.has(key) {
		t.Errorf("the owner's DELETE = %d %s, want it gone", r.status, r.body)
	}
	if r := a.stream(t, ada, "GET", key); r.status != http.StatusNotFound {
		t.Errorf("the deleted file = %d, want 404", r.status)
	}
	log := a.log.String()
	for _, line := range []string{`"msg":"upload permitted"`, `"msg":"file uploaded"`, `"msg":"file deleted"`} {
		if !strings.Contains(log, line) {
			t.Errorf("the log has no %s:\n%s", line, log)
		}
	}
	for _, secret := range []string{"X-Amz-", "Signature", staffToken, deskToken, "policy", a.web} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
}

// Ranges and conditions go to the streamer; who asks and commands of S3 do not.
func TestStreamedRequest(t *testing.T) {
	a := newArchive(t)
	a.admit(t, a.client, strongCode)
	key := a.folder(t, a.client) + "1.jpg"
	a.store.put(key, photo)
	whole := a.stream(t, a.client, "GET", key)
	tests := []struct {
		name, method string
		headers      []string
		status       int
		body         string
	}{
		{"range", "GET", []string{"Range", "bytes=3-9"}, 206, photo[3:10]},
		{"range beyond", "GET", []string{"Range", "bytes=999-"}, 416, ""},
		{"known already", "GET", []string{"If-None-Match", whole.header.Get("ETag")}, 304, ""},
		{"another version", "GET", []string{"If-Match", `"x"`}, 412, ""},
		{"head", "HEAD", nil, 200, ""},
	}
	for _, tt := range tests {
		if r := a.stream(t, a.client, tt.method, key, tt.headers...); r.status != tt.status || tt.status < 300 && string(r.body) != tt.body {
			t.Errorf("%s: %d %q, want %d %q", tt.name, r.status, r.body, tt.status, tt.body)
		}
	}
	a.store.mu.Lock()
	for _, h := range a.store.seen {
		if h.Get("Cookie") != "" || strings.Contains(h.Get("Authorization"), "Bearer") {
			t.Errorf("the store saw %v, want nothing of the viewer's", h)
		}
	}
	a.store.mu.Unlock()
	for _, query := range []string{"?acl", "?versionId=1", "?list-type=2", "?uploads", "?X-Amz-Signature=x", "?response-content-type=text/html", "?", "?x="} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete} {
			if r := a.do(t, a.client, method, objectsPath+"/"+key+query, nil); r.status != http.StatusBadRequest || !a.store.has(key) {
				t.Errorf("%s %s: %d %s, want 400", method, query, r.status, r.body)
			}
		}
	}
	for _, method := range []string{"PUT", "POST", "PATCH", "OPTIONS", "TRACE", "COPY"} {
		if r := a.do(t, a.client, method, objectsPath+"/"+key, nil); r.status != http.StatusMethodNotAllowed || strings.Join(r.header.Values("Allow"), " ") != "GET HEAD DELETE" {
			t.Errorf("%s: %d, Allow %q, want 405", method, r.status, r.header.Values("Allow"))
		}
	}
	for _, odd := range []string{"photos//x", "photos/../staff/x", "photos/%2e%2e/x", "photos/a%2Fb", "photos/a;b"} {
		if r := a.stream(t, a.client, "GET", odd); r.status != http.StatusBadRequest {
			t.Errorf("GET %s: %d, want 400", odd, r.status)
		}
	}
}

// A failure of the store is a 503 without any of the headers of a success.
func TestStoreIsDown(t *testing.T) {
	a := newArchive(t)
	a.admit(t, a.client, strongCode)
	key := a.folder(t, a.client) + "1.jpg"
	a.store.put(key, photo)
	a.store.down = true
	r := a.do(t, a.client, http.MethodGet, objectsPath+"/"+key, nil)
	if p := r.problem(t); r.status != http.StatusServiceUnavailable || p.Code != "unavailable" || strings.Contains(p.Detail, "ticket") || r.header.Get("Retry-After") == "" {
		t.Errorf("store down: %d %s, want 503 that speaks of the store", r.status, r.body)
	}
	a.store.down, a.book = false, errors.New("disk full")
	if r := a.do(t, a.client, http.MethodGet, objectsPath+"/"+key, nil); r.status != http.StatusServiceUnavailable {
		t.Errorf("book down: %d %s, want 503: nobody knows whose visit it is", r.status, r.body)
	}
}

// A bucket that denies everything looks to viewers as if there were no files, and
// the log says why.
func TestStoreDenies(t *testing.T) {
	a := newArchive(t)
	a.admit(t, a.client, strongCode)
	absent := a.stream(t, a.client, "GET", a.folder(t, a.client)+"1.jpg")
	a.store.put(a.folder(t, a.client)+"1.jpg", photo)
	a.store.denied = true
	denied := a.stream(t, a.client, "GET", a.folder(t, a.client)+"1.jpg")
	if denied.status != http.StatusNotFound || string(anonymous(t, denied)) != string(anonymous(t, absent)) {
		t.Errorf("denied: %d %s, want the 404 of a file that is not there: %s", denied.status, denied.body, absent.body)
	}
	if log := a.log.String(); !strings.Contains(log, "StatusCode: 403") {
		t.Errorf("the log does not say what the store said:\n%s", log)
	}
}

func TestKeyURLs(t *testing.T) {
	a := newArchive(t)
	a.admit(t, a.client, strongCode)
	mine := a.folder(t, a.client) + "1.jpg"
	keys := []string{mine, "photos/0123456789abcdef/1.jpg", "press/logo.svg", "staff/list.csv", "photos/../staff/list.csv", mine}
	r := a.batch(t, a.client, keysPath, "keys", keys)
	got := r.items(t)
	want := []string{"", "not_found", "", "not_found", "", ""}
	for i, key := range keys {
		if key == "photos/../staff/list.csv" {
			if got[i].URL != "" || got[i].Code == "" {
				t.Errorf("%s got %+v, want no URL", key, got[i])
			}
			continue
		}
		if got[i].Key != key || got[i].Code != want[i] || (got[i].URL != "") != (want[i] == "") {
			t.Errorf("%s got %+v, want code %q", key, got[i], want[i])
		}
	}
	if u, err := url.Parse(got[0].URL); err != nil || u.Query().Get("X-Amz-Signature") == "" || !got[0].ExpiresAt.After(noon) || got[0].URL != got[5].URL {
		t.Errorf("got %+v and %+v, want one presigned URL", got[0], got[5])
	}
	if again := a.batch(t, a.client, keysPath, "keys", keys).items(t); again[0] != got[0] {
		t.Errorf("asked again got %+v, want %+v", again[0], got[0])
	}
	if strings.Contains(a.log.String(), "X-Amz-") {
		t.Errorf("the log has a presigned URL: %s", a.log.String())
	}
	nobody := a.device(t)
	if got := a.batch(t, nobody, keysPath, "keys", []string{"press/logo.svg", mine}).items(t); got[0].URL == "" || got[1].Code != "not_found" {
		t.Errorf("nobody got %+v, want what is for everyone", got)
	}
	if r := a.batch(t, nobody, keysPath, "keys", []string{mine}); r.status != http.StatusUnauthorized {
		t.Errorf("nobody got %d %s, want 401", r.status, r.body)
	}
	a.book = errors.New("disk full")
	if r := a.batch(t, a.client, keysPath, "keys", []string{mine}); r.status != http.StatusServiceUnavailable {
		t.Errorf("without a book: %d %s, want 503", r.status, r.body)
	}
}

func TestListObjects(t *testing.T) {
	a := newArchive(t)
	a.admit(t, a.client, strongCode)
	a.admit(t, a.device(t), strongZoo)
	key := a.upload(t, a.client)
	list := func(client *http.Client, query string, headers ...string) (files []fileReply, r *reply) {
		r = a.do(t, client, http.MethodGet, objectsPath+query, nil, headers...)
		var body struct{ Objects []fileReply }
		_ = json.Unmarshal(r.body, &body)
		return body.Objects, r
	}
	if files, r := list(a.client, "?area=photos"); len(files) != 1 || files[0].Key != key || files[0].URL != "" {
		t.Errorf("own files = %d %s, want %s", r.status, r.body, key)
	}
	if files, r := list(a.device(t), "?area=photos&include=urls&limit=10", bearer(staffToken)...); len(files) != 1 || !strings.Contains(files[0].URL, "X-Amz-Signature") || files[0].ExpiresAt.IsZero() {
		t.Errorf("staff's list = %d %s, want the file with a URL", r.status, r.body)
	}
	for query, status := range map[string]int{"?area=staff": 404, "?area=tower": 404, "": 404, "?area=photos&limit=0": 400, "?area=photos&limit=1001": 400,
		"?area=photos&limit=x": 400, "?area=photos&include=all": 400, "?area=photos&area=staff": 400, "?area=photos&sort=size": 400, "?area=%zz": 400} {
		if _, r := list(a.client, query); r.status != status {
			t.Errorf("%q = %d %s, want %d", query, r.status, r.body, status)
		}
	}
	if _, r := list(a.device(t), "?area=photos"); r.status != http.StatusUnauthorized {
		t.Errorf("nobody's list = %d %s, want 401", r.status, r.body)
	}
}

func TestUploadsRefuse(t *testing.T) {
	a := newArchive(t)
	a.admit(t, a.client, strongCode)
	tests := []struct {
		name, body string
		status     int
	}{
		{"too large", `{"area":"photos","content_type":"image/jpeg","size":1001}`, 400},
		{"other type", `{"area":"photos","content_type":"text/html","size":10}`, 400},
		{"no area", `{"content_type":"image/jpeg"}`, 400},
		{"no type", `{"area":"photos"}`, 400},
		{"negative", `{"area":"photos","content_type":"image/jpeg","size":-1}`, 400},
		{"method", `{"area":"photos","content_type":"image/jpeg","method":"DELETE"}`, 400},
		{"key of one's own", `{"area":"photos","content_type":"image/jpeg","key":"photos/x"}`, 400},
		{"PUT without a size", `{"area":"photos","content_type":"image/jpeg","method":"PUT"}`, 400},
		{"area of others", `{"area":"staff","content_type":"text/csv"}`, 404},
		{"no such area", `{"area":"tower","content_type":"text/csv"}`, 404},
		{"fraction", `{"area":"photos","content_type":"image/jpeg","size":1.5}`, 400},
	}
	for _, tt := range tests {
		if r := a.json(t, a.client, uploadsPath, tt.body); r.status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, r.status, r.body, tt.status)
		}
	}
	put := a.json(t, a.client, uploadsPath, `{"area":"photos","content_type":"image/jpeg","size":25,"method":"PUT"}`).file(t)
	if put.Method != http.MethodPut || put.Headers["Content-Length"] != "25" || len(put.Fields) != 0 {
		t.Errorf("upload = %+v, want a PUT of 25 bytes", put)
	}
	a.store.put(put.Key, strings.Repeat("x", 26))
	if r := a.json(t, a.client, confirmPath, fmt.Sprintf(`{"key":%q}`, put.Key)); r.status != http.StatusConflict || r.problem(t).Code != "upload_mismatch" {
		t.Errorf("confirmed with another size: %d %s, want 409", r.status, r.body)
	}
	if r := a.json(t, a.client, confirmPath, `{"key":"photos/none/x"}`); r.status != http.StatusNotFound {
		t.Errorf("confirmed nothing: %d %s, want 404", r.status, r.body)
	}
	if r := a.json(t, a.device(t), uploadsPath, `{"area":"photos","content_type":"image/jpeg"}`); r.status != http.StatusUnauthorized {
		t.Errorf("nobody's upload: %d %s, want 401", r.status, r.body)
	}
	for _, path := range []string{uploadsPath, confirmPath, keysPath, urlsPath} {
		if r := a.json(t, a.client, path, `{}`, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); r.status != http.StatusForbidden {
			t.Errorf("POST %s from a foreign page: %d, want 403", path, r.status)
		}
	}
}

// A wrong token is an unknown session, whatever its form, and counts as one. A
// good one never waits, and a cookie hides it.
func TestTokens(t *testing.T) {
	a := newArchive(t)
	a.admit(t, a.client, strongCode)
	for _, wrong := range []string{staffToken[1:], strings.ToLower(staffToken), staffToken + "." + staffToken, strings.Repeat("x", 500), ""} {
		if r := a.stream(t, a.device(t), "GET", "staff/list.csv", bearer(wrong)...); r.status != http.StatusUnauthorized {
			t.Errorf("token %.40q: %d, want 401", wrong, r.status)
		}
	}
	for _, header := range []string{"bearer " + staffToken, "Basic " + staffToken, staffToken} {
		if r := a.stream(t, a.device(t), "GET", "staff/list.csv", "Authorization", header); r.status != http.StatusUnauthorized {
			t.Errorf("Authorization %q: %d, want 401", header, r.status)
		}
	}
	a.store.put("staff/list.csv", "Ada,1")
	if r := a.stream(t, a.device(t), "GET", "staff/list.csv", bearer(staffToken)...); r.status != http.StatusOK {
		t.Errorf("good token: %d %s, want 200", r.status, r.body)
	}
	if r := a.stream(t, a.client, "GET", "staff/list.csv", bearer(staffToken)...); r.status != http.StatusNotFound {
		t.Errorf("good token beside a cookie: %d, want 404 for the visitor", r.status)
	}
}

func TestTokensThrottled(t *testing.T) {
	var a *archive
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		asked := 0
		for i := range 200 {
			wrong := fmt.Sprintf("Bearer %0*d", 32+i%150, i) // also longer than sessions are
			r, _ := h.guest("198.51.100.7").ask(http.MethodGet, objectsPath+"/staff/list.csv", "", "Authorization", wrong)
			switch r.status {
			case http.StatusUnauthorized:
				asked++
			case http.StatusTooManyRequests:
			default:
				t.Fatalf("wrong token = %d %s", r.status, r.body)
			}
		}
		if asked != 80 {
			t.Errorf("%d wrong tokens were looked up, want 80 as of unknown sessions", asked)
		}
		if r, _ := h.guest("198.51.100.7").ask(http.MethodGet, objectsPath+"?area=staff", "", "Authorization", "Bearer "+staffToken); r.status != http.StatusOK {
			t.Errorf("a good token beside them = %d %s, want 200", r.status, r.body)
		}
	}, func(h *hall) {
		a = &archive{site: h.site, store: &store{objects: map[string]string{}}, index: memory.New(), web: "http://127.0.0.1:1", http: &http.Client{}}
		a.options(t, &h.opts)
	})
}

// A file that only an admission opens about which nobody knows is not denied.
func TestFileOfAnUncertainAdmission(t *testing.T) {
	a := newArchive(t)
	a.admit(t, a.client, strongCode)
	first := a.folder(t, a.client) + "1.jpg"
	a.store.put(first, photo)
	a.admit(t, a.client, strongZoo)
	a.lost = gate.Session(strings.Split(a.sessionOf(t, a.client), ".")[1]).Hash()
	if r := a.stream(t, a.client, "GET", first); r.status != http.StatusOK {
		t.Errorf("file of the known admission: %d %s, want 200", r.status, r.body)
	}
	other := "photos/0123456789abcdef/1.jpg"
	if r := a.stream(t, a.client, "GET", other); r.status != http.StatusServiceUnavailable {
		t.Errorf("any other file: %d %s, want 503", r.status, r.body)
	}
	if r := a.batch(t, a.client, keysPath, "keys", []string{first, other}); r.status != http.StatusServiceUnavailable {
		t.Errorf("URLs of both: %d %s, want 503", r.status, r.body)
	}
	if r := a.do(t, a.client, http.MethodGet, objectsPath+"?area=photos", nil); r.status != http.StatusServiceUnavailable {
		t.Errorf("the list: %d %s, want 503, as half of it is unknown", r.status, r.body)
	}
}

// Who never renews does not keep private files of a ticket that was refunded.
func TestFilesAskTheSourceAgain(t *testing.T) {
	a := newArchive(t, func(s *site) { s.recheck = func(string) error { return nil } })
	a.admit(t, a.client, strongCode)
	key := a.folder(t, a.client) + "1.jpg"
	a.store.put(key, photo)
	a.recheck = func(string) error { return gate.Deny(gate.ReasonCancelled, nil) }
	if r := a.stream(t, a.client, "GET", key); r.status != http.StatusOK {
		t.Errorf("while the source's word is young: %d %s, want 200", r.status, r.body)
	}
	a.at(noon.Add(11 * time.Minute))
	if r := a.stream(t, a.client, "GET", key); r.status != http.StatusUnauthorized || r.problem(t).Reason != "cancelled" {
		t.Errorf("after a refund: %d %s, want 401", r.status, r.body)
	}
	if r := a.batch(t, a.client, keysPath, "keys", []string{key}); r.status != http.StatusUnauthorized {
		t.Errorf("URLs after a refund: %d %s, want 401", r.status, r.body)
	}
}

// What a streamer left in the headers before it failed is not in the problem.
func TestStreamerFails(t *testing.T) {
	a := newArchive(t, func(s *site) {
		s.stream = streamer(func(w http.ResponseWriter, _ *http.Request, _ string) error {
			for _, name := range []string{"Etag", "Last-Modified", "Content-Length", "Cache-Control"} {
				w.Header().Set(name, "1")
			}
			return errors.New("CANARY: the store hung up")
		})
	})
	r := a.do(t, a.client, http.MethodGet, objectsPath+"/press/film.mp4", nil) // looks at the headers
	if r.status != http.StatusServiceUnavailable || strings.Contains(string(r.body), "CANARY") {
		t.Errorf("GET = %d %s, want 503", r.status, r.body)
	}
}

// A streamer can move the write deadline, so that a long download outlives the
// time that a viewer has for a reply. It does not see who the viewer is.
func TestStreamersReachTheConnection(t *testing.T) {
	var failed error
	a := newArchive(t, func(s *site) {
		s.stream = streamer(func(w http.ResponseWriter, r *http.Request, _ string) error {
			if r.Header.Get("Authorization")+r.Header.Get("Cookie") != "" || r.Header.Get("Range") == "" {
				t.Errorf("the streamer saw %v, want the range and nothing of the viewer's", r.Header)
			}
			failed = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour))
			_, err := io.WriteString(w, photo)
			return err
		})
	})
	if r := a.stream(t, a.client, "GET", "press/film.mp4", "Range", "bytes=0-", "Authorization", "Bearer "+staffToken, "Cookie", "a=b"); r.status != http.StatusOK || string(r.body) != photo || failed != nil {
		t.Errorf("GET = %d %q, SetWriteDeadline = %v, want the file and none", r.status, r.body, failed)
	}
}

type streamer func(w http.ResponseWriter, r *http.Request, key string) error

func (f streamer) ServeObject(w http.ResponseWriter, r *http.Request, key string) error {
	return f(w, r, key)
}

func TestNoObjects(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.client, strongCode)
	for _, path := range []string{objectsPath, objectsPath + "/photos/1"} {
		if r := s.do(t, s.client, http.MethodGet, path, nil); r.status != http.StatusNotFound {
			t.Errorf("GET %s without private files: %d, want 404", path, r.status)
		}
	}
	for _, path := range []string{keysPath, uploadsPath, confirmPath} {
		if r := s.do(t, s.client, http.MethodPost, path, strings.NewReader(`{}`), "Content-Type", "application/json"); r.status != http.StatusNotFound {
			t.Errorf("POST %s without private files: %d, want 404", path, r.status)
		}
	}
}
