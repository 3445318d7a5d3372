package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/handstamp/handstamp/pkg/probe"
)

// admin looks at where the socket of the administration is to be. Its keys and its
// certificate were read when the gateway was built.
func (c *checker) admin(context.Context) {
	path, ok := strings.CutPrefix(c.cfg.Admin.Listen, "unix:")
	if !ok {
		return
	}
	const id, says = "admin", "the socket of the administration has a folder"
	folder := filepath.Dir(path)
	err := socketFolder(folder)
	if errors.Is(err, fs.ErrNotExist) && (strings.HasPrefix(folder, "/run/") || strings.HasPrefix(folder, "/var/run/")) {
		c.add(id, says, probe.Warned, err.Error(), "nothing, if whoever starts the gateway makes it (RuntimeDirectory= of systemd)")
		return
	}
	c.need(id, says, err, folder, "make the folder, and let the user that handstamp runs as write it")
}

// socketFolder returns an error for a folder in which no socket can be made. One
// that only this process may not change is good: a check often may less than the
// gateway.
func socketFolder(folder string) error {
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", folder)
	}
	if err := mayWrite(folder); err != nil && !errors.Is(err, syscall.EROFS) {
		return err
	}
	return nil
}
