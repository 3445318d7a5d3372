package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/probe"
)

// CheckOptions tunes Check. The zero value is ready for use.
type CheckOptions struct {
	Offline bool              // ask nobody outside this machine but the book and the keys
	Bucket  string            // URL of the bucket behind media.url, which must refuse everybody; empty is not tried
	Tell    func(probe.Check) // hears of every check when it is done; nil means nobody
	Log     *slog.Logger      // nil means no log
	Client  *http.Client      // for media.url and the API; nil means one of its own
	Now     func() time.Time  // nil means time.Now
}

// A CheckReport is everything that was looked at, in order.
type CheckReport struct {
	OK     bool          `json:"ok"` // nothing has failed
	Checks []probe.Check `json:"checks"`
}

// Count returns how many checks ended with a result.
func (r *CheckReport) Count(result probe.Result) (n int) {
	for _, c := range r.Checks {
		if c.Result == result {
			n++
		}
	}
	return n
}

// Check looks at everything that cfg names: keys, book, ticket sources, files and,
// unless it is offline, the distribution, the API and buckets. It changes nothing.
// It returns an error, beside the report, if the gateway could not start.
func Check(ctx context.Context, cfg *config.Config, opts CheckOptions) (*CheckReport, error) {
	c := &checker{cfg: cfg, opts: opts, report: &CheckReport{OK: true}}
	if c.opts.Now == nil {
		c.opts.Now = time.Now
	}
	for _, w := range cfg.Warnings {
		c.add("config", "the configuration leaves nothing to wish for", probe.Warned, w, "see the comments in config.yaml")
	}
	a, err := c.build(ctx)
	if err != nil {
		c.add("start", "a gateway can start with it", probe.Failed, err.Error(), "mend what it says; nothing else was looked at")
		return c.report, err
	}
	defer a.Close()
	c.app = a
	c.add("start", "a gateway can start with it", probe.Passed, fmt.Sprintf("%d attractions, %d ticket sources", len(cfg.Attractions), len(cfg.Sources)), "")
	for _, check := range []func(context.Context){c.keys, c.keyGroup, c.book, c.admin, c.sources, c.files, c.addresses, c.bucket} {
		check(ctx)
	}
	return c.report, nil
}

// A checker makes a CheckReport.
type checker struct {
	cfg      *config.Config
	opts     CheckOptions
	app      *App
	bookless bool // there is no book yet, and the app has one that is thrown away
	report   *CheckReport
}

// build builds the gateway. A book that serve would make is not made: one in a
// folder of its own takes its place, which is gone in the end.
func (c *checker) build(ctx context.Context) (*App, error) {
	cfg := *c.cfg
	opts := Options{Log: c.opts.Log, Now: c.opts.Now}
	if _, err := os.Stat(cfg.Book.File); cfg.Book.Kind != "sqlite" || cfg.Production() || !errors.Is(err, fs.ErrNotExist) {
		return New(ctx, &cfg, opts)
	}
	folder, err := os.MkdirTemp("", "handstamp-check-*")
	if err != nil {
		return nil, err
	}
	c.bookless, cfg.Book.File = true, filepath.Join(folder, "book.db")
	a, err := New(ctx, &cfg, opts)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	shut := a.shelf.close
	a.shelf.close = func() error { return errors.Join(shut(), os.RemoveAll(folder)) }
	return a, nil
}

func (c *checker) add(id, says string, result probe.Result, found, fix string) {
	c.tell(probe.Check{ID: id, Says: says, Result: result, Found: found, Fix: fix})
}

func (c *checker) tell(check probe.Check) {
	c.report.OK = c.report.OK && check.Result != probe.Failed
	c.report.Checks = append(c.report.Checks, check)
	if c.opts.Tell != nil {
		c.opts.Tell(check)
	}
}

// need adds a check that passes if err is nil.
func (c *checker) need(id, says string, err error, found, fix string) {
	if err != nil {
		c.add(id, says, probe.Failed, err.Error(), fix)
		return
	}
	c.add(id, says, probe.Passed, found, "")
}

// soft is how bad something is that need not be there during development.
func (c *checker) soft() probe.Result {
	if c.cfg.Production() {
		return probe.Failed
	}
	return probe.Warned
}

// sources asks those that can tell without a ticket.
func (c *checker) sources(ctx context.Context) {
	var found map[string]error
	if !c.opts.Offline {
		found = c.app.ProbeSources(ctx)
	}
	for _, s := range c.cfg.Sources {
		says := fmt.Sprintf("ticket source %q works", s.ID)
		err, asked := found[s.ID]
		list, counted := c.app.bare[s.ID].(interface{ Len() int })
		switch {
		case asked:
			c.need("source", says, err, "it answers", fmt.Sprintf("docs/sources has a page for kind %s; \"handstamp tickets try CODE --source %s\" shows what is asked", s.Kind, s.ID))
		case counted:
			c.add("source", says, probe.Passed, fmt.Sprintf("a list of %d tickets", list.Len()), "")
		default:
			c.add("source", says, probe.Skipped, cmp.Or(map[bool]string{true: "offline"}[c.opts.Offline], "it cannot tell without a ticket"),
				fmt.Sprintf("\"handstamp tickets try CODE --source %s\" asks it about one", s.ID))
		}
	}
}

// files looks at what visitors are to see: the catalogues and, where the local
// edge serves them, the files in them.
func (c *checker) files(context.Context) {
	for i, place := range c.app.content {
		says := fmt.Sprintf("attraction %q has a catalogue", place.ID)
		if c.cfg.Attractions[i].Content == "" {
			c.add("content", says, probe.Skipped, "attractions.content is empty: apps have no list of what there is", "")
			continue
		}
		c.add("content", says, probe.Passed, fmt.Sprintf("%d items", len(place.Items)), "")
	}
	if c.cfg.Edge.Root != "" {
		c.need("edge", "the catalogued files are in edge.root", c.missing(), "all of them", "put them there, or correct the catalogue")
	}
}

// missing names catalogued files that the local edge could not serve.
func (c *checker) missing() error {
	free, paid := c.app.Content()
	paths := free
	for _, id := range slices.Sorted(maps.Keys(paid)) {
		paths = append(paths, paid[id]...)
	}
	var missing []error
	for _, path := range paths {
		if err := inFolder(c.cfg.Edge.Root, path); err != nil {
			missing = append(missing, err)
		}
	}
	return errors.Join(missing...)
}
