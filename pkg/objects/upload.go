package objects

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// An UploadRequest asks to upload one file.
type UploadRequest struct {
	Area   string // of the rule
	Name   string // what people call it; may be empty
	Type   string // content type, without parameters
	Size   int64  // in bytes; 0 means unknown, which only a form can bound
	SHA256 string // base64; empty means none
	Public bool
	Owner  string // for roles that upload for somebody else: "ticket:ID"; empty means the holder
	Put    bool   // wants a PUT with the exact Size instead of a form

	// Attraction is what stands for {attraction}. A viewer whose visits are open
	// at one only may leave it empty.
	Attraction string
}

// An Upload is how to send a file to the bucket.
type Upload struct {
	Key     string            // ours, never the caller's
	Method  string            // POST or PUT
	URL     string            //
	Fields  map[string]string // of the form, all before the file; for POST
	Headers map[string]string // to send as they are; for PUT
	Expires time.Time         // of the permission to send
	Confirm time.Time         // when an upload that was not confirmed is given up
	MaxSize int64             // in bytes
}

// StartUpload gives permission to send one file to the bucket, and notes in the
// index that it was asked for. It returns ErrNotFound for an area where the
// holder may not write, and a *RequestError for a file that the area does not
// take.
func (d *Desk) StartUpload(ctx context.Context, h Holder, r UploadRequest) (*Upload, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	now := d.opts.Now().Truncate(time.Second)
	a := d.area(r.Area)
	if a == nil {
		return nil, ErrNotFound
	}
	w, err := d.party(h, d.opts.Now()).writer(a, &r)
	if err != nil {
		return nil, err
	}
	if err := a.takes(&r); err != nil {
		return nil, err
	}
	f := book.File{
		Key: w.prefix + strings.ToLower(rand.Text()) + extensionOf(r.Type), Owner: w.owner, Area: a.Area,
		Name: r.Name, Type: r.Type, Size: r.Size, SHA256: r.SHA256, Public: r.Public,
		Added: now, Expires: now.Add(d.opts.Confirm),
	}
	if f.Size == 0 {
		f.Size = a.MaxSize
	}
	u, err := d.permit(ctx, &f, &r, w.until)
	if err != nil {
		return nil, err
	}
	if err := d.index.AddFile(ctx, f); err != nil {
		return nil, fmt.Errorf("note the upload: %w", err)
	}
	return u, nil
}

// takes returns a *RequestError if the area does not take such a file.
func (a *area) takes(r *UploadRequest) error {
	bad := func(field, format string, args ...any) error {
		return &RequestError{Field: field, Detail: fmt.Sprintf(format, args...)}
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(r.SHA256)
	switch {
	case !typeForm.MatchString(r.Type) || !isTaken(a.Types, r.Type):
		return bad("content_type", "%.80q, want one of %q", r.Type, a.Types)
	case r.Size < 0 || r.Size > a.MaxSize:
		return bad("size", "%d bytes, want 1 to %d", r.Size, a.MaxSize)
	case r.Put && r.Size == 0:
		return bad("size", "is needed for a PUT, which has exactly that")
	case r.SHA256 != "" && (err != nil || len(sum) != 32):
		return bad("sha256", "want the 32 bytes of a SHA-256 in base64")
	case cleanName(r.Name) != r.Name:
		return bad("name", "want at most %d bytes of UTF-8 without slashes, control characters, marks that nobody sees or that turn the direction of text, dots in front, and spaces at either end", maxName)
	case r.Public && !a.Public:
		return bad("public", "files of this area are private")
	}
	return nil
}

// permit signs the permission to send f, until a time at the latest; zero is
// without end.
func (d *Desk) permit(ctx context.Context, f *book.File, r *UploadRequest, until time.Time) (*Upload, error) {
	ends := f.Added.Add(d.opts.Sending)
	creds, err := d.purse.fresh(ctx, f.Added, ends)
	if err != nil {
		return nil, err
	}
	if creds.CanExpire {
		ends = earlier(ends, creds.Expires)
	}
	if !until.IsZero() {
		ends = earlier(ends, until)
	}
	ends = ends.Truncate(time.Second)
	if !ends.After(d.opts.Now()) { // the visit ends within this second
		return nil, ErrNotFound
	}
	u := &Upload{Key: f.Key, Expires: ends, Confirm: f.Expires, MaxSize: f.Size}
	if r.Put {
		u.Method, u.Headers = http.MethodPut, d.headers(f)
		u.URL, err = d.signer.presign(ctx, creds, order{method: u.Method, key: f.Key, header: httpHeader(u.Headers),
			length: f.Size, at: f.Added, life: ends.Sub(f.Added)})
		return u, err
	}
	u.Method, u.URL = http.MethodPost, d.signer.formURL()
	u.Fields, err = d.signer.form(creds, d.form(f, r.Size), f.Added, ends)
	return u, err
}

// headers are what a PUT is bound to. The length is one of them: browsers send
// it by themselves.
func (d *Desk) headers(f *book.File) map[string]string {
	h := map[string]string{
		"Content-Type":   f.Type,
		"Content-Length": strconv.FormatInt(f.Size, 10),
		"If-None-Match":  "*",
	}
	if f.SHA256 != "" {
		h["x-amz-checksum-sha256"] = f.SHA256
	}
	if f.Public && d.opts.ACLs {
		h["x-amz-acl"] = "public-read"
	}
	return h
}

func httpHeader(m map[string]string) http.Header {
	h := http.Header{}
	for k, v := range m {
		h.Set(k, v)
	}
	return h
}
