package explain

import (
	"html"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A guess is another URL that may have been meant, with what is the matter then.
type guess struct {
	url, id, how, fix string
	basis             cloudfront.Basis
}

// guesses collects guesses about one URL as it was asked for.
type guesses struct {
	parts
	asked string
	all   []guess
}

func (g *guesses) add(id string, basis cloudfront.Basis, how, fix string, urls ...string) {
	for _, u := range urls {
		if u != g.asked {
			g.all = append(g.all, guess{u, id, how, fix, basis})
		}
	}
}

// parts are a URL cut at its marks: scheme://host/path?query.
type parts struct {
	scheme, host, path, query string
	hasQuery                  bool
}

func split(s string) parts {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "", s
	}
	rest, query, has := strings.Cut(rest, "?")
	host, path, _ := strings.Cut(rest, "/")
	return parts{scheme, host, path, query, has}
}

func (p parts) String() string {
	s := p.host + "/" + p.path
	if p.scheme != "" {
		s = p.scheme + "://" + s
	}
	if p.hasQuery {
		s += "?" + p.query
	}
	return s
}

func (p parts) withScheme(s string) parts { p.scheme = s; return p }
func (p parts) withHost(s string) parts   { p.host = s; return p }
func (p parts) withPath(s string) parts   { p.path = s; return p }
func (p parts) withQuery(s string) parts  { p.query, p.hasQuery = s, s != ""; return p }

// otherScheme is the one that was not used.
func (p parts) otherScheme() string {
	if p.scheme == "https" {
		return "http"
	}
	return "https"
}

const (
	fixWire  = "Sign the URL as it stands on the wire, and ask for exactly that."
	fixQuery = "Sign the URL with exactly the query that is asked for."
)

// encodings guesses at other percent-encodings of the same URL.
func (g *guesses) encodings() {
	const how = "they are percent-encoded differently"
	plain := url.URL{Path: "/" + unescaped(g.path)}
	escaped := g.withPath(strings.TrimPrefix(plain.EscapedPath(), "/")).String()
	g.add("T27", cloudfront.Observed, how, fixWire, unescaped(g.asked), escaped, unescaped(unescaped(g.asked)))
	for _, s := range [][2]string{{"%20", "+"}, {"%20", " "}, {"%27", "'"}, {"~", "%7E"}} {
		g.add("T27", cloudfront.Observed, how, fixWire, strings.ReplaceAll(g.asked, s[0], s[1]), strings.ReplaceAll(g.asked, s[1], s[0]))
	}
	g.add("T27", cloudfront.Observed, how, fixWire,
		strings.NewReplacer("(", "%28", ")", "%29").Replace(g.asked), strings.NewReplacer("%28", "(", "%29", ")").Replace(g.asked),
		g.withPath(strings.NewReplacer(",", "%2C", "=", "%3D").Replace(g.path)).String(),
		strings.NewReplacer("%2C", ",", "%3D", "=").Replace(g.asked),
		strings.ReplaceAll(g.asked, "%", "%25"), hexCase(g.asked, strings.ToLower), hexCase(g.asked, strings.ToUpper))
}

// hexCase writes the digits of percent-encoding in another case.
func hexCase(s string, change func(string) string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			b.WriteString(change(s[i : i+3]))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// clients guesses at what a client or a library did to the URL after signing,
// or would have done.
func (g *guesses) clients() {
	add := func(how string, urls ...string) {
		g.add("T48", cloudfront.Observed, how, "Ask for exactly the URL that was signed; let no library normalize it in between.", urls...)
	}
	clean := strings.TrimPrefix(path.Clean("/"+g.path), "/")
	if strings.HasSuffix(g.path, "/") && clean != "" {
		clean += "/"
	}
	add("one of them has dot segments or doubled slashes, which a client removed", g.withPath(clean).String())
	add("one of them has a slash at its end", g.withPath(strings.TrimSuffix(g.path, "/")).String(), g.withPath(g.path+"/").String())
	host := strings.TrimSuffix(strings.TrimSuffix(g.host, ":443"), ":80")
	add("one of them has the port", g.withHost(host).String(), g.withHost(host+":443").String(), g.withHost(host+":80").String())
	add("one of them has &amp; where the other has &", html.UnescapeString(g.asked), strings.ReplaceAll(g.asked, "&", "&amp;"))
	add("the hosts are written in another case, or with a dot at the end", g.withHost(strings.ToLower(strings.TrimSuffix(g.host, "."))).String())
}

// queries guesses at another query: none, fewer parameters, another order.
func (g *guesses) queries() {
	g.add("T20", cloudfront.Documented, `one of them ends in "?"`, fixQuery, g.asked+"?")
	if !g.hasQuery {
		return
	}
	g.add("T20", cloudfront.Documented, "the query string is part of what is compared", fixQuery, g.withQuery("").String())
	pairs := strings.Split(g.query, "&")
	if len(pairs) > 6 {
		sorted := slices.Clone(pairs)
		slices.Sort(sorted)
		g.add("T20", cloudfront.Documented, "the query is in another order", fixQuery, g.withQuery(strings.Join(sorted, "&")).String())
		return
	}
	for _, order := range permutations(pairs) {
		g.add("T20", cloudfront.Documented, "the query is in another order", fixQuery, g.withQuery(strings.Join(order, "&")).String())
	}
	for subset := 1; subset < 1<<len(pairs)-1; subset++ {
		var kept []string
		for i, pair := range pairs {
			if subset&(1<<i) != 0 {
				kept = append(kept, pair)
			}
		}
		g.add("T20", cloudfront.Documented, "a parameter was added after signing", fixQuery, g.withQuery(strings.Join(kept, "&")).String())
	}
}

// permutations returns the orders of up to six items, at most 120 of them.
func permutations(items []string) [][]string {
	if len(items) <= 1 {
		return [][]string{items}
	}
	var all [][]string
	for i, first := range items {
		rest := slices.Delete(slices.Clone(items), i, i+1)
		for _, order := range permutations(rest) {
			if len(all) < 120 {
				all = append(all, append([]string{first}, order...))
			}
		}
	}
	return all
}
