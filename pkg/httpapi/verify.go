package httpapi

import (
	"net/http"
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
	if err := readJSON(w, r, &req); err != nil {
		s.fail(w, r, err)
		return
	}
	if err := req.check(r); err != nil {
		s.fail(w, r, err)
		return
	}
	pass, err := s.keeper.Admit(r.Context(), req.credential(), s.session.read(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writePass(w, pass, req.Delivery == deliveryJSON)
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
	RefreshAfter int            `json:"refresh_after,omitempty"` // seconds
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

// writePass sends a pass: the cookies as cookies or, for players without a
// cookie jar, in the body.
func (s *Server) writePass(w http.ResponseWriter, p *gate.Pass, inBody bool) {
	reply := passReply{Admission: newAdmissionReply(p.Admission), ServerTime: p.Now.UTC().Truncate(time.Second),
		RefreshAfter: max(1, int(p.Refresh/time.Second))} // 0 would be left out
	for _, stamp := range p.Stamps {
		reply.Grants = append(reply.Grants, newGrantReply(stamp, inBody))
	}
	if inBody {
		reply.Session = p.Session.Reveal()
	} else {
		s.setCookies(w, p)
	}
	writeJSON(w, http.StatusOK, reply)
}

func (s *Server) setCookies(w http.ResponseWriter, p *gate.Pass) {
	for _, c := range p.Stale {
		http.SetCookie(w, c)
	}
	for _, stamp := range p.Stamps {
		for _, c := range stamp.Stale {
			http.SetCookie(w, c)
		}
		for _, c := range stamp.Cookies {
			http.SetCookie(w, c)
		}
	}
	if p.Session != "" {
		http.SetCookie(w, s.session.fresh(p.Session))
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
