package edge

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
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

	// Explain adds the header X-Handstamp-Reason to refusals, with the rule that
	// failed. For development: it tells a viewer what CloudFront would not.
	Explain bool

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
}

// New returns the edge that c describes, or every fault of c in one error.
func New(c Config) (*Edge, error) {
	e := &Edge{config: c}
	var faults []error
	if c.Site != "" {
		site, err := cloudfront.ParseSite(c.Site)
		if err != nil {
			faults = append(faults, fmt.Errorf("site: %w", err))
		}
		e.site = site.String()
	}
	if c.DefaultRootObject != "" {
		if path, err := urlpath.Canonical("/" + c.DefaultRootObject); err != nil || path != "/"+c.DefaultRootObject {
			faults = append(faults, fmt.Errorf("default root object: found %q, want a plain file name", c.DefaultRootObject))
		}
	}
	behaviors, err := compileBehaviors(c.Behaviors)
	if faults = append(faults, err); errors.Join(faults...) != nil {
		return nil, errors.Join(faults...)
	}
	e.behaviors = behaviors
	e.setDefaults()
	return e, nil
}

func (e *Edge) setDefaults() {
	c := &e.config
	c.WriteTimeout = cmp.Or(c.WriteTimeout, DefaultWriteTimeout)
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
	answer := newReply(w, r, e.config.WriteTimeout)
	q, refused := e.read(r)
	if refused == nil {
		refused = e.serve(answer, q)
	}
	if refused != nil {
		e.refuse(answer, r, refused)
	}
	answer.finish()
}

// serve hands a request to its origin if it may go there.
func (e *Edge) serve(w *reply, q *request) *refusal {
	b := e.behavior(q.path)
	if refused := b.admits(q); refused != nil {
		return refused
	}
	if b.trusted != nil {
		d := e.config.Decider.Decide(q.signed(), *b.trusted, e.config.Now())
		if !d.Allowed {
			return denied(d)
		}
	}
	w.forwardCookies = b.forwardCookies
	b.origin.ServeHTTP(w, q.forOrigin(b.forwardCookies, e.config.DefaultRootObject))
	return nil
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
	e.log(r, f)
	if e.config.Explain {
		w.Header().Set("X-Handstamp-Reason", f.reason)
	}
	f.write(w, r)
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
