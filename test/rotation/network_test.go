package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/edge"
	"github.com/handstamp/handstamp/pkg/keyring"
)

const site = "https://media.example.org"

// track is a file that visitors listen to.
var track = slices.Repeat([]byte("0123456789abcdef"), 4096)

// A keyGroup is CloudFront's side of a ring, and what it has.
type keyGroup interface {
	keyring.Distribution
	// trusted returns the public keys that the group has now.
	trusted(ctx context.Context) ([]*cloudfront.PublicKey, error)
}

// A network is a key group with the edge locations that follow it. A change
// reaches each of them on its own, at any time up to settle after it.
type network struct {
	keyGroup
	t         *testing.T
	settle    time.Duration
	locations []*location

	mu  sync.Mutex
	rng *rand.Rand
}

func newNetwork(t *testing.T, group keyGroup, settle time.Duration) *network {
	n := &network{keyGroup: group, t: t, settle: settle, rng: rand.New(rand.NewPCG(1, 2))}
	files := edge.FS(fstest.MapFS{
		"castle/audio/hall.m4a":    {Data: track},
		"castle/premium/tower.m4a": {Data: track},
	})
	for i := range 2 {
		n.locations = append(n.locations, &location{name: fmt.Sprintf("location %d", i+1), files: files})
	}
	return n
}

// Publish implements keyring.Distribution.
func (n *network) Publish(ctx context.Context, e *keyring.Entry) (string, error) {
	id, err := n.keyGroup.Publish(ctx, e)
	return id, errors.Join(err, n.spread(ctx))
}

// Remove implements keyring.Distribution.
func (n *network) Remove(ctx context.Context, id string) error {
	return errors.Join(n.keyGroup.Remove(ctx, id), n.spread(ctx))
}

// spread sends what the key group has now on its way to the edge locations.
func (n *network) spread(ctx context.Context) error {
	keys, err := n.trusted(ctx)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.locations {
		l.expect(n.t, keys, time.Now().Add(time.Duration(n.rng.Int64N(int64(n.settle)))))
	}
	return nil
}

// any returns one of the edge locations: where DNS sent the viewer this time.
func (n *network) any() *location {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.locations[n.rng.IntN(len(n.locations))]
}

// strangers returns the locations that do not trust a key now.
func (n *network) strangers(keyPairID string) (names []string) {
	for _, l := range n.locations {
		if !l.now().trusts[keyPairID] {
			names = append(names, l.name)
		}
	}
	return names
}

// A location is an edge location: a local CloudFront whose configuration is the
// newest that has reached it.
type location struct {
	name  string
	files http.Handler

	mu      sync.Mutex
	current *configuration
	coming  []*configuration // in the order in which they were sent
}

// A configuration is what a location knows from a time on.
type configuration struct {
	at     time.Time
	edge   *edge.Edge
	trusts map[string]bool
}

func (l *location) expect(t *testing.T, keys []*cloudfront.PublicKey, at time.Time) {
	group := cloudfront.NewKeyGroup(keys...)
	c := &configuration{at: at, trusts: map[string]bool{}}
	for _, k := range keys {
		c.trusts[k.ID()] = true
	}
	var err error
	c.edge, err = edge.New(edge.Config{Site: site, Behaviors: []edge.Behavior{{PathPattern: "*", Origin: l.files, TrustedKeyGroup: &group}}})
	if err != nil {
		t.Errorf("edge.New: %v", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.coming = append(l.coming, c)
}

// now returns the newest configuration that has arrived. One that was overtaken
// never counts.
func (l *location) now() *configuration {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.coming) - 1; i >= 0; i-- {
		if !l.coming[i].at.After(time.Now()) {
			l.current, l.coming = l.coming[i], l.coming[i+1:]
			break
		}
	}
	if l.current == nil {
		return &configuration{edge: nobody, trusts: map[string]bool{}}
	}
	return l.current
}

// nobody is an edge that trusts no key, as before the first one.
var nobody = func() *edge.Edge {
	e, err := edge.New(edge.Config{Site: site, Behaviors: []edge.Behavior{{PathPattern: "*", Origin: http.NotFoundHandler(), AllowedMethods: edge.AllMethods()}}})
	if err != nil {
		panic(err)
	}
	return e
}()

// A fakeGroup is a key group without AWS.
type fakeGroup struct {
	mu   sync.Mutex
	keys []*cloudfront.PublicKey
	made int
}

func (g *fakeGroup) Publish(_ context.Context, e *keyring.Entry) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.ID != "" {
		return e.ID, nil
	}
	g.made++
	key, err := cloudfront.ParsePublicKey(fmt.Sprintf("KFAKE%07d", g.made), []byte(e.Public))
	if err != nil {
		return "", err
	}
	g.keys = append(g.keys, key)
	return key.ID(), nil
}

func (g *fakeGroup) Remove(_ context.Context, id string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys = slices.DeleteFunc(slices.Clone(g.keys), func(k *cloudfront.PublicKey) bool { return k.ID() == id })
	return nil
}

func (g *fakeGroup) trusted(context.Context) ([]*cloudfront.PublicKey, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.keys), nil
}
