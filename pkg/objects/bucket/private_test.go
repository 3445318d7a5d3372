package bucket_test

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

// P-17: whatever was uploaded, it is shown as a picture or is a download.
func TestPrivate(t *testing.T) {
	evil := http.Header{"Content-Type": {"text/html"}, "Content-Disposition": {"inline"}, "Cache-Control": {"public, max-age=31536000"}}
	s := newStore(t, map[string]stored{"u1/page.html": {text: "<script>", header: evil}, "photo": {text: "0123456789", header: http.Header{"Content-Type": {"image/png"}}}})
	b := s.open(t, bucket.Options{Private: true})
	srv := serve(t, b)
	for _, tt := range []struct {
		method, target, header string
		status                 int
		disposition            string
	}{
		{"GET", "/u1/page.html", "", 200, `attachment; filename=page.html`},
		{"HEAD", "/u1/page.html", "", 200, `attachment; filename=page.html`},
		{"GET", "/photo", "", 200, `inline; filename=photo`},
		{"GET", "/photo", "Range: bytes=0-1", 206, `inline; filename=photo`},
		{"GET", "/photo", "Range: bytes=0-1,4-5", 206, `inline; filename=photo`},
		{"GET", "/photo", "Range: bytes=99-", 416, ``},
		{"GET", "/photo", "If-None-Match: *", 304, ``},
		{"GET", "/photo", "If-Match: \"x\"", 412, ``},
	} {
		got := ask(t, srv, tt.method, tt.target, tt.header)
		h := got.Header
		if got.StatusCode != tt.status || h.Get("Content-Disposition") != tt.disposition || h.Get("Cache-Control") != "private, no-cache" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
			t.Errorf("%s %s %s = %d %v, want %d %q and the headers of a private file", tt.method, tt.target, tt.header, got.StatusCode, h, tt.status, tt.disposition)
		}
	}
	named := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := b.ServeNamed(w, r, "photo", "Ausweis Müller.png"); err != nil {
			t.Error(err)
		}
	}))
	if got := ask(t, named, "GET", "/"); got.Header.Get("Content-Disposition") != `inline; filename*=utf-8''Ausweis%20M%C3%BCller.png` {
		t.Errorf("named: %v", got.Header)
	}
}

func TestDisposition(t *testing.T) {
	for kind, want := range map[string]string{
		"image/png": "inline", "IMAGE/JPEG": "inline", "image/avif": "inline", "audio/mp4": "inline", "video/mp4; codecs=x": "inline", "text/plain; charset=utf-8": "inline", "text/vtt": "inline",
		"image/svg+xml": "attachment", "Image/SVG+XML; charset=utf-8": "attachment", "text/html": "attachment", "text/xml": "attachment", "application/xhtml+xml": "attachment",
		"application/pdf": "attachment", "application/octet-stream": "attachment", "text/css": "attachment", "text/javascript": "attachment", "": "attachment", "nonsense": "attachment",
		"image/png, text/html": "attachment", "multipart/x-mixed-replace": "attachment", "message/rfc822": "attachment",
	} {
		if got := bucket.Disposition(kind, ""); got != want {
			t.Errorf("Disposition(%q) = %q, want %q", kind, got, want)
		}
	}
	for name, want := range map[string]string{
		"a.pdf": "a.pdf", `a"b;c=d.pdf`: `a"b;c=d.pdf`, "a\r\nSet-Cookie: x": "a__Set-Cookie: x", "../../etc/passwd": ".._.._etc_passwd", `C:\x`: "C:_x",
		"Größe 1.pdf": "Größe 1.pdf", "\xff.pdf": "_.pdf", "photo\u202egpj.exe": "photo_gpj.exe", "100%.pdf": "100%.pdf", "\x00": "_",
	} {
		got := bucket.Disposition("text/html", name)
		kind, params, err := mime.ParseMediaType(got)
		if err != nil || kind != "attachment" || params["filename"] != want || len(params) != 1 {
			t.Errorf("Disposition of %q = %q, which reads as %q, %v, want %q", name, got, params, err, want)
		}
		if strings.ContainsFunc(got, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("Disposition of %q = %q, want printable ASCII", name, got)
		}
	}
}

func FuzzDisposition(f *testing.F) {
	f.Add("image/png", "a.png")
	f.Add("text/html", "\"\\\r\n;\xff%")
	f.Fuzz(func(t *testing.T, kind, name string) {
		got := bucket.Disposition(kind, name)
		how, params, err := mime.ParseMediaType(got)
		if err != nil || how != "inline" && how != "attachment" || len(params) > 1 || strings.ContainsAny(got, "\r\n\x00") {
			t.Fatalf("Disposition(%q, %q) = %q, %v", kind, name, got, err)
		}
		if params["filename"] == "" && name != "" {
			t.Error(fmt.Errorf("Disposition(%q, %q) = %q lost the name", kind, name, got))
		}
	})
}
