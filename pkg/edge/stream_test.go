package edge_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

const mebibyte = 1 << 20

// sparse makes a file of size bytes that takes no space.
func sparse(t testing.TB, root, name string, size int64) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// open sends a GET and returns the connection, with a small window so that the
// kernel does not swallow the whole answer.
func open(t testing.TB, srv *httptest.Server, target string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: media.example.org\r\n\r\n", target)
	return conn, bufio.NewReader(conn)
}

func answered(t testing.TB, r *bufio.Reader) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// eventually waits for something that the server does after the viewer is gone.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("not within 5 s: %s", what)
}

func openFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// E-65.
func TestViewersThatLeave(t *testing.T) {
	root := t.TempDir()
	sparse(t, root, "long", 8*mebibyte)
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: folder(t, root)}}}))
	goroutines, files := runtime.NumGoroutine(), openFiles()
	for range 1000 {
		conn, r := open(t, srv, "/long")
		if _, err := r.ReadByte(); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	eventually(t, "goroutines and files as before", func() bool {
		return runtime.NumGoroutine() <= goroutines+2 && openFiles() <= files+2
	})
}

// E-66: memory does not grow with viewers times file size.
func TestManySlowViewers(t *testing.T) {
	root := t.TempDir()
	sparse(t, root, "huge", 1024*mebibyte)
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: folder(t, root)}}}))
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 100 {
		conn, r := open(t, srv, "/huge")
		defer conn.Close()
		if _, err := io.CopyN(io.Discard, r, 256<<10); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&during)
	if grown := int64(during.HeapAlloc+during.StackInuse) - int64(before.HeapAlloc+before.StackInuse); grown > 64*mebibyte {
		t.Errorf("100 viewers of 1 GiB take %d MiB more, want less than 64", grown/mebibyte)
	}
}

// A viewer who takes something now and then gets all of it, one who takes
// nothing is cut: for files, for handlers and from another server.
func TestWriteDeadlines(t *testing.T) {
	const size, timeout = 24 * mebibyte, 600 * time.Millisecond
	root := t.TempDir()
	sparse(t, root, "long", size)
	var ended atomic.Int32
	once := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer ended.Add(1)
		w.Header().Set("Content-Length", fmt.Sprint(size))
		_, _ = w.Write(make([]byte, size))
	})
	files := folder(t, root)
	file := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer ended.Add(1)
		files.ServeHTTP(w, r)
	})
	other := httptest.NewServer(files)
	t.Cleanup(other.Close)
	remote := proxy(t, other.URL, edge.ProxyOptions{})
	far := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer ended.Add(1)
		remote.ServeHTTP(w, r)
	})
	for name, origin := range map[string]http.Handler{"file": file, "one write": once, "other server": far} {
		t.Run(name, func(t *testing.T) {
			ended.Store(0)
			srv := serve(t, newEdge(t, edge.Config{WriteTimeout: timeout, Behaviors: []edge.Behavior{{PathPattern: "*", Origin: origin}}}))
			slow, r := open(t, srv, "/long")
			defer slow.Close()
			resp, began := answered(t, r), time.Now()
			for range 12 {
				if _, err := io.CopyN(io.Discard, resp.Body, 2*mebibyte); err != nil {
					t.Fatalf("slow viewer after %v: %v", time.Since(began), err)
				}
				time.Sleep(timeout / 6)
			}
			if spent := time.Since(began); spent < 3*timeout/2 {
				t.Fatalf("took %v, which proves nothing about a timeout of %v", spent, timeout)
			}
			dead, r := open(t, srv, "/long")
			defer dead.Close()
			answered(t, r)
			eventually(t, "the dead viewer is cut", func() bool { return ended.Load() == 2 })
		})
	}
}

// A connection that is kept does not inherit the deadline of an earlier answer.
func TestDeadlineIsPerAnswer(t *testing.T) {
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fast":
			io.WriteString(w, "a")
		case "/silent":
			time.Sleep(500 * time.Millisecond)
		case "/late":
			io.WriteString(w, "a")
			time.Sleep(500 * time.Millisecond)
		}
	})
	srv := serve(t, newEdge(t, edge.Config{WriteTimeout: 200 * time.Millisecond, Behaviors: []edge.Behavior{{PathPattern: "*", Origin: slow}}}))
	conn, r := open(t, srv, "/fast")
	defer conn.Close()
	for _, next := range []string{"/silent", "/late", "/late", "/silent", "/fast"} {
		resp := answered(t, r)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Header.Get("X-Cache") == "" {
			t.Errorf("before GET %s: %v %v", next, resp.Header, err)
		}
		io.WriteString(conn, "GET "+next+" HTTP/1.1\r\nHost: media.example.org\r\n\r\n")
	}
	answered(t, r)
}

// E-64.
func TestFileTruncatedMidReply(t *testing.T) {
	root := t.TempDir()
	sparse(t, root, "long", 64*mebibyte)
	files := folder(t, root)
	for _, http2 := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: files}}}))
		srv.EnableHTTP2 = http2
		srv.StartTLS()
		sparse(t, root, "long", 64*mebibyte)
		resp, err := srv.Client().Get(srv.URL + "/long")
		if err != nil {
			t.Fatal(err)
		}
		if http2 != (resp.ProtoMajor == 2) {
			t.Fatalf("got %s", resp.Proto)
		}
		if _, err := io.CopyN(io.Discard, resp.Body, mebibyte); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(root, "long"), 2*mebibyte); err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); err == nil {
			t.Errorf("%s: read %d bytes after the file was cut, without an error", resp.Proto, n)
		}
		resp.Body.Close()
		srv.Close()
	}
}

// A handler that promises more than it sends cuts the connection, whatever the
// protocol. What has no body may promise.
func TestShortReply(t *testing.T) {
	short := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		switch r.URL.Path {
		case "/304":
			w.WriteHeader(http.StatusNotModified)
		default:
			io.WriteString(w, "abc")
		}
	})
	for _, http2 := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: short}}}))
		srv.EnableHTTP2 = http2
		srv.StartTLS()
		for path, whole := range map[string]bool{"/304": true, "/x": false} {
			if http2 && whole {
				continue // Go's client takes the length of a 304 for a promise
			}
			resp, err := srv.Client().Get(srv.URL + path)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if (err == nil) != whole {
				t.Errorf("HTTP/2 %v, GET %s: %v, want whole %v", http2, path, err, whole)
			}
		}
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("a short reply panics with %v, want ErrAbortHandler", v)
				}
			}()
			srv.Config.Handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil))
		}()
		resp, err := srv.Client().Head(srv.URL + "/x")
		if err != nil || resp.ContentLength != 10 {
			t.Errorf("HTTP/2 %v, HEAD: %v", http2, err)
		}
		srv.Close()
	}
}

// E-29: a download that began in time may end later.
func TestDownloadAcrossExpiry(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "castle"), 0o755); err != nil {
		t.Fatal(err)
	}
	sparse(t, root, "castle/long", 32*mebibyte)
	desk := newDesk(t, "KCASTLE")
	var clock atomic.Pointer[time.Time]
	clock.Store(&noon)
	srv := serve(t, newEdge(t, edge.Config{Now: func() time.Time { return *clock.Load() },
		Behaviors: []edge.Behavior{{PathPattern: "*", Origin: folder(t, root), TrustedKeyGroup: desk.group}}}))
	get := func() *http.Response {
		r, err := http.NewRequest("GET", srv.URL+"/castle/long", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", desk.cookie(t, "castle"))
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	running := get()
	later := noon.Add(2 * time.Hour)
	clock.Store(&later)
	if n, err := io.Copy(io.Discard, running.Body); err != nil || n != 32*mebibyte {
		t.Errorf("the running download ends after %d bytes: %v", n, err)
	}
	running.Body.Close()
	if resp := get(); resp.StatusCode != 403 {
		t.Errorf("a new request = %d, want 403", resp.StatusCode)
	} else {
		resp.Body.Close()
	}
}

// Streams are sent as they come, and early hints before the answer.
func TestFlush(t *testing.T) {
	next := make(chan bool)
	stream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</x>; rel=preload")
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.WriteHeader(http.StatusEarlyHints)
		if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
			t.Errorf("SetReadDeadline = %v", err)
		}
		w.(http.Flusher).Flush()
		<-next
		io.Copy(w, struct{ io.Reader }{strings.NewReader("one\n")})
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("Flush = %v", err)
		}
		<-next
		io.Copy(w, bytes.NewReader([]byte("two\n")))
	})
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: stream}}}))
	conn, r := open(t, srv, "/x")
	defer conn.Close()
	hints := answered(t, r)
	if hints.StatusCode != 103 || hints.Header.Get("Set-Cookie") != "" || hints.Header.Get("X-Cache") != "" {
		t.Errorf("first answer %d %v, want 103", hints.StatusCode, hints.Header)
	}
	resp := answered(t, r)
	if resp.StatusCode != 200 || resp.Header.Get("X-Cache") == "" || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("answer %d %v", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"one\n", "two\n"} {
		next <- true
		if got, err := lines.ReadString('\n'); got != want {
			t.Errorf("read %q, %v, want %q", got, err, want)
		}
	}
}

// Large bodies arrive whole by every way there is: kernel copy, TLS, HTTP/2, pipe.
func TestWholeBodies(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcde\n"), 40_001)
	root := tree(t, map[string]string{"long": string(text)})
	files := folder(t, root)
	copied := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, struct{ io.Reader }{bytes.NewReader(text)}) })
	written := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := w.Write(text); n != len(text) || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	})
	e := newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "/copied", Origin: copied}, {PathPattern: "/written", Origin: written}, {PathPattern: "*", Origin: files}}})
	for _, protocol := range []string{"plain", "TLS", "HTTP/2"} {
		srv := httptest.NewUnstartedServer(e)
		srv.EnableHTTP2 = protocol == "HTTP/2"
		if srv.TLS = (&tls.Config{}); protocol == "plain" {
			srv.Start()
		} else {
			srv.StartTLS()
		}
		for _, path := range []string{"/long", "/copied", "/written"} {
			resp, err := srv.Client().Get(srv.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s %s: %d bytes, %v, want %d", protocol, path, len(got), err, len(text))
			}
			if path == "/long" {
				part(t, srv, text, 7, 300_000)
				part(t, srv, text, 300_000, int64(len(text))-1)
			}
		}
		srv.Close()
	}
}

// A panic of an origin is not answered with half a page.
func TestOriginPanics(t *testing.T) {
	srv := serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})}}}))
	if resp, err := srv.Client().Get(srv.URL + "/x"); err == nil || !errors.Is(err, io.EOF) {
		t.Errorf("GET = %v, %v, want EOF", resp, err)
	}
}

// part asks for the bytes first to last of /long.
func part(t testing.TB, srv *httptest.Server, text []byte, first, last int64) {
	t.Helper()
	r, err := http.NewRequest("GET", srv.URL+"/long", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", first, last))
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 206 || !bytes.Equal(got, text[first:last+1]) {
		t.Errorf("%s %s = %d, %d bytes, %v, want 206, %d", resp.Proto, r.Header.Get("Range"), resp.StatusCode, len(got), err, last+1-first)
	}
}
