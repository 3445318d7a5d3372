package s3_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/objects"
)

// What others put in the place of an upload is not confirmed, and is deleted.
func TestConfirmMismatch(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	for _, tt := range []struct {
		name, kind string
		file       []byte
		sum        string
	}{
		{"another type", "text/html", picture, ""},
		{"a larger file", "image/jpeg", append(picture[:len(picture):len(picture)], 'x'), ""},
		{"an empty file", "image/jpeg", nil, ""},
		{"other content", "image/jpeg", fake, sum(picture)},
	} {
		u := s.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: int64(len(picture)), SHA256: tt.sum, Put: true})
		s.put(t, u.Key, tt.kind, tt.file)
		if _, err := s.confirm(t.Context(), u); !errors.Is(err, objects.ErrMismatch) {
			t.Errorf("ConfirmUpload of %s: %v, want %v", tt.name, err, objects.ErrMismatch)
		}
		if _, err := s.confirm(t.Context(), u); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("ConfirmUpload of %s again: %v, want %v", tt.name, err, objects.ErrNotFound)
		}
	}
	if got := s.list(t); len(got) != 0 {
		t.Errorf("there are still %v, want nothing", got)
	}
}

// What nobody confirms within an hour is deleted; what was confirmed stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	send := func() *objects.Upload {
		u := s.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: int64(len(picture))})
		if r := sendForm(t, s.http, u.URL, u.Fields, picture); r.status != http.StatusNoContent {
			t.Fatalf("the form = %v, want 204", r)
		}
		return u
	}
	kept, given, never := send(), send(), s.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	if _, err := s.confirm(t.Context(), kept); err != nil {
		t.Fatalf("ConfirmUpload: %v", err)
	}
	sweep := func(after time.Duration, want, left int) {
		s.at(time.Now().Add(after), func() {
			if n, err := s.Sweep(t.Context()); n != want || err != nil {
				t.Errorf("Sweep after %v = %d, %v, want %d", after, n, err, want)
			}
		})
		if got := s.list(t); len(got) != left {
			t.Errorf("after the sweep after %v there are %v, want %d", after, got, left)
		}
	}
	sweep(time.Hour, 0, 2)
	sweep(time.Hour+2*time.Minute, 2, 1)
	if _, _, ok := s.get(t, kept.Key); !ok {
		t.Error("the sweep took a file that was confirmed")
	}
	for _, u := range []*objects.Upload{given, never} {
		if _, err := s.confirm(t.Context(), u); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("ConfirmUpload after the sweep: %v, want %v", err, objects.ErrNotFound)
		}
	}
}

// A gateway sweeps at its start, as it does every ten minutes.
func TestSweepAtStart(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	k := newUser(t, s.printed(t))
	file := filepath.Join(t.TempDir(), "book.db")
	index, err := sqlite.Open(t.Context(), file, sqlite.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	at := s.newSite(t, k, index)
	at.at(time.Now().Add(-time.Hour-2*time.Minute), func() {
		late := at.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
		s.put(t, late.Key, "image/jpeg", picture) // as by a connection that took that long
	})
	fresh := at.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	s.put(t, fresh.Key, "image/jpeg", picture)
	if err := index.Close(); err != nil {
		t.Fatal(err)
	}
	g := s.newGateway(t, setup{key: k, book: "{kind: sqlite, file: " + file + ", pepper: env:PEPPER}"})
	g.log.wait(t, g.ended, `"uploads that were given up are deleted","files":1`)
	if _, _, ok := s.get(t, fresh.Key); !ok || len(s.list(t)) != 1 {
		t.Errorf("after the start there are %v, want %s alone", s.list(t), fresh.Key)
	}
}
