package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/telemetry"
)

// maxWatched is the most of a file that is looked at, in bytes.
const maxWatched = 8 << 20

// fingerprints are what files held, by name. What cannot be read, and what is no
// file that could be read twice, has the zero one.
type fingerprints map[string][sha256.Size]byte

func (f fingerprints) equal(other fingerprints) bool { return maps.Equal(f, other) }

// again returns what the same files hold now.
func (f fingerprints) again() fingerprints {
	now := fingerprints{}
	now.add(f.names()...)
	return now
}

func (f fingerprints) names() []string { return slices.Collect(maps.Keys(f)) }

// holds reports whether all of other is as in f.
func (f fingerprints) holds(other fingerprints) bool {
	for name, sum := range other {
		if got, ok := f[name]; !ok || got != sum {
			return false
		}
	}
	return true
}

// add notes what files hold now, but for those that are noted already. A name may
// be empty.
func (f fingerprints) add(files ...string) {
	for _, name := range files {
		if _, ok := f[name]; name != "" && !ok {
			f[name] = fingerprint(name)
		}
	}
}

func fingerprint(name string) (sum [sha256.Size]byte) {
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		return ofKeys(name)
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxWatched {
		return sum
	}
	if text, err := os.ReadFile(name); err == nil {
		sum = sha256.Sum256(text)
	}
	return sum
}

// ofKeys is the fingerprint of a folder of keys: of their names and of what they
// hold. What else is in it does not count.
func ofKeys(dir string) (sum [sha256.Size]byte) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return sum
	}
	all := sha256.New()
	for _, entry := range entries {
		id, _, _ := strings.Cut(entry.Name(), ".")
		if strings.HasSuffix(entry.Name(), ".pem") && keyring.CheckID(id) == nil {
			of := fingerprint(filepath.Join(dir, entry.Name()))
			fmt.Fprintf(all, "%q %x\n", entry.Name(), of)
		}
	}
	return [sha256.Size]byte(all.Sum(nil))
}

// notes remembers files that are read once, when a gateway is built. It is called
// before they are read: what changes meanwhile is seen as a change. Lists of
// tickets and manifests of keys look after themselves.
func (a *App) notes(files ...string) {
	if a.opts.files != nil {
		a.opts.files.add(files...)
	}
}

// named returns the files that cfg names and that are read once: settings of
// sources, catalogues, secrets, a folder of keys without a manifest. Settings name
// more, see App.notes.
func named(cfg *config.Config) []string {
	files := cfg.SecretFiles()
	if cfg.Keys.Manifest == "" {
		files = append(files, cfg.Keys.Dir)
	}
	for _, s := range cfg.Sources {
		files = append(files, s.Settings)
	}
	for _, a := range cfg.Attractions {
		files = append(files, a.Content)
	}
	return files
}

// watch reloads when files have changed and then stayed as they are from one
// look to the next: one that is being written is not read. It compares what is
// in them, so that it does not matter how they were replaced.
func (l *Live) watch(ctx context.Context) {
	ticker := time.NewTicker(l.opts.Every)
	defer ticker.Stop()
	eye := watcher{live: l}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			eye.look(ctx)
		}
	}
}

// againAfter is after how many looks a refused configuration is tried again, though
// no file has changed: who could not be asked may answer by now.
const againAfter = 30

// A watcher remembers the looks before.
type watcher struct {
	live    *Live
	pending fingerprints // changed at the last look
	refused fingerprints // that could not be taken on, with what they name
	looks   int          // since that was tried
	why     string       // it was refused; empty means that nobody was told yet
}

// look looks at the files once.
func (w *watcher) look(ctx context.Context) {
	serving := w.live.now.Load().files
	seen := serving.again()
	seen.add(w.refused.names()...)
	switch {
	case seen.holds(serving):
		w.pending, w.refused = nil, nil
	case seen.equal(w.refused):
		w.pending = nil
		if w.looks++; w.looks >= againAfter {
			w.try(ctx, seen)
		}
	case !seen.equal(w.pending):
		w.pending = seen
	default:
		w.why = ""
		w.try(ctx, seen)
	}
}

// try takes on what was seen, or remembers that it was refused.
func (w *watcher) try(ctx context.Context, seen fingerprints) {
	w.pending, w.refused, w.looks = nil, nil, 0
	if tried, err := w.live.change(ctx, w.why); err != nil {
		maps.Copy(tried, seen)
		w.refused, w.why = tried, err.Error()
	}
}

// change reloads, and says how that went, but for an error that is known. It
// returns the files that it looked at.
func (l *Live) change(ctx context.Context, known string) (tried fingerprints, err error) {
	tried, changed, err := l.reload(ctx)
	switch {
	case err != nil && err.Error() == known: // it was said and counted
	case err != nil:
		l.meter().Add(telemetry.Reloads, 1, failed)
		if ctx.Err() == nil {
			l.log.ErrorContext(ctx, "configuration not changed, the old one goes on", "event", "config_reload_failed", "err", err)
		}
	case changed:
		l.meter().Add(telemetry.Reloads, 1, "ok")
		l.log.InfoContext(ctx, "configuration changed", "event", "config_reloaded")
	default:
		l.log.InfoContext(ctx, "no file of the configuration has changed, keys and lists are read again", "event", "lists_reloaded")
	}
	return tried, err
}

// Hangup is Reload for a signal: it logs how that went.
func (l *Live) Hangup(ctx context.Context) { _, _ = l.change(ctx, "") }
