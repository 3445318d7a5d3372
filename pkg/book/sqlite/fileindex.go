package sqlite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

var _ book.Files = (*Book)(nil)

const fileColumns = `key, owner, area, name, type, size, sha256, etag, public, added, confirmed, expires`

func fileFields(f *book.File) []any {
	return []any{&f.Key, &f.Owner, &f.Area, &f.Name, &f.Type, &f.Size, &f.SHA256, &f.ETag, &f.Public,
		instant{&f.Added}, instant{&f.Confirmed}, instant{&f.Expires}}
}

// AddFile implements book.Files.
func (b *Book) AddFile(ctx context.Context, f book.File) error {
	if err := f.Check(); err != nil {
		return b.explain("add a file", err)
	}
	n, err := answer(ctx, b, "add a file", func(t *tx) (int, error) {
		return t.exec(`INSERT INTO files (`+fileColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
			f.Key, f.Owner, f.Area, f.Name, f.Type, f.Size, f.SHA256, f.ETag, f.Public, micros(f.Added), micros(f.Confirmed), micros(f.Expires))
	})
	if err == nil && n == 0 {
		err = b.explain("add a file", fmt.Errorf("key %q %w", f.Key, book.ErrDuplicate))
	}
	return err
}

// ConfirmFile implements book.Files.
func (b *Book) ConfirmFile(ctx context.Context, f book.File) error {
	if err := f.CheckConfirmed(); err != nil {
		return b.explain("confirm a file", err)
	}
	n, err := answer(ctx, b, "confirm a file", func(t *tx) (known int, err error) {
		changed, err := t.exec(`UPDATE files SET size = ?2, type = ?3, etag = ?4, confirmed = ?5 WHERE key = ?1 AND confirmed IS NULL AND size > 0`,
			f.Key, f.Size, f.Type, f.ETag, micros(f.Confirmed))
		if err != nil || changed > 0 {
			return changed, err
		}
		return known, t.row(`SELECT count(*) FROM files WHERE key = ? AND confirmed IS NOT NULL`, []any{f.Key}, &known)
	})
	if err == nil && n == 0 {
		err = book.ErrNoFile
	}
	return err
}

// DiscardFile implements book.Files.
func (b *Book) DiscardFile(ctx context.Context, key string, expires time.Time) error {
	if err := book.CheckDiscard(expires); err != nil {
		return b.explain("discard a file", err)
	}
	n, err := answer(ctx, b, "discard a file", func(t *tx) (int, error) {
		return t.exec(`UPDATE files SET name = '', type = '', size = 0, sha256 = '', etag = '', public = 0, confirmed = NULL, expires = ?2 WHERE key = ?1`,
			key, micros(expires))
	})
	if err == nil && n == 0 {
		err = book.ErrNoFile
	}
	return err
}

// Files implements book.Files.
func (b *Book) Files(ctx context.Context, keys []string) ([]book.File, error) {
	if len(keys) > book.MaxFiles {
		return nil, b.explain("find files", fmt.Errorf("%d keys, want at most %d", len(keys), book.MaxFiles))
	}
	if len(keys) == 0 {
		return nil, nil
	}
	var args []any
	for _, key := range keys {
		args = append(args, key)
	}
	return b.files(ctx, `key IN (`+marks("?", len(keys))+`)`, "key", book.MaxFiles, args...)
}

// FilesOf implements book.Files.
func (b *Book) FilesOf(ctx context.Context, owner, area, after string, limit int) ([]book.File, error) {
	if err := book.CheckFileList(after, limit); err != nil {
		return nil, b.explain("list files", err)
	}
	if area == "" {
		return b.files(ctx, `owner = ? AND key > ?`, "key", limit, owner, after)
	}
	return b.files(ctx, `owner = ? AND area = ? AND key > ?`, "key", limit, owner, area, after)
}

// FilesIn implements book.Files.
func (b *Book) FilesIn(ctx context.Context, area, after string, limit int) ([]book.File, error) {
	if err := book.CheckFileList(after, limit); err != nil {
		return nil, b.explain("list files", err)
	}
	return b.files(ctx, `area = ? AND key > ?`, "key", limit, area, after)
}

// UnconfirmedFiles implements book.Files.
func (b *Book) UnconfirmedFiles(ctx context.Context, before time.Time, limit int) ([]book.File, error) {
	if err := book.CheckFileList("", limit); err != nil {
		return nil, b.explain("list files", err)
	}
	return b.files(ctx, `confirmed IS NULL AND expires < ?`, "expires", limit, before.UnixMicro())
}

// files returns the first files of which a condition holds, in an order.
func (b *Book) files(ctx context.Context, where, order string, limit int, args ...any) ([]book.File, error) {
	query := `SELECT ` + fileColumns + ` FROM files WHERE ` + where + ` ORDER BY ` + order + ` LIMIT ?` // #nosec G202 -- nothing of it is from outside
	rows, err := b.reader.QueryContext(ctx, query, append(slices.Clip(args), limit)...)
	if err != nil {
		return nil, b.explain("list files", err)
	}
	defer rows.Close()
	var all []book.File
	for rows.Next() {
		var f book.File
		if err := rows.Scan(fileFields(&f)...); err != nil {
			return nil, b.explain("list files", err)
		}
		all = append(all, f)
	}
	return all, b.explain("list files", rows.Err())
}

// RemoveFile implements book.Files.
func (b *Book) RemoveFile(ctx context.Context, key string) error {
	_, err := answer(ctx, b, "remove a file", func(t *tx) (int, error) { return t.exec(`DELETE FROM files WHERE key = ?`, key) })
	return err
}
