package roll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// DefaultPoll is how often a File looks whether it has changed.
const DefaultPoll = 10 * time.Second

var errMoved = errors.New("changed while it was read")

// A File is a list that is read again when it changes. It is safe for
// concurrent use.
type File struct {
	name string
	opts Options
	roll atomic.Pointer[Roll]

	mu   sync.Mutex // held while reading
	read sight
	stop context.CancelFunc
	done chan struct{}
}

// Open reads the list in file, as Load does, and goes on looking at it until
// Close. A change is read once it has stayed the same for Options.Poll, so that
// a list that is still being written is not taken for a whole one; whoever
// writes it should put it beside the old one and rename it nevertheless. A list
// that cannot be read is refused, and the one before goes on serving.
//
// A change is seen by the file's identity, size and time of modification. One
// that keeps all three is not seen.
func Open(file string, opts Options) (*File, error) {
	opts.Poll = cmp.Or(opts.Poll, DefaultPoll)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &File{name: file, opts: opts, stop: stop, done: make(chan struct{})}
	if err := f.Reload(); err != nil {
		stop()
		return nil, err
	}
	if opts.Poll < 0 {
		close(f.done)
		return f, nil
	}
	go f.watch(ctx)
	return f, nil
}

// Close ends the looking. The list that was read last goes on serving.
func (f *File) Close() error {
	f.stop()
	<-f.done
	return nil
}

// Len returns the number of tickets.
func (f *File) Len() int { return f.roll.Load().Len() }

// String keeps the secret out of logs.
func (f *File) String() string { return f.roll.Load().String() }

// Verify implements gate.Verifier.
func (f *File) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	return f.roll.Load().Verify(ctx, c)
}

// Recheck implements gate.Rechecker against the list as it is now.
func (f *File) Recheck(ctx context.Context, source, ref string) (*gate.Ticket, error) {
	return f.roll.Load().Recheck(ctx, source, ref)
}

// Reload reads the list now, changed or not. After an error the one before goes
// on serving.
func (f *File) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, err := f.sight() // before reading, so that a later change is seen
	if err != nil {
		return err
	}
	roll, err := f.load(before)
	if err != nil {
		return err
	}
	if after, err := f.sight(); err != nil || !after.same(before) {
		return fmt.Errorf("%s: %w", f.name, cmp.Or(err, errMoved))
	}
	f.read = before
	if old := f.roll.Swap(roll); old != nil {
		f.opts.Log.Info("ticket list read again", "file", f.name, "tickets", roll.Len(), "before", old.Len())
	}
	return nil
}

// load reads the list, and its changes if there are any.
func (f *File) load(s sight) (*Roll, error) {
	roll, err := Load(f.name, f.opts)
	if err != nil || s.delta == nil {
		return roll, err
	}
	if s.delta.Size() > maxFile {
		return nil, fmt.Errorf("%s: %d bytes, at most %d fit into memory", f.opts.Delta, s.delta.Size(), maxFile)
	}
	text, err := os.ReadFile(f.opts.Delta)
	if err != nil {
		return nil, err
	}
	changed, err := roll.Apply(f.opts.Delta, text, f.opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(f.opts.Delta), err)
	}
	return changed, nil
}

// A sight is what the files look like from outside.
type sight struct{ list, delta os.FileInfo } // delta is nil if there is none

func (f *File) sight() (s sight, err error) {
	if s.list, err = os.Stat(f.name); err != nil || f.opts.Delta == "" {
		return s, err
	}
	if s.delta, err = os.Stat(f.opts.Delta); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	return s, err
}

// same reports whether nothing has changed. The zero sight is like no other.
func (s sight) same(other sight) bool {
	return same(s.list, other.list) && (s.delta == nil && other.delta == nil || same(s.delta, other.delta))
}

func same(a, b os.FileInfo) bool {
	return a != nil && b != nil && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// watch reads the list again when it has changed, and stays as it is for one
// poll.
func (f *File) watch(ctx context.Context) {
	defer close(f.done)
	ticker := time.NewTicker(f.opts.Poll)
	defer ticker.Stop()
	w := watcher{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.look(&w)
		}
	}
}

// A watcher remembers what it saw of a file.
type watcher struct {
	seen    sight // at the last look
	refused sight // not to be tried again, nor logged
	missing bool
}

func (f *File) look(w *watcher) {
	now, err := f.sight()
	if err != nil {
		if !w.missing {
			f.opts.Log.Error("ticket list refused, the one before serves", "file", f.name, "err", err)
		}
		w.missing, w.seen = true, sight{}
		return
	}
	settled := now.same(w.seen)
	w.missing, w.seen = false, now
	if !settled || now.same(w.refused) || f.has(now) {
		return
	}
	w.refused = sight{}
	if err := f.Reload(); err != nil {
		w.refused = now
		f.opts.Log.Error("ticket list refused, the one before serves", "file", f.name, "err", err)
	}
}

// has reports whether the list that serves is the one that s is of.
func (f *File) has(s sight) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return s.same(f.read)
}
