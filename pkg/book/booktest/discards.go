package booktest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// discarded is what is left of a file.
func discarded(f book.File, expires time.Time) book.File {
	return book.File{Key: f.Key, Owner: f.Owner, Area: f.Area, Added: f.Added, Expires: expires}
}

func discardFile(t *testing.T, b book.Files, key string, expires time.Time) {
	t.Helper()
	if err := b.DiscardFile(t.Context(), key, expires); err != nil {
		t.Fatalf("DiscardFile(%q) = %v", key, err)
	}
}

// discardsFiles: what is discarded stays on record, waits to be deleted and is
// never confirmed again, whatever it was before.
func discardsFiles(t *testing.T, b book.Files) {
	waiting, there, other := file("photos/waiting"), file("photos/there"), file("photos/other")
	addFile(t, b, waiting, there, other)
	confirmFile(t, b, confirmed(there))
	for i, f := range []book.File{waiting, there, waiting} {
		end := noon.Add(time.Duration(i) * 40 * time.Minute)
		discardFile(t, b, f.Key, end)
		onFile(t, b, []string{f.Key}, discarded(f, end))
		if err := b.ConfirmFile(t.Context(), confirmed(f)); !errors.Is(err, book.ErrNoFile) {
			t.Errorf("ConfirmFile of a discarded file = %v, want ErrNoFile", err)
		}
		if err := b.AddFile(t.Context(), f); !errors.Is(err, book.ErrDuplicate) {
			t.Errorf("AddFile of a discarded file = %v, want ErrDuplicate", err)
		}
	}
	early, late := discarded(there, noon.Add(40*time.Minute)), discarded(waiting, noon.Add(80*time.Minute))
	got, err := b.UnconfirmedFiles(t.Context(), noon.Add(3*time.Hour), 10)
	if err != nil {
		t.Fatalf("UnconfirmedFiles = %v", err)
	}
	sameFiles(t, "UnconfirmedFiles", got, []book.File{early, other, late})
	for _, s := range shelves(t, b)[:2] {
		sameFiles(t, s.name, s.walk(t, 10, nil), []book.File{other, early, late})
	}
	for _, key := range []string{"photos/nothing", "", "photos/\xff", strings.Repeat("k", 5_000)} {
		if err := b.DiscardFile(t.Context(), key, noon); !errors.Is(err, book.ErrNoFile) {
			t.Errorf("DiscardFile(%.20q) = %v, want ErrNoFile", key, err)
		}
	}
	if err := b.DiscardFile(t.Context(), other.Key, time.Time{}); err == nil {
		t.Error("DiscardFile without an end succeeded")
	}
	onFile(t, b, []string{other.Key, "photos/nothing"}, other)
	removeFile(t, b, there.Key)
	removeFile(t, b, waiting.Key)
	onFile(t, b, []string{there.Key, waiting.Key})
	addFile(t, b, there)
	confirmFile(t, b, confirmed(there))
	onFile(t, b, []string{there.Key}, confirmed(there))
}

// discardsInACrowd: whoever is first, a file that was discarded is not confirmed.
func discardsInACrowd(t *testing.T, b book.Files) {
	f := file("photos/1")
	addFile(t, b, f)
	errs := make([]error, 16)
	together(len(errs), func(i int) {
		if i%4 == 0 {
			errs[i] = b.DiscardFile(t.Context(), f.Key, noon)
			return
		}
		if errs[i] = b.ConfirmFile(t.Context(), confirmed(f)); errors.Is(errs[i], book.ErrNoFile) {
			errs[i] = nil
		}
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("DiscardFile and ConfirmFile = %v", err)
	}
	onFile(t, b, []string{f.Key}, discarded(f, noon))
}
