package dynamodb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

var _ book.Files = (*Book)(nil)

// AddFile implements book.Files.
func (b *Book) AddFile(ctx context.Context, f book.File) error {
	if err := f.Check(); err != nil {
		return b.explain("add a file", err)
	}
	return b.change(ctx, "add a file", func(w *work) error {
		it, err := w.one(w.ctx, fileKey(f.Key))
		if err != nil {
			return err
		}
		if it.doc != "" {
			return fmt.Errorf("key %q %w", f.Key, book.ErrDuplicate)
		}
		for _, k := range fileLists(&f) {
			w.lay(k)
		}
		return w.putFile(it, newFile(&f))
	})
}

// ConfirmFile implements book.Files.
func (b *Book) ConfirmFile(ctx context.Context, f book.File) error {
	if err := f.CheckConfirmed(); err != nil {
		return b.explain("confirm a file", err)
	}
	if !book.IsFileKey(f.Key) {
		return book.ErrNoFile
	}
	return b.change(ctx, "confirm a file", func(w *work) error {
		it, err := w.one(w.ctx, fileKey(f.Key))
		if err != nil {
			return err
		}
		if it.doc == "" {
			return book.ErrNoFile
		}
		kept, err := it.file()
		if err != nil || !kept.Confirmed.IsZero() {
			return err
		}
		if kept.book().Discarded() {
			return book.ErrNoFile
		}
		kept.Size, kept.Type, kept.ETag, kept.Confirmed = f.Size, f.Type, f.ETag, f.Confirmed.UTC()
		return w.putFile(it, kept)
	})
}

// DiscardFile implements book.Files.
func (b *Book) DiscardFile(ctx context.Context, key string, expires time.Time) error {
	if err := book.CheckDiscard(expires); err != nil {
		return b.explain("discard a file", err)
	}
	if !book.IsFileKey(key) {
		return book.ErrNoFile
	}
	return b.change(ctx, "discard a file", func(w *work) error {
		it, err := w.one(w.ctx, fileKey(key))
		if err != nil {
			return err
		}
		if it.doc == "" {
			return book.ErrNoFile
		}
		kept, err := it.file()
		if err != nil {
			return err
		}
		kept.book().Discard(expires.UTC())
		return w.putFile(it, kept)
	})
}

// putFile writes a file. It is in the index of lists until it is confirmed.
func (w *work) putFile(it *item, f *file) error {
	it.expires, it.listPK, it.listSK = time.Time{}, "", ""
	if f.Confirmed.IsZero() {
		it.listPK, it.listSK = shard(listUnconfirmed, f.Key), sortable(f.Expires)
	}
	return w.putDoc(it, f)
}

// RemoveFile implements book.Files. What is left of the file is how often it
// was written, so that nobody who has read it before can write it anew.
func (b *Book) RemoveFile(ctx context.Context, key string) error {
	if !book.IsFileKey(key) {
		return nil
	}
	return b.change(ctx, "remove a file", func(w *work) error {
		it, err := w.one(w.ctx, fileKey(key))
		if err != nil || it.doc == "" {
			return err
		}
		kept, err := it.file()
		if err != nil {
			return err
		}
		for _, k := range fileLists(kept.book()) {
			w.erase(k)
		}
		w.put(&item{key: it.key, rev: it.rev, expires: w.opts.Now().Add(-day), doc: "{}"})
		return nil
	})
}

// Files implements book.Files. Each of them is as it was at one moment, but not
// all at the same.
func (b *Book) Files(ctx context.Context, keys []string) ([]book.File, error) {
	if len(keys) > book.MaxFiles {
		return nil, b.explain("find files", fmt.Errorf("%d keys, want at most %d", len(keys), book.MaxFiles))
	}
	ctx, cancel := b.limit(ctx)
	defer cancel()
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !book.IsFileKey(key) })
	found, err := b.filesAt(ctx, keys)
	return found, b.explain("find files", err)
}

// filesAt reads the files that have keys, in no order.
func (b *Book) filesAt(ctx context.Context, keys []string) (all []book.File, err error) {
	where := make([]key, len(keys))
	for i, k := range keys {
		where[i] = fileKey(k)
	}
	found, err := b.getMany(ctx, where)
	if err != nil {
		return nil, err
	}
	for _, it := range found {
		if it.doc == "" {
			continue
		}
		f, err := it.file()
		if err != nil {
			return nil, err
		}
		all = append(all, *f.book())
	}
	return all, nil
}

// UnconfirmedFiles implements book.Files. It looks for them in the index of
// lists, which may be a moment behind, and then at the files themselves.
func (b *Book) UnconfirmedFiles(ctx context.Context, before time.Time, limit int) ([]book.File, error) {
	if err := book.CheckFileList("", limit); err != nil {
		return nil, b.explain("list files", err)
	}
	ctx, cancel := b.limit(ctx)
	defer cancel()
	listed, err := b.findAll(ctx, listUnconfirmed, query{index: true, op: "<", sk: sortable(before), limit: limit})
	if err != nil {
		return nil, b.explain("list files", err)
	}
	slices.SortFunc(listed, func(a, b *item) int { return cmp.Compare(a.listSK, b.listSK) })
	var keys []string
	for _, it := range listed[:min(len(listed), limit)] {
		keys = append(keys, it.pk[len(fileKey("").pk):])
	}
	all, err := b.filesAt(ctx, keys)
	if err != nil {
		return nil, b.explain("list files", err)
	}
	all = slices.DeleteFunc(all, func(f book.File) bool { return !f.Confirmed.IsZero() || !f.Expires.Before(before) })
	slices.SortFunc(all, func(f, g book.File) int { return f.Expires.Compare(g.Expires) })
	return all, nil
}
