package explain

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// otherURL tries, for a canned policy, URLs and expiries that may have been
// signed instead.
func otherURL(p *problem) []Cause {
	f := p.facts
	if !f.Canned {
		return nil
	}
	if hash := p.fits(cloudfront.CannedText(f.URL, f.Expires+"000")); hash != "" {
		return p.also(hash, one(Proved, "T29", cloudfront.Observed, "The signature is over an expiry in milliseconds, and CloudFront-Expires has seconds.", "Sign seconds since 1970."))
	}
	for _, g := range p.cannedGuesses() {
		for _, text := range [][]byte{cloudfront.CannedText(g.url, f.Expires), escapedForHTML(cloudfront.CannedText(g.url, f.Expires))} {
			if hash := p.fits(text); hash != "" {
				return p.also(hash, one(Proved, g.id, g.basis, fmt.Sprintf("The signature is for %q, not for %q: %s.", g.url, f.URL, g.how), g.fix))
			}
		}
	}
	return nil
}

func (p *problem) cannedGuesses() []guess {
	g := &guesses{asked: p.facts.URL, parts: split(p.facts.URL)}
	g.wildcards()
	g.queries()
	g.sites(p.knownHosts())
	g.encodings()
	if _, fragment, ok := strings.Cut(p.URL, "#"); ok {
		g.add("T28", cloudfront.Observed, "what follows # never reaches CloudFront", "Sign the URL without its fragment.", g.asked+"#"+fragment)
	}
	g.add("T26", cloudfront.Assumed, "they differ in upper and lower case, which counts in paths", "Ask for the URL in the case in which it was signed.",
		strings.ToLower(g.asked), g.withPath(strings.ToLower(g.path)).String(), g.withPath(strings.ToUpper(g.path)).String(), g.withPath(capitalized(g.path)).String())
	g.clients()
	return g.all
}

// wildcards guesses that every folder above the URL was signed with a star.
func (g *guesses) wildcards() {
	const (
		how = "a canned policy cannot have a wildcard, as CloudFront rebuilds it from the URL asked for"
		fix = "Use a custom policy for wildcards: it is sent along, in CloudFront-Policy, instead of being rebuilt from the request."
	)
	base := g.withQuery("").String()
	extension := base[strings.LastIndexAny(base, "./"):]
	root := len(g.scheme) + len("://")
	add := func(s string) {
		g.add("T19", cloudfront.Documented, how, fix, s, "http*"+s[len(g.scheme):], "*"+s[len(g.scheme):])
	}
	add(base + "*")
	for i, folder := 0, base; i < 40; i++ {
		cut := strings.LastIndexByte(strings.TrimSuffix(folder, "/"), '/')
		if cut < root {
			break
		}
		folder = folder[:cut+1]
		add(folder + "*")
		add(strings.TrimSuffix(folder, "/") + "*")
		add(folder + "*" + extension)
	}
	g.add("T19", cloudfront.Documented, how, fix, "*")
}

// sites guesses at another scheme or host, or at none.
func (g *guesses) sites(hosts []string) {
	g.add("T22", cloudfront.Assumed, "the schemes differ", "Sign for https and ask by https.", g.withScheme(g.otherScheme()).String())
	for _, host := range hosts {
		g.add("T21", cloudfront.Documented, "the hosts differ", fixHost, g.withHost(host).String())
	}
	const fix = "Sign the whole URL, from https:// on."
	local := parts{path: g.path, query: g.query, hasQuery: g.hasQuery}.String()
	g.add("T23", cloudfront.Observed, "it was signed without scheme and host", fix, local, strings.TrimPrefix(local, "/"))
	g.add("T23", cloudfront.Observed, "it was signed without its scheme", fix, g.withScheme("").String(), "//"+g.withScheme("").String())
}

const fixHost = "Name the host that viewers ask for: the alternate domain name if they use it, else the cloudfront.net name, never the bucket."

// knownHosts are those that stand anywhere in the facts.
func (p *problem) knownHosts() []string {
	var hosts []string
	add := func(address string) {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		}
	}
	add(p.Page)
	for _, a := range p.Earlier {
		add(a.URL)
	}
	for _, s := range p.jar {
		hosts = append(hosts, s.domain())
	}
	if p.url != nil {
		host := p.url.Host
		hosts = append(hosts, "www."+host, strings.TrimPrefix(host, "www."))
	}
	return hosts
}

// capitalized writes the first letter of every segment in upper case.
func capitalized(s string) string {
	b := []byte(s)
	for i, c := range b {
		if (i == 0 || b[i-1] == '/') && c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
