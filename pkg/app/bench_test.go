package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// BenchmarkVerify is the whole endpoint, without the network: JSON in, ticket
// list, book in memory, cookies out. "shared" has one signature for the crowd,
// "alone" signs for everybody.
func BenchmarkVerify(b *testing.B) {
	for _, kind := range []keyring.Type{keyring.RSA, keyring.ECDSA} {
		for name, sharing := range map[string]config.Switch{"shared": true, "alone": false} {
			b.Run(string(kind)+"/"+name, func(b *testing.B) {
				a := newApp(b, kind, func(c *config.Config) { c.Cookies.Sharing = sharing })
				session := ask(a.Handler, "POST", "/v1/tickets/verify", show).Cookies()
				cookie := session[len(session)-1]
				b.ReportAllocs()
				b.ResetTimer()
				for b.Loop() {
					resp := ask(a.Handler, "POST", "/v1/tickets/verify", show, cookie)
					if resp.StatusCode != http.StatusOK {
						b.Fatalf("verify = %d", resp.StatusCode)
					}
					all := resp.Cookies()
					cookie = all[len(all)-1]
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verifies/s")
			})
		}
	}
}

// BenchmarkListen is a paid file through the local edge, with its cookies.
func BenchmarkListen(b *testing.B) {
	a := newApp(b, keyring.RSA, nil)
	var cookies []*http.Cookie
	for _, c := range ask(a.Handler, "POST", "/v1/tickets/verify", show).Cookies() {
		if c.Path == "/castle/audio/" && c.MaxAge >= 0 {
			cookies = append(cookies, c)
		}
	}
	for name, path := range map[string]string{"paid": "/castle/audio/hall.m4a", "free": "/castle/free/welcome.m4a"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if resp := ask(a.Handler, "GET", path, "", cookies...); resp.StatusCode != http.StatusOK {
					b.Fatalf("GET %s = %d", path, resp.StatusCode)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// A till is a source of tickets that accepts every code, for one device each.
type till struct{}

func (till) Verify(_ context.Context, c gate.Credential) (*gate.Ticket, error) {
	return &gate.Ticket{Kind: "code", Normal: c.Code, Buys: []gate.Product{{Attraction: "castle"}}, Seats: 1, Proven: true}, nil
}

// A load is a gateway with its book on disk, and devices that send it requests.
type load struct {
	handler http.Handler
	skew    atomic.Int64 // of the gateway's clock, nanoseconds
	devices [2048]device
	tickets atomic.Int64 // that were shown
}

// A device has the session that it was given last.
type device struct {
	mu      sync.Mutex
	session *http.Cookie
}

// newLoad opens a gateway with an RSA key, for a castle of so many packages.
func newLoad(b *testing.B, packages int, sharing config.Switch) *load {
	b.Helper()
	l := &load{}
	cfg := config.Default()
	cfg.Cookies.Sharing = sharing
	cfg.Book.Kind, cfg.Book.File = "sqlite", filepath.Join(b.TempDir(), "book.db")
	cfg.Sources = []config.Source{{ID: "till", Kind: "roll"}}
	place := config.Attraction{ID: "castle", Timezone: "Europe/Madrid", Sources: []string{"till"}}
	for n := range packages {
		place.Packages = append(place.Packages, config.Package{ID: fmt.Sprint("part-", n)})
	}
	cfg.Attractions = []config.Attraction{place}
	a, err := app.New(context.Background(), cfg, app.Options{
		Ring: newRing(b, keyring.RSA), Media: guide.Sample(), Sources: map[string]gate.Verifier{"till": till{}},
		Now: func() time.Time { return time.Now().Add(time.Duration(l.skew.Load())) },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := a.Close(); err != nil {
			b.Errorf("Close: %v", err)
		}
	})
	l.handler = a.Handler
	return l
}

// verify is a device that was never here with a ticket that was never shown:
// request n leaves a new admission on disk.
func (l *load) verify(n int) error {
	_, err := l.post(n, "/v1/tickets/verify", fmt.Sprintf(`{"ticket":"BENCHMARK-TICKET-%08d"}`, l.tickets.Add(1)), nil)
	return err
}

// admit gives every device a ticket, so that renew can begin.
func (l *load) admit() (err error) {
	for i := range l.devices {
		body := fmt.Sprintf(`{"ticket":"BENCHMARK-DEVICE-%08d"}`, i)
		if l.devices[i].session, err = l.post(i, "/v1/tickets/verify", body, nil); err != nil {
			return err
		}
	}
	return nil
}

// renew is the devices one after the other. When all had their turn, ten minutes
// have passed, so that each time the session rotates and the cookies are new.
func (l *load) renew(n int) error {
	d := &l.devices[n%len(l.devices)]
	d.mu.Lock()
	defer d.mu.Unlock()
	l.skew.Add(int64(10*time.Minute) / int64(len(l.devices)))
	session, err := l.post(n, "/v1/admission/renew", "", d.session)
	if err == nil {
		d.session = session
	}
	return err
}

// post sends a request and returns the session that the answer sets.
func (l *load) post(n int, path, body string, session *http.Cookie) (*http.Cookie, error) {
	r := httptest.NewRequest("POST", site+path, strings.NewReader(body))
	r.RequestURI, r.Host, r.RemoteAddr = path, "127.0.0.1:8080", fmt.Sprintf("10.0.%d.%d:40000", n>>8&255, n&255)
	r.Header.Set("Content-Type", "application/json")
	if session != nil {
		r.AddCookie(session)
	}
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return nil, fmt.Errorf("POST %s = %d %s", path, w.Code, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		if c.Name == "handstamp_admission" {
			return c, nil
		}
	}
	return nil, fmt.Errorf("POST %s: no session", path)
}

// crowd sends requests, 64 of them under way at any time, for as long as d. It
// returns how many were answered, and in what time.
func crowd(b *testing.B, d time.Duration, send func(n int) error) (answered int64, took time.Duration) {
	b.Helper()
	var n atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range 64 {
		all.Go(func() {
			for time.Since(begin) < d {
				if err := send(int(n.Add(1))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return n.Load(), time.Since(begin)
}

// rates returns how many requests a second there are of two kinds. They take
// turns, so that whatever else the machine does slows down both.
func rates(b *testing.B, one, other func(n int) error) (first, second float64) {
	b.Helper()
	var answered [2]int64
	var took [2]time.Duration
	for range 10 {
		for i, send := range []func(n int) error{one, other} {
			n, d := crowd(b, 300*time.Millisecond, send)
			answered[i], took[i] = answered[i]+n, took[i]+d
		}
	}
	return float64(answered[0]) / took[0].Seconds(), float64(answered[1]) / took[1].Seconds()
}

// steady sends so many requests a second for as long as d, whether or not the
// earlier ones are answered, and returns how long they took, in order of length.
// Each counts from when it was to be sent, so a pause is felt by all who would
// have come meanwhile.
func steady(b *testing.B, rate float64, d time.Duration, send func(n int) error) []time.Duration {
	b.Helper()
	took := make([]time.Duration, int(rate*d.Seconds()))
	var next atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range 1024 {
		all.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(took) {
					return
				}
				due := begin.Add(time.Duration(float64(n) / rate * float64(time.Second)))
				time.Sleep(time.Until(due))
				if err := send(n); err != nil {
					b.Error(err)
					return
				}
				took[n] = time.Since(due)
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took
}

// BenchmarkDurable is what the gateway can do with its book on disk and a sync
// before every answer: requests a second while 64 are under way, how many times
// that is what it can do when each of them is signed anew, in the same run, and
// how long answers take at half of that rate. One iteration is one such trial.
func BenchmarkDurable(b *testing.B) {
	for _, packages := range []int{1, 2, 4} {
		for _, name := range []string{"verify", "renew"} {
			b.Run(fmt.Sprintf("%s/packages=%d", name, packages), func(b *testing.B) {
				shared, anew := newLoad(b, packages, true), newLoad(b, packages, false)
				send := (*load).verify
				if name == "renew" {
					send = (*load).renew
					if err := errors.Join(shared.admit(), anew.admit()); err != nil {
						b.Fatal(err)
					}
				}
				results := map[string][]float64{}
				for b.Loop() {
					trial(b, results, func(n int) error { return send(shared, n) }, func(n int) error { return send(anew, n) })
				}
				for unit, values := range results {
					slices.Sort(values)
					b.ReportMetric(values[len(values)/2], unit)
				}
			})
		}
	}
}

// trial adds to results, by unit, one measurement of each.
func trial(b *testing.B, results map[string][]float64, shared, anew func(n int) error) {
	b.Helper()
	fast, slow := rates(b, shared, anew)
	took := steady(b, fast/2, 4*time.Second, shared)
	for unit, value := range map[string]float64{
		"req/s": fast, "anew-req/s": slow, "x-anew": fast / slow,
		"p50-ms": took[len(took)/2].Seconds() * 1000, "p99-ms": took[len(took)*99/100].Seconds() * 1000,
	} {
		results[unit] = append(results[unit], value)
	}
}
