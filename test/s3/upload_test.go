package s3_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/objects"
)

// A picture, and one that is another of the same size.
var (
	picture = bytes.Repeat([]byte("picture."), 4096)
	fake    = bytes.Repeat([]byte("forgery."), 4096)
)

// A form is bound to all that it says; what fits arrives and is confirmed.
func TestFormRefused(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	plain := objects.UploadRequest{Area: "photos", Type: "image/jpeg"}
	exact := objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: int64(len(picture))}
	summed := objects.UploadRequest{Area: "photos", Type: "image/jpeg", SHA256: sum(picture)}
	set := func(name, value string) func(map[string]string) {
		return func(f map[string]string) { f[name] = value }
	}
	for _, tt := range []struct {
		name   string
		asked  objects.UploadRequest
		change func(fields map[string]string)
		file   []byte
		want   string // a code in the answer
	}{
		{"a byte too large", plain, nil, make([]byte, 1<<20+1), "EntityTooLarge"},
		{"empty", plain, nil, nil, "EntityTooSmall"},
		{"larger than announced", exact, nil, append([]byte("x"), picture...), "EntityTooLarge"},
		{"smaller than announced", exact, nil, picture[1:], "EntityTooSmall"},
		{"another type", plain, set("Content-Type", "text/html"), picture, "AccessDenied"},
		{"no type", plain, func(f map[string]string) { delete(f, "Content-Type") }, picture, "AccessDenied"},
		{"another key", plain, set("key", "photos/desk/mine.jpg"), picture, "AccessDenied"},
		{"a key with the name of the file", plain, set("key", "photos/desk/${filename}"), picture, "AccessDenied"},
		{"an ACL", plain, set("acl", "public-read"), picture, "AccessDenied"},
		{"a redirect", plain, set("success_action_redirect", "https://example.org/"), picture, "AccessDenied"},
		{"another status", plain, set("success_action_status", "200"), picture, "AccessDenied"},
		{"metadata", plain, set("x-amz-meta-owner", "me"), picture, "AccessDenied"},
		{"another policy", plain, func(f map[string]string) { f["policy"] = wider(t, f["policy"]) }, picture, "SignatureDoesNotMatch"},
		{"no policy", plain, func(f map[string]string) { delete(f, "policy") }, picture, ""},
		{"another signature", plain, func(f map[string]string) { f["X-Amz-Signature"] = other(f["X-Amz-Signature"]) }, picture, "SignatureDoesNotMatch"},
		{"no signature", plain, func(f map[string]string) { delete(f, "X-Amz-Signature") }, picture, ""},
		{"another day", plain, func(f map[string]string) { f["X-Amz-Date"] = other(f["X-Amz-Date"]) }, picture, ""},
		{"other content than its SHA-256", summed, nil, fake, "BadDigest"},
		{"another SHA-256", summed, set("x-amz-checksum-sha256", sum(fake)), fake, "AccessDenied"},
		{"no SHA-256", summed, func(f map[string]string) { delete(f, "x-amz-checksum-sha256") }, fake, "AccessDenied"},
	} {
		u := s.start(t, tt.asked)
		fields := maps.Clone(u.Fields)
		if tt.change != nil {
			tt.change(fields)
		}
		r := sendForm(t, s.http, u.URL, fields, tt.file)
		if r.status < 400 || r.status > 499 || !strings.Contains(string(r.body), tt.want) {
			t.Errorf("a form with %s = %v, want %q", tt.name, r, tt.want)
		}
		s.absent(t, u, tt.name)
		if r := sendForm(t, s.http, u.URL, u.Fields, picture); r.status != http.StatusNoContent {
			t.Errorf("the form as it was given, after %s = %v, want 204", tt.name, r)
		}
		s.arrived(t, u, tt.asked)
	}
	if got := len(s.list(t)); got != 20 {
		t.Errorf("there are %d objects, want those of 20 good uploads", got)
	}
}

// wider returns a policy that takes files of any size.
func wider(t *testing.T, policy string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(policy)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "1048576", "9048576", 1)
	if changed == string(text) {
		t.Fatalf("no size in %s", text)
	}
	return base64.StdEncoding.EncodeToString([]byte(changed))
}

// absent fails the test if the server has the file, or it can be confirmed.
func (s *site) absent(t *testing.T, u *objects.Upload, what string) {
	t.Helper()
	if _, _, ok := s.get(t, u.Key); ok {
		t.Errorf("the server took an upload with %s", what)
	}
	if _, err := s.confirm(t.Context(), u); !errors.Is(err, objects.ErrNotUploaded) {
		t.Errorf("ConfirmUpload after %s: %v, want %v", what, err, objects.ErrNotUploaded)
	}
}

// arrived fails the test unless the picture is there as announced, is confirmed
// and opens from then on.
func (s *site) arrived(t *testing.T, u *objects.Upload, asked objects.UploadRequest) {
	t.Helper()
	links, err := s.Links(t.Context(), staff, []string{u.Key})
	if err != nil || !errors.Is(links[0].Err, objects.ErrNotFound) {
		t.Errorf("Links before the upload is confirmed: %v %+v, want %v", err, links, objects.ErrNotFound)
	}
	f, err := s.confirm(t.Context(), u)
	if err != nil || f.Size != int64(len(picture)) || f.Type != asked.Type || f.ETag == "" || f.Confirmed.IsZero() {
		t.Errorf("ConfirmUpload(%+v): %v %+v, want it confirmed", asked, err, f)
		return
	}
	if r := ask(t, s.http, http.MethodGet, s.link(t, u.Key), nil); r.status != 200 || !bytes.Equal(r.body, picture) || r.header.Get("Content-Type") != asked.Type {
		t.Errorf("GET the file = %v, type %q, want what was sent, %q", r, r.header.Get("Content-Type"), asked.Type)
	}
}

// A PUT is bound to all that it says, and works once.
func TestPutRefused(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	size := int64(len(picture))
	plain := objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: size, Put: true}
	summed := objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: size, Put: true, SHA256: sum(picture)}
	for _, tt := range []struct {
		name   string
		asked  objects.UploadRequest
		edit   func(address string) string
		change []string
		file   []byte
		want   string
	}{
		{"a byte more", plain, nil, nil, append([]byte("x"), picture...), "SignatureDoesNotMatch"},
		{"a byte less", plain, nil, nil, picture[1:], "SignatureDoesNotMatch"},
		{"nothing", plain, nil, nil, nil, "SignatureDoesNotMatch"},
		{"another type", plain, nil, []string{"Content-Type: text/html"}, picture, "SignatureDoesNotMatch"},
		{"no type", plain, nil, []string{"Content-Type: "}, picture, "SignatureDoesNotMatch"},
		{"no condition", plain, nil, []string{"If-None-Match: "}, picture, "SignatureDoesNotMatch"},
		{"another condition", plain, nil, []string{`If-None-Match: "x"`}, picture, "SignatureDoesNotMatch"},
		{"another key", plain, func(a string) string { return strings.Replace(a, "/desk/", "/desk/x", 1) }, nil, picture, "SignatureDoesNotMatch"},
		{"a longer life", plain, func(a string) string { return strings.Replace(a, "X-Amz-Expires=600", "X-Amz-Expires=6000", 1) }, nil, picture, "SignatureDoesNotMatch"},
		{"other content than its SHA-256", summed, nil, nil, fake, "BadDigest"},
		{"another SHA-256", summed, nil, []string{"x-amz-checksum-sha256: " + sum(fake)}, fake, "SignatureDoesNotMatch"},
		{"no SHA-256", summed, nil, []string{"x-amz-checksum-sha256: "}, fake, "SignatureDoesNotMatch"},
	} {
		u := s.start(t, tt.asked)
		address := u.URL
		if tt.edit != nil {
			address = tt.edit(address)
		}
		r := sendPut(t, s.http, u, address, tt.file, tt.change...)
		if r.status < 400 || r.status > 499 || !strings.Contains(string(r.body), tt.want) {
			t.Errorf("a PUT with %s = %v, want %q", tt.name, r, tt.want)
		}
		s.absent(t, u, tt.name)
		if r := sendPut(t, s.http, u, u.URL, picture); r.status != http.StatusOK {
			t.Errorf("the PUT as it was given, after %s = %v, want 200", tt.name, r)
		}
		s.arrived(t, u, tt.asked)
		if r := sendPut(t, s.http, u, u.URL, picture); r.status != http.StatusPreconditionFailed {
			t.Errorf("the PUT again = %v, want 412", r)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete} {
		u := s.start(t, plain)
		if r := ask(t, s.http, method, u.URL, nil); r.status != http.StatusForbidden {
			t.Errorf("%s with the URL of a PUT = %v, want 403", method, r)
		}
	}
}

// A permission to send ends after ten minutes.
func TestUploadExpired(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	var form, put *objects.Upload
	s.at(time.Now().Add(-601*time.Second), func() {
		form = s.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg"})
		put = s.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: int64(len(picture)), Put: true})
	})
	if r := sendForm(t, s.http, form.URL, form.Fields, picture); r.status != 403 || !strings.Contains(string(r.body), "expired") {
		t.Errorf("a form after 601 s = %v, want 403 for a policy that is over", r)
	}
	if r := sendPut(t, s.http, put, put.URL, picture); r.status != 403 || !strings.Contains(string(r.body), "expired") {
		t.Errorf("a PUT after 601 s = %v, want 403 for a URL that is over", r)
	}
	s.absent(t, form, "a form that was over")
	s.absent(t, put, "a PUT that was over")
}

// A form can be sent again until it ends, as S3 has no condition for forms. With
// a SHA-256 that changes nothing; without, only what was announced can come.
func TestFormAgain(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	summed := s.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg", SHA256: sum(picture)})
	plain := s.start(t, objects.UploadRequest{Area: "photos", Type: "image/jpeg", Size: int64(len(picture))})
	for _, u := range []*objects.Upload{summed, plain} {
		if r := sendForm(t, s.http, u.URL, u.Fields, picture); r.status != http.StatusNoContent {
			t.Fatalf("the form = %v, want 204", r)
		}
		s.arrived(t, u, objects.UploadRequest{Type: "image/jpeg"})
	}
	if r := sendForm(t, s.http, summed.URL, summed.Fields, fake); r.status != 400 || !strings.Contains(string(r.body), "BadDigest") {
		t.Errorf("the form again with a forgery = %v, want that the SHA-256 is another", r)
	}
	if body, _, _ := s.get(t, summed.Key); !bytes.Equal(body, picture) {
		t.Errorf("the file is %.20q..., want the one that was confirmed", body)
	}
	if r := sendForm(t, s.http, plain.URL, plain.Fields, append(fake, 'x')); r.status != 400 {
		t.Errorf("the form again with another size = %v, want 400", r)
	}
	if r := sendForm(t, s.http, plain.URL, plain.Fields, fake); r.status != http.StatusNoContent {
		t.Errorf("the form again, as docs/objects.md warns = %v; if servers refuse that now, say so there", r)
	}
}
