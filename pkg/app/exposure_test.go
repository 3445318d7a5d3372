package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
)

// A revoked is the answer to a revocation.
type revoked struct {
	Revoked  bool
	Affected int
	Exposure int       `json:"exposure_seconds"`
	Ends     time.Time `json:"exposure_ends_at"`
}

// office asks the administration and reads its answer into v.
func (v *venue) office(method, path, body string, into any) {
	v.t.Helper()
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	v.app.Load().Admin.ServeHTTP(w, r)
	if w.Code < 200 || w.Code > 299 {
		v.t.Fatalf("%s %s = %d %s", method, path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// A sold is a ticket that the desk issued.
type sold struct{ ID, Code string }

func (v *venue) sell(seats int) sold {
	v.t.Helper()
	var reply struct{ Tickets []sold }
	v.office("POST", "/admin/v1/tickets", fmt.Sprintf(`{"attraction":"castle","seats":%d}`, seats), &reply)
	return reply.Tickets[0]
}

// targets are the ways to take something back from a device that was admitted
// with a ticket.
var targets = map[string]func(v *venue, s sold, admission string) revoked{
	"ticket": func(v *venue, s sold, _ string) (r revoked) {
		v.office("POST", "/admin/v1/tickets/"+s.ID+"/revoke", "{}", &r)
		return r
	},
	"admission": func(v *venue, _ sold, admission string) (r revoked) {
		v.office("POST", "/admin/v1/admissions/"+admission+"/revoke", "{}", &r)
		return r
	},
	"device": func(v *venue, _ sold, admission string) (r revoked) {
		var visit struct{ Devices []struct{ ID string } }
		v.office("GET", "/admin/v1/admissions/"+admission, "", &visit)
		v.office("POST", "/admin/v1/devices/"+visit.Devices[0].ID+"/revoke", fmt.Sprintf(`{"admission":%q}`, admission), &r)
		return r
	},
	"attraction": func(v *venue, _ sold, _ string) (r revoked) {
		v.office("POST", "/admin/v1/attractions/castle/revoke", `{"confirm":"castle"}`, &r)
		return r
	},
}

// revocations are how many TestExposure makes of each kind.
const revocations = 10

// TestExposure takes something back from a visitor who listens, at random
// moments of a cookie's life. Nothing is renewed from then on, and the edge
// refuses the cookies that are out at the time that the answer said, or sooner.
func TestExposure(t *testing.T) {
	tests := []struct {
		name    string
		opening []config.WeekHours
		first   time.Duration // when the visitor comes, from ten in the morning
	}{
		{name: "open all day"},
		{name: "half an hour before closing", first: 11*time.Hour + 30*time.Minute,
			opening: []config.WeekHours{{Days: []string{"mon-sun"}, Hours: []string{"10:00-22:00"}}}},
	}
	for _, tt := range tests {
		for target, revoke := range targets {
			t.Run(tt.name+"/"+target, func(t *testing.T) {
				t.Parallel()
				v := newVenue(t, "sqlite", func(c *config.Config) { c.Attractions[0].Opening.Weekly = tt.opening })
				dice := rand.New(rand.NewPCG(uint64(tt.first), uint64(target[1])))
				begin := v.now()
				var longest, stated time.Duration
				for day := range revocations {
					v.set(begin.AddDate(0, 0, day).Add(tt.first).Add(time.Duration(dice.Int64N(int64(time.Minute)))))
					lasted, said := v.expose(t, dice, revoke)
					longest, stated = max(longest, lasted), max(stated, said)
				}
				t.Logf("%d revocations: the edge went on for %v at most, the answers said %v at most", revocations, longest, stated)
				bound := v.app.Load().Keeper().Exposure() + time.Second // answers are in whole seconds
				if stated > bound || longest < bound/2 {
					t.Errorf("the answers said %v at most, want %v; the edge went on for %v at most, want half of that to have tested anything", stated, bound, longest)
				}
			})
		}
	}
}

// expose lets a visitor in, takes back what revoke says at a random moment, and
// returns how long the edge went on and how long the answer said it might.
func (v *venue) expose(t *testing.T, dice *rand.Rand, revoke func(*venue, sold, string) revoked) (lasted, said time.Duration) {
	t.Helper()
	ticket := v.sell(3)
	b := v.enter(nil)
	a := b.verify(ticket.Code)
	if a.status != http.StatusOK {
		t.Fatalf("%v: verify = %v, want 200", v.now(), a)
	}
	tb := b.tab("/castle/audio/hall.m4a", dice.Uint64())
	tb.accept(a)
	for until := v.now().Add(time.Duration(dice.Int64N(int64(25 * time.Minute)))); v.now().Before(until); {
		v.step(t, []*tab{tb}, 0)
		v.pass(20*time.Second - tick)
	}
	v.pass(time.Duration(dice.Int64N(int64(tick))))
	out := b.stamps(tb.path)
	at := v.now()
	r := revoke(v, ticket, a.Admission.ID)
	if !r.Revoked || r.Affected != 1 {
		t.Fatalf("%v: revoke = %+v, want one that was alive", at, r)
	}
	if a := b.renew(); a.status != http.StatusUnauthorized {
		t.Errorf("%v: renewal after the revocation = %v, want 401", at, a)
	}
	last := v.lastOpening(tb.track, out)
	if said := time.Duration(r.Exposure) * time.Second; last.Sub(at) > said || last.After(r.Ends) {
		t.Errorf("%v: cookies opened until %v, %v later; the answer said %v, until %v", at, last, last.Sub(at), said, r.Ends)
	}
	if a := b.renew(); a.status != http.StatusUnauthorized {
		t.Errorf("%v: renewal when the exposure is over = %v, want 401", v.now(), a)
	}
	return last.Sub(at), time.Duration(r.Exposure) * time.Second
}

// lastOpening streams with cookies until the edge refuses them. It returns, to a
// millisecond, when they opened something for the last time, and leaves the clock
// after that.
func (v *venue) lastOpening(tr *track, cookies []*http.Cookie) time.Time {
	v.t.Helper()
	thief := v.enter(nil) // has a copy of the cookies, and does not renew
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	opens := func(at time.Time) bool {
		v.set(at)
		a := thief.ask("GET", tr.path, "", "Cookie", strings.Join(pairs, "; "), "Range", "bytes=0-99")
		return a.status == http.StatusPartialContent
	}
	begin := v.now()
	last, next := begin, begin
	for ; opens(next); next = next.Add(20 * time.Second) {
		last = next
		if next.Sub(begin) > time.Hour {
			v.t.Fatal("the cookies open for ever")
		}
	}
	if next.Equal(begin) {
		v.t.Fatalf("%v: the cookies did not open anything even before", last)
	}
	refused := next
	for next.Sub(last) > time.Millisecond {
		if middle := last.Add(next.Sub(last) / 2); opens(middle) {
			last = middle
		} else {
			next = middle
		}
	}
	v.set(refused)
	return last
}

// TestExposureWorst is the longest exposure that there can be: cookies that were
// made just after a full minute, and taken back at once.
func TestExposureWorst(t *testing.T) {
	v := newVenue(t, "sqlite", nil)
	v.set(time.Date(2026, 7, 1, 12, 0, 0, 1_000_000, time.UTC))
	ticket := v.sell(1)
	b := v.enter(nil)
	a := b.verify(ticket.Code)
	out, at := b.stamps("/castle/audio/hall.m4a"), v.now()
	r := targets["ticket"](v, ticket, a.Admission.ID)
	got := v.lastOpening(newTrack(t, "/castle/audio/hall.m4a"), out).Sub(at)
	if said := time.Duration(r.Exposure) * time.Second; got > said || got < 16*time.Minute-time.Second {
		t.Errorf("the edge went on for %v, the answer said %v; want a little less than 16m", got, said)
	}
	for _, again := range []string{"refused", "still refused"} {
		if a := v.enter(nil).verify(ticket.Code); a.status != http.StatusForbidden || a.Reason != "revoked" {
			t.Errorf("the ticket is %s: verify = %v, want 403 revoked", again, a)
		}
		v.restart()
	}
}

// TestExposureAmongRenewals takes something back while eight devices of one
// ticket renew as fast as they can, and the clock runs. No renewal that was sent
// after the answer to the revocation succeeds, and nothing that an earlier one
// got outlives what the answer said.
func TestExposureAmongRenewals(t *testing.T) {
	const devices = 8
	for target, revoke := range targets {
		t.Run(target, func(t *testing.T) {
			v := newVenue(t, "sqlite", nil)
			ticket := v.sell(devices)
			var admission string
			var latest, done atomic.Int64 // end of the last cookies that anybody got; 1 when the revocation was answered
			var warm, all sync.WaitGroup
			for n := range devices {
				b := v.enter(nil)
				a := b.verify(ticket.Code)
				if a.status != http.StatusOK {
					t.Fatalf("device %d: verify = %v, want 200", n, a)
				}
				admission = a.Admission.ID
				warm.Add(1)
				all.Go(func() { b.renewUntilRefused(&warm, &done, &latest, n == 0 || target != "device") })
			}
			warm.Wait()
			r := revoke(v, ticket, admission)
			done.Store(1)
			all.Wait()
			if end := time.Unix(latest.Load(), 0); end.After(r.Ends) {
				t.Errorf("cookies end at %v, the answer said %v", end.UTC(), r.Ends)
			}
		})
	}
}

// warmUp is how often every device has renewed before the revocation.
const warmUp = 5

// renewUntilRefused renews again and again. It calls warm.Done after warmUp, and
// fails the test for a renewal that succeeds although it was sent after the
// revocation was done, unless only another device was meant.
func (b *browser) renewUntilRefused(warm *sync.WaitGroup, done, latest *atomic.Int64, meant bool) {
	for n := 0; ; n++ {
		if n == warmUp {
			warm.Done()
		}
		after := done.Load() == 1
		a := b.renew()
		b.venue.pass(time.Second)
		switch {
		case a.status != http.StatusOK && n >= warmUp:
			return
		case a.status != http.StatusOK:
			b.venue.t.Errorf("renewal %d before the revocation = %v, want 200", n, a)
			warm.Done()
			return
		case after && meant:
			b.venue.t.Errorf("renewal %d, sent after the revocation was answered, = %v, want 401", n, a)
			return
		case after:
			return
		}
		end := a.Grants[0].Expires.Unix()
		for seen := latest.Load(); end > seen && !latest.CompareAndSwap(seen, end); seen = latest.Load() {
		}
	}
}
