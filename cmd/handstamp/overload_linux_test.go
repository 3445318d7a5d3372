package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// overloadFor is how long TestOverload lasts: OVERLOAD=20s, without the prefix that would make it configuration. Empty skips it.
const overloadFor = "OVERLOAD"

// A rush shows tickets to a gateway, and measures.
type rush struct {
	address string
	next    atomic.Int64 // number of the next ticket

	mu   sync.Mutex
	idle []*phone                // the last one that was used is used next
	took map[int][]time.Duration // by status
	why  error                   // the first that got no answer
}

// tickets is how many there are, with so many seats each.
const (
	rushTickets = 20_000
	rushSeats   = 100
)

func rushCode(n int64) string { return fmt.Sprintf("RUSH-%06d-K7QM2XWD", n%rushTickets) }

// A phone is a connection. It does less than an http.Client, so that those who show
// tickets take little of the machine.
type phone struct {
	conn net.Conn
	in   *bufio.Reader
}

// pick returns a connection that is not in use.
func (r *rush) pick() (*phone, error) {
	r.mu.Lock()
	if n := len(r.idle); n > 0 {
		defer r.mu.Unlock()
		p := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return p, nil
	}
	r.mu.Unlock()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		return nil, err
	}
	return &phone{conn, bufio.NewReaderSize(conn, 4096)}, nil
}

func (p *phone) ask(body string) (status int, err error) {
	_, err = fmt.Fprintf(p.conn, "POST /v1/tickets/verify HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		p.conn.RemoteAddr(), len(body), body)
	if err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(p.in, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}

// show shows the next ticket.
func (r *rush) show() {
	began := time.Now()
	p, err := r.pick()
	status := 0
	if err == nil {
		status, err = p.ask(`{"ticket":"` + rushCode(r.next.Add(1)) + `"}`)
	}
	took := time.Since(began)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		status, r.why = 0, err
	} else {
		r.idle = append(r.idle, p)
	}
	r.took[status] = append(r.took[status], took)
}

// hangUp ends all connections.
func (r *rush) hangUp() {
	for _, p := range r.idle {
		_ = p.conn.Close()
	}
}

// forget returns what was measured and begins anew.
func (r *rush) forget() map[int][]time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	took := r.took
	r.took = map[int][]time.Duration{}
	return took
}

// The flood comes in rounds, with a lull before each.
const (
	rounds = 4
	lull   = 2 * time.Second
)

// work is what a processor did for admissions.
type work struct {
	used time.Duration
	done int
}

func (w *work) add(used time.Duration, done int) { w.used, w.done = w.used+used, w.done+done }

// each returns how long a processor took for one.
func (w *work) each() time.Duration { return w.used / time.Duration(max(1, w.done)) }

// capacity has so many show tickets one after the other, and returns how many got
// in a second.
func (r *rush) capacity(t *testing.T, workers int, d time.Duration) float64 {
	t.Helper()
	r.forget()
	end := time.Now().Add(d)
	var all sync.WaitGroup
	all.Go(func() { // those who show tickets are as busy as in the flood: processors of a pair slow each other down
		for time.Now().Before(end) {
		}
	})
	for range workers {
		all.Go(func() {
			for time.Now().Before(end) {
				r.show()
			}
		})
	}
	all.Wait()
	took := r.forget()
	if len(took) != 1 {
		t.Errorf("beside 200: %v", counts(took))
	}
	return float64(len(took[200])) / d.Seconds()
}

// flood offers so many tickets a second, whatever becomes of them, and returns
// how many got in a second while it lasted.
func (r *rush) flood(rate float64, d time.Duration) (goodput float64, took map[int][]time.Duration) {
	r.forget()
	began := time.Now()
	var all sync.WaitGroup
	for sent := 0; time.Since(began) < d; time.Sleep(time.Millisecond) {
		for due := int(rate * time.Since(began).Seconds()); sent < due; sent++ {
			all.Go(r.show)
		}
	}
	r.mu.Lock()
	good := len(r.took[200])
	r.mu.Unlock()
	all.Wait()
	return float64(good) / d.Seconds(), r.forget()
}

func counts(took map[int][]time.Duration) map[int]int {
	n := map[int]int{}
	for status, all := range took {
		n[status] = len(all)
	}
	return n
}

func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[int(float64(len(all)-1)*p)]
}

// Three times as many come as can be let in: as many as before get in all the same,
// the others hear at once that they should come back, and when the rush is over the
// next one waits for nobody. Every admission is signed, so that the gateway is the
// slower side.
func TestOverload(t *testing.T) {
	d, err := time.ParseDuration(os.Getenv(overloadFor))
	if err != nil {
		t.Skip(overloadFor + " is not set to a duration, like 20s")
	}
	url, pid, log := startRush(t)
	r := &rush{address: strings.TrimPrefix(url, "http://"), took: map[int][]time.Duration{}}
	defer r.hangUp()
	r.capacity(t, 16, 2*time.Second) // warm
	var calm, flooded work
	var capacity, goodput float64
	took := map[int][]time.Duration{}
	for range rounds { // by turns, as processors are not always equally fast
		began := processorTime(t, pid)
		now := r.capacity(t, 16, lull)
		calm.add(processorTime(t, pid)-began, int(now*lull.Seconds()))
		began = processorTime(t, pid)
		good, some := r.flood(3*now, d/rounds)
		flooded.add(processorTime(t, pid)-began, len(some[200]))
		capacity, goodput = capacity+now/rounds, goodput+good/rounds
		for status, all := range some {
			took[status] = append(took[status], all...)
		}
	}
	over := time.Now()
	r.show()
	recovery := time.Since(over)
	after := r.forget()
	share := 100 * float64(calm.each()) / float64(flooded.each())
	t.Logf("capacity %.0f/s; offered %.0f/s for %v: goodput %.0f/s, %.0f %% of it, %v", capacity, 3*capacity, d, goodput, 100*goodput/capacity, counts(took))
	t.Logf("%v of a processor for an admission before, %v with all that is turned away: goodput %.0f %% for the same work", calm.each(), flooded.each(), share)
	t.Logf("admitted within %v at p50, %v at p99; turned away within %v at p50, %v at p90, %v at p99; the next one after %v",
		percentile(took[200], .5), percentile(took[200], .99), percentile(took[503], .5), percentile(took[503], .9), percentile(took[503], .99), recovery)
	if share < 80 { // of the clock nothing is asked: other programs may have more of the processor now
		t.Errorf("goodput %.0f %%, want 80 %% of the admissions for the same work", share)
	}
	if p50 := percentile(took[503], .5); p50 > 100*time.Millisecond {
		t.Errorf("half of those who are turned away wait for more than %v, want 20 ms, or 100 ms beside other programs", p50)
	}
	if len(took[503]) == 0 || len(took[200])+len(took[503]) != len(slices.Concat(took[200], took[503], took[0], took[500], took[403], took[429])) {
		t.Errorf("answers %v, want 200 and 503 only; %v", counts(took), r.why)
	}
	if recovery > 5*time.Second || len(after[200]) != 1 {
		t.Errorf("the next visitor got %v after %v, want 200 within 5 s\n%s", counts(after), recovery, log.String())
	}
}

// startRush starts a gateway with many tickets, as a process of its own on a
// processor of its own: what shows the tickets has another. The binary is the one
// that OVERLOAD_BINARY names, or this test.
func startRush(t *testing.T) (url string, pid int, log *lockedBuffer) {
	t.Helper()
	dir, address := t.TempDir(), freePort(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	list.WriteString("code,attraction,seats\n")
	for n := range int64(rushTickets) {
		fmt.Fprintf(&list, "%s,castle,%d\n", rushCode(n), rushSeats)
	}
	write(t, filepath.Join(dir, "tickets.csv"), list.String())
	url = "http://" + address
	write(t, filepath.Join(dir, "config.yaml"), `http: {listen: "`+address+`", public_url: "`+url+`", drain: 0s}
media: {url: "`+url+`"}
log: {level: error}
cookies: {sharing: off}
throttle: {enabled: off}
keys: {dir: `+root+`/keys.example}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}]
`)
	binary := os.Getenv("OVERLOAD_BINARY")
	if binary == "" {
		binary = os.Args[0]
	}
	cmd := exec.Command("taskset", "--cpu-list", "0", binary, "serve", "--config", filepath.Join(dir, "config.yaml"))
	if cmd.Env = os.Environ(); binary == os.Args[0] {
		cmd.Env = append(cmd.Env, asBinary+"=1")
	}
	log = &lockedBuffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the gateway ended with %v\n%s", err, log.String())
		}
	})
	waitFor(t, url+"/readyz", log)
	if out, err := exec.Command("taskset", "--all-tasks", "--cpu-list", "--pid", "1", fmt.Sprint(os.Getpid())).CombinedOutput(); err != nil {
		t.Fatalf("taskset: %v %s", err, out)
	}
	return url, cmd.Process.Pid, log
}

// processorTime returns how much of the processors a process has used.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	var user, system int64
	fields := strings.Fields(rest)
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
