package sqlite

import (
	"errors"
	"fmt"

	engine "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/handstamp/handstamp/pkg/gate"
)

// readOnly adds gate.ErrReadOnly to the failure of a write, if it says that the
// disk is full, read-only or refuses to be written, and that therefore nothing
// was changed.
//
// That holds for a failed COMMIT, too. In WAL mode what is written is a list of
// pages, of which the last one makes it count, each with a checksum over all
// before it: a list that could not be written to its end is none, not even
// after a crash, see "The WAL-Index Header" and "WAL File Format" on
// sqlite.org. It does not hold for a failed sync, SQLITE_IOERR_FSYNC, or for a
// log's index that could not be written, SQLITE_IOERR_SHMSIZE: the list is there
// by then, and a crash may bring it to life.
func readOnly(err error) error {
	var failure *engine.Error
	if !errors.As(err, &failure) {
		return err
	}
	code := failure.Code()
	switch code & 0xff {
	case codes.SQLITE_FULL, codes.SQLITE_READONLY:
		return fmt.Errorf("%w: %w", gate.ErrReadOnly, err)
	}
	if code == codes.SQLITE_IOERR_WRITE {
		return fmt.Errorf("%w: %w", gate.ErrReadOnly, err)
	}
	return err
}
