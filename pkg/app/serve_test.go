package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
)

// A wire is a listener without a network, for virtual time.
type wire struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newWire() *wire { return &wire{conns: make(chan net.Conn), done: make(chan struct{})} }

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { w.once.Do(func() { close(w.done) }); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{} }

func (w *wire) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case w.conns <- there:
		return here, nil
	case <-w.done:
		return nil, errors.New("connection refused")
	}
}

// A stage is a handler whose requests take a while, and that is told to drain.
type stage struct {
	take  time.Duration
	ready atomic.Bool
}

func (s *stage) Drain() { s.ready.Store(false) }

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/readyz" {
		if !s.ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return
	}
	select {
	case <-time.After(s.take):
	case <-r.Context().Done():
	}
}

// poll is how often net/http looks whether all are answered.
const poll = 600 * time.Millisecond

// Everybody who is in is answered, and the gateway says that it is not ready
// before it stops listening.
func TestFarewell(t *testing.T) {
	tests := []struct {
		name    string
		take    time.Duration // of every request
		drain   time.Duration
		end     app.Farewell
		lasts   time.Duration // from the signal to the end
		refused time.Duration // from the signal to the last connection that is accepted
		want    error
		open    string
	}{
		{"all finish", 5 * time.Second, 3 * time.Second, app.Farewell{}, 5 * time.Second, 3 * time.Second, nil, ""},
		{"nobody is in", 0, 3 * time.Second, app.Farewell{}, 3 * time.Second, 3 * time.Second, nil, ""},
		{"stuck", time.Hour, 3 * time.Second, app.Farewell{}, 28 * time.Second, 3 * time.Second, app.ErrCutOff, "open=200"},
		{"stuck and short of patience", time.Hour, 0, app.Farewell{Patience: 2 * time.Second}, 2 * time.Second, 0, app.ErrCutOff, "open=200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, signal := context.WithCancel(t.Context())
				l, h := newWire(), &stage{take: tt.take}
				h.ready.Store(true)
				var drain atomic.Int64 // is asked for when it begins, as it may have changed
				tt.end.Drain = func() time.Duration { return time.Duration(drain.Load()) }
				var log bytes.Buffer
				ended := make(chan error, 1)
				go func() { ended <- app.ServeUntil(ctx, l, h, h, tt.end, slog.New(slog.NewTextHandler(&log, nil))) }()
				client := &http.Client{Transport: &http.Transport{DialContext: l.dial, DisableKeepAlives: true}}
				get := func(path string) int {
					res, err := client.Get("http://gateway" + path)
					if err != nil {
						return 0
					}
					defer res.Body.Close()
					_, _ = io.Copy(io.Discard, res.Body)
					return res.StatusCode
				}
				if got := get("/readyz"); got != 200 {
					t.Fatalf("GET /readyz = %d before the signal, want 200", got)
				}
				var finished atomic.Int64
				var visitors sync.WaitGroup
				if tt.take > 0 {
					for range 200 {
						visitors.Go(func() {
							if get("/") == 200 {
								finished.Add(1)
							}
						})
					}
				}
				synctest.Wait()
				drain.Store(int64(tt.drain))
				signal()
				at := time.Now()
				synctest.Wait()
				if tt.drain > 0 {
					time.Sleep(tt.refused - 1)
					if got := get("/readyz"); got != 503 {
						t.Errorf("GET /readyz = %d just before the end of the drain, want 503", got)
					}
					time.Sleep(time.Nanosecond)
					synctest.Wait()
				}
				if got := get("/readyz"); got != 0 {
					t.Errorf("GET /readyz = %d after the drain, want no connection", got)
				}
				err := <-ended
				if took := time.Since(at); !errors.Is(err, tt.want) || took < tt.lasts || took > tt.lasts+poll {
					t.Errorf("ServeUntil = %v after %v, want %v after %v", err, took, tt.want, tt.lasts)
				}
				if got := log.String(); tt.open != "" && !strings.Contains(got, "level=ERROR msg=\"requests cut off\" "+tt.open) {
					t.Errorf("log %s, want that %s were cut off", got, tt.open)
				}
				visitors.Wait()
				if want := int64(200); tt.want == nil && tt.take > 0 && finished.Load() != want {
					t.Errorf("%d of %d requests finished", finished.Load(), want)
				}
			})
		})
	}
}

// A listener that dies while the gateway drains ends the wait, and is reported.
func TestFarewellOfADeadListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, signal := context.WithCancel(t.Context())
		l, h := newWire(), &stage{}
		end := app.Farewell{Drain: func() time.Duration { return time.Minute }}
		ended := make(chan error, 1)
		go func() { ended <- app.ServeUntil(ctx, l, h, h, end, slog.New(slog.DiscardHandler)) }()
		synctest.Wait()
		signal()
		synctest.Wait()
		at := time.Now()
		_ = l.Close()
		if err, took := <-ended, time.Since(at); !errors.Is(err, net.ErrClosed) || took > poll {
			t.Errorf("ServeUntil = %v, %v after its listener died, want net.ErrClosed at once", err, took)
		}
	})
}
