package probe

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// hash: whether CloudFront takes the configured hash and, if it does not,
// whether it would take the other.
func (p *prober) hash(ctx context.Context) []Check {
	signer, says := p.target.Signer, fmt.Sprintf("signatures with %s are accepted", p.target.Signer.Hash())
	const id = "hash"
	sent, err := p.sign(signer, p.opts.Now().Add(life))
	if err != nil {
		return skipped(id, says, err.Error())
	}
	a := p.ask(ctx, p.url(p.target.Place.Paid), sent)
	cause, fix := p.whyShut(a)
	if other := p.target.OtherHash; other != nil && a.refused() {
		if sent, err = p.sign(other, p.opts.Now().Add(life)); err == nil && p.ask(ctx, p.url(p.target.Place.Paid), sent).open() {
			cause = fmt.Sprintf("the same key with %s is accepted: the cookie that names the hash is lost on the way, or is not known here", other.Hash())
			fix = fmt.Sprintf("set cookies.hash: %s, or see that nothing in front of CloudFront drops cookies", other.Hash())
		}
	}
	return one(id, says, a, a.open(), cause, fix)
}

// free: free content without cookies.
func (p *prober) free(ctx context.Context) []Check {
	const id, says = "free", "free content needs no cookie"
	if p.target.Place.Free == "" {
		return skipped(id, says, "no free file is known")
	}
	a := p.ask(ctx, p.url(p.target.Place.Free), "")
	cause, fix := "its path pattern comes after the paid one, or its behavior trusts a key group too", "put the free path pattern first, without a key group"
	if a.store || a.status == 404 {
		cause, fix = "T43: CloudFront let the request pass, and the origin does not give the file", "check the origin access control and that the file exists"
	}
	return one(id, says, a, a.open(), cause, fix)
}

// plain: http instead of https.
func (p *prober) plain(ctx context.Context) []Check {
	const id, says = "https", "paid content is never sent over http"
	if !p.target.Site.Secure() {
		return skipped(id, says, "the site itself is http, as in development")
	}
	a := p.ask(ctx, "http://"+p.target.Site.Host()+p.target.Place.Paid, "")
	if a.err != nil {
		return []Check{{ID: id, Says: says, Result: Passed, Found: "nothing answers on http"}}
	}
	ok := a.status >= 300 && a.status < 400 && strings.HasPrefix(a.header.Get("Location"), "https://") || a.status == 403
	return one(id, says, a, ok, "S4: the behavior's viewer protocol policy allows http", "set it to redirect-to-https or https-only")
}

// bucket: the origin behind CloudFront's back.
func (p *prober) bucket(ctx context.Context) []Check {
	const id, says = "bucket", "the bucket cannot be reached past CloudFront"
	if p.target.Bucket == "" {
		return skipped(id, says, "no address of the bucket was given")
	}
	a := p.ask(ctx, strings.TrimSuffix(p.target.Bucket, "/")+p.target.Place.Paid, "")
	if a.err != nil {
		return []Check{{ID: id, Says: says, Result: Passed, Found: "nothing answers there"}}
	}
	return one(id, says, a, a.status == 403 || a.status == 404 || a.status == 401,
		"S13: the bucket is public, so signatures are decoration", "block public access and let only the distribution in, with origin access control")
}

// api: answers of the gateway must not be kept by a cache.
func (p *prober) api(ctx context.Context) []Check {
	const id, says = "api", "answers of the API are not cached"
	if p.target.API == "" {
		return skipped(id, says, "no address of the API was given")
	}
	url := strings.TrimSuffix(p.target.API, "/") + "/v1/admission"
	p.ask(ctx, url, "")
	a := p.ask(ctx, url, "")
	cached := strings.HasPrefix(strings.ToLower(a.header.Get("X-Cache")), "hit") || a.header.Get("Age") != ""
	forbidden := strings.Contains(a.header.Get("Cache-Control"), "no-store")
	ok := a.err == nil && !cached && forbidden && a.status == http.StatusUnauthorized
	cause, fix := "S9: a cache keeps answers of the API, and may give one visitor's cookies to another", "use the managed cache policy CachingDisabled for the API's path patterns"
	if a.err == nil && a.status != http.StatusUnauthorized {
		cause, fix = fmt.Sprintf("/v1/admission answers %d, want 401 from the gateway", a.status), "route /v1/* to the gateway, with all cookies and all methods"
	}
	return one(id, says, a, ok, cause, fix)
}

// maxSkew is how far the clocks may be apart before it deserves a look.
const maxSkew = 2 * time.Second

// offset is how far CloudFront's clock is ahead of ours, going by the answer
// that shows the least. Without any answer it is 0.
func (p *prober) offset() time.Duration {
	if len(p.ahead) == 0 {
		return 0
	}
	return slices.MinFunc(p.ahead, func(a, b time.Duration) int { return cmp.Compare(a.Abs(), b.Abs()) })
}

// clock: the difference between CloudFront's clock and ours.
func (p *prober) clock(context.Context) []Check {
	const id, says = "clock", "our clock agrees with CloudFront's"
	if len(p.ahead) == 0 {
		return skipped(id, says, "no answer had a date")
	}
	off := p.offset()
	c := Check{ID: id, Says: says, Result: Passed, Found: fmt.Sprintf("within %s", (off.Abs() + time.Second/2).Round(time.Second/10))}
	if off.Abs() > maxSkew {
		c.Result, c.Found = Warned, fmt.Sprintf("CloudFront is %s ahead of us", off.Round(time.Second/10))
		c.Cause, c.Fix = "this machine's clock is off", "turn on NTP; cookies begin and end by CloudFront's clock"
	}
	if off.Abs() > time.Minute {
		c.Result = Failed
	}
	return []Check{c}
}
