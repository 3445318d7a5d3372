package jwt

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	maxDenied = 64 << 20         // bytes of a denylist file
	lookAgain = 10 * time.Second // how often it is looked whether a denylist file has changed
)

// denied knows the tickets of an issuer that were taken back.
type denied struct {
	issuer string
	ids    map[string]bool
	more   Denylist // nil means none
	name   string   // of the file; empty means none
	now    func() time.Time
	log    *slog.Logger

	mu     sync.Mutex
	listed map[string]bool // of the file
	read   os.FileInfo     // the file that was read
	looked time.Time
}

func newDenied(cfg Config, opts Options) (*denied, error) {
	d := &denied{issuer: cfg.Issuer, ids: map[string]bool{}, more: opts.Denylist, name: cfg.DeniedFile, now: opts.Now, log: opts.Log}
	for _, id := range cfg.Denied {
		d.ids[id] = true
	}
	if d.name == "" {
		return d, nil
	}
	d.looked = d.now()
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("denied_file: %w", err)
	}
	return d, nil
}

// has reports whether a ticket was taken back. An error means that nobody
// knows.
func (d *denied) has(ctx context.Context, id string) (bool, error) {
	if d.ids[id] || d.inFile(id) {
		return true, nil
	}
	if d.more == nil {
		return false, nil
	}
	found, err := d.more.Denied(ctx, d.issuer, id)
	if err != nil {
		return false, fmt.Errorf("ask the denylist: %v", err) // no denial of this ticket, whatever it is
	}
	return found, nil
}

// inFile looks at the file again if it has changed. One that cannot be read is
// refused, and the list before goes on counting.
func (d *denied) inFile(id string) bool {
	if d.name == "" {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); now.Sub(d.looked).Abs() >= lookAgain {
		d.looked = now
		if err := d.load(); err != nil {
			d.log.Error("denylist refused, the one before counts", "file", d.name, "err", err)
		}
	}
	return d.listed[id]
}

func (d *denied) load() error {
	info, err := os.Stat(d.name)
	if err != nil {
		return err
	}
	if d.read != nil && os.SameFile(info, d.read) && info.Size() == d.read.Size() && info.ModTime().Equal(d.read.ModTime()) {
		return nil
	}
	if info.Size() > maxDenied {
		return fmt.Errorf("%s: %d bytes, want at most %d", d.name, info.Size(), maxDenied)
	}
	text, err := os.ReadFile(d.name)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if id := strings.TrimSpace(lines.Text()); id != "" && id[0] != '#' {
			listed[id] = true
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	d.listed, d.read = listed, info
	return nil
}
