package booktest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// RunFiles tests the file indexes that open returns, a new and empty one at
// each call.
func RunFiles(t *testing.T, open func(t *testing.T) book.Files) {
	t.Helper()
	tests := []struct {
		name string
		test func(*testing.T, book.Files)
	}{
		{"keeps files", keepsFiles},
		{"adds a key once", addsOnce},
		{"adds a key once in a crowd", addsOnceInACrowd},
		{"refuses files", refusesFiles},
		{"takes long keys and names", takesLongNames},
		{"confirms files", confirmsFiles},
		{"confirms a file once in a crowd", confirmsOnceInACrowd},
		{"confirms no stranger", confirmsNoStranger},

		{"finds a thousand files", findsThousand},
		{"finds no nonsense", findsNoNonsense},
		{"lists files", listsFiles},
		{"lists files while they come and go", listsMovingFiles},
		{"lists no other owner's files", listsNoOtherOwners},
		{"refuses lists", refusesFileLists},
		{"lists unconfirmed files", listsUnconfirmed},

		{"removes files", removesFiles},
		{"discards files", discardsFiles},
		{"discards a file in a crowd", discardsInACrowd},
		{"adds a removed file again", addsAgain},
		{"adds and removes in a crowd", addsAndRemovesInACrowd},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

// file is one of ticket A's photos, whose upload is given up an hour from noon.
func file(key string) book.File {
	return book.File{Key: key, Owner: "ticket:A", Area: "photos", Name: "Mein Paß.jpg", Type: "image/jpeg", Size: 5 << 20,
		SHA256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Public: true, Added: noon, Expires: noon.Add(time.Hour)}
}

// confirmed is a file as it was seen in the bucket.
func confirmed(f book.File) book.File {
	f.Size, f.Type, f.ETag, f.Confirmed = 1234, "image/png", `"d41d8cd98f00b204e9800998ecf8427e"`, noon.Add(time.Minute)
	return f
}

func addFile(t *testing.T, b book.Files, files ...book.File) {
	t.Helper()
	for _, f := range files {
		if err := b.AddFile(t.Context(), f); err != nil {
			t.Fatalf("AddFile(%q) = %v", f.Key, err)
		}
	}
}

func confirmFile(t *testing.T, b book.Files, f book.File) {
	t.Helper()
	if err := b.ConfirmFile(t.Context(), f); err != nil {
		t.Fatalf("ConfirmFile(%q) = %v", f.Key, err)
	}
}

func removeFile(t *testing.T, b book.Files, key string) {
	t.Helper()
	if err := b.RemoveFile(t.Context(), key); err != nil {
		t.Fatalf("RemoveFile(%q) = %v", key, err)
	}
}

// onFile makes sure that of keys exactly these files are on record.
func onFile(t *testing.T, b book.Files, keys []string, want ...book.File) {
	t.Helper()
	got, err := b.Files(t.Context(), keys)
	if err != nil {
		t.Fatalf("Files(%d keys) = %v", len(keys), err)
	}
	slices.SortFunc(got, byKey)
	sameFiles(t, fmt.Sprintf("Files(%d keys)", len(keys)), got, slices.SortedFunc(slices.Values(want), byKey))
}

func byKey(f, g book.File) int { return cmp.Compare(f.Key, g.Key) }

// sameFiles compares lists of files, times as instants.
func sameFiles(t *testing.T, what string, got, want []book.File) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s gives %d files, %.300q, want %d, %.300q", what, len(got), keysOf(got), len(want), keysOf(want))
	}
	for i, f := range want {
		if plainFile(got[i]) != plainFile(f) { // #nosec G602 -- they are as long
			t.Fatalf("%s: file %d is %+v, want %+v", what, i, got[i], f) // #nosec G602 -- they are as long
		}
	}
}

// plainFile is f with its times in one spelling, so that == compares it.
func plainFile(f book.File) book.File {
	for _, at := range []*time.Time{&f.Added, &f.Confirmed, &f.Expires} {
		if *at = at.UTC(); at.IsZero() {
			*at = time.Time{}
		}
	}
	return f
}

func keysOf(files []book.File) (keys []string) {
	for _, f := range files {
		keys = append(keys, f.Key)
	}
	return keys
}

func keepsFiles(t *testing.T, b book.Files) {
	plain := book.File{Key: "receipts/1", Owner: "admission:X", Area: "receipts", Expires: noon}
	there := confirmed(file("photos/there"))
	addFile(t, b, file("photos/1"), plain, there)
	onFile(t, b, []string{"photos/1", "receipts/1", "photos/2", "photos/there"}, file("photos/1"), plain, there)
	onFile(t, b, []string{"photos/1", "photos/1"}, file("photos/1"))
	onFile(t, b, nil)
}

func addsOnce(t *testing.T, b book.Files) {
	first := file("photos/1")
	addFile(t, b, first)
	second := file("photos/1")
	second.Owner, second.Area = "ticket:B", "receipts"
	for range 2 {
		if err := b.AddFile(t.Context(), second); !errors.Is(err, book.ErrDuplicate) {
			t.Errorf("AddFile again = %v, want ErrDuplicate", err)
		}
		confirmFile(t, b, confirmed(first))
	}
	onFile(t, b, []string{"photos/1"}, confirmed(first))
	if got, err := b.FilesOf(t.Context(), "ticket:B", "", "", 10); err != nil || len(got) != 0 {
		t.Errorf("FilesOf = %+v, %v, want none of the refused", got, err)
	}
}

// addsOnceInACrowd: of many who add one key, one wins.
func addsOnceInACrowd(t *testing.T, b book.Files) {
	errs := make([]error, 16)
	named := func(i int) book.File {
		f := file("photos/1")
		f.Owner = fmt.Sprint("ticket:", i)
		return f
	}
	together(len(errs), func(i int) { errs[i] = b.AddFile(t.Context(), named(i)) })
	var won []book.File
	for i, err := range errs {
		switch {
		case err == nil:
			won = append(won, named(i))
		case !errors.Is(err, book.ErrDuplicate):
			t.Errorf("AddFile = %v, want success or ErrDuplicate", err)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d of %d added the file, want exactly one", len(won), len(errs))
	}
	onFile(t, b, []string{"photos/1"}, won...)
	got, err := b.FilesIn(t.Context(), "photos", "", 10)
	if err != nil {
		t.Fatalf("FilesIn = %v", err)
	}
	sameFiles(t, "FilesIn", got, won)
}

func refusesFiles(t *testing.T, b book.Files) {
	for name, spoil := range map[string]func(*book.File){
		"no key":           func(f *book.File) { f.Key = "" },
		"long key":         func(f *book.File) { f.Key = strings.Repeat("k", 1025) },
		"key not UTF-8":    func(f *book.File) { f.Key = "photos/\xff" },
		"no owner":         func(f *book.File) { f.Owner = "" },
		"long owner":       func(f *book.File) { f.Owner = strings.Repeat("o", 257) },
		"no area":          func(f *book.File) { f.Area = "" },
		"area is no slug":  func(f *book.File) { f.Area = "photos#ticket:B" },
		"long name":        func(f *book.File) { f.Name = strings.Repeat("n", 1025) },
		"name not UTF-8":   func(f *book.File) { f.Name = "\xc3" },
		"long type":        func(f *book.File) { f.Type = strings.Repeat("t", 257) },
		"long hash":        func(f *book.File) { f.SHA256 = strings.Repeat("h", 257) },
		"size below zero":  func(f *book.File) { f.Size = -1 },
		"waits for ever":   func(f *book.File) { f.Expires = time.Time{} },
		"ETag not UTF-8":   func(f *book.File) { f.ETag = "\xff" },
		"owner not UTF-8":  func(f *book.File) { f.Owner = "ticket:\xff" },
		"type not UTF-8":   func(f *book.File) { f.Type = "\xff" },
		"SHA256 not UTF-8": func(f *book.File) { f.SHA256 = "\xff" },
	} {
		f := file("photos/1")
		if spoil(&f); b.AddFile(t.Context(), f) == nil {
			t.Errorf("%s: AddFile(%+v) succeeded", name, f)
		}
	}
	onFile(t, b, []string{"photos/1"})
}

func takesLongNames(t *testing.T, b book.Files) {
	long := file(strings.Repeat("ä", 512))
	long.Owner, long.Name = strings.Repeat("ö", 128), strings.Repeat("名前🏰", 102)
	long.Area, long.ETag = strings.Repeat("a", 63), strings.Repeat("e", 256)
	odd := file("photos/it's \"100%\" & <b>\u0000\u2028#?;--\n/../\\")
	odd.Owner, odd.Name = "ticket:' OR 1=1 --#\u0000", "Café\u0301 \r\n\u202e.pdf"
	addFile(t, b, long, odd)
	onFile(t, b, []string{odd.Key, long.Key}, odd, long)
	for _, f := range []book.File{long, odd} {
		confirmFile(t, b, confirmed(f))
		listsOnly(t, "FilesOf", confirmed(f), func(after string, limit int) ([]book.File, error) {
			return b.FilesOf(t.Context(), f.Owner, f.Area, after, limit)
		})
		listsOnly(t, "FilesIn", confirmed(f), func(after string, limit int) ([]book.File, error) {
			return b.FilesIn(t.Context(), f.Area, after, limit)
		})
		removeFile(t, b, f.Key)
	}
	onFile(t, b, []string{odd.Key, long.Key})
}

// listsOnly makes sure that a list has one file, and none behind it.
func listsOnly(t *testing.T, what string, want book.File, list func(after string, limit int) ([]book.File, error)) {
	t.Helper()
	got, err := list("", 1)
	if err != nil {
		t.Fatalf("%s = %v", what, err)
	}
	sameFiles(t, what, got, []book.File{want})
	if got, err := list(want.Key, 1); err != nil || len(got) != 0 {
		t.Errorf("%s behind the last = %+v, %v, want none", what, got, err)
	}
}

func confirmsFiles(t *testing.T, b book.Files) {
	f := file("photos/1")
	addFile(t, b, f, file("photos/2"))
	seen := confirmed(f)
	seen.Owner, seen.Area, seen.Name, seen.SHA256, seen.Public, seen.Added, seen.Expires = "ticket:B", "x", "y", "z", false, noon.Add(-time.Hour), time.Time{}
	confirmFile(t, b, seen)
	onFile(t, b, []string{f.Key, "photos/2"}, confirmed(f), file("photos/2"))
	again := confirmed(f)
	again.Size, again.Type, again.ETag, again.Confirmed = 7, "text/plain", "other", noon.Add(time.Hour)
	confirmFile(t, b, again)
	onFile(t, b, []string{f.Key}, confirmed(f))
}

// confirmsOnceInACrowd: what the first one said is what stays, whole.
func confirmsOnceInACrowd(t *testing.T, b book.Files) {
	addFile(t, b, file("photos/1"))
	seen := func(i int) book.File {
		f := file("photos/1")
		f.Size, f.Type, f.ETag, f.Confirmed = int64(i), fmt.Sprint("type/", i), fmt.Sprint(i), noon.Add(time.Duration(i+1)*time.Second)
		return f
	}
	errs := make([]error, 16)
	together(len(errs), func(i int) { errs[i] = b.ConfirmFile(t.Context(), seen(i)) })
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("ConfirmFile = %v", err)
	}
	got, err := b.Files(t.Context(), []string{"photos/1"})
	if err != nil || len(got) != 1 || got[0].Size >= int64(len(errs)) {
		t.Fatalf("Files = %+v, %v, want one that was confirmed", got, err)
	}
	sameFiles(t, "Files", got, []book.File{seen(int(got[0].Size))})
}

func confirmsNoStranger(t *testing.T, b book.Files) {
	addFile(t, b, file("photos/1"))
	for _, key := range []string{"photos/2", "", "photos/", "photos/1 ", "photos/\xff", strings.Repeat("k", 5_000)} {
		if err := b.ConfirmFile(t.Context(), confirmed(file(key))); !errors.Is(err, book.ErrNoFile) {
			t.Errorf("ConfirmFile(%.20q) = %v, want ErrNoFile", key, err)
		}
	}
	for name, spoil := range map[string]func(*book.File){
		"at no time":      func(f *book.File) { f.Confirmed = time.Time{} },
		"size below zero": func(f *book.File) { f.Size = -1 },
		"ETag not UTF-8":  func(f *book.File) { f.ETag = "\xff" },
		"long type":       func(f *book.File) { f.Type = strings.Repeat("t", 257) },
	} {
		f := confirmed(file("photos/1"))
		if spoil(&f); b.ConfirmFile(t.Context(), f) == nil {
			t.Errorf("%s: ConfirmFile succeeded", name)
		}
	}
	onFile(t, b, []string{"photos/1"}, file("photos/1"))
}
