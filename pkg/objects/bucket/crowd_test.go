package bucket_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

// visit sends a GET for /x and returns the connection, with a small window so
// that the kernel does not swallow the whole answer.
func visit(t testing.TB, srv *httptest.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprint(conn, "GET /x HTTP/1.1\r\nHost: media.example.org\r\n\r\n")
	return conn, bufio.NewReader(conn)
}

// P-15: memory does not grow with viewers times size.
func TestManySlowViewers(t *testing.T) {
	const viewers, size = 50, 64 * mebibyte
	s := newStore(t, map[string]stored{"x": {size: size}})
	srv := serve(t, s.client(bucket.Options{}))
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range viewers {
		conn, r := visit(t, srv)
		defer conn.Close()
		if _, err := io.CopyN(io.Discard, r, 256<<10); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&during)
	grown := int64(during.HeapAlloc+during.StackInuse) - int64(before.HeapAlloc+before.StackInuse)
	t.Logf("%d viewers of %d MiB take %d KiB more, the store's side included", viewers, size/mebibyte, grown>>10)
	if grown > 32*mebibyte {
		t.Errorf("%d viewers of %d MiB take %d MiB more, want less than 32", viewers, size/mebibyte, grown/mebibyte)
	}
}

// Whoever leaves in the middle takes the call to the store along.
func TestViewersThatLeave(t *testing.T) {
	const viewers = 1000
	s := newStore(t, map[string]stored{"x": {size: 8 * mebibyte}})
	var serving atomic.Int32
	s.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == "GET" {
			serving.Add(1)
			context.AfterFunc(r.Context(), func() { serving.Add(-1) })
		}
		return false
	}
	var log note
	srv := serve(t, s.client(bucket.Options{Log: log.log()}))
	goroutines := runtime.NumGoroutine()
	for range viewers {
		conn, r := visit(t, srv)
		if _, err := r.ReadByte(); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	eventually(t, "nothing runs for viewers who left", func() bool {
		return serving.Load() == 0 && runtime.NumGoroutine() <= goroutines+8 // idle connections to the store
	})
	if log.String() != "" {
		t.Errorf("the log blames the store: %.300s", log.String())
	}
}

// A viewer who takes something now and then gets all of it, though the server
// has a timeout for answers; one who takes nothing is cut.
func TestWriteDeadlines(t *testing.T) {
	const size, timeout = 24 * mebibyte, 600 * time.Millisecond
	s := newStore(t, map[string]stored{"x": {size: size}})
	b := s.client(bucket.Options{WriteTimeout: timeout})
	var ended atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer ended.Add(1)
		b.ServeHTTP(w, r)
	}))
	srv.Config.WriteTimeout = timeout
	srv.Start()
	t.Cleanup(srv.Close)
	slow, r := visit(t, srv)
	defer slow.Close()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 12 {
		if _, err := io.CopyN(io.Discard, resp.Body, 2*mebibyte); err != nil {
			t.Fatalf("slow viewer after %v: %v", time.Since(began), err)
		}
		time.Sleep(timeout / 6)
	}
	if spent := time.Since(began); spent < 3*timeout/2 {
		t.Fatalf("took %v, which proves nothing about a timeout of %v", spent, timeout)
	}
	dead, _ := visit(t, srv)
	defer dead.Close()
	eventually(t, "the dead viewer is cut", func() bool { return ended.Load() == 2 })
}

// A connection that is kept does not inherit the deadline of an object: the
// server takes it away.
func TestDeadlineEndsWithAnswer(t *testing.T) {
	s := newStore(t, map[string]stored{"x": {text: "0123456789"}})
	b := s.client(bucket.Options{WriteTimeout: 100 * time.Millisecond})
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			time.Sleep(200 * time.Millisecond) // longer than any deadline that is left
			io.WriteString(w, "late")
			return
		}
		b.ServeHTTP(w, r)
	}))
	for _, headers := range []string{"", "Range: bytes=0-1\r\n", "Range: bytes=99-\r\n", "If-None-Match: *\r\n"} {
		conn, r := visit(t, srv)
		defer conn.Close()
		for _, next := range []string{"/x", "/late", "/x"} {
			resp, err := http.ReadResponse(r, nil)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
			}
			if err != nil {
				t.Fatalf("before %s %q: %v", next, headers, err)
			}
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: media.example.org\r\n%s\r\n", next, headers)
		}
	}
}

// Connections to the store are used again, after parts of objects too.
func TestConnectionsAreKept(t *testing.T) {
	s := newStore(t, map[string]stored{"x": {size: mebibyte}})
	srv := serve(t, s.open(t, bucket.Options{}))
	for i := range 20 {
		headers := []string{"Range: bytes=0-", "Range: bytes=5-400000", "Range: bytes=1-2,5-70000", "X: y"}[i%4]
		if got := ask(t, srv, "GET", "/x", headers); got.err != nil || got.StatusCode/100 != 2 {
			t.Fatalf("GET with %s = %d, %v", headers, got.StatusCode, got.err)
		}
	}
	if n := s.opened.Load(); n > 2 {
		t.Errorf("20 answers took %d connections to the store, want them kept", n)
	}
}
