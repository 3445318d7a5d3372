package main

import (
	"fmt"
	"io"
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
	url    string
	client *http.Client
	next   atomic.Int64 // number of the next ticket

	failed sync.Once
	why    error // the first that got no answer

	mu   sync.Mutex
	took map[int][]time.Duration // by status
}

// tickets is how many there are, with so many seats each.
const (
	rushTickets = 20_000
	rushSeats   = 100
)

func rushCode(n int64) string { return fmt.Sprintf("RUSH-%06d-K7QM2XWD", n%rushTickets) }

// show shows the next ticket.
func (r *rush) show() {
	body := strings.NewReader(`{"ticket":"` + rushCode(r.next.Add(1)) + `"}`)
	began := time.Now()
	res, err := r.client.Post(r.url+"/v1/tickets/verify", "application/json", body)
	status := 0
	if err != nil {
		r.failed.Do(func() { r.why = err })
	} else {
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		status = res.StatusCode
	}
	took := time.Since(began)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took[status] = append(r.took[status], took)
}

// forget returns what was measured and begins anew.
func (r *rush) forget() map[int][]time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	took := r.took
	r.took = map[int][]time.Duration{}
	return took
}

// capacity has so many show tickets one after the other, and returns how many got
// in a second.
func (r *rush) capacity(t *testing.T, workers int, d time.Duration) float64 {
	t.Helper()
	r.forget()
	end := time.Now().Add(d)
	var all sync.WaitGroup
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
	r := &rush{url: url, took: map[int][]time.Duration{}, client: &http.Client{Timeout: time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: 5000, DisableCompression: true}}}
	r.capacity(t, 16, 2*time.Second) // warm
	began := processorTime(t, pid)
	capacity := r.capacity(t, 16, 5*time.Second)
	used := processorTime(t, pid) - began
	each := used / time.Duration(5*capacity)
	began = processorTime(t, pid)
	goodput, took := r.flood(3*capacity, d)
	used = processorTime(t, pid) - began
	t.Logf("an admission takes %v of a processor; in the flood %v for %d, and %v for each that is turned away", each, used/time.Duration(len(took[200])), len(took[200]),
		(used-each*time.Duration(len(took[200])))/time.Duration(max(1, len(took[503]))))
	over := time.Now()
	r.show()
	recovery := time.Since(over)
	after := r.forget()
	t.Logf("capacity %.0f/s; offered %.0f/s for %v: goodput %.0f/s (%.0f %%), %v", capacity, 3*capacity, d, goodput, 100*goodput/capacity, counts(took))
	t.Logf("admitted within %v at p50, %v at p99; turned away within %v at p50, %v at p90, %v at p99; the next one after %v",
		percentile(took[200], .5), percentile(took[200], .99), percentile(took[503], .5), percentile(took[503], .9), percentile(took[503], .99), recovery)
	if goodput < .8*capacity {
		t.Errorf("goodput %.0f/s, want 80 %% of %.0f/s", goodput, capacity)
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
