//go:build unix

package edge_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// E-53.
func TestOnlyRegularFilesInside(t *testing.T) {
	base := tree(t, map[string]string{"outside": outsideText, "root/dir/file": freeText, "root/dir/index.html": freeText, "root/closed": freeText})
	root := filepath.Join(base, "root")
	must := func(err error) {
		if t.Helper(); err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink("../outside", filepath.Join(root, "out")))
	must(os.Symlink(filepath.Join(base, "outside"), filepath.Join(root, "absolute")))
	must(os.Symlink(filepath.Join(root, "dir/file"), filepath.Join(root, "absolute-inside")))
	must(os.Symlink("dir/file", filepath.Join(root, "inside")))
	must(os.Symlink("..", filepath.Join(root, "up")))
	must(os.Symlink("loop", filepath.Join(root, "loop")))
	must(os.Symlink("/dev/zero", filepath.Join(root, "zero")))
	must(syscall.Mkfifo(filepath.Join(root, "pipe"), 0o644))
	srv := filesServer(t, folder(t, root))
	t.Cleanup(func() { // lets go of a server that waits for the pipe
		pipe, err := os.OpenFile(filepath.Join(root, "pipe"), os.O_RDWR, 0)
		must(err)
		pipe.Close()
	})
	for target, want := range map[string]int{
		"/dir/file": 200, "/inside": 200,
		"/out": 404, "/absolute": 404, "/absolute-inside": 404, "/up/outside": 404, "/up": 404, "/loop": 404, "/zero": 404, "/pipe": 404,
		"/dir": 404, "/dir/": 404, "/": 404, "/dir/file/x": 404, "/" + strings.Repeat("a", 300): 404, "/" + strings.Repeat("a/", 3000) + "a": 404,
	} {
		got := ask(t, srv, "GET", target)
		wantStatus(t, "GET "+target, got, want)
		if strings.Contains(got.body, "file") || strings.Contains(got.body, outsideText) {
			t.Errorf("GET %s shows %q", target, got.body)
		}
	}
}

// A link that is swapped in while requests run leads nowhere, either.
func TestLinkSwap(t *testing.T) {
	base := tree(t, map[string]string{"outside/file": outsideText, "root/dir/file": freeText})
	dir, link := filepath.Join(base, "root/dir"), filepath.Join(base, "root/link")
	if err := os.Symlink("../outside", link); err != nil {
		t.Fatal(err)
	}
	srv := filesServer(t, folder(t, filepath.Join(base, "root")))
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for aside := dir + ".aside"; ; {
			select {
			case <-stop:
				return
			default:
				for _, move := range [][2]string{{dir, aside}, {link, dir}, {dir, link}, {aside, dir}} {
					if err := os.Rename(move[0], move[1]); err != nil {
						t.Error(err)
						return
					}
				}
			}
		}
	}()
	for range 300 {
		if got := ask(t, srv, "GET", "/dir/file"); strings.Contains(got.body, outsideText) {
			t.Fatalf("GET /dir/file = %d %q", got.StatusCode, got.body)
		}
	}
	close(stop)
	<-done
}
