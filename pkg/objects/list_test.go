package objects_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/objects"
)

func TestList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var ofA, all []string
	for _, code := range []string{"a", "b"} {
		for i := range 5 {
			key := fmt.Sprintf("receipts/%d-%s.pdf", i, code)
			kind := []string{"ticket:" + ticket(code), "admission:ADM" + code}[i%2]
			s.index(book.File{Key: key, Owner: kind, Area: "receipts", Type: "application/pdf"})
			if all = append(all, key); code == "a" {
				ofA = append(ofA, key)
			}
		}
	}
	slices.Sort(all)
	if err := s.book.AddFile(t.Context(), book.File{Key: "receipts/2-waiting.pdf", Owner: "ticket:" + ticket("a"), Area: "receipts", Added: noon, Expires: noon.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		h    objects.Holder
		want []string
	}{
		"owner":             {viewer(admission("a", "castle")), ofA},
		"two tickets":       {viewer(admission("b", "castle"), admission("a", "castle")), all},
		"staff":             {roles("staff"), all},
		"a viewer of none":  {viewer(admission("c", "castle")), nil},
		"a token with none": {roles("other"), nil},
	} {
		for _, limit := range []int{1, 3, 4, 1000} {
			var got []string
			after := ""
			for {
				files, next, err := s.desk.List(t.Context(), tt.h, "receipts", after, limit)
				if err != nil || len(files) > limit {
					t.Fatalf("List for %s after %q = %d files, %v, want at most %d", name, after, len(files), err, limit)
				}
				for _, f := range files {
					got = append(got, f.Key)
				}
				if after = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("List for %s by %d = %q, want %q", name, limit, got, tt.want)
			}
		}
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, tt := range map[string]struct {
		h     objects.Holder
		area  string
		after string
		limit int
		want  string // field; empty means ErrNotFound
	}{
		"nobody":         {objects.Holder{}, "receipts", "", 10, ""},
		"no such area":   {roles("staff"), "nowhere", "", 10, ""},
		"area of a role": {viewer(admission("a", "castle")), "staff", "", 10, ""},
		"a dead visit":   {viewer(noAdmission("a")["ended"]), "receipts", "", 10, ""},
		"limit":          {roles("staff"), "staff", "", 1001, "limit"},
		"negative":       {roles("staff"), "staff", "", -1, "limit"},
		"cursor":         {roles("staff"), "staff", "../x", 10, "after"},
	} {
		_, _, err := s.desk.List(t.Context(), tt.h, tt.area, tt.after, tt.limit)
		var request *objects.RequestError
		if tt.want == "" && err != objects.ErrNotFound || tt.want != "" && (!errors.As(err, &request) || request.Field != tt.want) {
			t.Errorf("%s: List = %v, want an error of %q", name, err, tt.want)
		}
	}
	if files, next, err := s.desk.List(t.Context(), objects.Holder{}, "press", "", 0); len(files) > 0 || next != "" || err != nil {
		t.Errorf("List of an open area for nobody = %v, %q, %v, want nothing and no error", files, next, err)
	}
}
