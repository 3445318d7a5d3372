package admin

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"time"

	"github.com/gorilla/mux"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/urlpath"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of the API, OpenAPI 3.1 in YAML.
func OpenAPI() []byte { return openAPI }

// DefaultEntries is how many addresses are remembered by default.
const DefaultEntries = 10_000

// Defaults of Options.
var (
	defaultWrongKeys = Limit{Failures: 10, Window: 15 * time.Minute, Wait: 15 * time.Minute}
	defaultMisses    = Limit{Failures: 100, Window: 15 * time.Minute, Wait: 15 * time.Minute}
)

// Options tunes a Server. The zero value is ready for use.
type Options struct {
	Hosts     []string                       // that requests may name, without port; none means localhost, 127.0.0.1 and ::1
	Origins   []string                       // scheme://host[:port] of pages that may call; none means no page
	WrongKeys Limit                          // of a client's address, all without one together; fields that are zero mean 10 in 15 min, then wait 15 min
	Misses    Limit                          // codes that a key looks for and are not there; zero means 100 in 15 min, then wait 15 min
	Entries   int                            // addresses that are remembered; 0 means DefaultEntries
	Client    func(*http.Request) netip.Addr // who asks; nil means the other end of the connection, so it must be set behind a proxy
	Print     map[string]Printer             // by media type, such as "application/pdf"; JSON and CSV need none
	FileOwner func(gate.Fingerprint) string  // as whom a ticket owns private files; nil means that there are none
	CursorKey []byte                         // seals the places in lists; the same wherever the book is shared; nil means a random one
	Log       *slog.Logger                   // nil means no log
	Now       func() time.Time               // nil means time.Now
}

// A Printer writes new tickets in some form, codes and all.
type Printer func(w io.Writer, tickets []Ticket) error

// A Server is the API as an http.Handler. It is safe for concurrent use.
type Server struct {
	office  Office
	actors  []actor
	opts    Options
	log     *slog.Logger
	cursors *cursors
	wrong   *lockout[netip.Addr]
	misses  *lockout[string]
	handler http.Handler
}

// New returns a Server for those who hold one of keys. It returns ErrKey if
// there are none, or if one could be guessed, is good for nothing, or is limited
// to something that does not exist.
func New(office Office, keys []Key, opts Options) (*Server, error) {
	actors, err := newActors(keys)
	err = errors.Join(err, office.check(), office.know(actors), checkHosts(opts.Hosts), checkOrigins(opts.Origins))
	if err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	s := &Server{office: office, actors: actors, opts: opts, log: opts.Log, cursors: newCursors(opts.CursorKey, opts.Now),
		wrong: newLockout[netip.Addr](opts.WrongKeys, opts.Entries), misses: newLockout[string](opts.Misses, opts.Entries)}
	s.handler = s.protect(s.routes())
	return s, nil
}

func (o Options) withDefaults() Options {
	if len(o.Hosts) == 0 {
		o.Hosts = loopbackNames
	}
	if o.Entries <= 0 {
		o.Entries = DefaultEntries
	}
	if o.Client == nil {
		o.Client = peer
	}
	if len(o.CursorKey) == 0 {
		o.CursorKey = make([]byte, 32)
		_, _ = rand.Read(o.CursorKey) // does not fail
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.WrongKeys, o.Misses = o.WrongKeys.or(defaultWrongKeys), o.Misses.or(defaultMisses)
	return o
}

func (o *Office) check() error {
	for _, field := range []struct {
		name  string
		value any
	}{{"Book", o.Book}, {"Gate", o.Gate}, {"Issuer", o.Issuer}} {
		if v := reflect.ValueOf(field.value); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return fmt.Errorf("admin: the office has no %s", field.name)
		}
	}
	return nil
}

// know returns an error for a key that is limited to what is not configured: a
// typing error there would be a key for something that comes later.
func (o *Office) know(actors []actor) error {
	for _, a := range actors {
		for _, id := range a.attractions {
			if _, ok := o.attraction(id); !ok {
				return fmt.Errorf("%w %q: attraction %q is not configured", ErrKey, a.id, id)
			}
		}
	}
	return nil
}

func (o *Office) attraction(id string) (*gate.Attraction, bool) {
	return (&gate.Rules{Attractions: o.Attractions}).Attraction(id)
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Stats are counts since the start, but for Addresses.
type Stats struct {
	WrongKeys uint64 // requests with something that is no key
	Lockouts  uint64 // times that an address was locked out
	Refused   uint64 // requests that came while their address was
	Misses    uint64 // codes that were looked for and are not there
	Addresses int    // that are remembered now
}

// Stats returns what was counted. Lockouts that grow mean that somebody tries
// keys.
func (s *Server) Stats() Stats {
	wrong, addresses := s.wrong.snapshot()
	misses, _ := s.misses.snapshot()
	return Stats{WrongKeys: wrong.failed, Lockouts: wrong.locked, Refused: wrong.refused, Misses: misses.failed, Addresses: addresses}
}

// The paths that need no key.
const (
	healthPath  = "/healthz"
	openAPIPath = "/openapi.yaml"
)

// routes has every route, one line each, with the scope that it takes.
func (s *Server) routes() *mux.Router {
	r := mux.NewRouter().SkipClean(true)
	at := func(method, path string, need Scope, h handler) {
		r.Handle(path, s.admit(method+" "+path, need, h)).Methods(method)
	}
	at(http.MethodPost, "/admin/v1/tickets", TicketsIssue, s.handleIssue)
	at(http.MethodGet, "/admin/v1/tickets", TicketsRead, s.handleTickets)
	at(http.MethodPost, "/admin/v1/tickets/find", TicketsRead, s.handleFindTicket)
	at(http.MethodGet, "/admin/v1/tickets/{id}", TicketsRead, s.handleTicket)
	at(http.MethodPost, "/admin/v1/tickets/{id}/revoke", TicketsRevoke, s.handleRevokeTicket)
	at(http.MethodGet, "/admin/v1/admissions", AdmissionsRead, s.handleAdmissions)
	at(http.MethodGet, "/admin/v1/admissions/{id}", AdmissionsRead, s.handleAdmission)
	at(http.MethodPost, "/admin/v1/admissions/{id}/revoke", AdmissionsRevoke, s.handleRevokeAdmission)
	at(http.MethodPost, "/admin/v1/devices/{id}/revoke", AdmissionsRevoke, s.handleRevokeDevice)
	at(http.MethodPost, "/admin/v1/attractions/{id}/revoke", AdmissionsRevoke, s.handleRevokeAttraction)
	at(http.MethodGet, "/admin/v1/audit", AuditRead, s.handleAudit)
	at(http.MethodGet, "/admin/v1/audit/verify", AuditRead, s.handleVerifyAudit)
	r.HandleFunc(healthPath, s.handleHealth).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc(openAPIPath, s.handleOpenAPI).Methods(http.MethodGet, http.MethodHead)
	r.NotFoundHandler = http.HandlerFunc(s.handleNotFound)
	r.MethodNotAllowedHandler = s.methodNotAllowed(r)
	return r
}

// protect wraps the router from outside, as mux's own middleware does not run
// for its 404 and 405. Without a key nobody learns which paths there are.
func (s *Server) protect(next http.Handler) http.Handler {
	next = s.authenticate(next)
	next = s.refusePages(next)
	next = s.refuseForeignHosts(next)
	next = urlpath.Guard(next, func(w http.ResponseWriter, r *http.Request, _ error) {
		s.fail(w, r, badRequest("The path can be read in more than one way.")) // its text may hold a code: not for the log
	})
	next = s.recoverPanics(next)
	return s.addHeaders(next)
}

func (s *Server) handleHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (s *Server) handleOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI)
}

func (s *Server) handleNotFound(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNotFound()) }

// methodNotAllowed answers 405 with the methods that the path has, which mux
// leaves out.
func (s *Server) methodNotAllowed(router *mux.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			probe := r.Clone(r.Context())
			probe.Method = method
			if match := (mux.RouteMatch{}); router.Match(probe, &match) && match.MatchErr == nil {
				w.Header().Add("Allow", method)
			}
		}
		s.fail(w, r, &requestError{status: http.StatusMethodNotAllowed, code: "method_not_allowed", detail: "This path has other methods, see Allow."})
	})
}
