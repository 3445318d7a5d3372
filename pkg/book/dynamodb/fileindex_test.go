package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/booktest"
	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	booktest.RunFiles(t, func(t *testing.T) book.Files { return open(t, faketable.New()) })
}

func TestFilesWithFaults(t *testing.T) {
	t.Parallel()
	for name, forgets := range map[string]bool{"tokens": false, "request ids": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			booktest.RunFiles(t, func(t *testing.T) book.Files {
				return open(t, &faulty{Owner: faketable.New(), percent: 5, forgets: forgets})
			})
		})
	}
}

// upload is a file that is not confirmed, and arrived is one that was seen.
func upload(key string) book.File {
	return book.File{Key: key, Owner: "ticket:A", Area: "photos", Size: 1 << 20, Added: noon, Expires: noon.Add(time.Hour)}
}

func arrived(key string) book.File {
	return book.File{Key: key, Type: "image/png", Size: 17, ETag: "e", Confirmed: noon}
}

func keys(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

// TestFilesBehindTheIndex: only what is not confirmed is looked for in the
// index, and what that says of a file is not believed.
func TestFilesBehindTheIndex(t *testing.T) {
	t.Parallel()
	table := faketable.New()
	b := open(t, table)
	for _, key := range []string{"1", "2", "3"} {
		if err := b.AddFile(t.Context(), upload(key)); err != nil {
			t.Fatal(err)
		}
	}
	table.Lag = 2 // of which the index has not heard
	if err := errors.Join(b.ConfirmFile(t.Context(), arrived("1")), b.ConfirmFile(t.Context(), arrived("2"))); err != nil {
		t.Fatal(err)
	}
	late := noon.Add(2 * time.Hour)
	if files, err := b.UnconfirmedFiles(t.Context(), late, 10); err != nil || len(files) != 1 || files[0].Key != "3" {
		t.Errorf("UnconfirmedFiles = %+v, %v, want the third only", files, err)
	}
	table.Lag = 1_000
	for name, list := range map[string]func() ([]book.File, error){
		"Files":   func() ([]book.File, error) { return b.Files(t.Context(), keys(4)) },
		"FilesOf": func() ([]book.File, error) { return b.FilesOf(t.Context(), "ticket:A", "", "", 10) },
		"FilesIn": func() ([]book.File, error) { return b.FilesIn(t.Context(), "photos", "", 10) },
	} {
		if files, err := list(); err != nil || len(files) != 3 {
			t.Errorf("%s = %+v, %v, want all three", name, files, err)
		}
	}
}

// TestFilesStay: nothing but the note of a removed file is ever collected, and
// nothing but that and the file itself is left in the table.
func TestFilesStay(t *testing.T) {
	t.Parallel()
	table, now := faketable.New(), noon
	b, err := dynamodb.Open(t.Context(), table, dynamodb.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"confirmed", "waiting", "removed"} {
		if err := b.AddFile(t.Context(), upload(key)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(b.ConfirmFile(t.Context(), arrived("confirmed")), b.RemoveFile(t.Context(), "removed")); err != nil {
		t.Fatal(err)
	}
	now = noon.AddDate(10, 0, 0)
	if files, err := b.FilesIn(t.Context(), "photos", "", 10); err != nil || len(files) != 2 {
		t.Errorf("FilesIn after ten years = %+v, %v, want both", files, err)
	}
	expiring := 0
	for _, it := range table.All() {
		if it["expires_at"] == nil {
			continue
		}
		if expiring++; faketable.Text(it["pk"]) != "F#removed" {
			t.Errorf("item %q expires", faketable.Text(it["pk"]))
		}
	}
	if n := len(table.All()); expiring != 1 || n != 9 { // two files with three places each, and a note
		t.Errorf("%d items, %d of which expire, want 9 and 1", n, expiring)
	}
}

// TestFileRewritten: a change that was decided on the file that had the key
// before is not made to the one that has it now.
func TestFileRewritten(t *testing.T) {
	t.Parallel()
	table := faketable.New()
	other, client := open(t, table), &faulty{Owner: table}
	b := open(t, client)
	if err := other.AddFile(t.Context(), upload("1")); err != nil {
		t.Fatal(err)
	}
	next := upload("1")
	next.Owner = "ticket:B"
	client.write = func(do func() error) error {
		client.write = nil
		if err := errors.Join(other.RemoveFile(t.Context(), "1"), other.AddFile(t.Context(), next)); err != nil {
			t.Error(err)
		}
		return do()
	}
	if err := b.ConfirmFile(t.Context(), arrived("1")); err != nil {
		t.Errorf("ConfirmFile = %v", err)
	}
	files, err := b.FilesOf(t.Context(), "ticket:B", "", "", 10)
	if err != nil || len(files) != 1 || files[0].Owner != "ticket:B" || files[0].Size != 17 {
		t.Errorf("FilesOf = %+v, %v, want the new owner's file, confirmed", files, err)
	}
	if files, err := b.FilesOf(t.Context(), "ticket:A", "", "", 10); err != nil || len(files) != 0 {
		t.Errorf("FilesOf = %+v, %v, want none of the owner before", files, err)
	}
}

// A remover removes a file once, after a list was read and before the files are.
type remover struct {
	dynamodb.Owner
	remove func()
}

func (r *remover) Query(ctx context.Context, in *sdk.QueryInput, o ...func(*sdk.Options)) (*sdk.QueryOutput, error) {
	out, err := r.Owner.Query(ctx, in, o...)
	if remove := r.remove; remove != nil {
		r.remove = nil
		remove()
	}
	return out, err
}

// TestFileRemovedMeanwhile: a page is as long as it was asked for, although one
// of its files has gone.
func TestFileRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	table := faketable.New()
	other, client := open(t, table), &remover{Owner: table}
	b := open(t, client)
	for _, key := range keys(9) {
		if err := other.AddFile(t.Context(), upload(key)); err != nil {
			t.Fatal(err)
		}
	}
	client.remove = func() {
		if err := other.RemoveFile(t.Context(), "1"); err != nil {
			t.Error(err)
		}
	}
	files, err := b.FilesOf(t.Context(), "ticket:A", "photos", "", 3)
	if err != nil || len(files) != 3 || files[0].Key != "0" || files[1].Key != "2" || files[2].Key != "3" {
		t.Errorf("FilesOf = %+v, %v, want files 0, 2 and 3", files, err)
	}
}
