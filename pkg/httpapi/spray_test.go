package httpapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// The codes of a spray are short, all of one length, and each worth something
// else. What is looked up for each takes another time.
var worth = []struct {
	prefix string
	takes  time.Duration
	line   string // of the list; empty means that it is not there
}{
	{"UNKN", 5 * time.Millisecond, ""},
	{"EXPI", 20 * time.Millisecond, "castle,,,,2026-07-01T11:00:00Z"},
	{"REVO", 35 * time.Millisecond, "castle,,,,"},
	{"ELSE", 50 * time.Millisecond, "zoo,,,,"},
	{"MALF", 0, ""}, // its source finds the check digit wrong
}

// spray lists n codes, of every worth as many.
func spray(n int) (codes []string) {
	for i := range n {
		codes = append(codes, fmt.Sprintf("%s%05d", worth[i%len(worth)].prefix, i))
	}
	return codes
}

// stock puts the codes of a spray into the list, and makes the source slow.
func (h *hall) stock(codes []string) {
	h.opts.Log = nil
	h.opts.Crowd.Verify.Working = 10_000 // this source does not give its place up while it takes its time, see httpapi.Aside
	var list strings.Builder
	for _, code := range codes {
		for _, w := range worth {
			if w.line != "" && strings.HasPrefix(code, w.prefix) {
				fmt.Fprintf(&list, "%s,%s\n", code, w.line)
			}
		}
	}
	h.tickets = list.String()
	h.verify = func(c gate.Credential) error {
		for _, w := range worth {
			if strings.HasPrefix(c.Code.Reveal(), w.prefix) {
				time.Sleep(w.takes)
			}
		}
		if strings.HasPrefix(c.Code.Reveal(), "MALF") {
			return gate.Deny(gate.ReasonMalformed, nil)
		}
		return nil
	}
}

func (h *hall) revokeAll(t *testing.T, codes []string) {
	for _, code := range codes {
		if strings.HasPrefix(code, "REVO") {
			h.revoke(t, code)
		}
	}
}

// seen is what guessers see, by the worth of the code: how often each answer came.
type seen struct {
	mu  sync.Mutex
	all map[string]map[string]int
}

func (s *seen) add(t *testing.T, code string, r *reply, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	prefix := code[:4]
	if s.all[prefix] == nil {
		s.all[prefix] = map[string]int{}
	}
	body := anonymous(t, r)
	r.header.Del("X-Request-Id")
	r.header.Del("Retry-After") // follows from the fingerprint and from how many came before
	r.header.Del("Set-Cookie")
	s.all[prefix][fmt.Sprintf("%d after %v, %v, %s", r.status, took, r.header, body)]++
}

// 10,000 wrong codes from 500 addresses: neither status nor body, headers or
// time tell what a code is worth.
func TestSprayTellsNothing(t *testing.T) {
	codes := spray(10_000)
	inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
		h.revokeAll(t, codes)
		found := seen{all: map[string]map[string]int{}}
		var guessers sync.WaitGroup
		for i, code := range codes {
			g := h.guest(address(i / 20))
			guessers.Go(func() {
				time.Sleep(time.Duration(i%20) * time.Minute)
				r, took := g.showAt("castle", code)
				if i < 50 {
					checkContract(t, http.MethodPost, verifyPath, r)
				}
				found.add(t, code, r, took)
			})
		}
		guessers.Wait()
		unknown := found.all["UNKN"]
		if len(unknown) != 1 || !strings.HasPrefix(slices.Collect(maps.Keys(unknown))[0], "403 after 400ms") {
			t.Errorf("unknown codes are answered with %v, want 403 after 400ms", unknown)
		}
		for prefix, answers := range found.all {
			if !maps.Equal(answers, unknown) {
				t.Errorf("%s: %v\nwant, as for unknown codes: %v", prefix, answers, unknown)
			}
		}
	}, func(h *hall) { h.stock(codes) })
}

// Nor does it tell anything to show a code again and again: all are turned away
// at the same try.
func TestInsistingTellsNothing(t *testing.T) {
	codes := spray(len(worth))
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		h.revokeAll(t, codes)
		var first string
		for i, code := range codes {
			g, got := h.guest(address(i)), ""
			for range 30 {
				r, took := g.showAt("castle", code)
				got += fmt.Sprintf("%d after %v, Retry-After %q\n", r.status, took, r.header.Get("Retry-After"))
			}
			if first == "" {
				first = got
			}
			if got != first || !strings.Contains(got, "429 after 400ms") {
				t.Errorf("%s:\n%s\nwant, as for %s, and in the end to be turned away:\n%s", code, got, codes[0], first)
			}
		}
	}, func(h *hall) { h.stock(codes) })
}

// While 10,000 wrong codes come from 500 addresses, a fifth of them
// through the address of the visitors, visitors get in.
func TestVisitorsGetInDuringASpray(t *testing.T) {
	t.Run("guarded", func(t *testing.T) { visitorsGetIn(t, throttle.Options{}, 10_000, 500) })
	t.Run("no guard", func(t *testing.T) { visitorsGetIn(t, throttle.Options{Guard: quiet}, 2000, 100) })
}

func visitorsGetIn(t *testing.T, limits throttle.Options, guesses, addresses int) {
	const minutes = 20
	codes := spray(guesses)
	nat := address(0)
	inHall(t, limits, func(t *testing.T, h *hall) {
		h.revokeAll(t, codes)
		regular, inside := h.guest(nat), h.guest(nat)
		for g, code := range map[*guest]string{regular: "GOOD-A", inside: strongLong} {
			if r, _ := g.showAt("castle", code); r.status != http.StatusOK {
				t.Fatalf("%s before the spray = %d %s", code, r.status, r.body)
			}
		}
		var all sync.WaitGroup
		for i, code := range codes {
			g := h.guest(address(i % addresses))
			if i%5 == 0 {
				g.addr = nat
			}
			all.Go(func() {
				time.Sleep(time.Duration(i) * minutes * time.Minute / time.Duration(len(codes)))
				if r, _ := g.showAt("castle", code); r.status == http.StatusOK {
					t.Errorf("%s is in", code)
				}
			})
		}
		var turnedAway atomic.Int64
		for minute := 1; minute < minutes; minute++ {
			time.Sleep(time.Minute)
			newcomer := h.guest(nat)
			all.Go(func() {
				if r, _ := newcomer.showAt("castle", fmt.Sprintf("STRONG%014d", minute)); r.status != http.StatusOK {
					t.Errorf("minute %d: a newcomer with a strong code = %d %s, want 200 at once", minute, r.status, r.body)
				}
			})
			short := h.guest(nat)
			all.Go(func() {
				r, tries, took := short.insist(t, fmt.Sprintf("GOOD-%d", minute))
				turnedAway.Add(int64(tries) - 1)
				if r.status != http.StatusOK || tries > 3 || took > 15*time.Second {
					t.Errorf("minute %d: a newcomer with a short code = %d after %d tries and %v, want 200 within 3 and 15s", minute, r.status, tries, took)
				}
			})
			if r, took := regular.showAt("castle", "GOOD-A"); r.status != http.StatusOK || took != 0 {
				t.Errorf("minute %d: a visitor who returns = %d after %v, want 200 at once", minute, r.status, took)
			}
			if r := inside.renew(); minute%10 == 0 && r.status != http.StatusOK {
				t.Errorf("minute %d: a visitor who is inside = %d %s, want 200", minute, r.status, r.body)
			}
		}
		all.Wait()
		stats := h.throttle.Snapshot()
		if stats.Refused[throttle.Network]+stats.Refused[throttle.Attraction] < 100 || turnedAway.Load() == 0 {
			t.Errorf("%+v, %d times a visitor was told to come back, want the spray to be felt", stats, turnedAway.Load())
		}
		t.Logf("%d of %d guesses were looked up; %d times a visitor was told to come back", stats.Failed, len(codes), turnedAway.Load())
	}, func(h *hall) {
		h.stock(codes)
		h.tickets += "GOOD-A,castle,audio,,,\n"
		for minute := range minutes {
			h.tickets += fmt.Sprintf("GOOD-%d,castle,audio,,,\nSTRONG%014d,castle,audio,,,\n", minute, minute)
		}
	})
}

// One address with 100 wrong codes in a minute.
func TestOneAddress(t *testing.T) {
	inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
		asked, last := count(t, 100, func(i int) *reply {
			time.Sleep(100 * time.Millisecond) // and the floor
			r, took := h.guest(address(0)).show(fmt.Sprintf("WRONG%03d", i))
			checkContract(t, http.MethodPost, verifyPath, r)
			if took != floor {
				t.Errorf("wrong code %d = %d after %v, want %v", i, r.status, took, floor)
			}
			return r
		})
		if asked != 8 {
			t.Errorf("%d codes were looked up, want the burst of 8", asked)
		}
		if r, _, _ := h.guest(address(1)).insist(t, "WRONG-NEXT"); r.status != http.StatusForbidden {
			t.Errorf("a neighbour = %d, want 403", r.status)
		}
		if r, took := h.guest(address(1)).show(strongCode); r.status != http.StatusOK || took != 0 {
			t.Errorf("a neighbour with a ticket = %d after %v, want 200 at once", r.status, took)
		}
		if p := last.problem(t); p.Code != "too_many_attempts" || strings.Contains(string(last.body), "guarded") {
			t.Errorf("turned away with %s", last.body)
		}
		// The last code again, a little too early and then in time.
		time.Sleep(last.retryAfter(t) - floor - time.Second)
		early, _ := h.guest(address(0)).show("WRONG099")
		if early.status != http.StatusTooManyRequests || early.retryAfter(t) > time.Second {
			t.Errorf("a second too early = %d, Retry-After %s, want 429 and 1", early.status, early.header.Get("Retry-After"))
		}
		time.Sleep(time.Second - floor)
		if r, _ := h.guest(address(0)).show("WRONG099"); r.status != http.StatusForbidden {
			t.Errorf("after Retry-After = %d, want it looked up", r.status)
		}
	})
}

func TestWhatCountsAsOneNetwork(t *testing.T) {
	tests := []struct {
		name  string
		tries int
		addr  func(i int) string
		want  int
	}{
		{"a /64", 1 << 13, func(i int) string { return fmt.Sprintf("2001:db8::%x:%x", i&0xff, i>>8+1) }, 8},
		{"IPv4 and the same, mapped", 100, func(i int) string { return []string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2] }, 8},
		{"two addresses", 100, func(i int) string { return []string{"192.0.2.1", "192.0.2.2"}[i%2] }, 16},
		{"two /64", 100, func(i int) string { return fmt.Sprintf("2001:db8:0:%d::1", i%2) }, 16},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
				asked, _ := count(t, tt.tries, func(i int) *reply {
					r, _ := h.guest(tt.addr(i)).show(fmt.Sprintf("WRONG%05d", i))
					return r
				})
				if asked != tt.want {
					t.Errorf("%d codes were looked up, want %d", asked, tt.want)
				}
			}, func(h *hall) { h.opts.Floor = 0 })
		})
	}
}

// One code from 1,000 addresses, in all its spellings, is one code; and whoever
// holds it is in within a minute, once its source knows it.
func TestOneCodeFromEverywhere(t *testing.T) {
	spellings := []string{"WEAK-1", "weak-1", "W E A K 1", "-weak1-", "wEaK - 1", " weak\t1 "}
	inHall(t, throttle.Options{Guard: quiet}, func(t *testing.T, h *hall) {
		asked, _ := count(t, 1000, func(i int) *reply {
			time.Sleep(100 * time.Millisecond)
			r, _ := h.guest(address(i)).show(spellings[i%len(spellings)])
			return r
		})
		if asked < 5 || asked > 12 {
			t.Errorf("%d were looked up, want 5 and then fewer and fewer", asked)
		}
		h.verify = nil
		holder := h.guest(address(1000))
		if r, tries, took := holder.insist(t, "WEAK-1"); r.status != http.StatusOK || took > time.Minute+floor || tries < 2 {
			t.Errorf("the holder = %d after %d tries and %v, want 200 within a minute", r.status, tries, took)
		}
		for range 100 { // and stays in, whatever others do
			time.Sleep(time.Second)
			if r, took := holder.show("WEAK-1"); r.status != http.StatusOK || took != 0 {
				t.Fatalf("the holder again = %d after %v, want 200 at once", r.status, took)
			}
		}
	}, func(h *hall) {
		h.opts.Floor = 0
		h.verify = func(gate.Credential) error { return gate.Deny(gate.ReasonUnknown, nil) }
	})
}

// Made-up codes, sessions, devices, attractions and factors take no more memory
// than there is.
func TestMemoryIsBounded(t *testing.T) {
	const entries = 1024
	inHall(t, throttle.Options{Guard: quiet, Entries: entries}, func(t *testing.T, h *hall) {
		for i := range 4000 {
			g := h.guest(address(i))
			g.ask(http.MethodPost, verifyPath, fmt.Sprintf(`{"ticket":"WRONG%d","attraction":"castle%d","factors":{"f%d":"%d"}}`, i, i, i, i))
			g.renew("Authorization", fmt.Sprintf("Bearer %d", i))
		}
		stats := h.throttle.Snapshot()
		for axis, n := range stats.Entries {
			if n > entries {
				t.Errorf("%d counters of %v, want at most %d", n, throttle.Axis(axis), entries)
			}
		}
		if n := stats.Entries[throttle.Attraction]; n != 1 {
			t.Errorf("%d attractions are counted, want those made up to be one", n)
		}
		if stats.Entries[throttle.Network] < entries/4 || stats.Entries[throttle.Credential] < entries/4 {
			t.Errorf("%+v, want the memory to have been filled", stats)
		}
	}, func(h *hall) { h.opts.Floor = 0 })
}
