package httpapi

import (
	_ "embed"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/gorilla/mux"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/urlpath"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of the API, OpenAPI 3.1 in YAML.
func OpenAPI() []byte { return openAPI }

// A Server is the API as an http.Handler.
type Server struct {
	keeper   *gate.Keeper
	places   []Place
	opts     Options
	log      *slog.Logger
	origins  *origins
	session  sessionCookie
	device   deviceCookie
	key      macKey
	room     *waitingRoom
	lines    lines
	ready    readiness
	handler  http.Handler
	draining atomic.Bool
}

// New returns a Server for keeper that lists places. It returns an error for an
// origin that is not scheme://host[:port], a key that is too short and a floor
// that leaves no time to write the reply.
func New(keeper *gate.Keeper, places []Place, opts Options) (*Server, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	trusted, err := newOrigins(opts.PublicOrigin, opts.TrustedOrigins)
	if err != nil {
		return nil, err
	}
	s := &Server{keeper: keeper, places: places, opts: opts, log: opts.Log, origins: trusted,
		session: newSessionCookie(opts.PublicOrigin, opts.OwnHost, opts.SameSite),
		device:  newDeviceCookie(opts.PublicOrigin, opts.OwnHost, opts.Key),
		key:     opts.Key, room: newWaitingRoom(opts.Floor, opts.Jitter, opts.Waiting), lines: newLines(opts.Crowd), ready: readiness{ask: opts.Ready}}
	s.handler = s.protect(s.routes())
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain makes /readyz answer 503, so that a load balancer sends nobody new
// while open requests are answered.
func (s *Server) Drain() { s.draining.Store(true) }

// routes has every route, one line each. The router never redirects and never
// sees a path with two readings: protect refuses those first.
func (s *Server) routes() *mux.Router {
	r := mux.NewRouter().SkipClean(true)
	r.Use(s.tellRoute)
	r.HandleFunc("/v1/tickets/verify", s.inLine(s.lines.verify, s.handleVerify)).Methods(http.MethodPost)
	r.HandleFunc("/v1/admission", s.inLine(s.lines.renew, s.handleAdmission)).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/v1/admission", s.inLine(s.lines.renew, s.handleLeave)).Methods(http.MethodDelete)
	r.HandleFunc("/v1/admission/renew", s.inLine(s.lines.renew, s.handleRenew)).Methods(http.MethodPost)
	r.HandleFunc("/v1/attractions", s.handleAttractions).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/v1/attractions/{id}/content", s.urlsInLine(s.handleContent)).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/v1/urls", s.inLine(s.lines.files, s.handleURLs)).Methods(http.MethodPost)
	r.HandleFunc("/v1/objects", s.inLine(s.lines.files, s.files(s.handleObjects))).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/v1/objects/{key:.+/.+}", s.files(s.handleObject)).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/v1/objects/{key:.+/.+}", s.inLine(s.lines.files, s.files(s.handleRemove))).Methods(http.MethodDelete)
	r.HandleFunc("/v1/objects/urls", s.inLine(s.lines.files, s.files(s.handleObjectURLs))).Methods(http.MethodPost)
	r.HandleFunc("/v1/uploads", s.inLine(s.lines.files, s.files(s.handleUpload))).Methods(http.MethodPost)
	r.HandleFunc("/v1/uploads/confirm", s.inLine(s.lines.files, s.files(s.handleConfirm))).Methods(http.MethodPost)
	r.HandleFunc("/healthz", s.handleHealth).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/readyz", s.handleReady).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/openapi.yaml", s.handleOpenAPI).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/docs", s.handleDocs).Methods(http.MethodGet, http.MethodHead)
	r.NotFoundHandler = http.HandlerFunc(s.handleNotFound)
	r.MethodNotAllowedHandler = s.methodNotAllowed(r)
	return r
}

// protect wraps the router from outside, as mux's own middleware does not run
// for its 404 and 405.
func (s *Server) protect(next http.Handler) http.Handler {
	next = s.answerPreflights(next)
	next = s.refuseForeignPages(next)
	next = s.refuseForeignHosts(next)
	next = urlpath.Guard(next, func(w http.ResponseWriter, r *http.Request, err error) {
		s.fail(w, r, badRequest(err))
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

func (s *Server) handleNotFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, &requestError{status: http.StatusNotFound, code: "not_found", detail: "There is nothing at this path."})
}

// methodNotAllowed answers 405 with the methods that the path has, which mux
// leaves out.
func (s *Server) methodNotAllowed(router *mux.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
			probe := r.Clone(r.Context())
			probe.Method = method
			if match := (mux.RouteMatch{}); router.Match(probe, &match) && match.MatchErr == nil {
				w.Header().Add("Allow", method)
			}
		}
		s.fail(w, r, &requestError{status: http.StatusMethodNotAllowed, code: "method_not_allowed", detail: "This path has other methods, see Allow."})
	})
}
