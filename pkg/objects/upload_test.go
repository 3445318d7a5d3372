package objects_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/objects"
)

// start asks for an upload that must be allowed.
func (s *site) start(h objects.Holder, r objects.UploadRequest) *objects.Upload {
	s.t.Helper()
	u, err := s.desk.StartUpload(s.t.Context(), h, r)
	if err != nil {
		s.t.Fatalf("StartUpload(%+v) = %v", r, err)
	}
	return u
}

// send sends a form, with some of its fields changed; "" leaves one out.
func (s *site) send(u *objects.Upload, file string, change map[string]string) int {
	s.t.Helper()
	fields := maps.Clone(u.Fields)
	for name, value := range change {
		if fields[name] = value; value == "" {
			delete(fields, name)
		}
	}
	kind, body := formBody(fields, []byte(file))
	status, _, _ := s.fetch(u.Method, u.URL, map[string]string{"Content-Type": kind}, body)
	return status
}

// put sends a PUT, with some of its headers changed; "" leaves one out.
func (s *site) put(url string, u *objects.Upload, file string, change map[string]string) int {
	s.t.Helper()
	header := maps.Clone(u.Headers)
	for name, value := range change {
		if header[name] = value; value == "" {
			delete(header, name)
		}
	}
	status, _, _ := s.fetch(u.Method, url, header, bytes.NewReader([]byte(file)))
	return status
}

func TestUploadByForm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.vault.put(s.role("ROLE", noon.Add(time.Hour)), nil)
	h := viewer(admission("a", "castle"))
	u := s.start(h, objects.UploadRequest{Area: "photos", Name: "Ich.jpg", Type: "image/jpeg"})
	if want := regexp.MustCompile(`^photos/` + ticket("a") + `/[a-z2-7]{26}\.jpg$`); !want.MatchString(u.Key) {
		t.Errorf("StartUpload: key %q, want one like %v", u.Key, want)
	}
	if u.Method != "POST" || !u.Expires.Equal(noon.Add(10*time.Minute)) || !u.Confirm.Equal(noon.Add(time.Hour)) || u.MaxSize != 1000 {
		t.Errorf("StartUpload = %+v, want a POST for 10 minutes of at most 1000 bytes, and an hour to confirm", u)
	}
	if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); !errors.Is(err, objects.ErrNotUploaded) {
		t.Errorf("ConfirmUpload before the file is there = %v, want ErrNotUploaded", err)
	}
	if got := s.send(u, "a photo", nil); got != 204 {
		t.Fatalf("POST of the form: %d, want 204", got)
	}
	if l := s.link(h, u.Key); !errors.Is(l.Err, objects.ErrNotFound) {
		t.Errorf("Links of an upload that is not confirmed = %+v, want ErrNotFound", l)
	}
	f, err := s.desk.ConfirmUpload(t.Context(), h, u.Key)
	if err != nil || f.Size != 7 || f.Type != "image/jpeg" || f.ETag == "" || !f.Confirmed.Equal(noon) || f.Owner != "ticket:"+ticket("a") || f.Area != "photos" {
		t.Errorf("ConfirmUpload = %+v, %v, want the file as it is", f, err)
	}
	calls := len(s.s3.calls)
	if again, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); err != nil || again.ETag != f.ETag || len(s.s3.calls) != calls {
		t.Errorf("ConfirmUpload again = %+v, %v, want the same without asking the bucket", again, err)
	}
	if code, _, body := s.fetch("GET", s.link(h, u.Key).URL, nil, nil); code != 200 || body != "a photo" {
		t.Errorf("GET of the upload: %d %q", code, body)
	}
	if other := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"}); other.Key == u.Key {
		t.Errorf("StartUpload gave the key %q twice", other.Key)
	}
}

func TestFormTakesNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h, sum := viewer(admission("a", "castle")), checksum([]byte("a photo"))
	open := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	exact := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: 7, SHA256: sum})
	full := strings.Repeat("x", 1000)
	tests := []struct {
		name   string
		upload *objects.Upload
		file   string
		change map[string]string
		want   int
	}{
		{"as it is", open, "a photo", nil, 204},
		{"the largest", open, full, nil, 204},
		{"a byte more", open, full + "x", nil, 403},
		{"empty", open, "", nil, 403},
		{"another type", open, "a photo", map[string]string{"Content-Type": "text/html"}, 403},
		{"no type", open, "a photo", map[string]string{"Content-Type": ""}, 403},
		{"another key", open, "a photo", map[string]string{"key": "staff/list.csv"}, 403},
		{"a longer key", open, "a photo", map[string]string{"key": open.Key + "x"}, 403},
		{"an ACL", open, "a photo", map[string]string{"acl": "public-read"}, 403},
		{"a redirect", open, "a photo", map[string]string{"success_action_redirect": "https://evil.example.org"}, 403},
		{"another policy", open, "a photo", map[string]string{"policy": base64.StdEncoding.EncodeToString([]byte(`{"expiration":"2099-01-01T00:00:00.000Z","conditions":[]}`))}, 403},
		{"the other's policy", open, "a photo", map[string]string{"policy": exact.Fields["policy"]}, 403},
		{"announced", exact, "a photo", nil, 204},
		{"a byte less", exact, "a phot", nil, 403},
		{"another file of the size", exact, "b photo", nil, 400},
		{"another checksum", exact, "b photo", map[string]string{"x-amz-checksum-sha256": checksum([]byte("b photo"))}, 403},
		{"no checksum", exact, "b photo", map[string]string{"x-amz-checksum-sha256": ""}, 403},
	}
	for _, tt := range tests {
		if got := s.send(tt.upload, tt.file, tt.change); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	s.clock.set(open.Expires)
	if got := s.send(open, "a photo", nil); got != 403 {
		t.Errorf("POST when the permission is over: %d, want 403", got)
	}
}

func TestUploadByPut(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *objects.Options) { o.ACLs = true })
	s.vault.put(s.role("ROLE", noon.Add(time.Hour)), nil)
	h := viewer(admission("a", "castle"))
	request := objects.UploadRequest{Area: "guestbook", Type: "image/jpeg", Size: 7, SHA256: checksum([]byte("a photo")), Put: true, Public: true}
	u := s.start(h, request)
	other := s.start(h, request)
	if u.Method != "PUT" || u.Fields != nil || !strings.Contains(u.URL, "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match%3Bx-amz-acl%3Bx-amz-checksum-sha256&") {
		t.Errorf("StartUpload = %+v, want a PUT with all headers signed", u)
	}
	tests := []struct {
		name, url, file string
		change          map[string]string
		want            int
	}{
		{"another size", u.URL, "a photo!", map[string]string{"Content-Length": "8"}, 403},
		{"another type", u.URL, "a photo", map[string]string{"Content-Type": "text/html"}, 403},
		{"no type", u.URL, "a photo", map[string]string{"Content-Type": ""}, 403},
		{"no condition", u.URL, "a photo", map[string]string{"If-None-Match": ""}, 403},
		{"another checksum", u.URL, "b photo", map[string]string{"x-amz-checksum-sha256": checksum([]byte("b photo"))}, 403},
		{"no checksum", u.URL, "b photo", map[string]string{"x-amz-checksum-sha256": ""}, 403},
		{"another file", u.URL, "b photo", nil, 400},
		{"another ACL", u.URL, "a photo", map[string]string{"x-amz-acl": "public-read-write"}, 403},
		{"metadata", u.URL, "a photo", map[string]string{"x-amz-meta-x": "y"}, 403},
		{"the other's key", strings.Replace(u.URL, u.Key, other.Key, 1), "a photo", nil, 403},
		{"as it is", u.URL, "a photo", nil, 200},
		{"once more", u.URL, "a photo", nil, 412},
	}
	for _, tt := range tests {
		if got := s.put(tt.url, u, tt.file, tt.change); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if o, _ := s.stored(u.Key); o.acl != "public-read" || string(o.body) != "a photo" {
		t.Errorf("stored %+v, want the photo as public-read", o)
	}
	if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); err != nil {
		t.Errorf("ConfirmUpload = %v", err)
	}
	if l := s.link(objects.Holder{}, u.Key); l.Err != nil {
		t.Errorf("Links of a public file for nobody = %v, want a URL", l.Err)
	}
	s.clock.set(u.Expires)
	if got := s.put(other.URL, other, "a photo", nil); got != 403 {
		t.Errorf("PUT when the permission is over: %d, want 403", got)
	}
}

func TestPublicWithoutACLs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	form := s.start(h, objects.UploadRequest{Area: "guestbook", Type: "image/jpeg", Public: true})
	put := s.start(h, objects.UploadRequest{Area: "guestbook", Type: "image/jpeg", Public: true, Put: true, Size: 1})
	if form.Fields["acl"] != "" || put.Headers["x-amz-acl"] != "" {
		t.Errorf("StartUpload: acl %q and %q, want none at a bucket without ACLs", form.Fields["acl"], put.Headers["x-amz-acl"])
	}
}

func TestUploadEndsWithVisitAndCredentials(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := admission("a", "castle")
	a.Ends = noon.Add(2*time.Minute + 300*time.Millisecond)
	if u := s.start(viewer(a), objects.UploadRequest{Area: "photos", Type: "image/jpeg"}); !u.Expires.Equal(noon.Add(2 * time.Minute)) {
		t.Errorf("StartUpload: expires %v, want the end of the visit", u.Expires)
	}
	s.vault.put(s.role("ROLE", noon.Add(time.Minute)), nil)
	u := s.start(viewer(a), objects.UploadRequest{Area: "photos", Type: "image/jpeg", Put: true, Size: 1})
	if !u.Expires.Equal(noon.Add(time.Minute)) || !strings.Contains(u.URL, "X-Amz-Expires=60&") {
		t.Errorf("StartUpload: expires %v, want the end of the credentials", u.Expires)
	}
}

func TestStartUploadRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := viewer(admission("a", "castle"))
	both := viewer(admission("a", "castle", "tower"))
	tests := []struct {
		name  string
		h     objects.Holder
		r     objects.UploadRequest
		field string // of the RequestError; empty means ErrNotFound
	}{
		{"unknown area", a, objects.UploadRequest{Area: "nowhere", Type: "image/jpeg"}, ""},
		{"an area to read", a, objects.UploadRequest{Area: "press", Type: "image/jpeg"}, ""},
		{"an area of a role", a, objects.UploadRequest{Area: "staff", Type: "text/html"}, ""},
		{"another role", roles("staff"), objects.UploadRequest{Area: "staff", Type: "text/csv"}, ""},
		{"nobody", objects.Holder{}, objects.UploadRequest{Area: "photos", Type: "image/jpeg"}, ""},
		{"a dead admission", viewer(noAdmission("a")["revoked"]), objects.UploadRequest{Area: "photos", Type: "image/jpeg"}, ""},
		{"for somebody else", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Owner: "ticket:" + ticket("b")}, ""},
		{"elsewhere", a, objects.UploadRequest{Area: "guestbook", Type: "image/jpeg", Attraction: "tower"}, ""},
		{"one of several", both, objects.UploadRequest{Area: "guestbook", Type: "image/jpeg"}, "attraction"},
		{"type", a, objects.UploadRequest{Area: "photos", Type: "text/html"}, "content_type"},
		{"SVG is no image", a, objects.UploadRequest{Area: "photos", Type: "image/svg+xml"}, "content_type"},
		{"capitals", a, objects.UploadRequest{Area: "photos", Type: "Image/JPEG"}, "content_type"},
		{"parameters", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg; charset=x"}, "content_type"},
		{"a line", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg\r\nx: y"}, "content_type"},
		{"no type", a, objects.UploadRequest{Area: "photos"}, "content_type"},
		{"size", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: 1001}, "size"},
		{"negative", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: -1}, "size"},
		{"PUT of any size", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Put: true}, "size"},
		{"short hash", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", SHA256: "AAAA"}, "sha256"},
		{"no hash", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", SHA256: "?"}, "sha256"},
		{"name with a path", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Name: "../x"}, "name"},
		{"name with a line", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Name: "a\nb"}, "name"},
		{"long name", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Name: strings.Repeat("x", 201)}, "name"},
		{"public", a, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Public: true}, "public"},
		{"a desk for nobody", roles("photo-desk"), objects.UploadRequest{Area: "photos", Type: "image/jpeg"}, "owner"},
		{"a desk for a path", roles("photo-desk"), objects.UploadRequest{Area: "photos", Type: "image/jpeg", Owner: "ticket:../x"}, "owner"},
		{"a desk for a device", roles("photo-desk"), objects.UploadRequest{Area: "photos", Type: "image/jpeg", Owner: "device:x"}, "owner"},
	}
	for _, tt := range tests {
		u, err := s.desk.StartUpload(t.Context(), tt.h, tt.r)
		var request *objects.RequestError
		if tt.field == "" && err != objects.ErrNotFound || tt.field != "" && (!errors.As(err, &request) || request.Field != tt.field) {
			t.Errorf("%s: StartUpload = %+v, %v, want an error of %q", tt.name, u, err, tt.field)
		}
	}
	if files, err := s.book.UnconfirmedFiles(t.Context(), noon.Add(24*time.Hour), 10); err != nil || len(files) > 0 {
		t.Errorf("refused uploads are in the index: %+v, %v", files, err)
	}
}

func TestUploadForSomebodyElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	desk := roles("photo-desk")
	u := s.start(desk, objects.UploadRequest{Area: "photos", Type: "image/png", Owner: "ticket:" + ticket("a")})
	if !strings.HasPrefix(u.Key, "photos/"+ticket("a")+"/") || s.send(u, "x", nil) != 204 {
		t.Fatalf("StartUpload: key %q, want one of ticket a", u.Key)
	}
	if _, err := s.desk.ConfirmUpload(t.Context(), viewer(admission("b", "castle")), u.Key); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("ConfirmUpload by another = %v, want ErrNotFound", err)
	}
	if _, err := s.desk.ConfirmUpload(t.Context(), desk, u.Key); err != nil {
		t.Errorf("ConfirmUpload by the desk = %v", err)
	}
	receipt := s.start(desk, objects.UploadRequest{Area: "receipts", Type: "application/pdf", Owner: "admission:ADMa"})
	s.send(receipt, "pdf", nil)
	if _, err := s.desk.ConfirmUpload(t.Context(), desk, receipt.Key); err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]error{"a": nil, "b": objects.ErrNotFound} {
		if l := s.link(viewer(admission(code, "castle")), receipt.Key); l.Err != want {
			t.Errorf("Links of the receipt for %s = %v, want %v", code, l.Err, want)
		}
	}
	own := s.start(desk, objects.UploadRequest{Area: "staff", Type: "text/csv"})
	if files, err := s.book.Files(t.Context(), []string{own.Key}); err != nil || len(files) != 1 || files[0].Owner != "token:desk-1" {
		t.Errorf("index of an upload by a desk for itself: %+v, %v, want token:desk-1", files, err)
	}
}

func TestConfirmUploadMismatch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	sum := checksum([]byte("a photo"))
	for name, o := range map[string]object{
		"too large":        {body: []byte("a photo!"), kind: "image/jpeg", sum: sum},
		"empty":            {kind: "image/jpeg", sum: sum},
		"another type":     {body: []byte("a photo"), kind: "text/html", sum: sum},
		"another checksum": {body: []byte("b photo"), kind: "image/jpeg", sum: checksum([]byte("b photo"))},
		"none, and read":   {body: []byte("b photo"), kind: "image/jpeg"},
	} {
		u := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: 7, SHA256: sum})
		s.s3.mu.Lock()
		s.s3.objects[u.Key] = o
		s.s3.mu.Unlock()
		if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); !errors.Is(err, objects.ErrMismatch) {
			t.Errorf("%s: ConfirmUpload = %v, want ErrMismatch", name, err)
		}
		if _, there := s.stored(u.Key); there {
			t.Errorf("%s: the object is still there", name)
		}
		if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("%s: ConfirmUpload again = %v, want ErrNotFound", name, err)
		}
	}
}

// A PUT is not bound to have no Content-Encoding: what a browser would unpack is
// not what was announced.
func TestConfirmUploadPacked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	u := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: 7, SHA256: checksum([]byte("a photo")), Put: true})
	if got := s.put(u.URL, u, "a photo", map[string]string{"Content-Encoding": "gzip"}); got != 200 {
		t.Fatalf("PUT with a Content-Encoding: %d, want 200: S3 cannot be told to refuse it", got)
	}
	if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); !errors.Is(err, objects.ErrMismatch) {
		t.Errorf("ConfirmUpload = %v, want ErrMismatch", err)
	}
	if _, there := s.stored(u.Key); there {
		t.Error("the object is still there")
	}
}

// A permission outlives its file: what is sent once more, after the file was
// deleted, opens for nobody and does not stay.
func TestDeletedFileSentAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		delete func(s *site, h objects.Holder, u *objects.Upload) error
	}{
		{"removed", func(s *site, h objects.Holder, u *objects.Upload) error {
			if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); err != nil {
				return err
			}
			return s.desk.Remove(t.Context(), h, u.Key)
		}},
		{"not as announced", func(s *site, h objects.Holder, u *objects.Upload) error {
			s.store(u.Key, "text/html", "a page")
			if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); !errors.Is(err, objects.ErrMismatch) {
				return err
			}
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			h := viewer(admission("a", "castle"))
			u := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
			s.send(u, "a photo", nil)
			if err := tt.delete(s, h, u); err != nil {
				t.Fatalf("deleting = %v", err)
			}
			if got := s.send(u, "b photo", nil); got != 204 {
				t.Fatalf("POST of the form once more: %d, want 204", got)
			}
			for name, h := range map[string]objects.Holder{"the sender": h, "the staff": roles("staff")} {
				if l := s.link(h, u.Key); !errors.Is(l.Err, objects.ErrNotFound) {
					t.Errorf("Links for %s = %+v, want ErrNotFound", name, l)
				}
			}
			if _, err := s.desk.ConfirmUpload(t.Context(), h, u.Key); !errors.Is(err, objects.ErrNotFound) {
				t.Errorf("ConfirmUpload = %v, want ErrNotFound", err)
			}
			if files, _, err := s.desk.List(t.Context(), h, "photos", "", 0); err != nil || len(files) > 0 {
				t.Errorf("List = %+v, %v, want nothing", files, err)
			}
			s.clock.set(u.Confirm.Add(time.Minute + time.Second))
			if n, err := s.desk.Sweep(t.Context()); n != 1 || err != nil {
				t.Errorf("Sweep = %d, %v, want 1", n, err)
			}
			if _, there := s.stored(u.Key); there {
				t.Error("the object is still there")
			}
		})
	}
}

func TestConfirmUploadWhenTheBucketFails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	u := s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	for _, status := range []int{403, 500, 503} {
		s.s3.fail = status
		_, err := s.desk.ConfirmUpload(t.Context(), h, u.Key)
		if err == nil || errors.Is(err, objects.ErrNotUploaded) || errors.Is(err, objects.ErrMismatch) || errors.Is(err, objects.ErrNotFound) {
			t.Errorf("ConfirmUpload at %d = %v, want that nobody knows", status, err)
		}
	}
	s.s3.fail = 0
	s.clock.set(u.Confirm)
	a := admission("a", "castle")
	a.Ends, a.Entitlements[0].Until = noon.Add(3*time.Hour), noon.Add(3*time.Hour)
	if _, err := s.desk.ConfirmUpload(t.Context(), viewer(a), u.Key); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("ConfirmUpload after its end = %v, want ErrNotFound", err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := viewer(admission("a", "castle"))
	start := func() *objects.Upload { return s.start(h, objects.UploadRequest{Area: "photos", Type: "image/jpeg"}) }
	never, late, good := start(), start(), start()
	s.send(late, "late", nil)
	s.send(good, "good", nil)
	if _, err := s.desk.ConfirmUpload(t.Context(), h, good.Key); err != nil {
		t.Fatal(err)
	}
	s.clock.set(noon.Add(time.Hour + time.Minute))
	young := noon.Add(30 * time.Minute)
	if err := s.book.AddFile(t.Context(), book.File{Key: "photos/young", Owner: "token:x", Area: "photos", Added: young, Expires: young.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.desk.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("Sweep in the minute of grace = %d, %v, want 0", n, err)
	}
	s.clock.add(time.Second)
	s.s3.fail = 500
	if n, err := s.desk.Sweep(t.Context()); n != 0 || err == nil {
		t.Errorf("Sweep while the bucket fails = %d, %v, want an error", n, err)
	}
	s.s3.fail = 0
	if n, err := s.desk.Sweep(t.Context()); n != 2 || err != nil {
		t.Errorf("Sweep = %d, %v, want 2", n, err)
	}
	if n, err := s.desk.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("Sweep again = %d, %v, want 0", n, err)
	}
	if _, there := s.stored(late.Key); there {
		t.Error("the object that was never confirmed is still there")
	}
	if _, there := s.stored(good.Key); !there {
		t.Error("a confirmed object is gone")
	}
	files, err := s.book.Files(t.Context(), []string{never.Key, late.Key, good.Key, "photos/young"})
	if err != nil || len(files) != 2 {
		t.Errorf("index after Sweep: %+v, %v, want the confirmed and the young one", files, err)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := "guestbook/castle/a.jpg"
	s.index(book.File{Key: key, Owner: "ticket:" + ticket("a"), Area: "guestbook", Type: "image/jpeg"})
	a, b := viewer(admission("a", "castle")), viewer(admission("b", "castle"))
	for name, h := range map[string]objects.Holder{"nobody": {}, "another visitor": b, "a role": roles("staff"), "the owner elsewhere": viewer(admission("a", "tower"))} {
		if err := s.desk.Remove(t.Context(), h, key); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("Remove by %s = %v, want ErrNotFound", name, err)
		}
	}
	s.s3.fail = http.StatusInternalServerError
	if err := s.desk.Remove(t.Context(), a, key); err == nil || errors.Is(err, objects.ErrNotFound) {
		t.Errorf("Remove while the bucket fails = %v, want that nobody knows", err)
	}
	s.s3.fail = 0
	if err := s.desk.Remove(t.Context(), a, key); err != nil {
		t.Errorf("Remove by the owner = %v", err)
	}
	if _, there := s.stored(key); there {
		t.Error("the object is still there")
	}
	if err := s.desk.Remove(t.Context(), a, key); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("Remove again = %v, want ErrNotFound", err)
	}
	var request *objects.RequestError
	if err := s.desk.Remove(t.Context(), a, "../x"); !errors.As(err, &request) {
		t.Errorf("Remove(../x) = %v, want a *RequestError", err)
	}
}

func TestStartUploadNeedsTheIndex(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	broken := &noIndex{index: s.book, err: book.ErrDuplicate}
	desk, err := objects.New(s.client, "private", broken, rules(), objects.Options{Identify: identify, Now: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	u, err := desk.StartUpload(t.Context(), viewer(admission("a", "castle")), objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
	if u != nil || !errors.Is(err, book.ErrDuplicate) {
		t.Errorf("StartUpload without an index = %+v, %v, want its error and no permission", u, err)
	}
}

// noIndex takes no files.
type noIndex struct {
	index
	err error
}

func (n *noIndex) AddFile(context.Context, book.File) error { return n.err }
