package roll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

// DefaultURLPoll is how often a URL asks for changes.
const DefaultURLPoll = time.Minute

const (
	longestPoll = 15 * time.Minute // however often it has failed
	wholePoll   = time.Hour        // between two whole lists, where there are deltas
)

// Errors of a URL.
var (
	ErrNoList = errors.New("the ticket list has not been read yet")
	ErrOlder  = errors.New("the list is older than the one that serves")
	ErrEmpty  = errors.New("the list is empty, the one that serves is not (hint: say so in its first line, #full,42,0)")
)

// A Client asks servers; see outbound.Client, whose limits hold: Options.MaxBody
// is the size of the largest list, in bytes, and Options.Timeout the longest
// that one may take.
type Client interface {
	Do(req *http.Request) (*outbound.Answer, error)
}

// An Address says where a list is.
type Address struct {
	Full   string      // URL of the whole list; required
	Delta  string      // URL of what has changed, with {sequence} for the number that the list is at; empty means that there are no deltas
	Header http.Header // sent along, such as Authorization; kept to itself
	JSON   bool        // the lists have JSON lines, whatever their names end in
}

// A URL is a list that is fetched again and again. It is safe for concurrent
// use.
type URL struct {
	client Client
	full   *remote
	delta  *remote // nil means none
	opts   Options
	roll   atomic.Pointer[Roll]
	status atomic.Pointer[Status]

	mu    sync.Mutex // held while fetching
	whole time.Time  // when the whole list was asked for and known to be the one that serves
	fails int        // in a row

	stop context.CancelFunc
	done chan struct{}
}

// A Status says how a list is doing.
type Status struct {
	Tickets  int
	Sequence uint64    // 0 if the list has none
	Fresh    time.Time // when the server last said what the list is; zero means never
	Err      error     // of the last attempt; nil if it was good
}

// OpenURL fetches the list at a with client, and asks for changes until Close:
// every Options.Poll and a bit, less often while that fails. It returns an error
// for an address that cannot be used. A list that cannot be fetched or read is
// refused and logged, and the one before goes on serving; until there is a first
// one, nobody knows any ticket and Verify returns ErrNoList. ctx is for the first
// attempt only.
//
// The server is asked whether the list has changed since (RFC 9110, section 13)
// and sent no credentials but those of a.
func OpenURL(ctx context.Context, client Client, a Address, opts Options) (*URL, error) {
	opts.Poll = cmp.Or(opts.Poll, DefaultURLPoll)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if _, err := newParser("", opts); err != nil {
		return nil, err
	}
	u := &URL{client: client, opts: opts, done: make(chan struct{})}
	var err error
	if u.full, err = newRemote(a.Full, a); err != nil {
		return nil, fmt.Errorf("full: %w", err)
	}
	if a.Delta != "" {
		if u.delta, err = newRemote(a.Delta, a); err != nil {
			return nil, fmt.Errorf("delta: %w", err)
		}
	}
	u.status.Store(&Status{})
	_ = u.Reload(ctx) // logged, and in the status
	polling, stop := context.WithCancel(context.Background())
	u.stop = stop
	if opts.Poll < 0 {
		close(u.done)
		return u, nil
	}
	go u.poll(polling)
	return u, nil
}

// Close ends the asking. The list that was read last goes on serving.
func (u *URL) Close() error {
	u.stop()
	<-u.done
	return nil
}

// Status returns how the list is doing.
func (u *URL) Status() Status { return *u.status.Load() }

// String keeps secrets out of logs.
func (u *URL) String() string { return fmt.Sprintf("list of %d tickets", u.Status().Tickets) }

// Verify implements gate.Verifier.
func (u *URL) Verify(ctx context.Context, c gate.Credential) (*gate.Ticket, error) {
	r := u.roll.Load()
	if r == nil {
		return nil, ErrNoList
	}
	return r.Verify(ctx, c)
}

// Recheck implements gate.Rechecker against the list as it is now.
func (u *URL) Recheck(ctx context.Context, source, ref string) (*gate.Ticket, error) {
	r := u.roll.Load()
	if r == nil {
		return nil, ErrNoList
	}
	return r.Recheck(ctx, source, ref)
}

// Reload asks for changes now, as after a hint that there are some. After an
// error the list before goes on serving.
func (u *URL) Reload(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	before := u.roll.Load()
	r, err := u.fetch(ctx, before)
	status := u.Status()
	if r != before {
		u.roll.Store(r)
		status.Tickets, status.Sequence = r.Len(), r.sequence
		u.opts.Log.Info("ticket list fetched", "list", u.full.name, "tickets", status.Tickets, "sequence", status.Sequence)
	}
	if err == nil {
		status.Fresh = time.Now()
	}
	u.note(status, err)
	return err
}

// note records how an attempt ended; what goes on failing is logged once.
func (u *URL) note(status Status, err error) {
	switch {
	case err == nil && u.fails > 0:
		u.opts.Log.Info("ticket list can be read again", "list", u.full.name, "tickets", status.Tickets)
	case err != nil && (status.Err == nil || status.Err.Error() != err.Error()):
		u.opts.Log.Error("ticket list refused, the one before serves", "list", u.full.name, "tickets", status.Tickets, "err", err)
	}
	u.fails++
	if err == nil {
		u.fails = 0
	}
	status.Err = err
	u.status.Store(&status)
}

// fetch returns the list as it is now, or the best there is, with the reason why
// it is no better: before with its changes or, when those do not fit, a whole
// list with its changes. before is nil if there is none yet.
func (u *URL) fetch(ctx context.Context, before *Roll) (*Roll, error) {
	if u.delta == nil {
		return u.fetchWhole(ctx, before)
	}
	var stuck error
	if before != nil && time.Since(u.whole) < wholePoll {
		r, err := u.fetchDelta(ctx, before)
		if err == nil || ctx.Err() != nil {
			return r, err
		}
		stuck = err
	}
	r, err := u.fetchWhole(ctx, before)
	if err != nil {
		return r, errors.Join(stuck, err)
	}
	if stuck != nil && r == before {
		return r, stuck
	}
	return u.fetchDelta(ctx, r)
}

// fetchDelta returns r with its changes, and r itself with an error.
func (u *URL) fetchDelta(ctx context.Context, r *Roll) (*Roll, error) {
	text, mark, err := u.delta.get(ctx, u.client, r.sequence)
	if err != nil || text == nil {
		return r, err
	}
	changed, err := r.Apply(u.delta.name, text, u.opts)
	if err != nil {
		return r, err
	}
	u.delta.mark = mark
	return changed, nil
}

// fetchWhole returns the whole list, or before if that is as good or if there is
// an error.
func (u *URL) fetchWhole(ctx context.Context, before *Roll) (*Roll, error) {
	text, mark, err := u.full.get(ctx, u.client, 0)
	if err != nil {
		return before, err
	}
	now := time.Now()
	if text == nil {
		u.whole = now
		return before, nil
	}
	r, err := u.parse(text, before)
	if err != nil {
		return before, err
	}
	u.full.mark, u.whole = mark, now
	if before != nil && before.sequenced && r.sequence <= before.sequence {
		return before, nil // which knows later changes
	}
	return r, nil
}

// parse reads a whole list that may take the place of before.
func (u *URL) parse(text []byte, before *Roll) (*Roll, error) {
	r, err := Parse(u.full.name, text, u.opts)
	if err != nil {
		return nil, err
	}
	h, _, _ := cutHead(u.full.name, text)
	return r, u.follows(before, r, h)
}

// follows returns an error if r cannot be the list after before.
func (u *URL) follows(before, r *Roll, h head) error {
	switch {
	case u.delta != nil && !r.sequenced:
		return errors.New("the list has no sequence number in its first line, so no changes fit to it")
	case before == nil:
		return nil
	case before.sequenced && (!r.sequenced || r.sequence < before.sequence && u.delta == nil):
		return fmt.Errorf("%w: it is at %d, that one at %d", ErrOlder, r.sequence, before.sequence)
	case r.Len() == 0 && before.Len() > 0 && h.rows != 0:
		return ErrEmpty
	}
	return nil
}

// poll asks for changes until ctx ends.
func (u *URL) poll(ctx context.Context) {
	defer close(u.done)
	timer := time.NewTimer(u.next())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			_ = u.Reload(ctx) // logged, and in the status
			timer.Reset(u.next())
		}
	}
}

// next returns when to ask again: later the more often it has failed, not before
// the server wants to be asked, and spread, as others may ask it too.
func (u *URL) next() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	wait := u.opts.Poll
	for range min(u.fails, 10) {
		wait = min(2*wait, max(longestPoll, u.opts.Poll))
	}
	var later interface{ RetryAfter() time.Duration }
	if errors.As(u.Status().Err, &later) {
		wait = max(wait, later.RetryAfter())
	}
	return wait + rand.N(wait/10+1) // #nosec G404 -- it spreads load and guards nothing
}
