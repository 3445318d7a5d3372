package pretix_test

import (
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/pretix"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
)

// A pretix that misbehaves, or something in between, admits and refuses nobody:
// not those with a good ticket, nor with a bad one.
func TestMisbehaviour(t *testing.T) {
	client, err := outbound.New(outbound.Options{Allow: boxoffice.Loopback, Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	f, key := signedStock(t)
	f.positions = stock(t).positions
	office := boxoffice.New(t, f.Config.Handler.ServeHTTP)
	at := func(change func(*pretix.Config, *pretix.Options)) *pretix.Source {
		return f.open(t, func(cfg *pretix.Config, opts *pretix.Options) {
			change(cfg, opts)
			cfg.URL, opts.Client = office.URL, client
		})
	}
	signed := key.code(payload(1, 0, 0, 0, 0))
	for _, fault := range append(boxoffice.Faults(), boxoffice.Redirect("https://elsewhere.example/")) {
		t.Run(fault.Name, func(t *testing.T) {
			office.Misbehave(fault)
			lookup, redeem, offline := at(func(*pretix.Config, *pretix.Options) {}), at(redeeming), at(offline)
			var asking sync.WaitGroup
			for what, ask := range map[string]func() error{
				"look up a good ticket":      func() error { _, err := lookup.Verify(t.Context(), credential(good)); return err },
				"look up a cancelled ticket": func() error { _, err := lookup.Verify(t.Context(), credential(cancelled)); return err },
				"redeem a good ticket":       func() error { _, err := redeem.Verify(t.Context(), credential(good)); return err },
				"check a good ticket":        func() error { _, err := offline.Verify(t.Context(), credential(signed)); return err },
			} {
				asking.Go(func() {
					if err := ask(); err == nil || reason(err) != "" {
						t.Errorf("%s: %v, want an error that is no denial", what, err)
					}
				})
			}
			asking.Wait()
			office.Misbehave(boxoffice.Fault{})
			if _, err := lookup.Verify(t.Context(), credential(good)); err != nil {
				t.Errorf("afterwards: Verify = %v", err)
			}
		})
	}
}

// An answer about the ticket that somebody else asked about is nobody's.
func TestMixedAnswers(t *testing.T) {
	f := stock(t)
	office := boxoffice.New(t, f.Config.Handler.ServeHTTP)
	s := f.open(t, func(cfg *pretix.Config, _ *pretix.Options) { cfg.URL = office.URL })
	if _, err := s.Verify(t.Context(), credential(good)); err != nil {
		t.Fatal(err)
	}
	office.Misbehave(boxoffice.Mixed)
	for _, code := range []string{family, cancelled, nobody} {
		if ticket, err := s.Verify(t.Context(), credential(code)); ticket != nil || err == nil || reason(err) != "" {
			t.Errorf("Verify, answered about another ticket = %+v, %v, want an error that is no denial", ticket, err)
		}
	}
}
