package s3_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A program is one run of handstamp.
type program struct {
	cmd     *exec.Cmd
	log     *record
	ended   chan struct{}
	pid     int
	address string // of the gateway or the edge, as "http://127.0.0.1:1234"
}

// handstamp returns the path of handstamp.
func handstamp(t *testing.T) string {
	t.Helper()
	endpoint(t)
	return os.Getenv("HANDSTAMP_S3_BINARY")
}

// environment is all that a run knows of this one.
func environment(k keyPair, more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + k.id, "AWS_SECRET_ACCESS_KEY=" + k.secret}, more...)
}

// start runs handstamp in a folder until the test ends.
func start(t *testing.T, dir string, env []string, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(handstamp(t), args...), log: newRecord(), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.pid = p.cmd.Process.Pid
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("handstamp %s:\n%s", args[0], p.log.tail(6000))
		}
	})
	return p
}

// stop ends the run and waits.
func (p *program) stop(signal syscall.Signal) {
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// listening waits for the line in which the gateway says where it is.
func (p *program) listening(t *testing.T) {
	t.Helper()
	line := p.log.wait(t, p.ended, `"msg":"listening"`)
	var said struct{ Address string }
	if err := json.Unmarshal([]byte(line), &said); err != nil || said.Address == "" {
		t.Fatalf("%v in %s", err, line)
	}
	p.address = "http://" + said.Address
}

// run runs a command that must succeed, and returns what it prints.
func run(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, handstamp(t), args...)
	var said bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = dir, env, &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("handstamp %q: %v\n%s%s", args, err, out, said.Bytes())
	}
	return string(out)
}

// A record is what a program says, line by line.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newRecord() *record { return &record{more: make(chan struct{}, 1)} }

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
	return r.text.Write(p)
}

// find returns the first whole line with a word in it.
func (r *record) find(word string) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := bufio.NewScanner(bytes.NewReader(r.text.Bytes()))
	for lines.Scan() {
		if strings.Contains(lines.Text(), word) {
			return lines.Text(), true
		}
	}
	return "", false
}

// wait returns the first line with a word in it, when it is there.
func (r *record) wait(t *testing.T, ended <-chan struct{}, word string) string {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		if line, ok := r.find(word); ok {
			return line
		}
		select {
		case <-r.more:
		case <-ended:
			t.Fatalf("it ended before it said %s:\n%s", word, r.tail(4000))
		case <-late:
			t.Fatalf("it did not say %s:\n%s", word, r.tail(4000))
		}
	}
}

func (r *record) tail(n int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.text.Bytes()
	return string(b[max(0, len(b)-n):])
}
