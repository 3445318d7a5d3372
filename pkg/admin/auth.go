package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// challenge is what a request without a good key is told (RFC 6750, section 3).
const challenge = `Bearer realm="handstamp administration"`

type actorKey struct{}

// by returns who asks, as authenticate found out.
func by(ctx context.Context) *actor {
	a, _ := ctx.Value(actorKey{}).(*actor)
	return a
}

// peer returns the other end of the connection, the zero Addr for a socket
// without addresses.
func peer(r *http.Request) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	return at.Addr()
}

// network returns what wrong keys are counted on: an IPv4 address or an IPv6
// /64, as whoever has one address there has all.
func network(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr
	}
	return netip.PrefixFrom(addr, 64).Masked().Addr()
}

// authenticate lets nobody on without a key. Requests without anything shown
// are refused, but are no guesses.
func (s *Server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == healthPath || r.URL.Path == openAPIPath {
			next.ServeHTTP(w, r)
			return
		}
		if len(r.Header.Values("Authorization")) == 0 {
			s.fail(w, r, errUnauthorized(errors.New("no key")))
			return
		}
		client := network(s.opts.Client(r))
		var who *actor
		ok, wait := s.wrong.try(client, s.opts.Now(), func() bool {
			who = holder(s.actors, gate.Secret(bearer(r)))
			return who != nil
		})
		switch {
		case wait > 0:
			s.fail(w, r, errLockedOut(wait, fmt.Errorf("locked out: %s", client)))
		case !ok:
			s.fail(w, r, errUnauthorized(fmt.Errorf("wrong key from %s", client)))
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, who)))
		}
	})
}

// bearer returns the key that a request shows in its one Authorization header,
// and otherwise nothing. The scheme has one spelling here.
func bearer(r *http.Request) string {
	shown := r.Header.Values("Authorization")
	if len(shown) != 1 {
		return ""
	}
	key, ok := strings.CutPrefix(shown[0], "Bearer ")
	if !ok {
		return ""
	}
	return key
}

func errUnauthorized(err error) *requestError {
	return &requestError{status: http.StatusUnauthorized, code: "unauthorized", challenge: challenge, err: err,
		detail: "Send one header Authorization: Bearer, a space and the key."}
}

func errLockedOut(wait time.Duration, err error) *requestError {
	return &requestError{status: http.StatusTooManyRequests, code: "locked_out", err: err, retryAfter: seconds(wait),
		detail: "Too much that was shown or asked for from here is not known. Wait as long as Retry-After says."}
}

// seconds rounds up to whole ones.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// A handler answers a request of somebody whose key is good for it, or returns
// why not and has written nothing.
type handler func(w http.ResponseWriter, r *http.Request) error

// admit calls h for keys with the scope need, and writes down who did what.
func (s *Server) admit(operation string, need Scope, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := by(r.Context())
		if !who.may(need) {
			s.fail(w, r, &requestError{status: http.StatusForbidden, code: "forbidden",
				challenge: challenge + `, error="insufficient_scope", scope=` + strconv.Quote(string(need)),
				detail:    "The key is not good for this. It takes the scope " + string(need) + "."})
			return
		}
		s.log.LogAttrs(r.Context(), slog.LevelInfo, "administration", slog.String("operation", operation),
			slog.String("actor", who.id), slog.String("client", s.opts.Client(r).String()), slog.String("request_id", requestID(r.Context())))
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}
