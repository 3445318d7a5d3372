package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/handstamp/handstamp/pkg/probe"
)

// book looks at what opening the book, which New has done, does not show.
func (c *checker) book(ctx context.Context) {
	switch c.cfg.Book.Kind {
	case "sqlite":
		if c.bookless {
			c.add("book", "the book opens and is a book", probe.Skipped, c.cfg.Book.File+" is not there yet, serve will make it", "")
			c.need("book_write", "the book can be written", roomy(filepath.Dir(c.cfg.Book.File)), "folder", "let the user that handstamp runs as write the folder of the book")
			return
		}
		c.add("book", "the book opens and is a book", probe.Passed, c.cfg.Book.File, "")
		c.need("book_write", "the book can be written", writable(c.cfg.Book.File), "file and folder", "let the user that handstamp runs as write the file and its folder")
		c.space(filepath.Dir(c.cfg.Book.File))
	case "dynamodb":
		c.add("book", "the table exists, with the keys of a book", probe.Passed, "table "+c.cfg.Book.Table, "")
		if !c.opts.Offline {
			c.table(ctx)
		}
	default:
		c.add("book", "admissions outlive a restart", probe.Warned, "book.kind is memory: all is forgotten when handstamp stops", "set book.kind: sqlite, or dynamodb")
	}
}

// writable returns an error for a file that cannot be written, and for a folder
// in which none can be made: the book needs a log beside it. It does not open the
// file: closing it would take away the locks that this process has on it.
func writable(name string) error {
	return errors.Join(mayWrite(name), roomy(filepath.Dir(name)))
}

// roomy returns an error for a folder in which no file can be made.
func roomy(folder string) error {
	f, err := os.CreateTemp(folder, ".handstamp-check-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// What should be free where the book is, in bytes. A million admissions take
// about a gigabyte.
const (
	littleSpace = 1 << 30
	noSpace     = 64 << 20
)

func (c *checker) space(folder string) {
	const id, says, fix = "disk", "there is room for the book to grow", "make room: a book on a full disk admits nobody"
	switch free, err := freeSpace(folder); {
	case errors.Is(err, errors.ErrUnsupported):
		c.add(id, says, probe.Skipped, "unknown on this system", "")
	case err != nil:
		c.add(id, says, probe.Failed, err.Error(), fix)
	case free < noSpace:
		c.add(id, says, probe.Failed, megabytes(free), fix)
	case free < littleSpace:
		c.add(id, says, probe.Warned, megabytes(free), fix)
	default:
		c.add(id, says, probe.Passed, megabytes(free), "")
	}
}

func megabytes(n uint64) string { return fmt.Sprintf("%d MB free", n/1e6) }

// table looks at how a table is kept, as far as one may.
func (c *checker) table(ctx context.Context) {
	client, err := Table(ctx, c.cfg)
	if err != nil {
		c.add("book_ttl", "the table forgets what is over", probe.Skipped, err.Error(), "")
		return
	}
	name := &c.cfg.Book.Table
	const fix = `"handstamp book init" turns it on`
	life, err := client.DescribeTimeToLive(ctx, &awsdynamodb.DescribeTimeToLiveInput{TableName: name})
	on := err == nil && life.TimeToLiveDescription != nil && (life.TimeToLiveDescription.TimeToLiveStatus == types.TimeToLiveStatusEnabled ||
		life.TimeToLiveDescription.TimeToLiveStatus == types.TimeToLiveStatusEnabling)
	c.kept("book_ttl", "the table forgets what is over (time to live)", on, err, fix)
	backup, err := client.DescribeContinuousBackups(ctx, &awsdynamodb.DescribeContinuousBackupsInput{TableName: name})
	c.kept("book_recovery", "the table can be taken back to any minute (point-in-time recovery)", err == nil && recovers(backup), err, fix)
}

func recovers(out *awsdynamodb.DescribeContinuousBackupsOutput) bool {
	d := out.ContinuousBackupsDescription
	return d != nil && d.PointInTimeRecoveryDescription != nil &&
		d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled
}

// kept adds a check of something that may be hidden from us.
func (c *checker) kept(id, says string, on bool, err error, fix string) {
	var api smithy.APIError
	switch {
	case errors.As(err, &api): // not permitted, or a stand-in that does not know it
		c.add(id, says, probe.Skipped, "not to be seen: "+api.ErrorCode(), "")
	case err != nil:
		c.add(id, says, probe.Failed, err.Error(), "see that DynamoDB can be reached")
	case !on:
		c.add(id, says, probe.Warned, "it is off", fix)
	default:
		c.add(id, says, probe.Passed, "it is on", "")
	}
}

// inFolder returns an error for a path of a URL that is no file in a folder.
func inFolder(root, path string) error {
	name, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	if err != nil {
		return err
	}
	folder, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer folder.Close()
	info, err := folder.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a file", path)
	}
	return err
}
