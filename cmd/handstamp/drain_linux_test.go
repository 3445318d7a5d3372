package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A gatehouse is a gateway as a process of its own, whose ticketing system answers
// when it is let.
type gatehouse struct {
	t       *testing.T
	url     string
	cmd     *exec.Cmd
	log     lockedBuffer
	asked   chan struct{} // a value for every question
	let     chan struct{} // closed when answers may be given
	letOnce sync.Once
	ended   chan error
}

func startGatehouse(t *testing.T, args ...string) *gatehouse {
	t.Helper()
	g := &gatehouse{t: t, asked: make(chan struct{}, 1000), let: make(chan struct{}), ended: make(chan error, 1)}
	office, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(g.answer), ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(office) }()
	dir, address := t.TempDir(), freePort(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	g.url = "http://" + address
	write(t, filepath.Join(dir, "office.yaml"), `network: {allow: [127.0.0.0/8]}
request: {url: "http://`+office.Addr().String()+`/{code}"}
answer: {shape: "{code: string, seats: int}"}
decide: {echo: body.code, valid: body.seats > 0, seats: body.seats, grants: [{attraction: castle}]}
`)
	write(t, filepath.Join(dir, "config.yaml"), `http: {listen: "`+address+`", public_url: "`+g.url+`", drain: 300ms}
media: {url: "`+g.url+`"}
throttle: {enabled: off}
admission: {devices: 1000}
keys: {dir: `+root+`/keys.example}
sources: [{id: office, kind: web, settings: office.yaml, timeout: 20s}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [office]}]
`)
	g.cmd = exec.Command(os.Args[0], append([]string{"serve", "--config", filepath.Join(dir, "config.yaml")}, args...)...)
	g.cmd.Env = append(os.Environ(), asBinary+"=1")
	g.cmd.Stderr = &g.log
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.cmd.Wait() }()
	t.Cleanup(func() {
		g.open()
		_ = g.cmd.Process.Kill()
		_ = srv.Close()
	})
	waitFor(t, g.url+"/readyz", &g.log)
	return g
}

func (g *gatehouse) open() { g.letOnce.Do(func() { close(g.let) }) }

func (g *gatehouse) answer(w http.ResponseWriter, r *http.Request) {
	g.asked <- struct{}{}
	<-g.let
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"code":%q,"seats":900}`, strings.TrimPrefix(r.URL.Path, "/"))
}

// show shows a ticket and returns the status, or 0 if there was no answer.
func (g *gatehouse) show(code string) int {
	res, err := http.Post(g.url+"/v1/tickets/verify", "application/json", strings.NewReader(`{"ticket":"`+code+`"}`))
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

func (g *gatehouse) ready() int {
	res, err := http.Get(g.url + "/readyz")
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

func (g *gatehouse) signal() {
	g.t.Helper()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		g.t.Fatal(err)
	}
}

// until waits for a readiness.
func (g *gatehouse) until(status int) {
	g.t.Helper()
	for end := time.Now().Add(20 * time.Second); g.ready() != status; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("readiness never was %d\n%s", status, g.log.String())
		}
	}
}

// end waits for the end of the process and returns its status.
func (g *gatehouse) end(within time.Duration) int {
	g.t.Helper()
	select {
	case err := <-g.ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode() // -1 after a signal
		}
		return 0
	case <-time.After(within):
		g.t.Fatalf("the gateway did not end within %v\n%s", within, g.log.String())
		return 0
	}
}

// SIGTERM with two hundred visitors at the gate: not ready first, then nobody new,
// then everybody is answered, then the end with status 0.
func TestDrainAsProcess(t *testing.T) {
	g := startGatehouse(t)
	const crowd = 200
	statuses := make(chan int, crowd)
	for range crowd {
		go func() { statuses <- g.show("CASTLE0TICKET0OF0MANY") }()
	}
	<-g.asked
	inFlight(t, g, crowd)
	g.signal()
	g.until(http.StatusServiceUnavailable)
	g.until(0) // nobody listens any more
	select {
	case status := <-statuses:
		t.Errorf("a visitor got %d before the ticketing system answered", status)
	default:
	}
	g.open()
	for range crowd {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("verify = %d while draining, want 200", status)
		}
	}
	if code := g.end(10 * time.Second); code != exitDone {
		t.Errorf("the gateway ended with %d, want %d\n%s", code, exitDone, g.log.String())
	}
}

// inFlight waits until the gateway holds so many connections.
func inFlight(t *testing.T, g *gatehouse, n int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if len(fds) > n {
			time.Sleep(200 * time.Millisecond) // for the last to be read
			return
		}
	}
	t.Fatalf("%d requests never were in flight", n)
}

// A request that never ends makes the gateway end with status 1 at the end of its
// patience, and a second signal ends it at once.
func TestStuckAsProcess(t *testing.T) {
	for _, tt := range []struct {
		name    string
		args    []string
		signals int
		want    int
	}{
		{"patience", []string{"--patience", "500ms"}, 1, exitFailed},
		{"second signal", []string{"--patience", "1h"}, 2, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := startGatehouse(t, tt.args...)
			shown := make(chan int, 1)
			go func() { shown <- g.show("CASTLE0TICKET0OF0ONE") }()
			<-g.asked
			for i := range tt.signals {
				g.signal()
				if i == 0 {
					g.until(0)
				}
			}
			if code := g.end(10 * time.Second); code != tt.want {
				t.Errorf("the gateway ended with %d, want %d\n%s", code, tt.want, g.log.String())
			}
			if got := g.log.String(); tt.want == exitFailed && !strings.Contains(got, `msg="requests cut off" open=1`) {
				t.Errorf("the log does not say that a request was cut off:\n%s", got)
			}
			if status := <-shown; status != 0 {
				t.Errorf("verify = %d, want no answer", status)
			}
		})
	}
}
