package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/probe"
)

const (
	checkTimeout = 5 * time.Second // of one question
	maxSkew      = 2 * time.Second // between the clocks, before it deserves a look
)

// addresses looks at media.url and http.public_url from outside.
func (c *checker) addresses(ctx context.Context) {
	if c.opts.Offline {
		c.add("media", "media.url answers", probe.Skipped, "offline", "")
		return
	}
	api := c.reach(ctx, "api", "http.public_url answers", c.cfg.HTTP.PublicURL, "/healthz", probe.Warned, "start the gateway, and route /v1/* to it")
	media := c.reach(ctx, "media", "media.url answers", c.cfg.Media.URL, "/", c.soft(),
		"see that the name resolves, that the distribution is deployed and that its certificate is good")
	if !media {
		return
	}
	c.probe(ctx, api)
}

// reach asks for a path, and compares the clock behind it with ours.
func (c *checker) reach(ctx context.Context, id, says, site, path string, bad probe.Result, fix string) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin(site)+path, nil)
	if err != nil {
		c.add(id, says, probe.Failed, err.Error(), fix)
		return false
	}
	client := c.client()
	defer client.CloseIdleConnections()
	sent := c.opts.Now()
	res, err := client.Do(req) // #nosec G704 -- the operator names it
	if err != nil {
		c.add(id, says, bad, err.Error(), fix)
		return false
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 4096)
	c.add(id, says, probe.Passed, res.Status, "")
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil && res.Header.Get("Age") == "" {
		middle := sent.Add(c.opts.Now().Sub(sent) / 2)
		c.clock(id, date.Add(time.Second/2).Sub(middle)) // a Date has whole seconds
	}
	return true
}

// client returns one that follows no redirects.
func (c *checker) client() *http.Client {
	client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	if c.opts.Client != nil {
		copied := *c.opts.Client
		client = &copied
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

func (c *checker) clock(where string, ahead time.Duration) {
	says := map[string]string{"media": "our clock agrees with media.url's", "api": "our clock agrees with http.public_url's"}[where]
	const fix = "turn on NTP here; cookies begin and end by CloudFront's clock"
	off := ahead.Round(time.Second / 10)
	switch {
	case ahead.Abs() > time.Minute:
		c.add("clock", says, probe.Failed, fmt.Sprintf("theirs is %s ahead of ours", off), fix)
	case ahead.Abs() > maxSkew:
		c.add("clock", says, probe.Warned, fmt.Sprintf("theirs is %s ahead of ours", off), fix)
	default:
		c.add("clock", says, probe.Passed, fmt.Sprintf("within %s", maxSkew), "")
	}
}

// probe tries cookies at the distribution, for the first attraction of which a
// paid file is known.
func (c *checker) probe(ctx context.Context, api bool) {
	_, paid := c.app.Content()
	for _, place := range c.cfg.Attractions {
		if len(paid[place.ID]) == 0 {
			continue
		}
		target, err := ProbeTarget(ctx, c.cfg, "", place.ID)
		if err != nil {
			c.add("probe", "the distribution can be probed", probe.Failed, err.Error(), "")
			return
		}
		if target.Bucket = c.opts.Bucket; !api {
			target.API = ""
		}
		probe.Run(ctx, *target, probe.Options{Client: c.opts.Client, Timeout: checkTimeout, Now: c.opts.Now, Tell: c.probed})
		return
	}
	c.add("probe", "the distribution opens for a cookie and is shut without", probe.Skipped, "no catalogue names a paid file",
		`name one in attractions.content, or run "handstamp probe --attraction ID --paid PATH"`)
}

// probed adds what a probe found. Its clock is ours, which has been looked at.
func (c *checker) probed(check probe.Check) {
	if check.ID == "clock" {
		return
	}
	c.tell(check)
}
