package sqlite_test

import (
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/booktest"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	booktest.RunFiles(t, func(t *testing.T) book.Files { return fresh(t) })
}

// upload is a file that is not confirmed, and arrived is one that was seen.
func upload(key string) book.File {
	return book.File{Key: key, Owner: "ticket:A", Area: "photos", Size: 1 << 20, Added: noon, Expires: noon.Add(time.Hour)}
}

func arrived(key string) book.File {
	return book.File{Key: key, Type: "image/png", Size: 17, ETag: "e", Confirmed: noon}
}
