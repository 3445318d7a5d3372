package s3_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/objects"
)

// A site is a desk with a clock that the test moves, over a bucket of the server.
type site struct {
	*store
	*objects.Desk
	http *http.Client
	now  time.Time // zero is the real time
}

var (
	staff  = objects.Holder{Token: "desk", Roles: []string{"staff"}}
	office = objects.Holder{Token: "office", Roles: []string{"back-office"}}
	rules  = []objects.Rule{
		{Area: "photos", Keys: "photos/desk/*", Read: []string{"staff"}, Write: []string{"back-office"}, Types: []string{"image/jpeg", "image/png"}, MaxSize: 1 << 20},
		{Area: "staff", Keys: "staff/*", Read: []string{"staff"}, Write: []string{"back-office"}, Types: []string{"text/csv"}},
	}
)

// newSite returns a desk with the usual rights, over a book that others may share.
func (s *store) newSite(t *testing.T, k keyPair, index book.Files) *site {
	t.Helper()
	at := &site{store: s, http: newHTTP(t)}
	var err error
	at.Desk, err = objects.New(s.client(t, k), s.bucket, index, rules, objects.Options{Now: at.time})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return at
}

// newDesk returns a bucket with a desk.
func newDesk(t *testing.T) *site {
	t.Helper()
	s := newStore(t)
	return s.newSite(t, newUser(t, s.printed(t)), memory.New())
}

func (s *site) time() time.Time {
	if s.now.IsZero() {
		return time.Now()
	}
	return s.now
}

// at does something at another time.
func (s *site) at(now time.Time, do func()) {
	s.now = now
	do()
	s.now = time.Time{}
}

// link returns the URL of a key for the staff.
func (s *site) link(t *testing.T, key string) string {
	t.Helper()
	links, err := s.Links(t.Context(), staff, []string{key})
	if err != nil || links[0].Err != nil {
		t.Fatalf("Links(%s): %v %+v", key, err, links)
	}
	return links[0].URL
}

// start asks for an upload by the back office.
func (s *site) start(t *testing.T, r objects.UploadRequest) *objects.Upload {
	t.Helper()
	u, err := s.StartUpload(t.Context(), office, r)
	if err != nil {
		t.Fatalf("StartUpload(%+v): %v", r, err)
	}
	return u
}

func (s *site) confirm(ctx context.Context, u *objects.Upload) (book.File, error) {
	return s.ConfirmUpload(ctx, office, u.Key)
}

// sendForm sends a file as a browser does, the file last.
func sendForm(t *testing.T, client *http.Client, address string, fields map[string]string, file []byte) *reply {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := form.WriteField(name, fields[name]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "me.jpg")
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return ask(t, client, http.MethodPost, address, &body, "Content-Type: "+form.FormDataContentType())
}

// sendPut sends a file with the headers of an upload, but for changes given as
// "Name: value"; "Name: " leaves one out.
func sendPut(t *testing.T, client *http.Client, u *objects.Upload, address string, file []byte, changes ...string) *reply {
	t.Helper()
	var headers []string
	for name, value := range u.Headers {
		line := name + ": " + value
		for _, change := range changes {
			if changed, _, _ := strings.Cut(change, ": "); strings.EqualFold(changed, name) {
				line = change
			}
		}
		if !strings.HasSuffix(line, ": ") && name != "Content-Length" { // the client sends that by itself
			headers = append(headers, line)
		}
	}
	return ask(t, client, http.MethodPut, address, bytes.NewReader(file), headers...)
}
