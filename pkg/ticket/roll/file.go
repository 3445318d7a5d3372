package roll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
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
	read os.FileInfo
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
	info, err := os.Stat(f.name) // before reading, so that a later change is seen
	if err != nil {
		return err
	}
	roll, err := Load(f.name, f.opts)
	if err != nil {
		return err
	}
	if after, err := os.Stat(f.name); err != nil || !same(info, after) {
		return fmt.Errorf("%s: %w", f.name, cmp.Or(err, errMoved))
	}
	f.read = info
	before := f.roll.Swap(roll)
	if before != nil {
		f.opts.Log.Info("ticket list read again", "file", f.name, "tickets", roll.Len(), "before", before.Len())
	}
	return nil
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
	seen    os.FileInfo // at the last look
	refused os.FileInfo // not to be tried again, nor logged
	missing bool
}

func (f *File) look(w *watcher) {
	info, err := os.Stat(f.name)
	if err != nil {
		if !w.missing {
			f.opts.Log.Error("ticket list refused, the one before serves", "file", f.name, "err", err)
		}
		w.missing, w.seen = true, nil
		return
	}
	settled := same(info, w.seen)
	w.missing, w.seen = false, info
	if !settled || same(info, w.refused) || f.has(info) {
		return
	}
	w.refused = nil
	if err := f.Reload(); err != nil {
		w.refused = info
		f.opts.Log.Error("ticket list refused, the one before serves", "file", f.name, "err", err)
	}
}

// has reports whether the list that serves is the one that info is of.
func (f *File) has(info os.FileInfo) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return same(info, f.read)
}

func same(a, b os.FileInfo) bool {
	return a != nil && b != nil && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}
