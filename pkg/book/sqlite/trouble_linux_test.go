package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book/sqlite"
)

// fill makes admissions until the system refuses to let the files grow, and
// again when it is told that there is room.
func fill(ctx context.Context, path string) error {
	signal.Ignore(syscall.SIGXFSZ) // a write past the limit is an error, as on a full disk
	b, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	e := entry("first")
	if _, err := b.Enter(ctx, e); err != nil {
		return err
	}
	for n := 0; err == nil && n < 10_000; n++ {
		more := entry(fmt.Sprint(n))
		more.Ticket = fingerprint(fmt.Sprint(n))
		_, err = b.Enter(ctx, more)
	}
	fmt.Println("full:", err)
	if _, err := b.Find(ctx, e.Session, noon); err != nil {
		return fmt.Errorf("find while full: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 30, Max: 1 << 30}); err != nil {
		return err
	}
	e.Session, e.Ticket = session("after"), fingerprint("after")
	if _, err := b.Enter(ctx, e); err != nil {
		return fmt.Errorf("enter when there is room again: %w", err)
	}
	fmt.Println("room")
	return b.Close()
}

// TestDiskFull limits how large a child's files may grow, as prlimit does.
func TestDiskFull(t *testing.T) {
	troubled(t)
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	cmd, out := spawn(t, "fill", path, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `ulimit -S -f 1024; exec "$0"`, os.Args[0]} // 512 KiB
	})
	var lines []string
	for out.Scan() {
		lines = append(lines, out.Text())
	}
	if err := cmd.Wait(); err != nil || len(lines) != 2 || !strings.HasPrefix(lines[0], "full: book") || lines[1] != "room" {
		t.Fatalf("the child ended with %v and said %q", err, lines)
	}
	if strings.Contains(lines[0], "denied") {
		t.Errorf("%s: want no denial", lines[0])
	}
	stillIn(t, path, []string{"first", "after"})
}

// hold keeps the lock for writers until its input ends.
func hold(ctx context.Context, path string) error {
	b, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	return b.Write(ctx, func(exec func(string, ...any) error) error {
		fmt.Println("held")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	})
}

// TestLockHeld lets another process keep the lock for more than busy_timeout.
func TestLockHeld(t *testing.T) {
	troubled(t)
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	b := open(t, path)
	enter(t, b, entry("1"))
	var input io.WriteCloser
	cmd, out := spawn(t, "hold", path, func(cmd *exec.Cmd) { input, _ = cmd.StdinPipe() })
	if !out.Scan() || out.Text() != "held" {
		t.Fatalf("the child said %q", out.Text())
	}
	begin := time.Now()
	e := entry("2")
	_, err := b.Enter(t.Context(), e)
	if err == nil || isRevoked(err) || !strings.Contains(err.Error(), "another process held the lock for more than 5s") {
		t.Errorf("Enter = %v, want that the lock is held", err)
	}
	if took := time.Since(begin); took < 4*time.Second || took > 20*time.Second {
		t.Errorf("Enter waited for %s, want 5 s", took)
	}
	finds(t, b, "1", noon, "")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // a viewer who does not wait that long
	defer cancel()
	if _, err := b.Enter(ctx, e); err == nil {
		t.Error("Enter succeeded while the lock was held")
	}
	if err := input.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the child ended with %v", err)
	}
	if a := enter(t, b, e); a.Taken != 2 {
		t.Errorf("Enter = %+v, want the second seat: nobody took it for the one who had gone", a)
	}
	if s := b.Stats(); s.Failures != 1 {
		t.Errorf("Stats = %+v, want 1 failure", s)
	}
}

// TestTwoProcesses lets two processes admit to one file at once, neither of
// which ever pauses: they take turns.
func TestTwoProcesses(t *testing.T) {
	troubled(t)
	t.Parallel()
	path := filepath.Join(t.TempDir(), "book.db")
	b := open(t, path)
	cmd, out := spawn(t, "admit", path, nil)
	if !out.Scan() {
		t.Fatal("the child said nothing")
	}
	other := []string{out.Text()}
	said := make(chan []string)
	go func() { // or it would wait until it is heard
		var lines []string
		for out.Scan() {
			lines = append(lines, out.Text())
		}
		said <- lines
	}()
	longest := time.Duration(0)
	for round := range 50 {
		for i := range 4 {
			e := entry(fmt.Sprint("own ", i, " ", round))
			e.Ticket = fingerprint(fmt.Sprint(cmd.Process.Pid, " 0 ", round)) // the child's own
			begin := time.Now()
			_, err := b.Enter(t.Context(), e)
			if longest = max(longest, time.Since(begin)); err != nil && !strings.HasPrefix(err.Error(), "denied: seats_taken") {
				t.Fatalf("Enter = %v", err)
			}
		}
	}
	time.Sleep(100 * time.Millisecond) // for the child to go on
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	other = append(other, <-said...)
	_ = cmd.Wait()
	for _, device := range other {
		if strings.Contains(device, ":") {
			t.Fatalf("the child failed: %s", device)
		}
		finds(t, b, device, noon, "")
	}
	t.Logf("the other process admitted %d, and this one waited for %s at most", len(other), longest)
	if longest > 2*time.Second { // a hundred times as long as a turn takes
		t.Errorf("Enter waited for %s: one process starves the other", longest)
	}
	if admissions, devices := oversold(t, b); devices < 3*50 || admissions < 50 {
		t.Errorf("%d devices in %d admissions, want three in each that both wanted", devices, admissions)
	}
}

// tryOpen opens the book.
func tryOpen(ctx context.Context, path string) error {
	b, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	return b.Close()
}
