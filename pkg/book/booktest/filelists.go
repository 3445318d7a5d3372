package booktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// crowdOfFiles adds files together, as a book can take them.
func crowdOfFiles(t *testing.T, b book.Files, files []book.File) {
	t.Helper()
	together(16, func(i int) {
		for n := i; n < len(files); n += 16 {
			if err := b.AddFile(t.Context(), files[n]); err != nil {
				t.Errorf("AddFile = %v", err)
			}
		}
	})
}

func findsThousand(t *testing.T, b book.Files) {
	var all []book.File
	for i := range book.MaxFiles {
		all = append(all, file(fmt.Sprint("photos/", i)))
	}
	crowdOfFiles(t, b, all[:len(all)/4])
	onFile(t, b, keysOf(all), all[:len(all)/4]...)
	if _, err := b.Files(t.Context(), append(keysOf(all), "one more")); err == nil {
		t.Errorf("Files of %d keys succeeded", len(all)+1)
	}
	got, err := b.FilesOf(t.Context(), "ticket:A", "photos", "", book.MaxFiles)
	if err != nil {
		t.Fatalf("FilesOf = %v", err)
	}
	sameFiles(t, "FilesOf", got, slices.SortedFunc(slices.Values(all[:len(all)/4]), byKey))
}

func findsNoNonsense(t *testing.T, b book.Files) {
	addFile(t, b, file("photos/\ufffd"), file("photos/1"))
	onFile(t, b, []string{"", "photos/\xff", "photos", "photos/1/", "PHOTOS/1", "photos/%31", strings.Repeat("k", 5_000), "photos/1\x00", "%", "photos/_"})
}

// A shelf is a list of files with those that shall be in it.
type shelf struct {
	name string
	list func(after string, limit int) ([]book.File, error)
	has  func(book.File) bool
}

// shelves are all kinds of lists.
func shelves(t *testing.T, b book.Files) []shelf {
	of := func(owner, area string) shelf {
		return shelf{fmt.Sprintf("FilesOf(%q, %q)", owner, area), func(after string, limit int) ([]book.File, error) {
			return b.FilesOf(t.Context(), owner, area, after, limit)
		}, func(f book.File) bool { return f.Owner == owner && (area == "" || f.Area == area) }}
	}
	in := func(area string) shelf {
		return shelf{fmt.Sprintf("FilesIn(%q)", area), func(after string, limit int) ([]book.File, error) {
			return b.FilesIn(t.Context(), area, after, limit)
		}, func(f book.File) bool { return f.Area == area }}
	}
	return []shelf{of("ticket:A", "photos"), of("ticket:A", ""), of("ticket:B", "photos"), of("ticket:C", "photos"), of("ticket:A", "moon"),
		in("photos"), in("receipts"), in("moon"), in("")}
}

// walk reads a list page by page, each behind the last key of the one before.
func (s *shelf) walk(t *testing.T, limit int, between func(page []book.File)) (all []book.File) {
	t.Helper()
	for after := ""; ; {
		page, err := s.list(after, limit)
		if err != nil || len(page) > limit || len(all) > 10_000 {
			t.Fatalf("%s after %q = %d files, %v, want at most %d", s.name, after, len(page), err, limit)
		}
		all = append(all, page...)
		if between != nil {
			between(page)
		}
		if len(page) < limit {
			return all
		}
		after = page[limit-1].Key
	}
}

// library is files of two owners in two areas, by key.
func library() (all []book.File) {
	names := []string{"a", "A", "a b", "a/b", "a0", "a\u0001", "ä", "z", "é", "e\u0301", "名", "🏰", "\ufffd", "~", "10", "9", "a\u0000", "%41"}
	for i, name := range names {
		for n := range 3 {
			f := file(fmt.Sprint(name, strings.Repeat("/x", n)))
			f.Area = []string{"photos", "receipts"}[n/2]
			f.Owner = []string{"ticket:A", "ticket:B"}[i%4/3]
			if i%3 == 0 {
				f = confirmed(f)
			}
			all = append(all, f)
		}
	}
	slices.SortFunc(all, byKey)
	return all
}

// listsFiles: every page is complete, and the pages together are the list.
func listsFiles(t *testing.T, b book.Files) {
	all := library()
	crowdOfFiles(t, b, all)
	for _, s := range shelves(t, b) {
		want := slices.DeleteFunc(slices.Clone(all), func(f book.File) bool { return !s.has(f) })
		for _, limit := range []int{1, 2, 7, len(want), len(want) + 1, book.MaxFiles} {
			if limit > 0 {
				sameFiles(t, fmt.Sprintf("%s by %d", s.name, limit), s.walk(t, limit, nil), want)
			}
		}
		for i, f := range want {
			got, err := s.list(f.Key, book.MaxFiles)
			if err != nil {
				t.Fatalf("%s = %v", s.name, err)
			}
			sameFiles(t, fmt.Sprintf("%s after %q", s.name, f.Key), got, want[i+1:])
		}
	}
}

// listsMovingFiles: what is there all the time is listed once, whatever else
// comes and goes between two pages.
func listsMovingFiles(t *testing.T, b book.Files) {
	all := library()
	crowdOfFiles(t, b, all)
	for n, s := range shelves(t, b) {
		gone := map[string]bool{}
		step := 0
		got := s.walk(t, 3, func(page []book.File) {
			if len(page) == 0 {
				return
			}
			step++
			removeFile(t, b, page[0].Key)
			gone[page[0].Key] = true
			addFile(t, b, file(fmt.Sprintf("%s new %d %d", page[len(page)-1].Key, n, step)))
		})
		if !slices.IsSortedFunc(got, byKey) {
			t.Errorf("%s gives %q, want them in order", s.name, keysOf(got))
		}
		seen := map[string]int{}
		for _, f := range got {
			seen[f.Key]++
		}
		for _, f := range all {
			if s.has(f) && seen[f.Key] != 1 {
				t.Errorf("%s gives %q %d times, want once", s.name, f.Key, seen[f.Key])
			}
		}
		all = slices.DeleteFunc(all, func(f book.File) bool { return gone[f.Key] })
	}
}

// listsNoOtherOwners: an owner's name that is made to look like another list is
// only a name.
func listsNoOtherOwners(t *testing.T, b book.Files) {
	addFile(t, b, file("photos/1"))
	odd := file("photos/2")
	odd.Owner = "x#ticket:A"
	addFile(t, b, odd)
	for _, ask := range [][2]string{{"ticket:", "photos"}, {"ticket:A ", "photos"}, {"TICKET:A", ""}, {"", ""}, {"", "photos#x#ticket:A"}, {"ticket:A", "photos#x"},
		{"A", "photos#ticket:"}, {"ticket:A", "photo"}, {"ticket:%", ""}, {"ticket:\xff", ""}, {strings.Repeat("o", 5_000), "photos"}, {"ticket:A", strings.Repeat("a", 5_000)}} {
		if got, err := b.FilesOf(t.Context(), ask[0], ask[1], "", 10); err != nil || len(got) != 0 {
			t.Errorf("FilesOf(%.20q, %.20q) = %+v, %v, want none", ask[0], ask[1], got, err)
		}
	}
	for _, area := range []string{"", "photo", "photos#0", "photos#ticket:A", "\xff", strings.Repeat("a", 5_000)} {
		if got, err := b.FilesIn(t.Context(), area, "", 10); err != nil || len(got) != 0 {
			t.Errorf("FilesIn(%.20q) = %+v, %v, want none", area, got, err)
		}
	}
	listsOnly(t, "FilesOf", file("photos/1"), func(after string, limit int) ([]book.File, error) {
		return b.FilesOf(t.Context(), "ticket:A", "", after, limit)
	})
}

func refusesFileLists(t *testing.T, b book.Files) {
	addFile(t, b, file("photos/1"))
	lists := append(shelves(t, b), shelf{name: "UnconfirmedFiles", list: func(_ string, limit int) ([]book.File, error) {
		return b.UnconfirmedFiles(t.Context(), later, limit)
	}})
	for _, s := range lists {
		for _, limit := range []int{0, -1, book.MaxFiles + 1} {
			if got, err := s.list("", limit); err == nil || got != nil {
				t.Errorf("%s with limit %d = %+v, %v, want an error", s.name, limit, got, err)
			}
		}
		if s.has == nil {
			continue
		}
		for _, after := range []string{"\xff", strings.Repeat("k", 1025)} {
			if got, err := s.list(after, 10); !errors.Is(err, book.ErrCursor) || got != nil {
				t.Errorf("%s after %.20q = %+v, %v, want ErrCursor", s.name, after, got, err)
			}
		}
	}
}

func listsUnconfirmed(t *testing.T, b book.Files) {
	var waiting []book.File
	for i := range 20 {
		f := file(fmt.Sprint("photos/", i))
		f.Expires = noon.Add(time.Duration((i*7)%20) * time.Second) // not in the order of the keys
		addFile(t, b, f)
		switch i % 5 {
		case 3:
			confirmFile(t, b, confirmed(f))
		case 4:
			removeFile(t, b, f.Key)
		default:
			waiting = append(waiting, f)
		}
	}
	there := confirmed(file("photos/there"))
	there.Expires = time.Time{}
	addFile(t, b, there)
	slices.SortFunc(waiting, func(f, g book.File) int { return f.Expires.Compare(g.Expires) })
	for _, tt := range []struct {
		before time.Time
		limit  int
		want   []book.File
	}{
		{noon.Add(time.Hour), 1_000, waiting},
		{noon.Add(time.Hour), 3, waiting[:3]},
		{waiting[5].Expires, 1_000, waiting[:5]}, // not the one that expires then
		{waiting[5].Expires.Add(time.Second), 1_000, waiting[:6]},
		{noon, 1_000, nil},
		{time.Time{}, 1_000, nil},
	} {
		got, err := b.UnconfirmedFiles(t.Context(), tt.before, tt.limit)
		if err != nil {
			t.Fatalf("UnconfirmedFiles(%s) = %v", tt.before, err)
		}
		sameFiles(t, fmt.Sprintf("UnconfirmedFiles(%s, %d)", tt.before, tt.limit), got, tt.want)
	}
	for _, f := range waiting {
		removeFile(t, b, f.Key)
	}
	if got, err := b.UnconfirmedFiles(t.Context(), noon.Add(time.Hour), 10); err != nil || len(got) != 0 {
		t.Errorf("UnconfirmedFiles = %+v, %v, want none left", got, err)
	}
}

func removesFiles(t *testing.T, b book.Files) {
	addFile(t, b, file("photos/1"), confirmed(file("photos/2")), file("photos/3"))
	for range 2 {
		removeFile(t, b, "photos/1")
		removeFile(t, b, "photos/2")
	}
	for _, key := range []string{"", "nobody's", "photos/\xff", strings.Repeat("k", 5_000)} {
		removeFile(t, b, key)
	}
	onFile(t, b, []string{"photos/1", "photos/2", "photos/3"}, file("photos/3"))
	for _, s := range shelves(t, b)[:2] {
		sameFiles(t, s.name, s.walk(t, 10, nil), []book.File{file("photos/3")})
	}
	if err := b.ConfirmFile(t.Context(), confirmed(file("photos/1"))); !errors.Is(err, book.ErrNoFile) {
		t.Errorf("ConfirmFile of a removed file = %v, want ErrNoFile", err)
	}
}

// addsAgain: a key whose file was removed is free, and nothing is left of what
// it was.
func addsAgain(t *testing.T, b book.Files) {
	for i := range 3 {
		f := file("photos/1")
		f.Owner, f.Area = []string{"ticket:A", "ticket:B", "ticket:C"}[i], []string{"photos", "receipts", "photos"}[i]
		addFile(t, b, f)
		onFile(t, b, []string{f.Key}, f)
		confirmFile(t, b, confirmed(f))
		for _, s := range shelves(t, b) {
			var want []book.File
			if s.has(f) {
				want = []book.File{confirmed(f)}
			}
			sameFiles(t, s.name, s.walk(t, 10, nil), want)
		}
		removeFile(t, b, f.Key)
	}
	onFile(t, b, []string{"photos/1"})
}

// addsAndRemovesInACrowd: a file that is there is in its lists, one that is not
// is in none.
func addsAndRemovesInACrowd(t *testing.T, b book.Files) {
	together(12, func(i int) {
		for n := range 4 {
			f := file(fmt.Sprint("photos/", (i+n)%3))
			f.Owner = fmt.Sprint("ticket:", i)
			switch err := b.AddFile(t.Context(), f); {
			case err == nil:
				if err := b.ConfirmFile(t.Context(), confirmed(f)); err != nil && !errors.Is(err, book.ErrNoFile) {
					t.Errorf("ConfirmFile = %v", err)
				}
			case !errors.Is(err, book.ErrDuplicate):
				t.Errorf("AddFile = %v", err)
			case i%2 == 0:
				if err := b.RemoveFile(t.Context(), f.Key); err != nil {
					t.Errorf("RemoveFile = %v", err)
				}
			}
		}
	})
	there, err := b.Files(t.Context(), []string{"photos/0", "photos/1", "photos/2"})
	if err != nil {
		t.Fatalf("Files = %v", err)
	}
	slices.SortFunc(there, byKey)
	all, err := b.FilesIn(t.Context(), "photos", "", 10)
	if err != nil {
		t.Fatalf("FilesIn = %v", err)
	}
	sameFiles(t, "FilesIn", all, there)
	for i := range 12 {
		owner := fmt.Sprint("ticket:", i)
		got, err := b.FilesOf(t.Context(), owner, "photos", "", 10)
		if err != nil {
			t.Fatalf("FilesOf = %v", err)
		}
		sameFiles(t, fmt.Sprintf("FilesOf(%q)", owner), got, slices.DeleteFunc(slices.Clone(there), func(f book.File) bool { return f.Owner != owner }))
	}
}
