package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
	"github.com/handstamp/handstamp/pkg/gate"
)

// The test binary runs itself again with these set, to have a process that can
// be killed, starved or locked out.
const (
	childJob  = "HANDSTAMP_TEST_CHILD"
	childBook = "HANDSTAMP_TEST_BOOK"
)

func TestMain(m *testing.M) {
	if job := os.Getenv(childJob); job != "" {
		os.Exit(child(job, os.Getenv(childBook)))
	}
	goleak.VerifyTestMain(m)
}

// child does one of the jobs and says on standard output what it has done.
func child(job, path string) int {
	jobs := map[string]func(context.Context, string) error{"admit": admit, "fill": fill, "hold": hold, "open": tryOpen}
	go func() { // nobody is left behind when a test is killed
		for parent := os.Getppid(); os.Getppid() == parent; {
			time.Sleep(100 * time.Millisecond)
		}
		os.Exit(2)
	}()
	if err := jobs[job](context.Background(), path); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// spawn starts a child; its output is ended by its end.
func spawn(t *testing.T, job, path string, change func(*exec.Cmd)) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childJob+"="+job, childBook+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(cmd)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// admit lets devices in for as long as it lives, three for each ticket and a
// fourth that is refused, and names those that were let in, or says what went
// wrong.
func admit(ctx context.Context, path string) error {
	b, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	var devices sync.WaitGroup
	for i := range 8 {
		devices.Go(func() {
			for round := 0; ; round++ {
				device := fmt.Sprint(os.Getpid(), " ", i, " ", round)
				e := entry(device)
				e.Ticket = fingerprint(fmt.Sprint(os.Getpid(), " ", i/4, " ", round))
				var denial *gate.Denial
				if _, err := b.Enter(ctx, e); err == nil {
					fmt.Println(device)
				} else if !errors.As(err, &denial) {
					fmt.Println("error:", err)
				}
			}
		})
	}
	devices.Wait()
	return nil
}

// TestKill kills a process amid its admissions, again and again on one file.
// What it shows: no transaction is half there, no seat is sold twice, and the
// book opens. It does not show that an answer was on disk, for what a process
// wrote outlives it in the system's memory; see TestPowerLoss and
// TestOneSyncForEachCommit for that.
func TestKill(t *testing.T) {
	troubled(t)
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for round := range rounds(t, "HANDSTAMP_KILL_ROUNDS", 200) {
		cmd, out := spawn(t, "admit", path, nil)
		var in []string
		for out.Scan() {
			in = append(in, out.Text())
			if len(in) == 1 {
				time.AfterFunc(time.Duration(20+round*7%100)*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
		}
		if err := cmd.Wait(); err == nil || len(in) == 0 {
			t.Fatalf("round %d: the child ended with %v after %d admissions: %q", round, err, len(in), in)
		}
		total += len(in)
		stillIn(t, path, in)
	}
	t.Logf("%d admissions were answered, and all of them are there", total)
}

// stillIn makes sure that the devices are let in still, and the file is whole.
func stillIn(t *testing.T, path string, devices []string) {
	t.Helper()
	b, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	defer b.Close()
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	for _, device := range devices {
		finds(t, b, device, noon, "")
	}
	oversold(t, b)
}

// becomeGuest lets cmd run as nobody, who is in the group of the file.
func becomeGuest(t *testing.T, cmd *exec.Cmd, path string) {
	t.Helper()
	const nobody = 65534
	if err := os.Chown(path, 0, nobody); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
