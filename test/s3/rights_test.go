package s3_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/objects"
	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

// What "check --iam" prints is enough for all that a desk does, each action of it
// is needed, as far as this server asks for it, and nothing outside of the rules
// is open with it.
func TestRights(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	printed := readPolicy(t, s.printed(t))
	if err := s.useAll(t, newUser(t, printed.String())); err != nil {
		t.Errorf("with the policy that is printed: %v\n%s", err, printed)
	}
	want := []string{"s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
	if got := printed.actions(); !slices.Equal(got, want) {
		t.Errorf("the policy allows %q, want %q", got, want)
	}
	for _, action := range printed.actions() {
		err := s.useAll(t, newUser(t, printed.without(action).String()))
		t.Logf("without %s: %v", action, err)
		if unseen := action == "s3:ListBucket"; (err == nil) != unseen { // at AWS an absent object is 403 without it
			t.Errorf("without %s: %v, want that it is needed, but for s3:ListBucket, which this server does not ask for", action, err)
		}
	}
	s.outside(t, newUser(t, printed.String()))
}

// useAll does all that a desk can, and returns what does not work.
func (s *store) useAll(t *testing.T, k keyPair) error {
	t.Helper()
	at := s.newSite(t, k, memory.New())
	at.streams(t, k)
	put := at.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: int64(len(picture)), Put: true})
	if _, err := at.confirm(t.Context(), put); !errors.Is(err, objects.ErrNotUploaded) {
		return fmt.Errorf("ConfirmUpload too early: %w, want %w", err, objects.ErrNotUploaded)
	}
	if r := sendPut(t, at.http, put, put.URL, picture); r.status != http.StatusOK {
		return fmt.Errorf("PUT = %v", r)
	}
	form := at.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	if r := sendForm(t, at.http, form.URL, form.Fields, picture); r.status != http.StatusNoContent {
		return fmt.Errorf("form = %v", r)
	}
	for _, u := range []*objects.Upload{put, form} {
		if _, err := at.confirm(t.Context(), u); err != nil {
			return fmt.Errorf("ConfirmUpload: %w", err)
		}
		if r := ask(t, at.http, http.MethodGet, at.link(t, u.Key), nil); r.status != http.StatusOK {
			return fmt.Errorf("GET a presigned URL = %v", r)
		}
		w := httptest.NewRecorder()
		if err := at.Serve(w, httptest.NewRequest(http.MethodGet, "/", nil), staff, u.Key); err != nil || w.Body.Len() != len(picture) {
			return fmt.Errorf("serve: %w, %d bytes", err, w.Body.Len())
		}
		if err := at.Remove(t.Context(), office, u.Key); err != nil {
			return fmt.Errorf("remove: %w", err)
		}
	}
	return nil
}

// streams gives the desk something to stream with.
func (s *site) streams(t *testing.T, k keyPair) {
	t.Helper()
	var err error
	s.Desk, err = objects.New(s.client(t, k), s.bucket, memory.New(), rules,
		objects.Options{Now: s.time, Stream: bucket.New(s.client(t, k), s.bucket, bucket.Options{Private: true})})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
}

// outside tries what no rule opens, past the desk.
func (s *store) outside(t *testing.T, k keyPair) {
	t.Helper()
	elsewhere := newStore(t)
	for _, at := range []*store{s, elsewhere} {
		at.put(t, "backup/a.csv", "text/csv", []byte("secret"))
		if at != s {
			at.put(t, "staff/a.csv", "text/csv", []byte("secret"))
		}
	}
	for _, tt := range []struct {
		at        *store
		key, what string
	}{{s, "backup/a.csv", "a key of no rule"}, {s, "photos/a.jpg", "a key above an area"}, {elsewhere, "staff/a.csv", "another bucket"}} {
		client := tt.at.client(t, k)
		for _, do := range operations(client, tt.at.bucket, tt.key) {
			if err := do.ask(t.Context()); statusOf(err) != http.StatusForbidden {
				t.Errorf("%s of %s: %v, want 403", do.name, tt.what, err)
			}
		}
	}
}
