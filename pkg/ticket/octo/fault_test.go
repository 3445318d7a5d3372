package octo_test

import (
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/octo"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
)

// A reservation system that misbehaves, or something in between, admits and
// refuses nobody.
func TestMisbehaviour(t *testing.T) {
	client, err := outbound.New(outbound.Options{Allow: boxoffice.Loopback, Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	f := newFake(t)
	office := boxoffice.New(t, f.Config.Handler.ServeHTTP)
	s := f.open(t, func(cfg *octo.Config, opts *octo.Options) { cfg.URL, opts.Client = office.URL+"/octo", client })
	credentials := []gate.Credential{by("XOPSUT", "surname", "Müller-O'Neill"), by("WEATHR", "surname", "Müller-O'Neill"), by(uuid(1))}
	for _, fault := range append(boxoffice.Faults(), boxoffice.Redirect("https://elsewhere.example/")) {
		t.Run(fault.Name, func(t *testing.T) {
			office.Misbehave(fault)
			var asking sync.WaitGroup
			for i, c := range credentials {
				asking.Go(func() {
					if ticket, err := s.Verify(t.Context(), c); ticket != nil || err == nil || reason(err) != "" {
						t.Errorf("Verify(%d) = %+v, %v, want an error that is no denial", i, ticket, err)
					}
				})
			}
			asking.Wait()
			office.Misbehave(boxoffice.Fault{})
			if _, err := s.Verify(t.Context(), credentials[0]); err != nil {
				t.Errorf("afterwards: Verify = %v", err)
			}
		})
	}
	office.Misbehave(boxoffice.Mixed)
	if ticket, err := s.Verify(t.Context(), by("FAMILY", "surname", "Müller-O'Neill")); ticket != nil || err == nil || reason(err) != "" {
		t.Errorf("Verify, answered about another booking = %+v, %v, want an error that is no denial", ticket, err)
	}
}
