package cloudfront_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
)

func newLinker(t testing.TB, r cloudfront.Ring, opts cloudfront.LinkerOptions) *cloudfront.Linker {
	t.Helper()
	return cloudfront.NewLinker(newStamper(t, "https://media.example.org", r, cloudfront.StamperOptions{}), opts)
}

// permits are for n files of the castle.
func permits(n int) []gate.Permit {
	list := make([]gate.Permit, n)
	for i := range list {
		list[i] = gate.Permit{Path: fmt.Sprintf("/castle/audio/%04d.m4a", i), Expires: end}
	}
	return list
}

func links(t testing.TB, l *cloudfront.Linker, permits []gate.Permit) []string {
	t.Helper()
	urls, err := l.Links(context.Background(), permits)
	if err != nil {
		t.Fatalf("Links: %v", err)
	}
	return urls
}

func ringOf(kind string) ring {
	if kind == "RSA" {
		return ring{id: rsaID, key: rsaKey()}
	}
	return ring{id: ecID, key: ecKey()}
}

// TestLinks: each URL opens its file until its end and nothing else, and free
// files need no signature.
func TestLinks(t *testing.T) {
	for _, kind := range []string{"RSA", "ECDSA"} {
		l := newLinker(t, ringOf(kind), cloudfront.LinkerOptions{})
		wanted := []gate.Permit{
			{Path: "/castle/audio/01.m4a", Expires: end},
			{Path: "/castle/free/map.svg"},
			{Path: "/castle/audio/café & a*b (1)?.m4a", Expires: end.Add(time.Minute)},
			{Path: "/castle/audio/01.m4a", Expires: end}, // again
		}
		urls := links(t, l, wanted)
		if urls[1] != "https://media.example.org/castle/free/map.svg" || urls[0] != urls[3] {
			t.Errorf("%s: Links = %q, want the second plain and the first as the last", kind, urls)
		}
		if !strings.HasPrefix(urls[2], "https://media.example.org/castle/audio/caf%C3%A9%20&%20a%2Ab%20%281%29%3F.m4a?Expires=") {
			t.Errorf("%s: Links = %q, want the path as browsers send it, without wildcards", kind, urls[2])
		}
		var d cloudfront.Decider
		for i, at := range map[int]time.Time{0: end, 2: end.Add(time.Minute)} {
			for after, want := range map[time.Duration]bool{-time.Second: true, 0: false, -time.Hour: true} {
				if got := d.Decide(cloudfront.Request{URL: urls[i]}, trusted(t), at.Add(after)); got.Allowed != want {
					t.Errorf("%s: %q at %v = %+v, want allowed %t", kind, urls[i], after, got, want)
				}
			}
			for _, other := range []string{strings.Replace(urls[i], "castle", "tower", 1), strings.Replace(urls[i], ".m4a", ".m4b", 1), urls[i] + "&a=b"} {
				if got := d.Decide(cloudfront.Request{URL: other}, trusted(t), noon); got.Allowed {
					t.Errorf("%s: %q opens, want the signed file alone", kind, other)
				}
			}
		}
	}
}

// TestLinksWithPlus: S3 reads a plain "+" as a space, so no URL has one, and the
// policy is for the URL as it is sent.
func TestLinksWithPlus(t *testing.T) {
	l := newLinker(t, ringOf("ECDSA"), cloudfront.LinkerOptions{})
	urls := links(t, l, []gate.Permit{{Path: "/castle/audio/C++ & more.m4a", Expires: end}, {Path: "/castle/free/a+b.svg"}})
	const want = "https://media.example.org/castle/audio/C%2B%2B%20&%20more.m4a?Expires="
	if !strings.HasPrefix(urls[0], want) || urls[1] != "https://media.example.org/castle/free/a%2Bb.svg" {
		t.Errorf("Links = %q, want each + as %%2B", urls)
	}
	var d cloudfront.Decider
	for url, allowed := range map[string]bool{urls[0]: true, strings.ReplaceAll(urls[0], "%2B", "+"): false} {
		if got := d.Decide(cloudfront.Request{URL: url}, trusted(t), noon); got.Allowed != allowed {
			t.Errorf("%q = %+v, want allowed %t", url, got, allowed)
		}
	}
	site, err := cloudfront.ParseSite("https://media.example.org")
	if err != nil {
		t.Fatal(err)
	}
	file, err := site.File("/castle/audio/C++ & more.m4a")
	if url := site.URL("/castle/audio/C++ & more.m4a"); err != nil || url != file.String() {
		t.Errorf("URL = %q, want that of File, %q, %v", url, file, err)
	}
}

// TestLinksAreStable: the same file and end is the same URL, also from another
// process with the same key, and another end is another URL.
func TestLinksAreStable(t *testing.T) {
	for _, kind := range []string{"RSA", "ECDSA"} {
		first := links(t, newLinker(t, ringOf(kind), cloudfront.LinkerOptions{}), permits(3))
		other := newLinker(t, ringOf(kind), cloudfront.LinkerOptions{})
		if again := links(t, other, permits(3)); strings.Join(first, " ") != strings.Join(again, " ") {
			t.Errorf("%s: two processes made %q and %q, want the same", kind, first, again)
		}
		later := permits(1)
		later[0].Expires = end.Add(time.Minute)
		if url := links(t, other, later)[0]; url == first[0] {
			t.Errorf("%s: another end gave the same URL", kind)
		}
	}
}

// TestLinksKeepServiceKeys: a key in a service signs differently each time, and
// once for everybody.
func TestLinksKeepServiceKeys(t *testing.T) {
	key := &slowKey{Signer: randomKey{ecKey()}}
	l := newLinker(t, ring{id: ecID, key: key}, cloudfront.LinkerOptions{})
	all := make([]string, 20)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = strings.Join(links(t, l, permits(25)), " ") })
	}
	wg.Wait()
	for i := range all {
		if all[i] != all[0] {
			t.Fatalf("two viewers of one window got different URLs")
		}
	}
	if n := key.count.Load(); n != 25 {
		t.Errorf("%d signatures for 25 files, want one each", n)
	}
}

// A randomKey signs differently each time, as a key in a service may.
type randomKey struct{ crypto.Signer }

func (k randomKey) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if r == nil {
		return nil, errors.New("a key in a service was asked to sign without random bytes")
	}
	return k.Signer.Sign(r, digest, opts)
}

// TestLinksAreBounded: what is asked for stays, and the rest goes.
func TestLinksAreBounded(t *testing.T) {
	key := &slowKey{Signer: ecKey()}
	l := newLinker(t, ring{id: ecID, key: key}, cloudfront.LinkerOptions{Keep: 100})
	hot := permits(1)
	for i := range 30 {
		links(t, l, hot)
		many := permits(20)
		for n := range many {
			many[n].Expires = end.Add(time.Duration(i+1) * time.Minute)
		}
		links(t, l, many)
		if n := l.Kept(); n > 100 {
			t.Fatalf("%d URLs kept, want at most 100", n)
		}
	}
	if n := key.count.Load(); n != 30*20+1 {
		t.Errorf("%d signatures, want 601: one for the file that was always asked for", n)
	}
}

func TestLinksRefuse(t *testing.T) {
	l := newLinker(t, ringOf("ECDSA"), cloudfront.LinkerOptions{})
	for _, path := range []string{"", "castle/a", "/castle/../tower/a", "/castle//a", "/castle/./a", "/castle/a;b", "/castle/a\nb", "/castle/\xff", "/castle/%41", "//evil.example/a"} {
		if urls, err := l.Links(t.Context(), []gate.Permit{{Path: "/castle/a", Expires: end}, {Path: path, Expires: end}}); !errors.Is(err, cloudfront.ErrUnsafeResource) || urls != nil {
			t.Errorf("Links(%q) = %q, %v, want ErrUnsafeResource", path, urls, err)
		}
	}
	if urls, err := l.Links(t.Context(), []gate.Permit{{Path: "/castle/a", Expires: time.Unix(1<<31, 0)}}); !errors.Is(err, cloudfront.ErrTimes) || urls != nil {
		t.Errorf("Links until 2038 = %q, %v, want ErrTimes", urls, err)
	}
}

// TestLinksSelfCheck: what our own check refuses is neither sent nor kept, and
// one of many that are kept is looked at again.
func TestLinksSelfCheck(t *testing.T) {
	l := newLinker(t, ring{id: ecID, key: &slowKey{Signer: ecKey(), spoil: true}}, cloudfront.LinkerOptions{})
	for range 2 {
		if urls, err := l.Links(t.Context(), permits(2)); !errors.Is(err, cloudfront.ErrSelfCheck) || urls != nil || l.Kept() != 0 {
			t.Errorf("Links by a broken key = %q, %v with %d kept, want ErrSelfCheck and none", urls, err, l.Kept())
		}
	}
	r := &swapRing{}
	r.Store(&ring{id: ecID, key: ecKey()})
	l = newLinker(t, r, cloudfront.LinkerOptions{})
	links(t, l, permits(1))
	r.Store(&ring{id: ecID, key: otherKey()})
	refused := 0
	for range cloudfront.SampleEvery {
		if _, err := l.Links(t.Context(), permits(1)); errors.Is(err, cloudfront.ErrSelfCheck) {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d of %d kept URLs were found to be wrong, want 1", refused, cloudfront.SampleEvery)
	}
}

// TestLinksBusy: beyond the queue there is an answer at once, and cookies still
// have their turn.
func TestLinksBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := &slowKey{Signer: ecKey(), gate: make(chan struct{})}
		s := ecStamper(t, key, cloudfront.StamperOptions{})
		l := cloudfront.NewLinker(s, cloudfront.LinkerOptions{Queue: 1})
		first := make(chan error, 1)
		go func() {
			_, err := l.Links(context.Background(), permits(1))
			first <- err
		}()
		synctest.Wait()
		other := permits(2)[1:]
		if urls, err := l.Links(t.Context(), other); !errors.Is(err, cloudfront.ErrBusy) || urls != nil {
			t.Errorf("Links beyond the queue = %q, %v, want ErrBusy", urls, err)
		}
		stamped := make(chan error, 1)
		go func() {
			_, err := s.Stamp(context.Background(), grant("castle"))
			stamped <- err
		}()
		synctest.Wait()
		close(key.gate)
		if err := errors.Join(<-first, <-stamped); err != nil {
			t.Errorf("Links and Stamp within their queues: %v", err)
		}
		links(t, l, other)
	})
}

// TestLinksCancelled: who gives up takes nobody along.
func TestLinksCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := &slowKey{Signer: ecKey(), gate: make(chan struct{})}
		l := newLinker(t, ring{id: ecID, key: key}, cloudfront.LinkerOptions{})
		ctx, cancel := context.WithCancel(context.Background())
		results := [2]chan error{make(chan error, 1), make(chan error, 1)}
		for i, ctx := range []context.Context{ctx, context.Background()} {
			go func() {
				_, err := l.Links(ctx, permits(1))
				results[i] <- err
			}()
			synctest.Wait()
		}
		cancel()
		if err := <-results[0]; !errors.Is(err, context.Canceled) {
			t.Errorf("Links of the one who gave up = %v, want context.Canceled", err)
		}
		close(key.gate)
		if err := <-results[1]; err != nil {
			t.Errorf("Links of the one who waited = %v, want none", err)
		}
		if n := key.count.Load(); n != 1 {
			t.Errorf("%d signatures made, want 1", n)
		}
	})
}

// TestLinksCancelledBatch: of a batch that nobody waits for any more, nothing new
// begins, so that others have room.
func TestLinksCancelledBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := &slowKey{Signer: ecKey(), gate: make(chan struct{})}
		l := newLinker(t, ring{id: ecID, key: key}, cloudfront.LinkerOptions{})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := l.Links(ctx, permits(1000))
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Links of the one who gave up = %v, want context.Canceled", err)
		}
		other := make(chan error, 1)
		go func() {
			_, err := l.Links(t.Context(), permits(1001)[1000:])
			other <- err
		}()
		synctest.Wait()
		close(key.gate)
		if err := <-other; err != nil {
			t.Errorf("Links of another viewer = %v, want none", err)
		}
		if n, most := key.count.Load(), int64(2*runtime.GOMAXPROCS(0)+2); int64(n) > most {
			t.Errorf("%d signatures made, want at most %d: those that had begun, and the other's", n, most)
		}
	})
}

// BenchmarkLinks is a batch of 1,000: fresh, its files have not been asked for in
// this window; kept, they have.
func BenchmarkLinks(b *testing.B) {
	for _, kind := range []string{"ECDSA", "RSA"} {
		l := newLinker(b, ringOf(kind), cloudfront.LinkerOptions{})
		batch := permits(1000)
		links(b, l, batch)
		b.Run("kept/"+kind, func(b *testing.B) {
			for b.Loop() {
				links(b, l, batch)
			}
		})
		n := 0
		b.Run("fresh/"+kind, func(b *testing.B) {
			for b.Loop() {
				n++
				for i := range batch {
					batch[i].Expires = end.Add(time.Duration(n) * time.Second)
				}
				links(b, l, batch)
			}
		})
	}
}
