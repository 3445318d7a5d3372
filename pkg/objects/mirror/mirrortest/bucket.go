// Package mirrortest is a small S3 for tests: one bucket in memory, behind HTTP
// in path style, as far as package mirror asks for it. It checks SHA-256 as S3
// does, answers in short pages, and can be told to fail.
package mirrortest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Object is what the bucket has under a key.
type Object struct {
	Body     []byte
	Type     string
	Cache    string
	Sum      string // SHA-256 as S3 says it: in base64, for parts with "-" and their number; empty means that none was sent
	Metadata http.Header
}

// A Bucket answers as S3 does for one bucket, whatever its name. The zero value
// is empty. It is safe for concurrent use; its fields are set before.
type Bucket struct {
	// Fail looks at each request before it counts. A status other than 0 is
	// the answer, with an S3 error code; -1 breaks the connection.
	Fail func(r *http.Request) (status int, code string)
	// NoChecksums makes it a store that keeps no checksums.
	NoChecksums bool
	// WrongChecksum makes it a store that says others.
	WrongChecksum bool

	mu      sync.Mutex
	objects map[string]Object
	uploads map[string]*upload // by id
	begun   int                // uploads so far
	log     []string
}

// page is how many things stand in an answer.
const page = 2

// Objects returns a copy of what the bucket has, by key.
func (b *Bucket) Objects() map[string]Object {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.objects)
}

// Put puts an object there as another program would, without a checksum.
func (b *Bucket) Put(key string, o Object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(key, o)
}

func (b *Bucket) set(key string, o Object) {
	if b.objects == nil {
		b.objects = map[string]Object{}
	}
	b.objects[key] = o
}

// Log returns what changed the bucket since it was asked last, like
// "PUT castle/a.m4a", in order.
func (b *Bucket) Log() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	log := b.log
	b.log = nil
	return log
}

// Uploads returns how many uploads in parts are under way.
func (b *Bucket) Uploads() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.uploads)
}

func (b *Bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the connection is gone
	}
	if b.Fail != nil {
		switch status, code := b.Fail(r); {
		case status < 0:
			panic(http.ErrAbortHandler)
		case status > 0:
			refuse(w, status, code)
			return
		}
	}
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if r.Header.Get("Authorization") == "" {
		refuse(w, http.StatusForbidden, "AccessDenied")
		return
	}
	if code := check(r, body); code != "" {
		refuse(w, http.StatusBadRequest, code)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.route(w, r, key, body)
}

func (b *Bucket) route(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	query := r.URL.Query()
	switch id := query.Get("uploadId"); {
	case r.Method == http.MethodGet && query.Get("list-type") == "2":
		b.list(w, query.Get("prefix"), query.Get("continuation-token"))
	case r.Method == http.MethodGet && query.Has("uploads"):
		b.listUploads(w, query.Get("prefix"))
	case r.Method == http.MethodPost && query.Has("uploads"):
		b.create(w, r, key)
	case id != "" && (b.uploads[id] == nil || b.uploads[id].key != key):
		refuse(w, http.StatusNotFound, "NoSuchUpload")
	case id != "" && r.Method == http.MethodPut:
		b.putPart(w, id, query.Get("partNumber"), body)
	case id != "" && r.Method == http.MethodGet:
		b.listParts(w, id, query.Get("part-number-marker"))
	case id != "" && r.Method == http.MethodPost:
		b.complete(w, id, body)
	case r.Method == http.MethodPut:
		b.put(w, r, key, body)
	case r.Method == http.MethodHead:
		b.head(w, r, key)
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		b.log = append(b.log, "DELETE "+key)
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	}
}

// check returns the error code for a body that is not what its headers say.
func check(r *http.Request, body []byte) (code string) {
	raw := sha256.Sum256(body)
	if want := r.Header.Get("X-Amz-Checksum-Sha256"); want != "" && want != base64.StdEncoding.EncodeToString(raw[:]) {
		return "BadDigest"
	}
	if want := r.Header.Get("X-Amz-Content-Sha256"); len(want) == 64 && want != hex.EncodeToString(raw[:]) {
		return "XAmzContentSHA256Mismatch"
	}
	return ""
}

func (b *Bucket) put(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	o := Object{Body: body, Type: r.Header.Get("Content-Type"), Cache: r.Header.Get("Cache-Control"),
		Sum: r.Header.Get("X-Amz-Checksum-Sha256"), Metadata: metadata(r.Header)}
	b.set(key, o)
	b.log = append(b.log, "PUT "+key)
	b.say(w.Header(), o.Sum)
	w.Header().Set("Etag", etag(body))
}

func (b *Bucket) head(w http.ResponseWriter, r *http.Request, key string) {
	o, ok := b.objects[key]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	h := w.Header()
	maps.Copy(h, o.Metadata)
	h.Set("Content-Length", fmt.Sprint(len(o.Body)))
	h.Set("Content-Type", o.Type)
	h.Set("Cache-Control", o.Cache)
	h.Set("Etag", etag(o.Body))
	if r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
		b.say(h, o.Sum)
	}
}

// say puts a checksum into an answer.
func (b *Bucket) say(h http.Header, sum string) {
	switch {
	case b.NoChecksums || sum == "":
	case b.WrongChecksum:
		h.Set("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(make([]byte, sha256.Size)))
	default:
		h.Set("X-Amz-Checksum-Sha256", sum)
	}
}

func metadata(h http.Header) http.Header {
	found := http.Header{}
	for name, values := range h {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			found[name] = values
		}
	}
	return found
}

func etag(body []byte) string {
	raw := sha256.Sum256(body)
	return `"` + hex.EncodeToString(raw[:8]) + `"`
}

type listing struct {
	XMLName     xml.Name `xml:"ListBucketResult"`
	IsTruncated bool
	Next        string `xml:"NextContinuationToken,omitempty"`
	Contents    []entry
}

type entry struct {
	Key  string
	Size int
}

func (b *Bucket) list(w http.ResponseWriter, prefix, after string) {
	var l listing
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if !strings.HasPrefix(key, prefix) || key <= after {
			continue
		}
		if len(l.Contents) == page {
			l.IsTruncated, l.Next = true, l.Contents[page-1].Key
			break
		}
		l.Contents = append(l.Contents, entry{key, len(b.objects[key].Body)})
	}
	answer(w, l)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}{Code: code, Message: "as the test wants it"})
}

// began is when the first upload was begun; each is a second later than the one
// before.
var began = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
