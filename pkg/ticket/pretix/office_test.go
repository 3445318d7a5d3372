package pretix_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/pretix"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

func offline(cfg *pretix.Config, _ *pretix.Options) { cfg.Mode = pretix.ModeOffline }

// signedStock is a pretix with signed tickets, some of them stopped.
func signedStock(t *testing.T) (f *fake, s signer) {
	f, s = newFake(t), newSigner(0)
	f.keys["museum"] = []string{s.wire(t)}
	for i := range 5 {
		f.revoked = append(f.revoked, mark{"museum", s.code(payload(1, 0, 0, int64(1000+i), 0)), noon.Add(time.Duration(i-10) * time.Hour), false})
		f.blocked = append(f.blocked, mark{"museum", s.code(payload(1, 0, 0, int64(2000+i), 0)), noon.Add(time.Duration(i-10) * time.Hour), i == 4})
	}
	return f, s
}

func TestOffline(t *testing.T) {
	tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
		f, s := signedStock(t)
		code := s.code(payload(1, 0, 0, 0, 0))
		audio := []gate.Product{{Attraction: "castle", Package: "audio"}}
		return tickettest.Fixture{
			Verifier: f.open(t, offline),
			Good: []tickettest.Good{
				{Spellings: []gate.Credential{credential(code), credential(" " + code), credential(code[:30] + "\n" + code[30:])}, Buys: audio, Proven: true},
				{Spellings: []gate.Credential{credential(s.code(payload(4, 9, 0, 0, 0)))}, Buys: audio, Seats: 6, Proven: true},
				{Spellings: []gate.Credential{credential(f.blocked[4].secret)}, Buys: audio, Proven: true}, // blocked no longer
			},
			Unknown: []gate.Credential{credential(good), credential(newSigner(1).code(payload(1, 0, 0, 0, 0))),
				credential(flip(t, code, func(raw []byte) []byte { raw[16] ^= 1; return raw }))},
			Malformed: []gate.Credential{credential(""), credential("abc"), credential(s.code([]byte{3 << 3, 1}))},
			Refused: []tickettest.Refused{
				{Credential: credential(f.revoked[0].secret), Reason: gate.ReasonReplaced},
				{Credential: credential(f.revoked[4].secret), Reason: gate.ReasonReplaced},
				{Credential: credential(f.blocked[0].secret), Reason: gate.ReasonBlocked},
				{Credential: credential(s.code(payload(3, 0, 0, 0, 0))), Reason: gate.ReasonNotIncluded},
				{Credential: credential(s.code(payload(1, 0, 0, 2000, 1000))), Reason: gate.ReasonExpired},
			},
			Down: []gate.Credential{credential(s.code(payload(1, 0, 77, 0, 0)))}, // a date that pretix does not have
		}
	})
}

func TestOfflineRecheck(t *testing.T) {
	tickettest.RunRechecker(t, func(t *testing.T) tickettest.RecheckFixture {
		f, s := signedStock(t)
		source := f.open(t, offline)
		return tickettest.RecheckFixture{
			Verifier: source,
			Good:     []gate.Credential{credential(s.code(payload(1, 0, 0, 0, 0))), credential(s.code(payload(4, 9, 0, 0, 0)))},
			Unknown:  []string{"", "x", strings.Repeat("A", 80)},
			Refund: func(t *testing.T, c gate.Credential) gate.Reason {
				f.set(func() { f.revoked = append(f.revoked, mark{"museum", c.Code.Reveal(), noon, false}) })
				if err := source.Reread(t.Context(), ""); err != nil {
					t.Fatal(err)
				}
				return gate.ReasonReplaced
			},
		}
	})
}

func TestOfflineTimes(t *testing.T) {
	f, s := signedStock(t)
	f.dates["5"] = `{"id":5,"date_from":"2026-07-01T10:00:00+02:00","date_to":"2026-07-01T12:00:00+02:00","date_admission":null}`
	f.dates["6"] = `{"id":7,"date_from":"2026-07-01T10:00:00+02:00"}`
	source := f.open(t, offline)
	ticket, err := source.Verify(t.Context(), credential(s.code(payload(1, 0, 5, 1000, 2000))))
	if err != nil || ticket.ValidFrom.Unix() != 1000 || ticket.ValidUntil.Unix() != 2000 || ticket.Terms.Slot.From.Hour() != 10 {
		t.Errorf("Verify = %+v, %v, want from 1000 until 2000 and a slot", ticket, err)
	}
	if _, err := source.Verify(t.Context(), credential(s.code(payload(1, 0, 6, 0, 0)))); err == nil || reason(err) != "" {
		t.Errorf("Verify, answered with another date = %v, want an error that is no denial", err)
	}
	before := len(f.requests())
	if _, err := source.Verify(t.Context(), credential(s.code(payload(1, 0, 5, 0, 0)))); err != nil || len(f.requests()) != before {
		t.Errorf("Verify for a date that is known = %v, %d requests, want none", err, len(f.requests())-before)
	}
}

// Keys rotate: the new one is fetched when a signature fits none, at most once
// a minute, and an old one that the configuration names goes on serving.
func TestRotation(t *testing.T) {
	f, first := signedStock(t)
	second, now := newSigner(1), noon
	clock := func(cfg *pretix.Config, opts *pretix.Options) {
		offline(cfg, opts)
		opts.Now = func() time.Time { return now }
	}
	source := f.open(t, clock)
	both := f.open(t, func(cfg *pretix.Config, opts *pretix.Options) { clock(cfg, opts); cfg.Keys = []string{first.pem(t)} })
	old, fresh := credential(first.code(payload(1, 0, 0, 0, 0))), credential(second.code(payload(1, 0, 0, 0, 0)))
	verify := func(when string, s *pretix.Source, c gate.Credential, want gate.Reason) {
		t.Helper()
		if _, err := s.Verify(t.Context(), c); reason(err) != want || want == "" && err != nil {
			t.Errorf("%s: Verify = %v, want %q", when, err, want)
		}
	}
	verify("before", source, old, "")
	verify("before", both, old, "")
	f.set(func() { f.keys["museum"] = []string{second.wire(t)} })
	asked := len(f.requests())
	verify("not fetched yet", source, fresh, gate.ReasonUnknown)
	if n := len(f.requests()) - asked; n != 0 {
		t.Errorf("a signature that fits no key caused %d requests within a minute, want 0", n)
	}
	now = now.Add(time.Minute)
	verify("fetched", source, fresh, "")
	verify("key withdrawn", source, old, gate.ReasonUnknown)
	verify("fetched", both, fresh, "")
	verify("key in the configuration", both, old, "")
}

// Lists are fetched to their end, then only what is new, and never from a URL
// that an answer names.
func TestIncremental(t *testing.T) {
	f, s := signedStock(t)
	source := f.open(t, offline)
	if err := source.Reread(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	asked := f.requests()
	if got := fmt.Sprint(asked); strings.Count(got, "revokedsecrets") != 3 || strings.Count(got, "blockedsecrets") != 3 || strings.Contains(got, "since") {
		t.Errorf("first fetched %q, want three pages of each list", asked)
	}
	fresh := s.code(payload(1, 0, 0, 0, 0))
	f.set(func() {
		f.revoked = append(f.revoked, mark{"museum", fresh, noon.Add(-6*time.Hour - 4*time.Minute), false}) // dated before the newest: its transaction ended late
		f.blocked = append(f.blocked, mark{"museum", f.blocked[0].secret, noon, true})
	})
	if err := source.Reread(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.requests()[len(asked):]); !strings.Contains(got, "created_since=2026-07-01T05%3A55%3A00Z") || !strings.Contains(got, "updated_since=") {
		t.Errorf("then fetched %q, want what is new and five minutes before", got)
	}
	if _, err := source.Verify(t.Context(), credential(fresh)); reason(err) != gate.ReasonReplaced {
		t.Errorf("Verify(revoked since) = %v, want replaced", err)
	}
	if _, err := source.Verify(t.Context(), credential(f.blocked[0].secret)); err != nil {
		t.Errorf("Verify(unblocked since) = %v", err)
	}
}

// Of a list that is empty nothing is the newest.
func TestEmptyLists(t *testing.T) {
	f, s := signedStock(t)
	f.revoked, f.blocked = nil, nil
	source := f.open(t, offline)
	for range 2 {
		if err := source.Reread(t.Context(), ""); err != nil {
			t.Errorf("Reread of empty lists = %v", err)
		}
	}
	code := s.code(payload(1, 0, 0, 0, 0))
	f.set(func() { f.revoked = append(f.revoked, mark{"museum", code, noon, false}) })
	if err := source.Reread(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Verify(t.Context(), credential(code)); reason(err) != gate.ReasonReplaced {
		t.Errorf("Verify(first to be revoked) = %v, want replaced", err)
	}
}

// Old lists serve for a while, then nobody knows.
func TestStale(t *testing.T) {
	f, s := signedStock(t)
	now := noon
	source := f.open(t, func(cfg *pretix.Config, opts *pretix.Options) {
		offline(cfg, opts)
		opts.Now, opts.Stale = func() time.Time { return now }, time.Hour
	})
	c := credential(s.code(payload(1, 0, 0, 0, 0)))
	if _, err := source.Verify(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	f.set(func() {
		f.fault = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	})
	now = noon.Add(time.Hour - time.Second)
	if _, err := source.Verify(t.Context(), c); err != nil {
		t.Errorf("Verify with lists of 59 minutes = %v", err)
	}
	now = noon.Add(time.Hour)
	if _, err := source.Verify(t.Context(), c); err == nil || reason(err) != "" {
		t.Errorf("Verify with lists of an hour = %v, want an error that is no denial", err)
	}
	asked := len(f.requests())
	var many sync.WaitGroup
	for range 50 {
		many.Go(func() { _, _ = source.Verify(t.Context(), c) })
	}
	many.Wait()
	if n := len(f.requests()) - asked; n != 0 {
		t.Errorf("50 visitors within the pause asked %d times, want 0", n)
	}
	f.set(func() { f.fault = nil })
	now = now.Add(6 * time.Second)
	if _, err := source.Verify(t.Context(), c); err != nil {
		t.Errorf("Verify after the outage = %v", err)
	}
}

// Nobody waits longer than their context for somebody else's fetch.
func TestFetchIsWaitedFor(t *testing.T) {
	f, s := signedStock(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.fault = func(http.ResponseWriter, *http.Request) { once.Do(func() { close(entered) }); <-leave }
	source := f.open(t, offline)
	var done sync.WaitGroup
	done.Go(func() { _, _ = source.Verify(t.Context(), credential(s.code(payload(1, 0, 0, 0, 0)))) })
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Verify(ctx, credential(s.code(payload(1, 0, 0, 0, 0)))); err == nil || reason(err) != "" {
		t.Errorf("Verify, cancelled while another fetches = %v, want an error that is no denial", err)
	}
	close(leave)
	done.Wait()
}

// By itself the source asks at once, and then again and again until Close.
func TestWatch(t *testing.T) {
	f, s := signedStock(t)
	fetched := make(chan struct{}, 100)
	f.fault = func(w http.ResponseWriter, r *http.Request) {
		fetched <- struct{}{}
		w.WriteHeader(http.StatusBadGateway)
	}
	source := f.open(t, func(cfg *pretix.Config, opts *pretix.Options) {
		offline(cfg, opts)
		opts.Refresh = time.Millisecond
	})
	for range 3 {
		<-fetched
	}
	if _, err := source.Verify(t.Context(), credential(s.code(payload(1, 0, 0, 0, 0)))); err == nil || reason(err) != "" {
		t.Errorf("Verify before anything was fetched = %v, want an error that is no denial", err)
	}
	if err := source.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}
