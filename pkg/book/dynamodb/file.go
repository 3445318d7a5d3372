package dynamodb

import (
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// A file is a book.File as it is kept.
type file struct {
	Key       string    `json:"key"`
	Owner     string    `json:"owner"`
	Area      string    `json:"area"`
	Name      string    `json:"name,omitempty"`
	Type      string    `json:"type,omitempty"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256,omitempty"`
	ETag      string    `json:"etag,omitempty"`
	Public    bool      `json:"public,omitempty"`
	Added     time.Time `json:"added,omitzero"`
	Confirmed time.Time `json:"confirmed,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
}

func newFile(f *book.File) *file {
	kept := file(*f)
	kept.Added, kept.Confirmed, kept.Expires = f.Added.UTC(), f.Confirmed.UTC(), f.Expires.UTC()
	return &kept
}

// book returns the file as others see it.
func (f *file) book() *book.File { return (*book.File)(f) }

// file reads the file that an item is about.
func (it *item) file() (*file, error) {
	var f file
	return &f, it.read(&f)
}

// The keys of a file and of its places in lists. A list of files is ordered by
// its second key, which is that of the file: DynamoDB takes 1,024 bytes there,
// and 2,048 in the first one.

func fileKey(name string) key { return key{"F#" + name, "file"} }

// listUnconfirmed is the list of files that are not confirmed, by the end of
// their uploads.
const listUnconfirmed = "unconfirmed"

func ownerFiles(owner string) string { return "O#" + owner }

// ownerAreaFiles is that of an owner's files in an area, which is a slug.
func ownerAreaFiles(owner, area string) string { return fmt.Sprintf("P#%s#%s", area, owner) }

// areaFiles is that of all files in an area: many partitions, as many may be
// added at once.
func areaFiles(area string) string { return "R#" + area }

// fileLists returns a file's places in lists.
func fileLists(f *book.File) []key {
	return []key{{ownerFiles(f.Owner), f.Key}, {ownerAreaFiles(f.Owner, f.Area), f.Key}, {shard(areaFiles(f.Area), f.Key), f.Key}}
}
