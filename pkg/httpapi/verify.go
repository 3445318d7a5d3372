package httpapi

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A verifyRequest is what a viewer shows.
type verifyRequest struct {
	Ticket     string            `json:"ticket"`
	Attraction string            `json:"attraction"`
	Factors    map[string]string `json:"factors"`
	Delivery   string            `json:"delivery"`
}

const (
	maxFactors     = 8
	deliveryCookie = "cookies"
	deliveryJSON   = "json"
)

// handleVerify serves POST /v1/tickets/verify: it trades a ticket for signed cookies.
func (s *Server) handleVerify(w http.ResponseWriter, r *http.Request) {
	var req verifyRequest
	key, err := req.read(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	began := s.began(r.Context())
	sessions := s.session.read(r)
	pass, err := s.pass(w, r, &req, key, sessions)
	if err != nil {
		s.refuse(w, r, began, err)
		return
	}
	// what the device holds besides goes on
	others := slices.DeleteFunc(sessions, func(s gate.Session) bool { return s == pass.Replaced || s == pass.Session })
	held := s.renew(r.Context(), others)
	dropped := held.add(pass)
	_, _ = s.keeper.Leave(r.Context(), dropped...) // if it fails, their seats fall idle
	s.writePasses(w, r, held, req.Delivery == deliveryJSON)
}

// read reads and checks a request, and returns its idempotency key.
func (req *verifyRequest) read(w http.ResponseWriter, r *http.Request) (gate.Secret, error) {
	if err := readJSON(w, r, req); err != nil {
		return "", err
	}
	if err := req.check(r); err != nil {
		return "", err
	}
	return requestKey(r)
}

// maxRequestKey is the longest idempotency key, in bytes.
const maxRequestKey = 128

// requestKey returns the Idempotency-Key of a request, if it has one.
func requestKey(r *http.Request) (gate.Secret, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return "", nil
	}
	if len(keys) > 1 || keys[0] == "" || len(keys[0]) > maxRequestKey {
		return "", &requestError{status: http.StatusBadRequest, code: "bad_request",
			detail: "The header Idempotency-Key comes once and has 1 to 128 characters."}
	}
	return gate.Secret(keys[0]), nil
}

func (req *verifyRequest) check(r *http.Request) error {
	invalid := func(detail string) error {
		return &requestError{status: http.StatusBadRequest, code: "bad_request", detail: detail}
	}
	switch {
	case req.Ticket == "":
		return invalid(`The member "ticket" is missing: the code as printed on the ticket.`)
	case req.Attraction != "" && gate.CheckSlug(req.Attraction) != nil:
		return invalid(`The member "attraction" is not the id of an attraction: 1 to 63 of a-z, 0-9 and inner hyphens.`)
	case len(req.Factors) > maxFactors:
		return invalid(`The member "factors" has too many entries.`)
	case req.Delivery != "" && req.Delivery != deliveryCookie && req.Delivery != deliveryJSON:
		return invalid(`The member "delivery" is "cookies" or "json".`)
	case req.Delivery == deliveryJSON && (r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""):
		return invalid(`Delivery "json" is for native apps; in a browser the cookies must stay where scripts cannot read them.`)
	}
	return nil
}

func (req *verifyRequest) credential() gate.Credential {
	c := gate.Credential{Code: gate.Secret(req.Ticket), Attraction: req.Attraction}
	for name, value := range req.Factors {
		if c.Factors == nil {
			c.Factors = map[string]gate.Secret{}
		}
		c.Factors[name] = gate.Secret(value)
	}
	return c
}

// A passReply is what an admitted viewer is told.
type passReply struct {
	Admission    admissionReply `json:"admission"`
	Grants       []grantReply   `json:"grants"`
	RefreshAfter int            `json:"refresh_after"` // seconds; 0 where nobody knows how old the device's cookies are
	ServerTime   time.Time      `json:"server_time"`
	Session      string         `json:"session,omitempty"` // delivery json only
}

type admissionReply struct {
	ID       string     `json:"id"`
	State    gate.State `json:"state"`
	BeginsAt time.Time  `json:"begins_at"`
	EndsAt   time.Time  `json:"ends_at"`
	Devices  int        `json:"devices"`
	Seats    int        `json:"seats"`
}

type grantReply struct {
	Attraction string        `json:"attraction"`
	Package    string        `json:"package"`
	Resource   string        `json:"resource,omitempty"`
	CookiePath string        `json:"cookie_path,omitempty"`
	ExpiresAt  time.Time     `json:"expires_at"`
	Cookies    []cookieReply `json:"cookies,omitempty"` // delivery json only
}

type cookieReply struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Domain string `json:"domain,omitempty"`
	Path   string `json:"path"`
}

// writePasses sends what a device holds: the cookies as cookies or, for players
// without a cookie jar, in the body. The last pass is the one that was asked for.
func (s *Server) writePasses(w http.ResponseWriter, r *http.Request, held holdings, inBody bool) {
	last := held.passes[len(held.passes)-1]
	reply := passReply{Admission: newAdmissionReply(last.Admission), ServerTime: last.Now.UTC().Truncate(time.Second)}
	refresh := last.Refresh
	for _, p := range held.passes {
		refresh = min(refresh, p.Refresh)
		for _, stamp := range p.Stamps {
			reply.Grants = append(reply.Grants, newGrantReply(stamp, inBody))
		}
	}
	if s.opts.Spread > 0 {
		refresh -= time.Duration(rand.Float64() * s.opts.Spread * float64(refresh)) // #nosec G404 -- spreads a crowd, keeps no secret
	}
	reply.RefreshAfter = max(1, int(refresh/time.Second)) // 0 has a meaning of its own
	if inBody {
		reply.Session = held.kept.reveal()
	} else {
		setCookies(w, held.passes, s.stale(r.Context(), held))
		http.SetCookie(w, s.session.fresh(held.kept))
	}
	writeJSON(w, http.StatusOK, reply)
}

// setCookies deletes what is stale, unless some pass opens its path, and sets
// what the passes open.
func setCookies(w http.ResponseWriter, passes []*gate.Pass, stale []*http.Cookie) {
	opened := map[string]bool{}
	for _, p := range passes {
		for _, stamp := range p.Stamps {
			opened[stamp.CookiePath] = true
		}
	}
	for _, c := range stale {
		if !opened[c.Path] {
			http.SetCookie(w, c)
		}
	}
	for _, p := range passes {
		for _, stamp := range p.Stamps {
			for _, c := range append(stamp.Stale, stamp.Cookies...) {
				http.SetCookie(w, c)
			}
		}
	}
}

func newAdmissionReply(a *gate.Admission) admissionReply {
	return admissionReply{ID: a.ID, State: a.State, BeginsAt: a.Begins.UTC().Truncate(time.Second), EndsAt: a.Ends.UTC().Truncate(time.Second), Devices: a.Taken, Seats: a.Seats}
}

func newGrantReply(stamp *gate.Stamp, inBody bool) grantReply {
	g := grantReply{Attraction: stamp.Grant.Attraction, Package: stamp.Grant.Package, Resource: stamp.Resource,
		CookiePath: stamp.CookiePath, ExpiresAt: stamp.Grant.Expires.UTC()}
	if inBody {
		for _, c := range stamp.Cookies {
			g.Cookies = append(g.Cookies, cookieReply{Name: c.Name, Value: c.Value, Domain: c.Domain, Path: c.Path})
		}
	}
	return g
}
