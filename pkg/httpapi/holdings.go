package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/handstamp/handstamp/pkg/gate"
)

// holdings are what a device holds after its sessions were renewed.
type holdings struct {
	passes  []*gate.Pass // of the admissions that go on
	kept    wallet       // their sessions, and those about which nobody knows
	over    bool         // some admission has ended
	failure error        // the worst met; nil means that all go on
}

// renew renews every session, drops those whose admission is over and keeps
// those about which nobody knows at the moment.
func (s *Server) renew(ctx context.Context, sessions wallet) (held holdings) {
	for _, session := range sessions {
		pass, err := s.keeper.Renew(ctx, session)
		var denial *gate.Denial
		switch {
		case err == nil:
			held.passes, held.kept = append(held.passes, pass), append(held.kept, pass.Session)
			continue
		case errors.As(err, &denial):
			held.over = true
		default:
			held.kept = append(held.kept, session)
		}
		held.failure = worse(held.failure, err)
	}
	return held
}

// add puts a pass in, and returns the sessions that have no room any more.
func (h *holdings) add(pass *gate.Pass) (dropped wallet) {
	h.kept, dropped = h.kept.with(pass.Session)
	h.passes = slices.DeleteFunc(h.passes, func(p *gate.Pass) bool { return slices.Contains(dropped, p.Session) })
	h.passes = append(h.passes, pass)
	h.over = h.over || len(dropped) > 0
	return dropped
}

// unknown reports whether nobody knows about one of the admissions.
func (h *holdings) unknown() bool { return len(h.kept) > len(h.passes) }

// stale returns deletions of what the device may have and nothing opens any
// more. While nobody knows about one of its admissions it has none: the cookies
// may be that one's, and good.
func (s *Server) stale(ctx context.Context, held holdings) (stale []*http.Cookie) {
	switch {
	case held.unknown():
		return nil
	case held.over: // nobody can say any more what it was for
		return s.allStamps(ctx)
	}
	for _, p := range held.passes {
		stale = append(stale, p.Stale...)
	}
	return stale
}

// allStamps returns deletions of every stamp on every path.
func (s *Server) allStamps(ctx context.Context) []*http.Cookie {
	cookies, err := s.keeper.Leave(ctx)
	if err != nil {
		return nil // they will expire
	}
	return cookies
}
