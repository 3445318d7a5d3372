package edge

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/urlpath"
)

// DefaultWriteTimeout is how long one write to a viewer may take.
const DefaultWriteTimeout = 30 * time.Second

// rememberedSignatures is the size of the cache of a Decider that New makes.
const rememberedSignatures = 4096

// A Config describes a distribution. Behaviors are required; the zero value of
// everything else works.
type Config struct {
	// Site is scheme and host by which viewers reach the edge, such as
	// "https://media.example.org", for an edge behind a proxy that ends TLS. Empty
	// means what each request says: its Host, and https if it came by TLS.
	Site string

	// Behaviors are the cache behaviors in order of precedence; the first that
	// matches counts. The last one, and no other, has the pattern "*".
	Behaviors []Behavior

	// DefaultRootObject is the file that "/" stands for, without a slash before
	// it. Empty means none. It works for "/" only, as at CloudFront.
	DefaultRootObject string

	// Decider decides at restricted behaviors. Nil means the strict one.
	Decider *cloudfront.Decider

	// Errors are the custom error responses, one for a status.
	Errors []ErrorResponse

	// Parity says how to serve what AWS leaves open.
	Parity Parity

	// Chaos makes the edge unreliable, to test players.
	Chaos Chaos

	// Explain adds the header X-Handstamp-Reason to refusals, with the rule that
	// failed and, where there is one only, the cause by its number in package
	// explain: "end T29". For development: it tells a viewer what CloudFront would
	// not.
	Explain bool

	// AccessLog gets a line for every request. Nil means none. Close it after the
	// last request.
	AccessLog *AccessLog

	// Decided is told what became of every request: "allowed" and "public" go to
	// the origin, all else is why it was refused, CloudFront's code or a word of
	// ours. It must not wait. Nil means that nobody is told.
	Decided func(r *http.Request, what string)

	WriteTimeout time.Duration    // for each write to a viewer; 0 means DefaultWriteTimeout
	Now          func() time.Time // nil means time.Now
	Log          *slog.Logger     // refusals, at level info; nil means none
}

// An Edge answers viewers as a CloudFront distribution would. It is safe for
// concurrent use, and it reads paths from Request.RequestURI, so it stands
// outside every router. It does not change: for other keys or behaviors, make
// another one with the same origins and Decider and put it in its place.
//
// The server in front of it should have WriteTimeout 0, as the edge sets a
// deadline for each write, DisableGeneralOptionsHandler, and MaxHeaderBytes of
// at least 33 KiB, so that the edge refuses oversized requests itself.
type Edge struct {
	config    Config
	site      string // empty if requests say it
	behaviors []behavior
	errors    map[int]*errorResponse // by the status that each replaces
	oversized *refusal
	chaos     chaos
	requests  atomic.Uint64
	refusals  atomic.Uint64
}

// New returns the edge that c describes, or every fault of c in one error; see
// Faults.
func New(c Config) (*Edge, error) {
	e := &Edge{config: c, chaos: chaos{Chaos: c.Chaos}}
	faults := e.checkSite()
	behaviors, wrong := compileBehaviors(c.Behaviors)
	if faults = append(faults, wrong...); len(wrong) == 0 {
		e.behaviors = behaviors
	}
	faults = append(faults, e.compileErrors(c.Errors)...)
	if err := c.Chaos.check(); err != nil {
		faults = append(faults, &Fault{"chaos", err})
	}
	if s := c.Parity.OversizeStatus; s != 0 && (s < 400 || s > 499) {
		faults = append(faults, &Fault{"parity", fmt.Errorf("parity: oversize status %d, want one from 400 to 499", s)})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	e.setDefaults()
	return e, nil
}

// checkSite looks at what is neither a behavior nor an error response.
func (e *Edge) checkSite() (faults []error) {
	c := &e.config
	if c.Site != "" {
		site, err := cloudfront.ParseSite(c.Site)
		if err != nil {
			faults = append(faults, &Fault{"site", fmt.Errorf("site: %w", err)})
		}
		e.site = site.String()
	}
	for i, b := range c.Behaviors {
		if b.ViewerProtocol == RedirectToHTTPS && strings.HasPrefix(e.site, "http://") {
			faults = append(faults, &Fault{fmt.Sprintf("behaviors[%d]", i), fmt.Errorf("behavior %d, %q: with the site %q every request counts as http, so a redirect to https would lead in circles", i+1, b.PathPattern, e.site)})
		}
	}
	if c.DefaultRootObject != "" {
		if path, err := urlpath.Canonical("/" + c.DefaultRootObject); err != nil || path != "/"+c.DefaultRootObject {
			faults = append(faults, &Fault{"default_root_object", fmt.Errorf("default root object: found %q, want a plain file name", c.DefaultRootObject)})
		}
	}
	return faults
}

func (e *Edge) setDefaults() {
	c := &e.config
	c.WriteTimeout = cmp.Or(c.WriteTimeout, DefaultWriteTimeout)
	oversized := *refusedSize
	oversized.status = cmp.Or(c.Parity.OversizeStatus, oversized.status)
	e.oversized = &oversized
	if c.Decider == nil {
		c.Decider = cloudfront.NewDecider(cloudfront.Parity{}, rememberedSignatures)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// ServeHTTP answers one viewer. It panics with http.ErrAbortHandler, which the
// server takes as "cut the connection", when a reply turns out shorter than it
// was declared.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.requests.Add(1)
	answer := newReply(w, r, e.config.WriteTimeout)
	answer.errors = e.errors
	if e.config.AccessLog != nil {
		defer e.record(answer, r, e.config.Now(), time.Now())
	}
	q, refused := e.read(r)
	if refused == nil {
		refused = e.serve(answer, q)
	}
	if refused != nil {
		e.refuse(answer, r, refused)
	}
	if answer.replaced != nil {
		e.sendErrorPage(answer, r)
	}
	answer.finish()
}

// serve hands a request to its origin if it may go there.
func (e *Edge) serve(w *reply, q *request) *refusal {
	q.behavior = e.behavior(q.path)
	switch b := q.behavior; {
	case b.protocol == RedirectToHTTPS && q.plain():
		w.redirect(q)
		return nil
	case b.protocol == HTTPSOnly && q.plain():
		return refusedHTTP
	}
	if refused := q.behavior.admits(q); refused != nil {
		return refused
	}
	refused := e.decide(q)
	if refused != nil && refused.code == cloudfront.MissingKey && e.config.Parity.AllowPreflights && q.received.Method == http.MethodOptions {
		w.preflight(q)
		return nil
	}
	if refused == nil {
		refused = e.chaos.disturb(q.received.Context(), q.behavior.trusted != nil)
	}
	if refused == nil {
		e.tell(q.received, q.behavior.passed())
		e.fetch(w, q)
	}
	return refused
}

// passed returns the word for what a behavior lets through.
func (b *behavior) passed() string {
	if b.trusted == nil {
		return "public"
	}
	return "allowed"
}

func (e *Edge) tell(r *http.Request, what string) {
	if e.config.Decided != nil {
		e.config.Decided(r, what)
	}
}

// decide checks the signature, if the behavior wants one.
func (e *Edge) decide(q *request) *refusal {
	if q.behavior.trusted == nil {
		return nil
	}
	d := e.config.Decider.Decide(q.signed(), *q.behavior.trusted, e.config.Now())
	if d.Allowed {
		return nil
	}
	return e.denied(q, d)
}

// fetch lets the origin answer. What it says after an error that is replaced
// does not matter, and its handler may panic to stop sooner. A preflight for
// files is answered as by a bucket whose CORS rules allow it.
func (e *Edge) fetch(w *reply, q *request) {
	defer func() {
		if w.replaced == nil {
			return
		}
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	b := q.behavior
	if b.static && b.cors != nil && preflight(q.received) {
		w.preflight(q)
		return
	}
	w.forwardCookies, w.policy = b.forwardCookies, b
	b.origin.ServeHTTP(w, q.forOrigin(&e.config))
}

// behavior returns the first one whose pattern fits. The last fits everything.
func (e *Edge) behavior(path string) *behavior {
	for i := range e.behaviors {
		if e.behaviors[i].pattern.match(path) {
			return &e.behaviors[i]
		}
	}
	panic("edge: no default behavior") // New lets no such edge be built
}

func (e *Edge) refuse(w *reply, r *http.Request, f *refusal) {
	e.refusals.Add(1)
	e.tell(r, cmp.Or(string(f.code), f.reason))
	e.log(r, f)
	if e.config.Explain {
		w.Header().Set(reasonHeader, f.explained())
	}
	w.detail = f.detail()
	f.write(w, r)
}

// reasonHeader tells a developer what CloudFront would not.
const reasonHeader = "X-Handstamp-Reason"

// Counts are what an edge did since it was made.
type Counts struct {
	Requests     uint64 // all of them
	Refused      uint64 // by the edge itself, chaos included
	ChaosRefused uint64 // although their signature was good
	ChaosDelayed uint64
}

// Counts returns what e did so far.
func (e *Edge) Counts() Counts {
	return Counts{e.requests.Load(), e.refusals.Load(), e.chaos.refused.Load(), e.chaos.delayed.Load()}
}

// log notes a refusal with the path, which is no secret, but never the query.
func (e *Edge) log(r *http.Request, f *refusal) {
	ctx := r.Context()
	if !e.config.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	e.config.Log.LogAttrs(ctx, slog.LevelInfo, "request refused", slog.Int("status", f.status),
		slog.String("reason", f.reason), slog.String("code", string(f.code)),
		slog.String("method", r.Method), slog.String("path", path[:min(len(path), 200)]))
}

// viewerIP returns the peer's address: the only one that nobody can make up.
func viewerIP(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap()
}
