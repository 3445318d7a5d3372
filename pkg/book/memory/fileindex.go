package memory

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
func (b *Book) AddFile(_ context.Context, f book.File) error {
	if err := f.Check(); err != nil {
		return fmt.Errorf("add a file: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.files[f.Key]; ok {
		return fmt.Errorf("file %q %w", f.Key, book.ErrDuplicate)
	}
	b.files[f.Key] = f
	return nil
}

// ConfirmFile implements book.Files.
func (b *Book) ConfirmFile(_ context.Context, f book.File) error {
	if err := f.CheckConfirmed(); err != nil {
		return fmt.Errorf("confirm a file: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	kept, ok := b.files[f.Key]
	if !ok || kept.Discarded() {
		return book.ErrNoFile
	}
	if kept.Confirmed.IsZero() {
		kept.Size, kept.Type, kept.ETag, kept.Confirmed = f.Size, f.Type, f.ETag, f.Confirmed
		b.files[f.Key] = kept
	}
	return nil
}

// DiscardFile implements book.Files.
func (b *Book) DiscardFile(_ context.Context, key string, expires time.Time) error {
	if err := book.CheckDiscard(expires); err != nil {
		return fmt.Errorf("discard a file: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.files[key]
	if !ok {
		return book.ErrNoFile
	}
	f.Discard(expires)
	b.files[key] = f
	return nil
}

// Files implements book.Files.
func (b *Book) Files(_ context.Context, keys []string) ([]book.File, error) {
	if len(keys) > book.MaxFiles {
		return nil, fmt.Errorf("find files: %d keys, want at most %d", len(keys), book.MaxFiles)
	}
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []book.File
	for _, key := range keys {
		if f, ok := b.files[key]; ok {
			found = append(found, f)
		}
	}
	return found, nil
}

// FilesOf implements book.Files.
func (b *Book) FilesOf(_ context.Context, owner, area, after string, limit int) ([]book.File, error) {
	return b.listFiles(after, limit, func(f *book.File) bool { return f.Owner == owner && (area == "" || f.Area == area) })
}

// FilesIn implements book.Files.
func (b *Book) FilesIn(_ context.Context, area, after string, limit int) ([]book.File, error) {
	return b.listFiles(after, limit, func(f *book.File) bool { return f.Area == area })
}

// listFiles returns the first files after a key that are selected, by key.
func (b *Book) listFiles(after string, limit int, selects func(*book.File) bool) ([]book.File, error) {
	if err := book.CheckFileList(after, limit); err != nil {
		return nil, err
	}
	all := b.selectFiles(func(f *book.File) bool { return f.Key > after && selects(f) })
	slices.SortFunc(all, func(f, g book.File) int { return cmp.Compare(f.Key, g.Key) })
	return all[:min(len(all), limit)], nil
}

// UnconfirmedFiles implements book.Files.
func (b *Book) UnconfirmedFiles(_ context.Context, before time.Time, limit int) ([]book.File, error) {
	if err := book.CheckFileList("", limit); err != nil {
		return nil, err
	}
	all := b.selectFiles(func(f *book.File) bool { return f.Confirmed.IsZero() && f.Expires.Before(before) })
	slices.SortFunc(all, func(f, g book.File) int { return f.Expires.Compare(g.Expires) })
	return all[:min(len(all), limit)], nil
}

// selectFiles returns the files that are selected, in no order.
func (b *Book) selectFiles(selects func(*book.File) bool) (all []book.File) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.files {
		if selects(&f) {
			all = append(all, f)
		}
	}
	return all
}

// RemoveFile implements book.Files.
func (b *Book) RemoveFile(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.files, key)
	return nil
}
