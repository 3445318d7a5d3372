package s3_test

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

type uploadReply struct {
	Key, Method, URL string
	Fields           map[string]string
}

// upload sends a file as a visitor does, and returns its key.
func (g *gateway) upload(t *testing.T, session string, file []byte) (key string) {
	t.Helper()
	var u uploadReply
	g.call(t, http.StatusOK, session, "POST /v1/uploads", map[string]any{"area": "photos", "content_type": "image/jpeg", "name": "Ada.jpg", "size": len(file), "sha256": sum(file)}, &u)
	g.call(t, http.StatusConflict, session, "POST /v1/uploads/confirm", map[string]string{"key": u.Key}, nil)
	if r := sendForm(t, g.http, u.URL, u.Fields, file); r.status != http.StatusNoContent {
		t.Fatalf("the form = %v, want 204", r)
	}
	g.call(t, http.StatusOK, session, "POST /v1/uploads/confirm", map[string]string{"key": u.Key}, nil)
	return u.Key
}

// A visitor's photo, through the API: sent, confirmed, listed, linked, streamed,
// and removed.
func TestGateway(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	g := s.newGateway(t, setup{})
	ada, bob := g.admit(t, "CASTLE-ADA-7Q4M-2XKD"), g.admit(t, "CASTLE-BOB-3K6Z-8MDF")
	key := g.upload(t, ada, picture)
	object := "/v1/objects/" + key

	var list struct{ Objects []struct{ Key, URL string } }
	g.call(t, http.StatusOK, ada, "GET /v1/objects?area=photos&include=urls", nil, &list)
	if len(list.Objects) != 1 || list.Objects[0].Key != key {
		t.Fatalf("the list is %+v, want %s alone", list, key)
	}
	for _, address := range []string{list.Objects[0].URL, g.urls(t, ada, key)[0], g.urls(t, g.desk, key)[0]} {
		if r := ask(t, g.http, http.MethodGet, address, nil); r.status != 200 || !bytes.Equal(r.body, picture) {
			t.Errorf("GET %s = %v, want the photo", short(address), r)
		}
	}
	g.ranges(t, ada, object)
	g.sameAnswers(t, ada, bob, key)

	address := g.urls(t, ada, key)[0]
	g.call(t, http.StatusNotFound, bob, "DELETE "+object, nil, nil)
	g.call(t, http.StatusNoContent, ada, "DELETE "+object, nil, nil)
	if r := ask(t, g.http, http.MethodGet, address, nil); r.status != 404 {
		t.Errorf("GET the URL of what was removed = %v, want 404", r)
	}
	g.call(t, http.StatusNotFound, ada, "GET "+object, nil, nil)
	if left := s.list(t); len(left) != 0 {
		t.Errorf("there are still %v, want nothing", left)
	}
	if strings.Contains(g.log.tail(1<<20), "X-Amz-Signature") {
		t.Error("the log has a presigned URL in it")
	}
}

// ranges asks for parts of the picture, with conditions.
func (g *gateway) ranges(t *testing.T, session, path string) {
	t.Helper()
	get := func(method string, headers ...string) *reply {
		return ask(t, g.http, method, g.address+path, nil, append(headers, "Authorization: Bearer "+session)...)
	}
	whole := get(http.MethodGet)
	etag, modified, size := whole.header.Get("Etag"), whole.header.Get("Last-Modified"), len(picture)
	if etag == "" || modified == "" || !bytes.Equal(whole.body, picture) {
		t.Fatalf("GET %s = %v, ETag %q, Last-Modified %q, want all of the photo", path, whole, etag, modified)
	}
	for name, want := range map[string]string{"Content-Type": "image/jpeg", "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes",
		"X-Content-Type-Options": "nosniff", "Content-Disposition": `inline; filename="Ada.jpg"`, "Content-Length": fmt.Sprint(size)} {
		if got := whole.header.Get(name); got != want {
			t.Errorf("GET %s: %s: %q, want %q", path, name, got, want)
		}
	}
	for name := range whole.header {
		if strings.HasPrefix(name, "X-Amz-") || name == "Server" || name == "Set-Cookie" {
			t.Errorf("GET %s: a header of the server: %s", path, name)
		}
	}
	for _, tt := range []struct {
		method  string
		headers []string
		status  int
		span    string // Content-Range
		body    []byte
	}{
		{"GET", []string{"Range: bytes=0-0"}, 206, fmt.Sprintf("bytes 0-0/%d", size), picture[:1]},
		{"GET", []string{"Range: bytes=100-199"}, 206, fmt.Sprintf("bytes 100-199/%d", size), picture[100:200]},
		{"GET", []string{"Range: bytes=100-"}, 206, fmt.Sprintf("bytes 100-%d/%d", size-1, size), picture[100:]},
		{"GET", []string{"Range: bytes=-100"}, 206, fmt.Sprintf("bytes %d-%d/%d", size-100, size-1, size), picture[size-100:]},
		{"GET", []string{"Range: bytes=0-999999"}, 206, fmt.Sprintf("bytes 0-%d/%d", size-1, size), picture},
		{"GET", []string{fmt.Sprintf("Range: bytes=%d-", size)}, 416, fmt.Sprintf("bytes */%d", size), nil},
		{"GET", []string{"Range: bytes=5-9", "If-Range: " + etag}, 206, fmt.Sprintf("bytes 5-9/%d", size), picture[5:10]},
		{"GET", []string{"Range: bytes=5-9", `If-Range: "old"`}, 200, "", picture},
		{"GET", []string{"If-None-Match: " + etag}, 304, "", nil},
		{"GET", []string{`If-None-Match: "old"`}, 200, "", picture},
		{"GET", []string{"If-Modified-Since: " + modified}, 304, "", nil},
		{"GET", []string{`If-Match: "old"`}, 412, "", nil},
		{"GET", []string{"If-Match: " + etag}, 200, "", picture},
		{"HEAD", nil, 200, "", nil},
		{"HEAD", []string{"If-None-Match: " + etag}, 304, "", nil},
	} {
		r := get(tt.method, tt.headers...)
		if r.status != tt.status || r.header.Get("Content-Range") != tt.span || tt.status < 400 && !bytes.Equal(r.body, tt.body) || r.broken != nil {
			t.Errorf("%s %s with %q = %v, Content-Range %q (%v), want %d, %q, %d bytes", tt.method, path, tt.headers, r, r.header.Get("Content-Range"), r.broken, tt.status, tt.span, len(tt.body))
		}
	}
	if r := get(http.MethodHead); r.header.Get("Content-Length") != fmt.Sprint(size) || r.header.Get("Etag") != etag {
		t.Errorf("HEAD %s: length %q, ETag %q, want those of GET, %d, %q", path, r.header.Get("Content-Length"), r.header.Get("Etag"), size, etag)
	}
	several := get(http.MethodGet, "Range: bytes=0-9,100-109")
	if several.status != 206 || !strings.HasPrefix(several.header.Get("Content-Type"), "multipart/byteranges") || !bytes.Contains(several.body, picture[100:110]) {
		t.Errorf("GET two ranges = %v, %q, want 206 with both", several, several.header.Get("Content-Type"))
	}
	if r := ask(t, g.http, http.MethodGet, g.address+path+"?acl", nil, "Authorization: Bearer "+session); r.status != 400 {
		t.Errorf("GET %s?acl = %v, want 400", path, r)
	}
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodPatch} {
		if r := get(method); r.status != 405 {
			t.Errorf("%s %s = %v, want 405", method, path, r)
		}
	}
}

// What is different in every answer.
var (
	requestIDs = regexp.MustCompile(`"request_id":"[A-Z0-9]+"`)
	changing   = []string{"Date", "X-Request-Id"}
)

// sameAnswers asks for what is there and closed, and for what is not there.
func (g *gateway) sameAnswers(t *testing.T, ada, bob, key string) {
	t.Helper()
	folder := key[:strings.LastIndex(key, "/")]
	other := strings.Repeat("a", 26)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		var first string
		for _, tt := range []struct{ name, session, key string }{
			{"absent", ada, folder + "/" + other + ".jpg"},
			{"of somebody else", bob, key},
			{"absent, of somebody else", bob, folder + "/" + other + ".jpg"},
			{"of nobody", bob, "photos/" + other + "/a.jpg"},
			{"in no area", ada, "nowhere/a.jpg"},
			{"of the staff", ada, "staff/a.jpg"},
			{"of another role", g.office, key},
			{"absent, for the staff", g.desk, "staff/none.jpg"},
		} {
			r := ask(t, g.http, method, g.address+"/v1/objects/"+tt.key, nil, "Authorization: Bearer "+tt.session)
			for _, name := range changing {
				r.header.Del(name)
			}
			answer := fmt.Sprintf("%d %v %s", r.status, r.header, requestIDs.ReplaceAll(r.body, nil))
			if first == "" {
				first = answer
			}
			if r.status != 404 || answer != first {
				t.Errorf("%s a file %s =\n%s\nwant 404 and all the same as\n%s", method, tt.name, answer, first)
			}
		}
	}
}
