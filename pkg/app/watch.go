package app

import (
	"context"
	"crypto/sha256"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/telemetry"
)

// maxWatched is the most of a file that is looked at, in bytes.
const maxWatched = 8 << 20

// fingerprints are what files held, by name. A file that cannot be read has the
// zero one.
type fingerprints map[string][sha256.Size]byte

func (f fingerprints) equal(other fingerprints) bool { return maps.Equal(f, other) }

func fingerprint(files []string) fingerprints {
	seen := fingerprints{}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || info.Size() > maxWatched {
			seen[name] = [sha256.Size]byte{}
			continue
		}
		if text, err := os.ReadFile(name); err == nil {
			seen[name] = sha256.Sum256(text)
		}
	}
	return seen
}

// watched returns the files that a configuration is made of: its own, settings
// of sources, catalogues. Lists of tickets and manifests of keys look after
// themselves.
func (l *Live) watched(cfg *config.Config) []string {
	return named(append([]string{l.opts.File}, Files(cfg)...))
}

// named returns the names that are not empty.
func named(files []string) []string {
	return slices.DeleteFunc(files, func(name string) bool { return name == "" })
}

// Files returns the files that cfg names and that are read once, when a gateway
// is built.
func Files(cfg *config.Config) []string {
	var files []string
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
	var pending, refused fingerprints
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		serving := l.now.Load()
		seen := fingerprint(l.watched(serving.cfg))
		switch {
		case seen.equal(serving.files), seen.equal(refused):
			pending = nil
		case !seen.equal(pending):
			pending = seen
		default:
			pending = nil
			if refused = nil; !l.change(ctx) {
				refused = seen
			}
		}
	}
}

// change reloads, and says how that went.
func (l *Live) change(ctx context.Context) bool {
	if err := l.Reload(ctx); err != nil {
		l.meter().Add(telemetry.Reloads, 1, failed)
		if ctx.Err() == nil {
			l.log.ErrorContext(ctx, "configuration not changed, the old one goes on", "event", "config_reload_failed", "err", err)
		}
		return false
	}
	l.meter().Add(telemetry.Reloads, 1, "ok")
	l.log.InfoContext(ctx, "configuration changed", "event", "config_reloaded")
	return true
}

// Hangup is Reload for a signal: it logs how that went.
func (l *Live) Hangup(ctx context.Context) { l.change(ctx) }
