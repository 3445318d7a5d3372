package gate_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/gate"
)

var errDown = errors.New("connection refused")

// A desk answers with one ticket, or one error, for everything.
type desk struct {
	ticket *gate.Ticket
	err    error
	asked  int
}

func (d *desk) Verify(context.Context, gate.Credential) (*gate.Ticket, error) {
	d.asked++
	return d.ticket, d.err
}

// A press stamps with cookies that say what they are for.
type press struct {
	err    error
	mute   bool // write nothing down, for those who come at once
	grants []gate.Grant
}

func (p *press) Stamp(_ context.Context, g gate.Grant) (*gate.Stamp, error) {
	if p.err != nil {
		return nil, p.err
	}
	if !p.mute {
		p.grants = append(p.grants, g)
	}
	return &gate.Stamp{Grant: g, CookiePath: "/" + g.Path + "/", Cookies: []*http.Cookie{{Name: "stamp", Value: g.Path, Path: "/" + g.Path + "/"}}}, nil
}

func (*press) Clear(path string) []*http.Cookie {
	return []*http.Cookie{{Name: "stamp", Path: "/" + path + "/", MaxAge: -1}}
}

// A ledger is the memory book with everything written down, and faults.
type ledger struct {
	*memory.Book
	enter, find, leave, renew, revoke, used error
	entries                                 []gate.Entry
	left                                    []gate.SessionHash
	change, renewed                         func(*gate.Admission) // of what was entered, of what was renewed
	changeFound                             func(*gate.Admission) // of what was found
	uses                                    int                   // times that it was asked for a first use
}

func (l *ledger) FirstUse(ctx context.Context, f gate.Fingerprint) (time.Time, error) {
	l.uses++
	if l.used != nil {
		return time.Time{}, l.used
	}
	return l.Book.FirstUse(ctx, f)
}

func (l *ledger) Enter(ctx context.Context, e gate.Entry) (*gate.Admission, error) {
	l.entries = append(l.entries, e)
	if l.enter != nil {
		return nil, l.enter
	}
	a, err := l.Book.Enter(ctx, e)
	if err == nil && l.change != nil {
		l.change(a)
	}
	return a, err
}

func (l *ledger) Find(ctx context.Context, s gate.SessionHash, at time.Time) (*gate.Admission, error) {
	if l.find != nil {
		return nil, l.find
	}
	a, err := l.Book.Find(ctx, s, at)
	if err == nil && l.changeFound != nil {
		l.changeFound(a)
	}
	return a, err
}

func (l *ledger) Renew(ctx context.Context, r gate.Renewal) (*gate.Admission, error) {
	if l.renew != nil {
		return nil, l.renew
	}
	a, err := l.Book.Renew(ctx, r)
	if err == nil && l.renewed != nil {
		l.renewed(a)
	}
	return a, err
}

func (l *ledger) Revoke(ctx context.Context, t gate.Target, at time.Time) (int, error) {
	if l.revoke != nil {
		return 0, l.revoke
	}
	return l.Book.Revoke(ctx, t, at)
}

func (l *ledger) Leave(ctx context.Context, s gate.SessionHash, at time.Time) error {
	l.left = append(l.left, s)
	if l.leave != nil {
		return l.leave
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.Book.Leave(ctx, s, at)
}

// A world is a keeper with everything around it in reach.
type world struct {
	*gate.Keeper
	desk  desk
	press press
	book  ledger
	now   time.Time
}

func newWorld(opts gate.Options) *world {
	w := &world{now: noon, book: ledger{Book: memory.New()}}
	w.desk.ticket = &gate.Ticket{Source: "list", Kind: "code", Normal: "A1", Buys: []gate.Product{{Attraction: "castle", Package: "audio"}}}
	opts.Now = func() time.Time { return w.now }
	w.Keeper = gate.NewKeeper(&w.desk, &gate.Rules{Attractions: places()}, &w.book, &w.press, opts)
	return w
}

func (w *world) admit(t *testing.T, where string, previous gate.Session) *gate.Pass {
	t.Helper()
	pass, err := w.Admit(t.Context(), gate.Credential{Code: "a1", Attraction: where}, previous)
	if err != nil {
		t.Fatalf("Admit at %q = %v", where, err)
	}
	return pass
}

func paths(cookies []*http.Cookie) (list []string) {
	for _, c := range cookies {
		list = append(list, c.Path)
	}
	return list
}

func TestAdmit(t *testing.T) {
	w := newWorld(gate.Options{Pepper: []byte("pepper")})
	w.now = noon.Add(30*time.Second + 1)
	w.desk.ticket.FirstUse = noon.Add(-time.Hour)
	pass := w.admit(t, "", "")

	entry := w.book.entries[0]
	if entry.Ticket != w.desk.ticket.Fingerprint([]byte("pepper")) || entry.Seats != gate.DefaultSeats || !entry.At.Equal(w.now) ||
		!entry.FirstUse.Equal(noon.Add(-time.Hour)) || entry.Previous != (gate.SessionHash{}) || entry.Session != pass.Session.Hash() {
		t.Errorf("entry = %+v, want the ticket's fingerprint, 5 seats, its first use, and the session of the pass", entry)
	}
	if len(pass.Stamps) != 1 {
		t.Fatalf("stamps = %v, want one", pass.Stamps)
	}
	g := pass.Stamps[0].Grant
	want := gate.Grant{Attraction: "castle", Package: "audio", Path: "castle/audio", Expires: noon.Add(16 * time.Minute)}
	if g != want {
		t.Errorf("grant = %+v, want %+v", g, want)
	}
	if pass.Refresh != gate.DefaultLifetime*2/3 || !pass.Now.Equal(w.now) {
		t.Errorf("refresh %v at %v, want two thirds of 15 minutes at %v", pass.Refresh, pass.Now, w.now)
	}
}

func TestAdmitTakesSeatsFromTheTicket(t *testing.T) {
	w := newWorld(gate.Options{Seats: 7})
	w.admit(t, "", "")
	w.desk.ticket.Seats = 2
	w.admit(t, "", "")
	if w.book.entries[0].Seats != 7 || w.book.entries[1].Seats != 2 {
		t.Errorf("seats = %d, then %d, want 7 by the options and 2 by the ticket", w.book.entries[0].Seats, w.book.entries[1].Seats)
	}
}

func TestAdmitTellsTheBookThePreviousSession(t *testing.T) {
	w := newWorld(gate.Options{Seats: 1})
	first := w.admit(t, "", "")
	second := w.admit(t, "", first.Session)
	if w.book.entries[1].Previous != first.Session.Hash() || second.Session == first.Session || second.Admission.Taken != 1 {
		t.Errorf("second pass %+v, want a new session on the same seat", second.Admission)
	}
}

func TestAdmitRefusals(t *testing.T) {
	var uniform *gate.Denial
	refused := &gate.Denial{Reason: gate.ReasonCancelled, Proven: true}
	tests := []struct {
		name   string
		where  string
		change func(*world)
		want   *gate.Denial // nil means that nobody knows
	}{
		{"attraction that is not configured", "moon", func(*world) {}, gate.Deny(gate.ReasonWrongAttraction, nil)},
		{"source refuses", "", func(w *world) { w.desk.err = refused }, refused},
		{"source is down", "", func(w *world) { w.desk.err = errDown }, nil},
		{"ticket for elsewhere", "zoo", func(w *world) { w.desk.ticket.Proven = true }, &gate.Denial{Reason: gate.ReasonWrongAttraction, Proven: true}},
		{"book refuses a weak ticket", "", func(w *world) { w.book.enter = gate.Deny(gate.ReasonSeatsTaken, nil) }, gate.Deny(gate.ReasonSeatsTaken, nil)},
		{"book refuses a strong ticket", "", func(w *world) {
			w.desk.ticket.Proven, w.book.enter = true, gate.Deny(gate.ReasonRevoked, errDown)
		}, &gate.Denial{Reason: gate.ReasonRevoked, Proven: true}},
		{"book is down", "", func(w *world) { w.desk.ticket.Proven, w.book.enter = true, errDown }, nil},
		{"stamper is down", "", func(w *world) { w.press.err = errDown }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(gate.Options{})
			tt.change(w)
			pass, err := w.Admit(t.Context(), gate.Credential{Code: "a1", Attraction: tt.where}, "")
			if pass != nil {
				t.Errorf("Admit = %+v, want no pass", pass)
			}
			denial := uniform
			isDenial := errors.As(err, &denial)
			switch {
			case tt.want == nil && (isDenial || !errors.Is(err, errDown)):
				t.Errorf("Admit = %v, want the failure and no denial", err)
			case tt.want != nil && (!isDenial || denial.Reason != tt.want.Reason || denial.Proven != tt.want.Proven):
				t.Errorf("Admit = %v (%+v), want %q, proven %v", err, denial, tt.want.Reason, tt.want.Proven)
			}
		})
	}
}

func TestAdmitAsksNobodyAboutAnUnknownAttraction(t *testing.T) {
	w := newWorld(gate.Options{})
	_, err := w.Admit(t.Context(), gate.Credential{Code: "a1", Attraction: "moon"}, "")
	if err == nil || w.desk.asked != 0 || len(w.book.entries) != 0 {
		t.Errorf("Admit = %v after %d questions, want a denial after none", err, w.desk.asked)
	}
}

// A viewer who gets an error must not have used up a seat, however often.
func TestAdmitGivesTheSeatBackWhenStampingFails(t *testing.T) {
	w := newWorld(gate.Options{Seats: 1})
	w.press.err = errDown
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // the viewer may have gone away meanwhile
		if _, err := w.Admit(ctx, gate.Credential{Code: "a1"}, ""); !errors.Is(err, errDown) {
			t.Fatalf("Admit = %v, want the stamper's error", err)
		}
	}
	w.press.err = nil
	w.admit(t, "", "")
}

func TestAdmitReportsThatTheSeatIsLost(t *testing.T) {
	w := newWorld(gate.Options{})
	errFull := errors.New("disk full")
	w.press.err, w.book.leave = errDown, errFull
	_, err := w.Admit(t.Context(), gate.Credential{Code: "a1"}, "")
	if !errors.Is(err, errDown) || !errors.Is(err, errFull) {
		t.Errorf("Admit = %v, want both errors", err)
	}
}

// With less than a second left there is no cookie to give.
func TestAdmitInTheLastSecond(t *testing.T) {
	w := newWorld(gate.Options{})
	w.now = noon.Add(100 * time.Millisecond)
	w.desk.ticket.ValidUntil, w.desk.ticket.Proven = noon.Add(900*time.Millisecond), true
	_, err := w.Admit(t.Context(), gate.Credential{Code: "a1"}, "")
	var denial *gate.Denial
	if !errors.As(err, &denial) || denial.Reason != gate.ReasonExpired || !denial.Proven {
		t.Errorf("Admit = %v (%+v), want expired, proven", err, denial)
	}
	if len(w.book.left) != 1 {
		t.Errorf("left = %v, want the seat given back", w.book.left)
	}
}

func TestAdmitClearsWhatTheTicketDoesNotBuy(t *testing.T) {
	w := newWorld(gate.Options{})
	pass := w.admit(t, "", "")
	if got := paths(pass.Stale); !slices.Equal(got, []string{"/castle/premium/"}) {
		t.Errorf("cleared %v, want the castle's other package only", got)
	}
	w.desk.ticket = &gate.Ticket{Source: "list", Normal: "B2", Buys: []gate.Product{{Attraction: "zoo"}}}
	if pass = w.admit(t, "", ""); pass.Stale != nil {
		t.Errorf("cleared %v, want nothing: the castle's cookies are of another ticket", paths(pass.Stale))
	}
}

// A pass that is shown at the second attraction keeps the first one open.
func TestAdmitAtTheNextAttraction(t *testing.T) {
	w := newWorld(gate.Options{})
	w.desk.ticket.Buys = append(w.desk.ticket.Buys, gate.Product{Attraction: "zoo"})
	first := w.admit(t, "castle", "")
	w.now = noon.Add(time.Hour)
	second := w.admit(t, "zoo", first.Session)
	var opened []string
	for _, s := range second.Stamps {
		opened = append(opened, s.Grant.Path)
	}
	if !slices.Equal(opened, []string{"castle/audio", "spain/zoo"}) || second.Admission.ID != first.Admission.ID {
		t.Errorf("second pass opens %v, want both places in one admission", opened)
	}
	if end := second.Admission.Ends; !end.Equal(noon.Add(gate.DefaultLongest)) {
		t.Errorf("admission ends %v, want a day after it began", end)
	}
}

// An admission may hold what opens later: it gets no cookie that does not open
// within its life, and none that opens before. What is open has no beginning.
func TestAdmitBeforeAPackageOpens(t *testing.T) {
	const lifetime = gate.DefaultLifetime // until 12:15:00
	tests := []struct {
		from      time.Duration // from noon
		stamps    int
		notBefore time.Duration // from noon; 0 means none
	}{
		{from: -time.Second, stamps: 2},
		{from: 0, stamps: 2},
		{from: 1, stamps: 2}, // exclusive and in whole seconds: from 12:00:01 on
		{from: time.Second, stamps: 2, notBefore: time.Second},
		{from: 5*time.Minute + 999_999_999, stamps: 2, notBefore: 5 * time.Minute},
		{from: lifetime - 2*time.Second, stamps: 2, notBefore: lifetime - 2*time.Second},
		{from: lifetime - time.Second, stamps: 1}, // both ends are exclusive
		{from: lifetime, stamps: 1},
		{from: 9 * time.Hour, stamps: 1},
	}
	for _, tt := range tests {
		w := newWorld(gate.Options{})
		w.desk.ticket.Buys = []gate.Product{{Attraction: "castle"}}
		w.book.change = func(a *gate.Admission) { a.Entitlements[0].From = noon.Add(tt.from) }
		pass := w.admit(t, "", "")
		if len(pass.Stamps) != tt.stamps || (len(pass.Stale) == 0) != (tt.stamps == 2) {
			t.Errorf("opens %v from now: stamps %+v, cleared %v, want %d stamps and the rest cleared", tt.from, pass.Stamps, paths(pass.Stale), tt.stamps)
			continue
		}
		for _, s := range pass.Stamps {
			var want time.Time
			if s.Grant.Package == "audio" && tt.from > 0 {
				want = noon.Add(tt.notBefore)
			}
			if got := s.Grant.NotBefore; !got.Equal(want) {
				t.Errorf("opens %v from now: grant %+v, want it from %v", tt.from, s.Grant, want)
			}
		}
	}
}

// The clock is set back to before the attraction opened: who is in stays in.
func TestRenewByAClockThatWasSetBackBeforeOpening(t *testing.T) {
	w, _ := newOffice(gate.Options{Seats: 1})
	w.desk.ticket.ValidFrom = noon.Add(-30 * time.Minute)
	pass := w.admit(t, "", "")
	w.later(-time.Hour)
	pass = w.renew(t, pass.Session)
	if g := pass.Stamps[0].Grant; !g.NotBefore.IsZero() || !g.Expires.Equal(w.now.Add(gate.DefaultLifetime)) {
		t.Errorf("Renew = %+v, want a stamp for 15 minutes from now", g)
	}
	var denial *gate.Denial
	if _, err := w.Admit(t.Context(), gate.Credential{Code: "a1"}); !errors.As(err, &denial) || denial.Reason != gate.ReasonNotYetValid {
		t.Errorf("Admit = %v, want not_yet_valid for who comes by that clock", err)
	}
}

// The largest of the ticket's packages counts, unless its source says; a
// package of another place that is on the ticket as well.
func TestAdmitTakesSeatsFromThePackages(t *testing.T) {
	audio, premium := gate.Product{Attraction: "castle", Package: "audio"}, gate.Product{Attraction: "castle", Package: "premium"}
	castle, night := gate.Product{Attraction: "castle"}, gate.Product{Attraction: "abbey", Package: "night"}
	tests := []struct {
		name   string
		buys   []gate.Product
		ticket int
		where  string
		want   int
	}{
		{"package that does not say", []gate.Product{audio}, 0, "", 6},
		{"package that says", []gate.Product{premium}, 0, "", 3},
		{"every package", []gate.Product{castle}, 0, "", 3},
		{"two places", []gate.Product{premium, night}, 0, "", 8},
		{"two places, the larger first", []gate.Product{night, premium}, 0, "", 8},
		{"two places, shown at one", []gate.Product{premium, night}, 0, "castle", 8},
		{"the source says", []gate.Product{premium, night}, 2, "", 2},
		{"attraction without packages", []gate.Product{{Attraction: "zoo"}}, 0, "", 6},
		{"things that are not configured", []gate.Product{{Attraction: "zoo"}, {Attraction: "moon"}, {Attraction: "castle", Package: "gold"}}, 0, "", 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(gate.Options{})
			rules := &gate.Rules{Attractions: append(places(), &gate.Attraction{ID: "abbey", Prefix: "abbey", Packages: []gate.Package{{ID: "night", Seats: 8}}})}
			rules.Attractions[0].Packages[1].Seats = 3
			w.Keeper = gate.NewKeeper(&w.desk, rules, &w.book, &w.press, gate.Options{Seats: 6, Now: func() time.Time { return w.now }})
			w.desk.ticket.Buys, w.desk.ticket.Seats = tt.buys, tt.ticket
			if pass := w.admit(t, tt.where, ""); pass.Admission.Seats != tt.want {
				t.Errorf("%d seats, want %d", pass.Admission.Seats, tt.want)
			}
		})
	}
}

// Without a pepper each Keeper makes its own, or the fingerprints in a book
// could be guessed.
func TestKeeperMakesAPepper(t *testing.T) {
	seen := map[gate.Fingerprint]bool{}
	for _, pepper := range [][]byte{nil, {}, nil} {
		w := newWorld(gate.Options{Pepper: pepper})
		first := w.admit(t, "", "")
		again := w.admit(t, "", first.Session)
		if f := again.Admission.Ticket; f != first.Admission.Ticket || seen[f] || f == w.desk.ticket.Fingerprint(nil) {
			t.Errorf("fingerprints %x and %x, want one of this Keeper's own", first.Admission.Ticket[:4], f[:4])
		}
		seen[first.Admission.Ticket] = true
	}
}

// A seller may shorten a ticket while the visit goes on: its cookies end with
// the ticket, not with the visit as it was opened.
func TestAdmitWithATicketThatWasShortened(t *testing.T) {
	w := newWorld(gate.Options{})
	first := w.admit(t, "", "")
	w.desk.ticket.ValidUntil = noon.Add(5*time.Minute + 500*time.Millisecond)
	second := w.admit(t, "", first.Session)
	if got := second.Stamps[0].Grant.Expires; !got.Equal(noon.Add(5 * time.Minute)) {
		t.Errorf("cookies end %v, want the last whole second of the ticket", got)
	}
	if second.Refresh != 200*time.Second {
		t.Errorf("refresh after %v, want two thirds of five minutes", second.Refresh)
	}
}

func TestAdmissionOfAnAttractionThatIsGone(t *testing.T) {
	w := newWorld(gate.Options{Pepper: []byte("pepper")})
	first := w.admit(t, "", "")
	smaller := gate.NewKeeper(&w.desk, &gate.Rules{Attractions: places()[1:]}, &w.book, &w.press, gate.Options{Pepper: []byte("pepper"), Now: func() time.Time { return w.now }})
	w.desk.ticket.Buys = append(w.desk.ticket.Buys, gate.Product{Attraction: "zoo"})
	pass, err := smaller.Admit(t.Context(), gate.Credential{Code: "a1"}, first.Session)
	if err != nil || len(pass.Stamps) != 1 || pass.Stamps[0].Grant.Path != "spain/zoo" || pass.Admission.ID != first.Admission.ID {
		t.Errorf("Admit = %+v, %v, want the zoo only", pass, err)
	}
}

func TestAdmission(t *testing.T) {
	w := newWorld(gate.Options{})
	first := w.admit(t, "", "")
	stamped := len(w.press.grants)
	pass, err := w.Admission(t.Context(), first.Session)
	if err != nil || pass.Admission.ID != first.Admission.ID || !pass.Now.Equal(noon) || pass.Session != "" || pass.Stamps != nil {
		t.Errorf("Admission = %+v, %v, want the admission and nothing fresh", pass, err)
	}
	if len(w.press.grants) != stamped {
		t.Error("Admission stamped something")
	}
	var denial *gate.Denial
	if _, err := w.Admission(t.Context(), gate.NewSession()); !errors.As(err, &denial) || denial.Reason != gate.ReasonNoSession {
		t.Errorf("Admission of a stranger = %v, want no_session", err)
	}
	w.book.find = errDown
	if _, err := w.Admission(t.Context(), first.Session); !errors.Is(err, errDown) || errors.As(err, &denial) && denial.Err != nil {
		t.Errorf("Admission = %v, want the book's failure", err)
	}
}

func TestLeave(t *testing.T) {
	everywhere := []string{"/castle/audio/", "/castle/premium/", "/spain/zoo/"}
	w := newWorld(gate.Options{Seats: 1})
	first := w.admit(t, "", "")
	for _, s := range []gate.Session{first.Session, first.Session, gate.NewSession(), ""} {
		cookies, err := w.Leave(t.Context(), s)
		if err != nil || !slices.Equal(paths(cookies), everywhere) {
			t.Errorf("Leave = %v, %v, want every path cleared", paths(cookies), err)
		}
	}
	if len(w.book.left) != 3 {
		t.Errorf("the book heard of %d leaves, want 3: no session is none", len(w.book.left))
	}
	w.admit(t, "", "") // the seat is free
	w.book.leave = errDown
	if cookies, err := w.Leave(t.Context(), first.Session); !errors.Is(err, errDown) || cookies != nil {
		t.Errorf("Leave = %v, %v, want the book's failure and no cookies", cookies, err)
	}
}

func TestKeeperUsesTheClock(t *testing.T) {
	before := time.Now()
	w := newWorld(gate.Options{})
	keeper := gate.NewKeeper(&w.desk, &gate.Rules{Attractions: places()}, &w.book, &w.press, gate.Options{})
	pass, err := keeper.Admit(t.Context(), gate.Credential{Code: "a1"}, "")
	if err != nil || pass.Now.Before(before) || pass.Now.After(time.Now()) {
		t.Errorf("Admit = %+v, %v, want the time of day", pass, err)
	}
}

func TestErrorsDoNotShowTheCode(t *testing.T) {
	w := newWorld(gate.Options{})
	w.desk.ticket.Normal = gate.Secret(canary)
	for _, fault := range []func(){
		func() { w.desk.ticket.ValidUntil = noon.Add(-1) },
		func() { w.desk.ticket.ValidUntil, w.press.err = time.Time{}, errDown },
		func() { w.book.leave = errDown },
		func() { w.press.err, w.book.enter = nil, errDown },
		func() { w.desk.err = errDown },
	} {
		fault()
		_, err := w.Admit(t.Context(), gate.Credential{Code: gate.Secret(canary)}, gate.Session(canary))
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("Admit = %v, want an error without the code", err)
		}
	}
}

func TestRoundUp(t *testing.T) {
	at := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	tests := []struct {
		at     string
		window time.Duration
		want   string
	}{
		{"2026-07-01T12:00:00Z", time.Minute, "2026-07-01T12:00:00Z"},
		{"2026-07-01T12:00:00.000000001Z", time.Minute, "2026-07-01T12:01:00Z"},
		{"2026-07-01T12:00:59.999999999Z", time.Minute, "2026-07-01T12:01:00Z"},
		{"2026-07-01T12:01:00Z", time.Minute, "2026-07-01T12:01:00Z"},
		{"2026-07-01T12:00:00.5Z", time.Second, "2026-07-01T12:00:01Z"},
		{"2026-07-01T12:00:01Z", time.Second, "2026-07-01T12:00:01Z"},
		{"2026-07-01T12:00:01Z", 1500 * time.Millisecond, "2026-07-01T12:00:01Z"}, // whole seconds of it
		{"2026-12-31T23:59:30Z", 7 * time.Minute, "2027-01-01T00:02:00Z"},
		{"2026-07-01T14:00:30+02:00", time.Hour, "2026-07-01T13:00:00Z"},
	}
	for _, tt := range tests {
		if got := gate.RoundUp(at(tt.at), tt.window); !got.Equal(at(tt.want)) || got.Location() != time.UTC {
			t.Errorf("roundUp(%s, %v) = %v, want %s in UTC", tt.at, tt.window, got, tt.want)
		}
	}
}

// Everybody admitted within a window gets the same expiry, or they could not
// share a signature.
func TestExpiriesOfACrowdAreOne(t *testing.T) {
	w := newWorld(gate.Options{Seats: 100})
	for second := 1; second <= 60; second++ {
		w.now = noon.Add(time.Duration(second) * time.Second)
		w.admit(t, "", "")
	}
	for _, g := range w.press.grants {
		if g != w.press.grants[0] {
			t.Fatalf("grants %+v and %+v, want one for all", w.press.grants[0], g)
		}
	}
}

// The first thing that must always hold: cookie expiry <= admission end <=
// entitlement end, for all tickets, options and clocks.
func TestNoCookieOutlivesTheVisit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(label string, from, to int) time.Duration {
			return time.Duration(rapid.IntRange(from, to).Draw(t, label)) * time.Second
		}
		nanos := func(label string) time.Duration {
			return time.Duration(rapid.SampledFrom([]int{0, 1, 499_999_999, 999_999_999}).Draw(t, label))
		}
		opts := gate.Options{
			Lifetime: seconds("lifetime", 0, 4000),
			Window:   rapid.SampledFrom([]time.Duration{0, -1, 1, time.Second, 7 * time.Second, time.Minute, 90 * time.Minute}).Draw(t, "window"),
		}
		w := newWorld(opts)
		longest := seconds("longest", 0, 20_000)
		w.Keeper = gate.NewKeeper(&w.desk, &gate.Rules{Attractions: places(), Longest: longest}, &w.book, &w.press,
			gate.Options{Lifetime: opts.Lifetime, Window: opts.Window, Now: func() time.Time { return w.now }})
		ticket := &gate.Ticket{Normal: "A1", Buys: []gate.Product{{Attraction: "castle"}, {Attraction: "zoo"}}}
		if rapid.Bool().Draw(t, "begins") {
			ticket.ValidFrom = noon.Add(seconds("from", -1000, 1000) + nanos("from ns"))
		}
		if rapid.Bool().Draw(t, "ends") {
			ticket.ValidUntil = noon.Add(seconds("until", -10, 10_000) + nanos("until ns"))
		}
		w.desk.ticket = ticket
		var session gate.Session
		var ends time.Time // of the admission, as far as we know
		for range rapid.IntRange(1, 4).Draw(t, "visits") {
			w.now = w.now.Add(seconds("later", 0, 3000) + nanos("later ns"))
			where := rapid.SampledFrom([]string{"", "castle", "zoo"}).Draw(t, "where")
			pass, err := w.Admit(t.Context(), gate.Credential{Code: "a1", Attraction: where}, session)
			if err != nil {
				checkRefusal(t, err, ticket, ends, w.now)
				continue
			}
			session, ends = pass.Session, pass.Admission.Ends
			checkPass(t, pass, ticket, w.now, opts)
		}
	})
}

// checkRefusal makes sure that a good ticket is only refused in the fraction of
// a second before something ends, which no cookie can express.
func checkRefusal(t *rapid.T, err error, ticket *gate.Ticket, ends, now time.Time) {
	var denial *gate.Denial
	if !errors.As(err, &denial) {
		t.Fatalf("Admit = %v, want a pass or a denial", err)
	}
	early := now.Before(ticket.ValidFrom)
	late := !ticket.ValidUntil.IsZero() && ticket.ValidUntil.Sub(now) < time.Second
	closing := ends.After(now) && ends.Sub(now) < time.Second
	if !(denial.Reason == gate.ReasonNotYetValid && early) && !(denial.Reason == gate.ReasonExpired && (late || closing)) {
		t.Fatalf("Admit = %v at %v, ticket from %v until %v, admission until %v", err, now, ticket.ValidFrom, ticket.ValidUntil, ends)
	}
}

func checkPass(t *rapid.T, pass *gate.Pass, ticket *gate.Ticket, now time.Time, opts gate.Options) {
	last := time.Time{}
	for _, e := range pass.Admission.Entitlements {
		if e.Until.After(last) {
			last = e.Until
		}
	}
	if pass.Admission.Ends.After(last) {
		t.Fatalf("admission ends %v, after its last entitlement %v", pass.Admission.Ends, last)
	}
	if !ticket.ValidUntil.IsZero() && pass.Admission.Ends.After(ticket.ValidUntil) {
		t.Fatalf("admission ends %v, after its ticket %v", pass.Admission.Ends, ticket.ValidUntil)
	}
	lifetime := opts.Lifetime
	if lifetime == 0 {
		lifetime = gate.DefaultLifetime
	}
	for _, s := range pass.Stamps {
		e := s.Grant.Expires
		i := slices.IndexFunc(pass.Admission.Entitlements, func(en gate.Entitlement) bool {
			return en.Attraction == s.Grant.Attraction && en.Package == s.Grant.Package
		})
		switch {
		case i < 0:
			t.Fatalf("grant %+v without an entitlement", s.Grant)
		case e.After(pass.Admission.Ends) || e.After(pass.Admission.Entitlements[i].Until):
			t.Fatalf("cookie lives until %v, admission until %v, entitlement until %v", e, pass.Admission.Ends, pass.Admission.Entitlements[i].Until)
		case e.Nanosecond() != 0 || !e.After(now):
			t.Fatalf("cookie lives until %v at %v, want whole seconds and some future", e, now)
		case e.Sub(now) > lifetime+max(opts.Window, gate.DefaultWindow)+time.Second:
			t.Fatalf("cookie lives %v, want %v and at most a window more", e.Sub(now), lifetime)
		case pass.Refresh < 0 || pass.Refresh >= e.Sub(now):
			t.Fatalf("refresh after %v, but the cookie lives %v", pass.Refresh, e.Sub(now))
		}
	}
	if len(pass.Stamps) == 0 {
		t.Fatal("a pass without a stamp")
	}
}
