package booktest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// chapter is how many operations a book of Model gets. What is random in them
// is narrow, so that they meet each other.
const chapter = 500

// Model does random operations with the books that open returns and compares
// every answer with that of a simple model. HANDSTAMP_MODEL_OPERATIONS does
// more of them; HANDSTAMP_MODEL_SEED does those of a failure again.
func Model(t *testing.T, open func(t *testing.T) gate.Book, operations int) {
	t.Helper()
	seed := rand.Uint64() // #nosec G404 -- chooses what is tried
	for name, set := range map[string]func(uint64){
		"HANDSTAMP_MODEL_OPERATIONS": func(n uint64) { operations = int(min(n, 1e9)) },
		"HANDSTAMP_MODEL_SEED":       func(n uint64) { seed = n },
	} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			set(n)
		}
	}
	for ; operations > 0; operations, seed = operations-chapter, seed+1 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- must come again
			r := &run{T: t, Rand: random, book: open(t), notes: newNotebook(), now: noon,
				names: map[gate.SessionHash]string{}, next: map[string]string{}, revisions: map[string]int64{}}
			for range min(operations, chapter) {
				r.step()
			}
		})
	}
}

// A run is one book with the model of it.
type run struct {
	*testing.T
	*rand.Rand
	book      gate.Book
	notes     *notebook
	now       time.Time
	done      []string // what was done, for the report of a failure
	sessions  int      // that were made
	names     map[gate.SessionHash]string
	next      map[string]string // session by the one before
	revisions map[string]int64
}

func pick[T any](r *run, from ...T) T { return from[r.IntN(len(from))] }

func (r *run) step() {
	r.Helper()
	r.tick()
	switch n := r.IntN(100); {
	case n < 30:
		r.enter()
	case n < 75:
		r.renew()
	case n < 80:
		r.leave()
	case n < 83:
		r.revoke()
	case n < 86:
		r.firstUse()
	default:
		r.find(r.session())
	}
	if r.IntN(50) == 0 {
		for i := range r.sessions {
			r.find(fmt.Sprint("model ", i))
		}
	}
}

// tick lets time pass, mostly forwards.
func (r *run) tick() {
	r.now = r.now.Add(pick(r, 0, 0, 0, 0, 0, time.Second, time.Second, 5*time.Second, 29*time.Second, 30*time.Second, 31*time.Second, 5*time.Minute))
	switch r.IntN(200) {
	case 0:
		r.now = r.now.Add(time.Duration(r.IntN(26)) * time.Hour)
	case 1, 2:
		r.now = r.now.Add(-time.Duration(r.IntN(61)) * time.Minute)
	case 3, 4, 5, 6:
		r.now = r.now.Add(time.Duration(r.IntN(61)) * time.Minute)
	}
}

// fresh names a session that nobody has.
func (r *run) fresh() string {
	name := fmt.Sprint("model ", r.sessions)
	r.names[session(name)] = name
	r.sessions++
	return name
}

// session names one that was made: mostly one that lives, or lived a moment ago.
func (r *run) session() string {
	if n := len(r.notes.devices); n > 0 && r.IntN(4) > 0 {
		d := r.notes.devices[max(0, n-1-r.IntN(6))]
		if i := len(d.before) - 1; i >= 0 && r.IntN(3) == 0 {
			return r.names[d.before[max(0, i-r.IntN(2))].session]
		}
		return r.names[d.session]
	}
	return fmt.Sprint("model ", r.sessions-1-r.IntN(r.sessions+1)) // "model -1" is nobody's
}

func (r *run) entitlements() (list []gate.Entitlement) {
	for _, e := range []gate.Entitlement{{Attraction: "castle", Package: "audio"}, {Attraction: "castle", Package: "premium"}, {Attraction: "zoo"}} {
		if r.IntN(2) == 0 {
			e.Until = r.now.Add(pick(r, time.Minute, time.Hour, 40*time.Hour))
			e.From = pick(r, time.Time{}, r.now.Add(-time.Hour))
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		return r.entitlements()
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (r *run) enter() {
	r.Helper()
	name := r.fresh()
	e := gate.Entry{
		Ticket: fingerprint(pick(r, "A", "B", "C", fmt.Sprint("D", r.sessions/50))), At: r.now,
		Ends:  r.now.Add(pick(r, 20*time.Minute, 2*time.Hour, 30*time.Hour)),
		Seats: 1 + r.IntN(3), Session: session(name), Entitlements: r.entitlements(),
		FirstUse: pick(r, time.Time{}, r.now.Add(-time.Hour)), Source: pick(r, "list", "boxoffice"), Ref: pick(r, "", "17"),
		Idle: pick(r, 0, time.Minute, 10*time.Minute), Swaps: r.IntN(4) - 1,
	}
	what := fmt.Sprintf("Enter %s", name)
	if r.IntN(2) == 0 {
		previous := r.session()
		e.Previous = session(previous)
		what += " after " + previous
	}
	if r.IntN(3) == 0 {
		e.Request = gate.Idempotency{Key: session(pick(r, "K", "L", "M")), Body: session(pick(r, "castle", "castle", "zoo"))}
	}
	r.log("%s: ticket %x until %s, %d seats, idle %v, %d swaps, request %x %x, %s", what, e.Ticket[:2], e.Ends.Format(clock),
		e.Seats, e.Idle, e.Swaps, e.Request.Key[:2], e.Request.Body[:2], spellEntitlements(e.Entitlements))
	got, err := r.book.Enter(r.Context(), e)
	want, wanted := r.notes.enter(e)
	r.compare(got, err, want, wanted)
}

func (r *run) renew() {
	r.Helper()
	name := r.session()
	next := r.next[name] // as it was, if it comes again
	if next == "" || r.IntN(10) == 0 {
		next = r.fresh()
		r.next[name] = next
	}
	renewal := gate.Renewal{Session: session(name), Next: session(next), At: r.now, Grace: pick(r, gate.RotationGrace, gate.RotationGrace, 5*time.Second)}
	if r.IntN(3) == 0 {
		renewal.Fresh = &gate.Verdict{At: r.now, Entitlements: r.entitlements()}
	}
	r.log("Renew %s to %s: grace %v, fresh %v", name, next, renewal.Grace, renewal.Fresh != nil)
	got, err := r.book.Renew(r.Context(), renewal)
	want, wanted := r.notes.renew(renewal)
	r.compare(got, err, want, wanted)
}

func (r *run) find(name string) {
	r.Helper()
	r.log("Find %s", name)
	got, err := r.book.Find(r.Context(), session(name), r.now)
	want, wanted := r.notes.find(session(name), r.now)
	r.compare(got, err, want, wanted)
}

func (r *run) firstUse() {
	r.Helper()
	ticket := fingerprint(pick(r, "A", "B", "C", "never shown", fmt.Sprint("D", r.sessions/50)))
	r.log("FirstUse %x", ticket[:2])
	if got, err := r.book.FirstUse(r.Context(), ticket); err != nil || !got.Equal(r.notes.firstUse[ticket]) {
		r.fail("FirstUse = %v, %v, want %v", got, err, r.notes.firstUse[ticket])
	}
}

func (r *run) leave() {
	r.Helper()
	name := r.session()
	r.log("Leave %s", name)
	if err := r.book.Leave(r.Context(), session(name), r.now); err != nil {
		r.fail("Leave = %v", err)
	}
	r.notes.leave(session(name), r.now)
}

func (r *run) revoke() {
	r.Helper()
	t := gate.Target{Kind: pick(r, gate.TargetTicket, gate.TargetAdmission, gate.TargetDevice, gate.TargetDevice, gate.TargetDevice, gate.TargetAttraction)}
	switch t.Kind {
	case gate.TargetTicket: // seldom one that is in use all the time
		t.Ticket = fingerprint(pick(r, "never shown", fmt.Sprint("D", r.sessions/50), pick(r, "A", "D0", "D1", "D2", "D3")))
	case gate.TargetAttraction:
		t.ID = pick(r, "castle", "zoo", "moon")
	default:
		t.ID = r.id(t.Kind)
	}
	r.log("Revoke %s %s %x", t.Kind, t.ID, t.Ticket[:2])
	got, err := r.book.Revoke(r.Context(), t, r.now)
	want, wanted := r.notes.revoke(t, r.now)
	if got != want || (err == nil) != (wanted == nil) || wanted != nil && !errors.Is(err, wanted) {
		r.fail("Revoke(%+v) = %d, %v, want %d, %v", t, got, err, want, wanted)
	}
}

// id returns the id of something, mostly of late, or of nothing.
func (r *run) id(kind gate.TargetKind) string {
	ids := []string{"nobody's"}
	for _, d := range r.notes.devices {
		if kind == gate.TargetDevice {
			ids = append(ids, d.id)
		} else {
			ids = append(ids, d.visit.ID)
		}
	}
	return ids[max(0, len(ids)-1-r.IntN(6))]
}

// compare holds what a book answered against what the model did.
func (r *run) compare(got *gate.Admission, err error, d *noteDevice, wanted error) {
	r.Helper()
	switch {
	case wanted != nil && (got != nil || !sameError(err, wanted)):
		r.fail("got %v, %v, want %v", got, err, wanted)
	case wanted == nil && err != nil:
		r.fail("got %v, want %s", err, spell(r.notes.answer(d)))
	case wanted != nil:
		return
	}
	if d.visit.ID == "" {
		d.visit.ID = got.ID
		r.unique(got.ID)
	}
	if d.id == "" {
		d.id = got.Device
		r.unique(got.Device)
	}
	want := r.notes.answer(d)
	if a, b := spell(got), spell(want); a != b {
		r.fail("got\n  %s\nwant\n  %s", a, b)
	}
	if got.Revision < r.revisions[got.ID] {
		r.fail("revision %d, want at least %d", got.Revision, r.revisions[got.ID])
	}
	r.revisions[got.ID] = got.Revision
}

// unique makes sure that an id has not been seen before.
func (r *run) unique(id string) {
	r.Helper()
	if _, seen := r.revisions[id]; seen || len(id) < 26 {
		r.fail("id %q, want 26 characters that nothing else has", id)
	}
	r.revisions[id] = 0
}

func sameError(got, want error) bool {
	var g, w *gate.Denial
	if want == errGone {
		return errors.As(got, &g) && (g.Reason == gate.ReasonNoSession || g.Reason == gate.ReasonRevoked)
	}
	if errors.As(want, &w) {
		return errors.As(got, &g) && g.Reason == w.Reason && !g.Proven
	}
	return want != nil && errors.Is(got, want)
}

// spell writes down all of an admission that must be the same, times in UTC.
func spell(a *gate.Admission) string {
	text := fmt.Sprintf("%s %x %s, %v to %v, first %v, %d of %d seats, device %s, %q %q, verdict %v, held %x:", a.ID, a.Ticket[:4], a.State,
		a.Begins.Unix(), a.Ends.Unix(), a.FirstUse.Unix(), a.Taken, a.Seats, a.Device, a.Source, a.Ref, a.VerdictAt.Unix(), a.Held[:4])
	return text + spellEntitlements(a.Entitlements)
}

func spellEntitlements(list []gate.Entitlement) (text string) {
	for _, e := range list {
		text += fmt.Sprintf(" %s/%s %d to %d", e.Attraction, e.Package, e.From.Unix(), e.Until.Unix())
	}
	return text
}

// clock is how times of day are written.
const clock = "2 15:04:05"

func (r *run) log(format string, args ...any) {
	r.done = append(r.done, r.now.Format(clock)+" "+fmt.Sprintf(format, args...))
}

// fail reports a difference, with what was done before.
func (r *run) fail(format string, args ...any) {
	r.Helper()
	done := slices.DeleteFunc(slices.Clone(r.done[:len(r.done)-1]), func(s string) bool { return strings.Contains(s, " Find ") })
	r.Fatalf("%s\n%s\nafter\n%s", r.done[len(r.done)-1], fmt.Sprintf(format, args...), strings.Join(done[max(0, len(done)-25):], "\n"))
}
