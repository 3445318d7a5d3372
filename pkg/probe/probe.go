// Package probe asks a real distribution whether it guards what it should: it
// makes cookies that must open something, and cookies that must not, and looks
// at what CloudFront answers.
//
//	report := probe.Run(ctx, target, probe.Options{})
//	if !report.OK() { ... }
//
// Every request asks for one byte, so a probe costs next to nothing and can run
// every few minutes. Where an answer is wrong, the report names the likely
// misconfiguration and what to change; its ids are those of docs/errors.md. What
// one place outside cannot see is not claimed: another edge location may still
// have yesterday's configuration.
package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A Target is what to probe. Site, Signer and Place are required.
type Target struct {
	Site   cloudfront.Site
	Signer *cloudfront.Signer // that CloudFront should trust
	Place  Place              // whose cookies are tried
	Others []Place            // that these cookies must not open

	OtherHash *cloudfront.Signer   // of the same key, with the other hash, to find out which CloudFront takes; nil is not tried
	Untrusted []*cloudfront.Signer // of retired and revoked keys, which must open nothing
	Unready   []*cloudfront.Signer // of upcoming keys: tells whether they could sign already
	API       string               // URL of the gateway, without path; empty is not probed
	Bucket    string               // URL of the bucket itself, without path; empty is not probed
}

// A Place is an attraction, or one package of it, as the distribution has it.
type Place struct {
	ID   string
	Path string // prefix that cookies open, without outer slashes: "castle/audio"
	Paid string // path of a file below it, such as "/castle/audio/hall.m4a"
	Free string // path of a file that needs no cookie; empty is not probed
}

// Options tunes Run. The zero value is ready for use.
type Options struct {
	Client  *http.Client     // nil means one that follows no redirects
	Timeout time.Duration    // of one request; 0 means 10 s
	Now     func() time.Time // nil means time.Now
	Tell    func(Check)      // hears of every check when it is done; nil means nobody
}

// A Result is how a check ended.
type Result string

// The results. Warned is right as it is, but deserves a look; skipped could not
// be tried.
const (
	Passed  Result = "passed"
	Warned  Result = "warned"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// A Check is one thing that was tried.
type Check struct {
	ID     string `json:"id"`              // short and stable, such as "expired"
	Says   string `json:"says"`            // what must be so
	Result Result `json:"result"`          //
	Found  string `json:"found,omitempty"` // what was answered, no cookie among it
	Cause  string `json:"cause,omitempty"` // what is likely wrong; may begin with an id of docs/errors.md
	Fix    string `json:"fix,omitempty"`   // what to change
}

// A Report is everything that was tried, in order.
type Report struct {
	Site   string        `json:"site"`
	Place  string        `json:"attraction"`
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"-"`
	Checks []Check       `json:"checks"`
}

// OK reports whether nothing has failed.
func (r *Report) OK() bool { return r.Count(Failed) == 0 }

// Count returns how many checks ended with a result.
func (r *Report) Count(result Result) int {
	n := 0
	for _, c := range r.Checks {
		if c.Result == result {
			n++
		}
	}
	return n
}

// Run probes t. It sends about twenty requests, one after another, and ends
// early when ctx does: the remaining checks are then skipped.
func Run(ctx context.Context, t Target, opts Options) *Report {
	p := newProber(t, opts)
	defer p.opts.Client.CloseIdleConnections()
	opts = p.opts
	began := opts.Now()
	p.report = &Report{Site: t.Site.String(), Place: t.Place.ID, At: began.UTC()}
	for _, check := range []func(context.Context) []Check{
		p.shut, p.opens, p.ranges, p.elsewhere, p.forged, p.untrusted, p.unready,
		p.hash, p.free, p.plain, p.bucket, p.api, p.clock,
	} {
		for _, c := range check(ctx) {
			p.report.Checks = append(p.report.Checks, c)
			if opts.Tell != nil {
				opts.Tell(c)
			}
		}
	}
	p.report.Took = opts.Now().Sub(began)
	return p.report
}

// ErrNoSigner is returned for a key whose private half is not here.
var ErrNoSigner = errors.New("its private half is not here")

// Trusts reports whether the distribution takes cookies by the key with an ID,
// which may be the one that signs or an upcoming one.
func Trusts(ctx context.Context, t Target, keyPairID string, opts Options) (bool, error) {
	p := newProber(t, opts)
	defer p.opts.Client.CloseIdleConnections()
	for _, s := range append([]*cloudfront.Signer{t.Signer}, t.Unready...) {
		if s.KeyPairID() != keyPairID {
			continue
		}
		sent, err := p.sign(s, p.opts.Now().Add(life))
		if err != nil {
			return false, err
		}
		a := p.ask(ctx, p.url(t.Place.Paid), sent)
		return a.open(), a.err
	}
	return false, fmt.Errorf("key %s: %w", keyPairID, ErrNoSigner)
}

func newProber(t Target, opts Options) *prober {
	opts.Timeout = cmp.Or(opts.Timeout, 10*time.Second)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	var client http.Client
	if opts.Client != nil {
		client = *opts.Client
	} else {
		client.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	opts.Client = &client
	return &prober{target: t, opts: opts}
}

type prober struct {
	target Target
	opts   Options
	report *Report
	ahead  []time.Duration // by how much the edge's clock was ahead of ours, one an answer
}
