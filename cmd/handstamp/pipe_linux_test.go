package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A sidecar is a gateway as a process of its own, whose standard error is a pipe.
type sidecar struct {
	t     *testing.T
	url   string
	dir   string
	list  string // URL of a list that it fetches; empty means one in a file
	cmd   *exec.Cmd
	log   *os.File // the reader's end
	lines *bufio.Reader
	ended chan error
}

func newSidecar(t *testing.T) *sidecar {
	t.Helper()
	return &sidecar{t: t, url: "http://" + freePort(t), dir: t.TempDir(), ended: make(chan error, 1)}
}

// configure writes a configuration, with more attractions at its end.
func (s *sidecar) configure(drain, more string) {
	s.t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		s.t.Fatal(err)
	}
	source := "{id: list, kind: roll, file: tickets.csv}"
	if s.list != "" {
		source = "{id: list, kind: roll, settings: list.yaml}"
		write(s.t, filepath.Join(s.dir, "list.yaml"), "url: "+s.list+"\nnetwork: {allow: [127.0.0.0/8]}\n")
	}
	write(s.t, filepath.Join(s.dir, "tickets.csv"), "code,attraction\nCASTLE-TICKET-0001,castle\n")
	file := filepath.Join(s.dir, "config.yaml")
	write(s.t, file+".new", `http: {listen: "`+strings.TrimPrefix(s.url, "http://")+`", public_url: "`+s.url+`", drain: `+drain+`}
media: {url: "`+s.url+`"}
keys: {dir: `+root+`/keys.example}
sources: [`+source+`]
attractions:
  - {id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}
`+more)
	if err := os.Rename(file+".new", file); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sidecar) start() {
	s.t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	defer writer.Close()
	s.log, s.lines = reader, bufio.NewReader(reader)
	s.cmd = exec.Command(os.Args[0], "serve", "--config", filepath.Join(s.dir, "config.yaml"))
	s.cmd.Env = append(os.Environ(), asBinary+"=1")
	s.cmd.Stderr = writer
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP) // where it is ignored, as under nohup, it would be in the gateway too
	defer signal.Stop(caught)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	s.t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = reader.Close() })
}

func (s *sidecar) send(signal syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// until reads the log until it has a line with text, and returns what was read.
func (s *sidecar) until(text string) (read string) {
	s.t.Helper()
	if err := s.log.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	for {
		line, err := s.lines.ReadString('\n')
		if read += line; strings.Contains(line, text) {
			return read
		}
		if err != nil {
			s.t.Fatalf("the log never said %q: %v\n%s", text, err, read)
		}
	}
}

// ends waits for the end of the process, which must be a good one.
func (s *sidecar) ends(within time.Duration) {
	s.t.Helper()
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("the gateway ended with %v, want status 0", err)
		}
	case <-time.After(within):
		s.t.Fatalf("the gateway did not end within %v", within)
	}
}

// A gateway goes on when whoever reads its log goes away, and drains as ever.
func TestLogReaderGoesAway(t *testing.T) {
	s := newSidecar(t)
	s.configure("0s", "")
	s.start()
	s.until("msg=listening")
	if err := s.log.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // each is logged
		res, err := http.Post(s.url+"/v1/tickets/verify", "application/json", strings.NewReader(`{"ticket":"no ticket at all"}`))
		if err != nil {
			t.Fatalf("verify without a reader of the log: %v", err)
		}
		res.Body.Close()
		s.send(syscall.SIGHUP) // and so is this
		time.Sleep(50 * time.Millisecond)
	}
	s.send(syscall.SIGTERM)
	s.ends(10 * time.Second)
}

// A warning of a new configuration does not wait for who stopped to read the log,
// and then SIGTERM does not either.
func TestReloadWarnsNobody(t *testing.T) {
	s := newSidecar(t)
	s.configure("0s", "")
	s.start()
	s.until("msg=listening")
	if _, err := unix.FcntlInt(s.log.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	for range 100 { // each is logged: more than there is room for
		res, err := http.Post(s.url+"/v1/tickets/verify", "application/json", strings.NewReader("no JSON"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	s.configure("0s", "  - {id: palace, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list], venue_networks: [1.0.0.0/8]}\n")
	s.send(syscall.SIGHUP)
	for end := time.Now().Add(20 * time.Second); !s.shows("palace"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a configuration with a warning was not taken on while nobody read the log")
		}
	}
	s.send(syscall.SIGTERM)
	s.ends(10 * time.Second)
}

func (s *sidecar) shows(attraction string) bool {
	s.t.Helper()
	res, err := http.Get(s.url + "/v1/attractions")
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return err == nil && strings.Contains(string(text), attraction)
}

// SIGHUP while a gateway starts is for later, and while it drains for nobody: it
// never ends it.
func TestHangupAtTheWrongTime(t *testing.T) {
	asked, let := make(chan struct{}, 10), make(chan struct{})
	shop := newShop(t, asked, let)
	s := newSidecar(t)
	s.list = shop
	s.configure("1s", "")
	s.start()
	<-asked
	s.send(syscall.SIGHUP)
	close(let)
	s.until("lists_reloaded")
	s.send(syscall.SIGTERM)
	s.until("msg=stopping")
	for range 10 { // the first may come before anything was let go
		s.send(syscall.SIGHUP)
		time.Sleep(20 * time.Millisecond)
	}
	s.ends(10 * time.Second)
}

// SIGTERM while a gateway starts is not left waiting for a list.
func TestStopWhileStarting(t *testing.T) {
	asked, let := make(chan struct{}, 10), make(chan struct{})
	s := newSidecar(t)
	s.list = newShop(t, asked, let)
	s.configure("0s", "")
	s.start()
	<-asked
	s.send(syscall.SIGTERM)
	s.ends(10 * time.Second) // a list may take 20 s
	rest, err := io.ReadAll(s.lines)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(rest), "msg=listening") {
		t.Errorf("the gateway listened though it was asked to stop:\n%s", rest)
	}
}

// newShop returns the URL of a list that is given once let is closed.
func newShop(t *testing.T, asked chan<- struct{}, let <-chan struct{}) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-let:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, "code,attraction\nCASTLE-TICKET-0001,castle\n")
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/tickets.csv"
}
