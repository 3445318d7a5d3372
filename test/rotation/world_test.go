package rotation_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/awskeys"
)

// A pace is how fast everything goes.
type pace struct {
	rules            keyring.Rules
	lifetime, window time.Duration // of cookies
	follow, timeout  time.Duration // of a gateway's looks at the manifest
	pause            time.Duration // between two requests of a viewer
	reserve          time.Duration // before the end of their cookies, late viewers renew
}

// A world is everything around the keys.
type world struct {
	pace
	dir      string // of keys in files
	store    keyring.Store
	openers  keyring.Openers
	kms      *moodyKMS
	newKMS   func(context.Context, kmstypes.KeySpec) (arn string, err error)
	network  *network
	book     gate.Book
	gateways []*gateway
	viewers  atomic.Uint64
	tally    tally
}

// newWorld returns a world without AWS, and without keys.
func newWorld(t *testing.T, p pace) *world {
	t.Helper()
	dir := t.TempDir()
	there := &fakeKMS{keys: map[string]crypto.Signer{}}
	return (&world{pace: p, dir: dir, store: keyring.FileStore(filepath.Join(dir, keyring.ManifestName)), kms: &moodyKMS{KMSClient: there},
		newKMS: there.create, network: newNetwork(t, &fakeGroup{}, p.rules.Settle)}).complete()
}

func (w *world) complete() *world {
	w.book = memory.New()
	w.openers = keyring.Openers{"file": keyring.Files{Dir: w.dir}, "kms": awskeys.KMS{Client: w.kms}}
	return w
}

// open makes the first key and as many gateways as there are, until ctx ends.
func (w *world) open(ctx context.Context, t *testing.T, first keyMaker) {
	t.Helper()
	e := w.add(ctx, t, first)
	w.change(ctx, t, func(m *keyring.Manifest) error { return m.Activate(e, w.rules, time.Now(), true) })
	time.Sleep(w.rules.Settle)
	for range 2 {
		w.gateways = append(w.gateways, w.newGateway(ctx, t))
	}
}

// add makes a key, publishes it and returns its ID.
func (w *world) add(ctx context.Context, t *testing.T, newKey keyMaker) (id string) {
	t.Helper()
	e, err := newKey(ctx, w)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	if id, err = w.network.Publish(ctx, &e); err != nil {
		t.Fatalf("Publish: %v", err)
	}
	name := e.Name()
	w.change(ctx, t, func(m *keyring.Manifest) error {
		return errors.Join(m.Add(e, time.Now()), m.Publish(name, id, time.Now()))
	})
	return id
}

func (w *world) change(ctx context.Context, t *testing.T, do func(*keyring.Manifest) error) {
	t.Helper()
	if err := keyring.Change(ctx, w.store, do); err != nil {
		t.Fatalf("Change: %v", err)
	}
}

// rotate replaces the key that signs by one of next.
func (w *world) rotate(ctx context.Context, next keyMaker) error {
	r := keyring.Rotation{Store: w.store, Distribution: w.network, Rules: w.rules, Now: time.Now,
		Make: func(ctx context.Context) (keyring.Entry, error) { return next(ctx, w) },
		Wait: func(ctx context.Context, until time.Time) error { return wait(ctx, time.Until(until)) }}
	return r.Run(ctx)
}

// crowd has viewers come and go on until stop is called, which waits for them.
func (w *world) crowd(ctx context.Context, t *testing.T, n int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i := range n {
		code := fmt.Sprintf("TICKET%0*d", i+1, i)
		if i%3 == 0 {
			code = premium + code
		}
		v := w.newViewer(t, code, i%2 == 0)
		wg.Go(func() { v.visit(ctx) })
	}
	return func() { cancel(); wg.Wait() }
}

// report prints what happened, and fails if somebody was refused.
func (w *world) report(t *testing.T, rotations int) {
	t.Helper()
	c := &w.tally
	t.Logf("%d rotations: %d requests, %d refused; %d renewals, %d unavailable; %d cookie sets, %d by a key that a location did not trust",
		rotations, c.requests.Load(), c.refused.Load(), c.renewals.Load(), c.unavailable.Load(), c.stamps.Load(), c.untrusted.Load())
	if c.requests.Load() == 0 || c.renewals.Load() == 0 {
		t.Error("there was no load")
	}
}

// A keyMaker makes a private key and keeps it.
type keyMaker func(context.Context, *world) (keyring.Entry, error)

// inFile makes a key in the folder.
func inFile(kind keyring.Type) keyMaker {
	return func(_ context.Context, w *world) (keyring.Entry, error) {
		key, err := keyring.Generate(kind)
		if err != nil {
			return keyring.Entry{}, err
		}
		pair, err := keyring.Write(w.dir, "", key)
		if err != nil {
			return keyring.Entry{}, err
		}
		return keyring.NewEntry("", "file:"+filepath.Base(pair.PrivateFile), key.Public())
	}
}

// inKMS makes a key in KMS.
func inKMS(spec kmstypes.KeySpec) keyMaker {
	return func(ctx context.Context, w *world) (keyring.Entry, error) {
		arn, err := w.newKMS(ctx, spec)
		if err != nil {
			return keyring.Entry{}, err
		}
		key, err := awskeys.KMS{Client: w.kms}.Open(ctx, arn)
		if err != nil {
			return keyring.Entry{}, err
		}
		return keyring.NewEntry("", "kms:"+arn, key.Public())
	}
}

// fakeKMS is KMS without AWS.
type fakeKMS struct {
	mu   sync.Mutex
	keys map[string]crypto.Signer
}

func (f *fakeKMS) create(_ context.Context, spec kmstypes.KeySpec) (string, error) {
	kind := keyring.RSA
	if spec == kmstypes.KeySpecEccNistP256 {
		kind = keyring.ECDSA
	}
	key, err := keyring.Generate(kind)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	arn := fmt.Sprintf("arn:aws:kms:eu-west-1:111122223333:key/%d", len(f.keys))
	f.keys[arn] = key
	return arn, nil
}

func (f *fakeKMS) key(id *string) crypto.Signer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keys[*id]
}

func (f *fakeKMS) GetPublicKey(_ context.Context, in *kms.GetPublicKeyInput, _ ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	public := f.key(in.KeyId).Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	spec := kmstypes.KeySpecRsa2048
	if key, _ := cloudfront.NewPublicKey("K", public); key.Kind() != "RSA-2048" {
		spec = kmstypes.KeySpecEccNistP256
	}
	return &kms.GetPublicKeyOutput{PublicKey: der, KeySpec: spec, KeyUsage: kmstypes.KeyUsageTypeSignVerify}, err
}

func (f *fakeKMS) Sign(_ context.Context, in *kms.SignInput, _ ...func(*kms.Options)) (*kms.SignOutput, error) {
	signature, err := f.key(in.KeyId).Sign(rand.Reader, in.Message, crypto.SHA256)
	return &kms.SignOutput{Signature: signature}, err
}

// moodyKMS is a KMS that signs only when it is in the mood.
type moodyKMS struct {
	awskeys.KMSClient
	mu   sync.Mutex
	mood func(context.Context) error // nil means good
	told int                         // how often it was asked to sign in another mood
}

func (m *moodyKMS) turn(mood func(context.Context) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mood = mood
}

func (m *moodyKMS) Sign(ctx context.Context, in *kms.SignInput, o ...func(*kms.Options)) (*kms.SignOutput, error) {
	m.mu.Lock()
	mood := m.mood
	if mood != nil {
		m.told++
	}
	m.mu.Unlock()
	if mood != nil {
		if err := mood(ctx); err != nil {
			return nil, err
		}
	}
	return m.KMSClient.Sign(ctx, in, o...)
}

// The moods of a KMS that does not sign.
func throttled(context.Context) error {
	return &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}
}

func away(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
