package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// life is how long the probe's cookies are good.
const life = 2 * time.Minute

// cookies returns the Cookie header for a place.
func cookies(s *cloudfront.Signer, site cloudfront.Site, path string, expires time.Time) (string, error) {
	resource, err := site.Prefix(path)
	if err != nil {
		return "", err
	}
	signed, err := s.Sign(cloudfront.Policy{Resource: resource, DateLessThan: expires})
	if err != nil {
		return "", err
	}
	var pairs []string
	for _, f := range signed.Cookies() {
		pairs = append(pairs, f.Name+"="+f.Value)
	}
	return strings.Join(pairs, "; "), nil
}

func (p *prober) url(path string) string { return p.target.Site.String() + path }

// sign returns the Cookie header that s signs for the place.
func (p *prober) sign(s *cloudfront.Signer, expires time.Time) (string, error) {
	return cookies(s, p.target.Site, p.target.Place.Path, expires)
}

// one makes a check of an answer that must satisfy ok.
func one(id, says string, a answer, ok bool, cause, fix string) []Check {
	c := Check{ID: id, Says: says, Result: Passed, Found: a.said()}
	switch {
	case ok:
	case a.err != nil:
		c.Result, c.Cause, c.Fix = Failed, "nothing answers", "check that the host name resolves, that the distribution is deployed and that its certificate is good"
	default:
		c.Result, c.Cause, c.Fix = Failed, cause, fix
	}
	return []Check{c}
}

func skipped(id, says, why string) []Check {
	return []Check{{ID: id, Says: says, Result: Skipped, Found: why}}
}

// shut: paid content without cookies.
func (p *prober) shut(ctx context.Context) []Check {
	a := p.ask(ctx, p.url(p.target.Place.Paid), "")
	cause, fix := "S7: the cache behavior that serves it trusts no key group, or an earlier behavior without one matches first",
		"put the paid path pattern before the others and give its behavior the trusted key group"
	if a.store {
		cause, fix = "T43: the refusal is the bucket's, so CloudFront let the request pass without a cookie", "give the behavior the trusted key group"
	}
	return one("shut", "without a cookie, paid content is refused", a, a.refused(), cause, fix)
}

// opens: paid content with the cookies that are for it.
func (p *prober) opens(ctx context.Context) []Check {
	const id, says = "opens", "with its cookie, paid content opens"
	sent, err := p.sign(p.target.Signer, p.opts.Now().Add(life))
	if err != nil {
		return skipped(id, says, err.Error())
	}
	a := p.ask(ctx, p.url(p.target.Place.Paid), sent)
	cause, fix := p.whyShut(a)
	return one(id, says, a, a.open(), cause, fix)
}

// whyShut says why good cookies do not open what they should.
func (p *prober) whyShut(a answer) (cause, fix string) {
	signer := p.target.Signer
	switch off := p.offset(); {
	case off.Abs() > life/2:
		return fmt.Sprintf("CloudFront's clock is %s ahead of ours, and it decides by its own", off.Round(time.Second)), "turn on NTP on this machine"
	case a.store:
		return "T43: CloudFront accepted the cookie, and the bucket refused CloudFront: no access for the distribution, or no such object",
			"check the origin access control, the bucket policy, and that " + p.target.Place.Paid + " exists"
	case a.status == 404:
		return "the cookie is accepted, and the file is not there", "name a file that exists"
	case a.code == "MissingKey":
		return "T1: the cookie did not arrive: something in front of CloudFront removes cookies", "ask the distribution itself, not a proxy before it"
	case a.code == "InvalidKey":
		return fmt.Sprintf("T11, T12: key %s is not in a key group that this behavior trusts", signer.KeyPairID()),
			`"handstamp keys publish" puts it there; then wait until the change is deployed`
	case a.code == "AccessDenied" || a.code == "InvalidSignature":
		return fmt.Sprintf("T13, T14: CloudFront has another public key under %s, does not take %s, or its host name is not the one in the policy", signer.KeyPairID(), signer.Hash()),
			`compare fingerprints with "handstamp keys list --cloudfront", try the other hash, and compare media.url with the address that browsers use`
	}
	return "the distribution answers something else than content", "look at the answer with curl -i"
}

// ranges: players ask for parts of files.
func (p *prober) ranges(ctx context.Context) []Check {
	const id, says = "ranges", "a part of a file can be asked for"
	sent, err := p.sign(p.target.Signer, p.opts.Now().Add(life))
	if err != nil {
		return skipped(id, says, err.Error())
	}
	a := p.ask(ctx, p.url(p.target.Place.Paid), sent)
	if !a.open() {
		return skipped(id, says, "the file did not open")
	}
	return one(id, says, a, a.status == 206, "the origin ignores Range, so players cannot skip", "serve the files from S3, or from a server that answers 206")
}

// elsewhere: these cookies at other attractions.
func (p *prober) elsewhere(ctx context.Context) []Check {
	const id = "elsewhere"
	if len(p.target.Others) == 0 {
		return skipped(id, "the cookie opens nothing of another attraction", "there is only one attraction")
	}
	sent, err := p.sign(p.target.Signer, p.opts.Now().Add(life))
	if err != nil {
		return skipped(id, "the cookie opens nothing of another attraction", err.Error())
	}
	var checks []Check
	for _, other := range p.target.Others {
		a := p.ask(ctx, p.url(other.Paid), sent)
		checks = append(checks, one(id, "the cookie opens nothing of "+other.ID, a, a.refused(),
			"S7: the behavior that serves "+other.ID+" trusts no key group, or both share a prefix", "give every paid behavior the trusted key group")...)
	}
	return checks
}

// forged: cookies that are expired, changed, or signed by somebody else.
func (p *prober) forged(ctx context.Context) []Check {
	now := p.opts.Now()
	good, err := p.sign(p.target.Signer, now.Add(life))
	if err != nil {
		return skipped("forged", "forged cookies are refused", err.Error())
	}
	old, err := p.sign(p.target.Signer, now.Add(-time.Hour))
	if err != nil {
		return skipped("forged", "forged cookies are refused", err.Error())
	}
	checks := p.mustRefuse(ctx, "expired", "an expired cookie is refused", old)
	if changed, err := p.wider(good); err == nil {
		checks = append(checks, p.mustRefuse(ctx, "tampered", "a cookie whose policy was changed is refused", changed)...)
	}
	if stranger, err := p.stranger(now.Add(life)); err == nil {
		checks = append(checks, p.mustRefuse(ctx, "stranger", "a cookie that somebody else signed is refused", stranger)...)
	}
	return checks
}

func (p *prober) mustRefuse(ctx context.Context, id, says, sent string) []Check {
	a := p.ask(ctx, p.url(p.target.Place.Paid), sent)
	return one(id, says, a, a.refused(), "the behavior does not check signatures: it trusts no key group", "give the behavior the trusted key group")
}

// wider returns good cookies whose policy says a later end than was signed.
func (p *prober) wider(good string) (string, error) {
	later, err := p.sign(p.target.Signer, p.opts.Now().Add(10*life))
	if err != nil {
		return "", err
	}
	return swap(good, later, cloudfront.CookiePolicy), nil
}

// swap returns cookies a, with the cookie called name from b.
func swap(a, b, name string) string {
	pairs := strings.Split(a, "; ")
	for i, pair := range pairs {
		if !strings.HasPrefix(pair, name+"=") {
			continue
		}
		for _, other := range strings.Split(b, "; ") {
			if strings.HasPrefix(other, name+"=") {
				pairs[i] = other
			}
		}
	}
	return strings.Join(pairs, "; ")
}

// stranger returns cookies by a key made here, under the trusted key's ID.
func (p *prober) stranger(expires time.Time) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	s, err := cloudfront.NewSigner(p.target.Signer.KeyPairID(), key, cloudfront.SHA256)
	if err != nil {
		return "", err
	}
	return p.sign(s, expires)
}

// untrusted: cookies by keys that are retired or revoked.
func (p *prober) untrusted(ctx context.Context) []Check {
	const id = "retired"
	if len(p.target.Untrusted) == 0 {
		return skipped(id, "a cookie by a retired key is refused", "there is no private half of a retired key to try")
	}
	var checks []Check
	for _, s := range p.target.Untrusted {
		says := "a cookie by the retired key " + s.KeyPairID() + " is refused"
		sent, err := p.sign(s, p.opts.Now().Add(life))
		if err != nil {
			checks = append(checks, skipped(id, says, err.Error())...)
			continue
		}
		a := p.ask(ctx, p.url(p.target.Place.Paid), sent)
		checks = append(checks, one(id, says, a, a.refused(), "the key is still in a key group that the behavior trusts",
			`"handstamp keys retire" removes it from the group; then wait until the change is deployed`)...)
	}
	return checks
}

// unready: whether upcoming keys are known here yet.
func (p *prober) unready(ctx context.Context) []Check {
	var checks []Check
	for _, s := range p.target.Unready {
		says := "the upcoming key " + s.KeyPairID() + " is trusted already"
		sent, err := p.sign(s, p.opts.Now().Add(life))
		if err != nil {
			checks = append(checks, skipped("upcoming", says, err.Error())...)
			continue
		}
		a := p.ask(ctx, p.url(p.target.Place.Paid), sent)
		c := one("upcoming", says, a, a.open(), "CloudFront does not have it yet, or it is not in the key group", `do not activate it yet; "handstamp keys list --cloudfront" shows what is there`)
		if c[0].Result == Failed {
			c[0].Result = Warned
		}
		checks = append(checks, c...)
	}
	return checks
}
