package objects_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/objects"
)

// A stream answers for the store with what an object says of itself.
type stream struct {
	status int
	kind   string
	err    error
	asked  []string
}

func (s *stream) ServeObject(w http.ResponseWriter, _ *http.Request, key string) error {
	s.asked = append(s.asked, key)
	if s.err != nil {
		return s.err
	}
	w.Header().Set("Content-Type", s.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000")
	if s.status != http.StatusOK {
		w.WriteHeader(s.status)
	}
	_, _ = w.Write([]byte("body"))
	return nil
}

func TestServe(t *testing.T) {
	t.Parallel()
	st := &stream{status: 200, kind: "text/html"}
	s := newSite(t, func(o *objects.Options) { o.Stream = st })
	s.index(book.File{Key: "receipts/a.pdf", Owner: "ticket:" + ticket("a"), Area: "receipts", Name: "Quittung ü.jpg", Type: "image/jpeg"})
	serve := func(h objects.Holder, key string) (*httptest.ResponseRecorder, error) {
		w := httptest.NewRecorder()
		return w, s.desk.Serve(w, httptest.NewRequest("GET", "/", nil), h, key)
	}
	a := viewer(admission("a", "castle"))
	for _, status := range []int{200, 206} {
		st.status = status
		w, err := serve(a, "receipts/a.pdf")
		if err != nil || w.Code != status || w.Body.String() != "body" {
			t.Fatalf("Serve = %v, %d %q, want %d", err, w.Code, w.Body, status)
		}
		for name, want := range map[string]string{
			"Content-Type": "image/jpeg", "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": `inline; filename="Quittung _.jpg"; filename*=UTF-8''Quittung%20%C3%BC.jpg`,
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("Serve with %d: %s: %s, want %s", status, name, got, want)
			}
		}
	}
	st.kind = "multipart/byteranges; boundary=x"
	if w, _ := serve(a, "receipts/a.pdf"); w.Header().Get("Content-Type") != st.kind {
		t.Errorf("Serve of two ranges: Content-Type %q, want %q", w.Header().Get("Content-Type"), st.kind)
	}
	st.status, st.kind = 416, "text/plain"
	if w, _ := serve(a, "receipts/a.pdf"); w.Code != 416 || w.Header().Get("Content-Type") != "text/plain" || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("Serve of no range: %d with %v, want a 416 in plain text", w.Code, w.Header())
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	st := &stream{status: 200}
	s := newSite(t, func(o *objects.Options) { o.Stream = st })
	down := errors.New("the store is down")
	for _, tt := range []struct {
		name, key string
		err, want error
	}{
		{"closed", "staff/x", nil, objects.ErrNotFound},
		{"absent", "press/x", fmt.Errorf("no object: %w", fs.ErrNotExist), objects.ErrNotFound},
		{"broken", "press/x", down, down},
	} {
		st.err, st.asked = tt.err, nil
		w := httptest.NewRecorder()
		err := s.desk.Serve(w, httptest.NewRequest("GET", "/", nil), objects.Holder{}, tt.key)
		if !errors.Is(err, tt.want) || len(w.Header()) > 0 || w.Body.Len() > 0 {
			t.Errorf("%s: Serve = %v with headers %v, want %v and nothing written", tt.name, err, w.Header(), tt.want)
		}
		if tt.err == nil && st.asked != nil {
			t.Errorf("%s: the store was asked for %q", tt.name, st.asked)
		}
	}
	var request *objects.RequestError
	if err := s.desk.Serve(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), roles("staff"), "staff/../x"); !errors.As(err, &request) {
		t.Errorf("Serve(staff/../x) = %v, want a *RequestError", err)
	}
	if err := newSite(t).desk.Serve(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), objects.Holder{}, "press/x"); err == nil {
		t.Error("Serve without a store = nil, want an error")
	}
}
