package book

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A File is what the index knows of a private file: whose it is and what it is
// called. The file itself is in a bucket. A book keeps its times to the
// microsecond at least, rounded down.
type File struct {
	Key       string    // in the bucket; 1 to 1,024 bytes of UTF-8
	Owner     string    // whose it is, such as "ticket:" with an opaque id; 1 to 256 bytes
	Area      string    // of the rules, under which it was uploaded: a slug
	Name      string    // what people call it, at most 1,024 bytes; may be empty
	Type      string    // its content type, at most 256 bytes
	Size      int64     // in bytes; of one that is not confirmed, the most that it may have, 0 if it was discarded
	SHA256    string    // in base64, as it was announced; empty means that it was not
	ETag      string    // as the store gave it, at most 256 bytes; empty before it is confirmed
	Public    bool      // anybody may read it
	Added     time.Time // when its upload was asked for
	Confirmed time.Time // when it was seen in the bucket; zero means not yet
	Expires   time.Time // when an upload that is not confirmed is given up
}

// Discarded reports whether f stands for a file that was deleted or is to be: an
// upload that is waited for has a size.
func (f *File) Discarded() bool { return f.Confirmed.IsZero() && f.Size == 0 }

// Discard makes f what DiscardFile leaves of it.
func (f *File) Discard(expires time.Time) {
	*f = File{Key: f.Key, Owner: f.Owner, Area: f.Area, Added: f.Added, Expires: expires}
}

// Files is an index of files. Every method is atomic and safe for concurrent
// use; what changes it is durable before it returns without an error. Keys are
// in the order of their bytes. A list of a million files may be read while it
// changes: what is on record all the time is on exactly one page.
type Files interface {
	// AddFile notes an upload that was asked for. It returns ErrDuplicate for a
	// key that is on record, and an error for a file that File.Check refuses.
	AddFile(ctx context.Context, f File) error
	// ConfirmFile notes that the file was seen as it is said to be: its size,
	// type, ETag and time of confirmation come from f, and nothing else. One that
	// is confirmed already stays as it is and is no error. It returns ErrNoFile
	// for a key that is not on record, and for a file that was discarded.
	ConfirmFile(ctx context.Context, f File) error
	// DiscardFile notes that a file is to be deleted: from then on it is neither
	// confirmed nor can it be, see File.Discarded. Its key, owner, area and time of
	// the upload stay on record until RemoveFile, its end is expires, and all else
	// is forgotten. A file that was discarded gets another end. It returns ErrNoFile
	// for a key that is not on record.
	DiscardFile(ctx context.Context, key string, expires time.Time) error
	// Files returns those of keys, at most MaxFiles, that are on record, each
	// once and in no order. What cannot be a key is not on record.
	Files(ctx context.Context, keys []string) ([]File, error)
	// FilesOf returns files of an owner in an area, by key, those after a key; an
	// empty area means all. Limit is 1 to MaxFiles. Fewer than that are returned
	// only if there are no more. An after that no file can have as its key is an
	// ErrCursor.
	FilesOf(ctx context.Context, owner, area, after string, limit int) ([]File, error)
	// FilesIn returns files of an area, of all owners, likewise. No file is in
	// the empty area.
	FilesIn(ctx context.Context, area, after string, limit int) ([]File, error)
	// UnconfirmedFiles returns files that are not confirmed and expired before a
	// time, at most limit of them, which is 1 to MaxFiles, those that expired
	// first before the others as far as the book can tell. One that was added or
	// confirmed a moment ago may be missing; one that is confirmed is never
	// returned. As it may be confirmed right after that, who removes them should
	// ask for those that expired a while ago, and nobody should confirm one that
	// has expired.
	UnconfirmedFiles(ctx context.Context, before time.Time, limit int) ([]File, error)
	// RemoveFile forgets a file. One that is not on record is no error. Its key
	// may be added again.
	RemoveFile(ctx context.Context, key string) error
}

// MaxFiles is how many keys Files takes, and how long a list may be.
const MaxFiles = 1_000

// ErrNoFile is returned for a key that is not in the index.
var ErrNoFile = errors.New("no such file on record")

// The most bytes of a text of a File.
const (
	maxFileKey   = 1_024 // as S3 has it
	maxFileName  = 1_024
	maxFileOwner = 256
	maxFileText  = 256
)

// Check returns an error for a file that could not be found again, would belong
// to nobody, or would wait for ever.
func (f *File) Check() error {
	switch {
	case !IsFileKey(f.Key):
		return fmt.Errorf("key of %d bytes, want 1 to %d of UTF-8", len(f.Key), maxFileKey)
	case f.Owner == "" || !fits(f.Owner, maxFileOwner):
		return fmt.Errorf("owner of %d bytes, want 1 to %d of UTF-8", len(f.Owner), maxFileOwner)
	case f.Confirmed.IsZero() && f.Expires.IsZero():
		return errors.New("not confirmed and without an end")
	case !fits(f.Name, maxFileName):
		return fmt.Errorf("name of %d bytes, want at most %d of UTF-8", len(f.Name), maxFileName)
	case !fits(f.SHA256, maxFileText):
		return fmt.Errorf("hash of %d bytes, want at most %d of UTF-8", len(f.SHA256), maxFileText)
	}
	if err := gate.CheckSlug(f.Area); err != nil {
		return fmt.Errorf("area: %w", err)
	}
	return f.checkSeen()
}

// CheckConfirmed returns an error for what ConfirmFile cannot take.
func (f *File) CheckConfirmed() error {
	if f.Confirmed.IsZero() {
		return errors.New("confirmed at no time")
	}
	return f.checkSeen()
}

// CheckDiscard returns an error for an end that DiscardFile cannot take.
func CheckDiscard(expires time.Time) error {
	if expires.IsZero() {
		return errors.New("discarded without an end")
	}
	return nil
}

// checkSeen looks at what the store says of a file.
func (f *File) checkSeen() error {
	switch {
	case f.Size < 0:
		return fmt.Errorf("%d bytes", f.Size)
	case !fits(f.Type, maxFileText):
		return fmt.Errorf("content type of %d bytes, want at most %d of UTF-8", len(f.Type), maxFileText)
	case !fits(f.ETag, maxFileText):
		return fmt.Errorf("ETag of %d bytes, want at most %d of UTF-8", len(f.ETag), maxFileText)
	}
	return nil
}

// IsFileKey reports whether a file may have the key.
func IsFileKey(key string) bool { return key != "" && fits(key, maxFileKey) }

// CheckFileList returns an error for a list of files that begins after no key,
// an ErrCursor, or is too long or too short.
func CheckFileList(after string, limit int) error {
	if after != "" && !IsFileKey(after) {
		return fmt.Errorf("after a key of %d bytes: %w", len(after), ErrCursor)
	}
	if limit < 1 || limit > MaxFiles {
		return fmt.Errorf("a list of %d files, want 1 to %d", limit, MaxFiles)
	}
	return nil
}

func fits(s string, most int) bool { return len(s) <= most && utf8.ValidString(s) }
