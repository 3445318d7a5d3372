package objects_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/objects"
)

// uploaded returns the key of a confirmed photo.
func (s *site) uploaded(h objects.Holder) string {
	s.t.Helper()
	u := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	s.send(u, "a photo", nil)
	if _, err := s.desk.ConfirmUpload(s.t.Context(), h, u.Key); err != nil {
		s.t.Fatalf("ConfirmUpload = %v", err)
	}
	return u.Key
}

// A file that is to be deleted opens for nobody from the first moment, whatever
// fails after that, and its object goes in the end.
func TestRemoveThatFails(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func(s *site, h objects.Holder, key string) error{
		"removed again": func(s *site, h objects.Holder, key string) error { return s.desk.Remove(t.Context(), h, key) },
		"swept": func(s *site, _ objects.Holder, _ string) error {
			s.clock.add(time.Minute + time.Second)
			_, err := s.desk.Sweep(t.Context())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			h := viewer(admission("a", "castle"))
			key := s.uploaded(h)
			s.s3.fail = http.StatusInternalServerError
			if err := s.desk.Remove(t.Context(), h, key); err == nil || errors.Is(err, objects.ErrNotFound) {
				t.Errorf("Remove while the bucket fails = %v, want that nobody knows", err)
			}
			s.s3.fail = 0
			for who, h := range map[string]objects.Holder{"the owner": h, "the staff": roles("staff")} {
				if l := s.link(h, key); !errors.Is(l.Err, objects.ErrNotFound) {
					t.Errorf("Links for %s = %+v, want ErrNotFound", who, l)
				}
			}
			if err := s.desk.Remove(t.Context(), viewer(admission("b", "castle")), key); !errors.Is(err, objects.ErrNotFound) {
				t.Errorf("Remove by another = %v, want ErrNotFound", err)
			}
			if err := after(s, h, key); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, there := s.stored(key); there {
				t.Error("the object is still there")
			}
			if err := s.desk.Remove(t.Context(), h, key); !errors.Is(err, objects.ErrNotFound) {
				t.Errorf("Remove of the deleted file = %v, want ErrNotFound", err)
			}
			s.store(key, "image/jpeg", "sent again")
			if l := s.link(roles("staff"), key); !errors.Is(l.Err, objects.ErrNotFound) {
				t.Errorf("Links of what was sent again = %+v, want ErrNotFound", l)
			}
		})
	}
}

// A viewer who leaves in the middle leaves nothing half done.
func TestRemoveWithoutAViewer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	key := s.uploaded(h)
	ctx, leave := context.WithCancel(t.Context())
	s.s3.hook = func(method, _ string) {
		if method == http.MethodDelete {
			leave()
		}
	}
	if err := s.desk.Remove(ctx, h, key); err != nil || ctx.Err() == nil {
		t.Errorf("Remove = %v, want the file gone although the viewer has", err)
	}
	files, err := s.book.Files(t.Context(), []string{key})
	if err != nil || len(files) != 1 || !files[0].Discarded() || !files[0].Expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("the index has %+v, %v, want an entry that nobody can confirm, for an hour", files, err)
	}
}

// A confirmation that began before the file was removed does not bring it back.
func TestConfirmUploadTooLate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	u := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	s.send(u, "a photo", nil)
	s.s3.hook = func(method, _ string) {
		if method == http.MethodHead {
			if err := s.book.DiscardFile(t.Context(), u.Key, noon); err != nil {
				t.Error(err)
			}
		}
	}
	if f, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("ConfirmUpload = %+v, %v, want ErrNotFound", f, err)
	}
	if files, err := s.book.Files(t.Context(), []string{u.Key}); err != nil || len(files) != 1 || !files[0].Confirmed.IsZero() {
		t.Errorf("the index has %+v, %v, want it unconfirmed", files, err)
	}
}

// What can never be deleted does not stand before all else.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	add := func(key string, expires time.Time) {
		s.store(key, "image/jpeg", "x")
		f := book.File{Key: key, Owner: "token:x", Area: "photos", Size: 1, Added: noon.Add(-2 * time.Hour), Expires: expires}
		if err := s.book.AddFile(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 7 {
		add(fmt.Sprintf("photos/locked%d", i), noon.Add(-time.Hour))
	}
	for i := range 3 {
		add(fmt.Sprintf("photos/good%d", i), noon.Add(-time.Hour/2))
	}
	s.s3.stuck = "locked"
	for call, want := range []int{0, 3, 0} {
		n, err := s.desk.Sweep(t.Context())
		if n != want || err == nil || !strings.Contains(err.Error(), "photos/locked") {
			t.Errorf("Sweep %d = %d, %v, want %d and what cannot be deleted", call, n, err, want)
		}
	}
	s.s3.stuck = ""
	if n, err := s.desk.Sweep(t.Context()); n != 7 || err != nil {
		t.Errorf("Sweep once they are free = %d, %v, want 7", n, err)
	}
}

// A bucket that is not there has not deleted anything.
func TestRemoveWithoutABucket(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	key := s.uploaded(h)
	s.s3.fail, s.s3.code = http.StatusNotFound, "NoSuchBucket"
	if err := s.desk.Remove(t.Context(), h, key); err == nil || errors.Is(err, objects.ErrNotFound) {
		t.Errorf("Remove without a bucket = %v, want that nobody knows", err)
	}
	s.clock.add(2 * time.Hour)
	if n, err := s.desk.Sweep(t.Context()); n != 0 || err == nil {
		t.Errorf("Sweep without a bucket = %d, %v, want an error", n, err)
	}
	s.s3.code = "NoSuchKey" // as some stores have it
	if n, err := s.desk.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("Sweep of an object that is not there = %d, %v, want 1", n, err)
	}
}

// A silence is a store, or what gives credentials, that says nothing.
type silence struct{}

func (silence) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func (silence) Retrieve(ctx context.Context) (aws.Credentials, error) {
	<-ctx.Done()
	return aws.Credentials{}, ctx.Err()
}

// Whatever says nothing, there is an answer in less than 12 seconds: viewers and
// what stands before a gateway wait for 15.
func TestCallsEnd(t *testing.T) {
	t.Parallel()
	h := viewer(admission("a", "castle"))
	calls := map[string]func(ctx context.Context, d *objects.Desk) error{
		"Remove": func(ctx context.Context, d *objects.Desk) error {
			return d.Remove(ctx, roles("photo-desk"), "photos/x/there.jpg")
		},
		"Remove absent": func(ctx context.Context, d *objects.Desk) error {
			return d.Remove(ctx, roles("photo-desk"), "photos/x/absent.jpg")
		},
		"ConfirmUpload": func(ctx context.Context, d *objects.Desk) error {
			_, err := d.ConfirmUpload(ctx, roles("photo-desk"), "photos/x/waits.jpg")
			return err
		},
	}
	mute := map[string]func(ctx context.Context, d *objects.Desk) error{
		"Links": func(ctx context.Context, d *objects.Desk) error {
			_, err := d.Links(ctx, h, []string{"press/a.jpg"})
			return err
		},
		"StartUpload": func(ctx context.Context, d *objects.Desk) error {
			_, err := d.StartUpload(ctx, h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
			return err
		},
	}
	for _, tt := range []struct {
		calls    map[string]func(ctx context.Context, d *objects.Desk) error
		provider aws.CredentialsProvider
	}{{calls, &vault{creds: lasting}}, {mute, silence{}}} {
		for name, call := range tt.calls {
			synctest.Test(t, func(t *testing.T) {
				index := memory.New()
				for key, when := range map[string]time.Time{"there": noon, "waits": {}} {
					f := book.File{Key: "photos/x/" + key + ".jpg", Owner: "token:x", Area: "photos", Size: 1, Added: noon, Confirmed: when, Expires: noon.Add(time.Hour)}
					if err := index.AddFile(t.Context(), f); err != nil {
						t.Fatal(err)
					}
				}
				client := s3.New(s3.Options{Region: "eu-central-1", Credentials: tt.provider, HTTPClient: silence{}})
				desk, err := objects.New(client, "private", index, rules(), objects.Options{Identify: identify, Now: func() time.Time { return noon }})
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				if err := call(t.Context(), desk); err == nil || errors.Is(err, objects.ErrNotFound) {
					t.Errorf("%s = %v, want that nobody knows", name, err)
				}
				if took := time.Since(begun); took < time.Second || took >= 12*time.Second {
					t.Errorf("%s took %v, want less than 12s", name, took)
				}
			})
		}
	}
}

// A store that keeps no checksums is read, and not taken for one that has another.
func TestConfirmUploadWithoutChecksum(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	u := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg", SHA256: checksum([]byte("a photo"))})
	s.store(u.Key, "image/jpeg", "a photo")
	s.s3.hook = func(method, _ string) {
		if s.s3.fail = 0; method == http.MethodGet {
			s.s3.fail = http.StatusInternalServerError
		}
	}
	if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); err == nil || errors.Is(err, objects.ErrMismatch) || errors.Is(err, objects.ErrNotFound) {
		t.Errorf("ConfirmUpload of what cannot be read = %v, want that nobody knows", err)
	}
	if _, there := s.stored(u.Key); !there {
		t.Fatal("the object was deleted, want it left")
	}
	s.s3.hook, s.s3.fail = nil, 0
	if f, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); err != nil || f.Size != 7 {
		t.Errorf("ConfirmUpload = %+v, %v, want the file", f, err)
	}
	big := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	s.store(big.Key, "image/jpeg", "nobody announced a checksum")
	s.s3.calls = nil
	if _, err := s.desk.ConfirmUpload(t.Context(), h, big.Key); err != nil || len(s.s3.calls) != 1 {
		t.Errorf("ConfirmUpload = %v after %q, want one HEAD", err, s.s3.calls)
	}
}

// Names as people write them are taken.
func TestNamesOfUploads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	for name, taken := range map[string]bool{
		"Mein Paß.jpg": true, "👩\u200d🚀 im Museum.jpg": true, "می\u200cخواهم.jpg": true, "क\u094d\u200dष.jpg": true,
		"🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f.jpg": true, "❤\ufe0f.jpg": true,
		"\u202egpj.exe": false, "a\U000e0041.jpg": false, "\u200d\u200d": false, "a\u2066b.jpg": false, "a\u00adb.jpg": false, "a\ufeffb.jpg": false, ".htaccess": false, " a.jpg": false, "a.jpg ": false, "a/b.jpg": false,
	} {
		_, err := s.desk.StartUpload(t.Context(), h, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Name: name})
		var request *objects.RequestError
		if taken && err != nil || !taken && (!errors.As(err, &request) || request.Field != "name") {
			t.Errorf("StartUpload of %+q = %v, want it taken: %t", name, err, taken)
		}
	}
}
