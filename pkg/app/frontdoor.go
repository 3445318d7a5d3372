package app

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/edge"
	"github.com/handstamp/handstamp/pkg/explain"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// apiPaths are the path patterns that belong to the API.
var apiPaths = []string{"/v1/*", "/healthz", "/readyz", "/openapi.yaml", "/docs"}

// frontDoor returns what answers viewers: API and visitor app and, where there
// is media to serve, a local edge in front of all three.
func (a *App) frontDoor() (http.Handler, error) {
	if a.opts.Media != nil || a.cfg.Edge.Root != "" {
		return a.edges()
	}
	return a.door(), nil
}

// door returns what answers viewers where the media are elsewhere: what ticketing
// systems report, the visitor app and the API.
func (a *App) door() http.Handler {
	app := a.via("/app/", guide.Handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, hook := range a.hooks {
			if strings.HasPrefix(r.URL.Path, hook.path) {
				hook.handler.ServeHTTP(w, r)
				return
			}
		}
		if r.URL.Path == "/" || r.URL.Path == "/t" || strings.HasPrefix(r.URL.Path, "/app/") {
			app.ServeHTTP(w, r)
			return
		}
		a.api.ServeHTTP(w, r)
	})
}

// edges returns the local edge, which is built anew when the keys have changed.
func (a *App) edges() (http.Handler, error) {
	follower, ok := a.ring.(*keyring.Follower)
	if !ok {
		return a.localEdge()
	}
	e := &edges{build: a.localEdge, keys: follower.Ring, log: a.opts.Log}
	return e, e.renew(follower.Ring())
}

// edges is a local edge that trusts the keys of a ring which changes.
type edges struct {
	build func() (http.Handler, error) // for the keys that there are now
	keys  func() *keyring.Ring
	log   *slog.Logger

	mu      sync.RWMutex
	ring    *keyring.Ring // that was built for last, whether or not it could be
	handler http.Handler
}

// now returns the edge for the ring that there is and, if there can be none, the
// one before.
func (e *edges) now() http.Handler {
	ring := e.keys()
	e.mu.RLock()
	seen, handler := e.ring, e.handler
	e.mu.RUnlock()
	if seen == ring {
		return handler
	}
	if err := e.renew(ring); err != nil {
		e.log.Error("local edge goes on with the keys it had", "err", err)
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.handler
}

// renew builds the edge for a ring, unless another request has done so, or has
// tried to, meanwhile.
func (e *edges) renew(ring *keyring.Ring) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ring == ring {
		return nil
	}
	e.ring = ring
	handler, err := e.build()
	if err != nil {
		return err
	}
	e.handler = handler
	return nil
}

func (e *edges) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.now().ServeHTTP(w, r) }

// localEdge puts API, visitor app and media behind one local edge, as the
// recommended distribution has them: on one host, so that cookies are
// first-party. The order of the behaviors is the one to copy to CloudFront:
// what an earlier pattern leaves public stays public.
func (a *App) localEdge() (http.Handler, error) {
	var behaviors []edge.Behavior
	for _, hook := range a.hooks {
		behaviors = append(behaviors, edge.Behavior{PathPattern: hook.path + "*", Origin: hook.handler, AllowedMethods: edge.AllMethods()})
	}
	for _, path := range apiPaths {
		behaviors = append(behaviors, edge.Behavior{PathPattern: path, Origin: a.api, AllowedMethods: edge.AllMethods(), ForwardCookies: true})
	}
	for _, path := range slices.Sorted(maps.Keys(a.opts.Extra)) {
		behaviors = append(behaviors, edge.Behavior{PathPattern: path, Origin: a.opts.Extra[path]})
	}
	trusted, err := a.publicKeys()
	if err != nil {
		return nil, err
	}
	why := a.via("/explain", explain.Handler(trusted, a.opts.Now))
	behaviors = append(behaviors, edge.Behavior{PathPattern: "/explain", Origin: why},
		edge.Behavior{PathPattern: "/explain/*", Origin: why, AllowedMethods: edge.AllMethods()})
	media, err := a.mediaBehaviors(cloudfront.NewKeyGroup(trusted...))
	if err != nil {
		return nil, err
	}
	behaviors = append(behaviors, media...)
	behaviors = append(behaviors, edge.Behavior{PathPattern: "*", Origin: a.via("/app/", guide.Handler())})
	return edge.New(edge.Config{Site: a.site.String(), Behaviors: behaviors, Now: a.opts.Now, Log: a.opts.Log, Explain: !a.cfg.Production(), Decided: a.decided})
}

// mediaBehaviors opens the free parts of every attraction to everybody, and
// all the rest of it to ticket holders only.
func (a *App) mediaBehaviors(trusted cloudfront.KeyGroup) ([]edge.Behavior, error) {
	origin, err := a.mediaOrigin()
	if err != nil {
		return nil, err
	}
	var behaviors []edge.Behavior
	for _, place := range a.places {
		for _, free := range place.Free {
			behaviors = append(behaviors, edge.Behavior{PathPattern: "/" + place.PathOf(free) + "/*", Origin: origin})
		}
		behaviors = append(behaviors, edge.Behavior{PathPattern: "/" + place.Prefix + "/*", Origin: origin, TrustedKeyGroup: &trusted})
	}
	return behaviors, nil
}

// mediaOrigin returns where the media are, which is opened once.
func (a *App) mediaOrigin() (http.Handler, error) {
	switch {
	case a.media != nil:
	case a.opts.Media != nil:
		a.media = a.via("media", edge.FS(a.opts.Media))
	default:
		folder, err := edge.Folder(a.cfg.Edge.Root)
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, folder.Close)
		a.media = a.via("media", folder)
	}
	return a.media, nil
}

// publicKeys returns the public halves of the ring, as CloudFront would hold them.
func (a *App) publicKeys() ([]*cloudfront.PublicKey, error) {
	var keys []*cloudfront.PublicKey
	for _, k := range a.ring.Keys() {
		public, err := cloudfront.NewPublicKey(k.ID, k.Public)
		if err != nil {
			return nil, err
		}
		keys = append(keys, public)
	}
	return keys, nil
}

// Content returns the paths of the catalogued files: those that everybody may
// fetch, and by attraction those that need a ticket.
func (a *App) Content() (free []string, paid map[string][]string) {
	paid = map[string][]string{}
	for _, place := range a.content {
		for _, item := range place.Items {
			for _, address := range []string{item.URL, item.StreamURL} {
				path := strings.TrimPrefix(address, a.site.String())
				switch {
				case address == "":
				case item.Package == "":
					free = append(free, path)
				default:
					paid[place.ID] = append(paid[place.ID], path)
				}
			}
		}
	}
	return free, paid
}
