package explain

import (
	"fmt"
	"strings"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A mismatch is a custom policy's Resource beside the URL that it does not cover.
type mismatch struct {
	resource, asked string
	pattern, url    parts
}

func (m *mismatch) covers(resource string) bool { return cloudfront.Covers(resource, m.asked) }

// resource says in which part the URL differs from the policy's Resource.
func resource(p *problem) []Cause {
	if !p.failed(cloudfront.RuleResource) {
		return nil
	}
	m := &mismatch{p.facts.Resource, p.facts.URL, split(p.facts.Resource), split(p.facts.URL)}
	says := fmt.Sprintf("The policy is for %q, the request for %q", m.resource, m.asked)
	var causes []Cause
	for _, g := range m.differences() {
		certainty := Proved
		if g.id == "T25" {
			certainty = Likely // AWS contradicts itself about it
		}
		causes = append(causes, one(certainty, g.id, g.basis, says+": "+g.how+".", g.fix)...)
	}
	return causes
}

// differences names what keeps the Resource from covering the URL: one thing if
// it would cover it without that, else all that can be seen.
func (m *mismatch) differences() []guess {
	for _, look := range []func() *guess{m.form, m.bareQuestionMark, m.site, m.end, m.letters} {
		if g := look(); g != nil {
			return []guess{*g}
		}
	}
	var all []guess
	if m.pattern.scheme != m.url.scheme && !strings.Contains(m.pattern.scheme, "*") {
		all = append(all, *m.scheme())
	}
	if !cloudfront.Covers("*://"+m.pattern.host+"/*", m.url.scheme+"://"+m.url.host+"/") {
		all = append(all, *m.host())
	}
	if all == nil || !cloudfront.Covers(m.url.scheme+"://"+m.url.host+"/"+m.pattern.path, m.asked) {
		all = append(all, guess{id: "T24", basis: cloudfront.Documented, how: "the request lies outside of it", fix: "Ask the gateway for cookies for this prefix; the ticket may not buy it. Each prefix needs a cookie set of its own."})
	}
	return all
}

// form finds a Resource that no URL could match.
func (m *mismatch) form() *guess {
	switch {
	case m.pattern.scheme == "" && !strings.HasPrefix(m.resource, "*"):
		return &guess{id: "T23", basis: cloudfront.Observed, how: "a Resource needs scheme and host", fix: "Write the whole URL, https://host/prefix/*."}
	case strings.Contains(m.resource, "#"):
		return &guess{id: "T28", basis: cloudfront.Observed, how: "what follows # never reaches CloudFront", fix: "Write the Resource without the fragment."}
	case m.pattern.scheme == "http*" && m.covers("*"+strings.TrimPrefix(m.resource, "http*")):
		return &guess{id: "T22", basis: cloudfront.Assumed, how: "http*:// is in wide use, but AWS does not document it, so it is refused here", fix: "Write https://."}
	}
	return nil
}

// bareQuestionMark finds a "?" that was meant to begin the query.
func (m *mismatch) bareQuestionMark() *guess {
	if !m.pattern.hasQuery || !m.covers(strings.Replace(m.resource, "?", `\?`, 1)) {
		return nil
	}
	return &guess{id: "T25", basis: cloudfront.Assumed,
		how: `a bare ? stands for one character of the path; the ? that begins a query is written \? (in JSON \\?). AWS's own tools write it bare for a URL with a query, and nobody knows how CloudFront reads that, so it is refused here`,
		fix: fixBare}
}

const fixBare = "Leave the query out of the Resource and end the path in *, which covers any query; or use a canned policy for one URL."

// site finds another scheme or host, if that is all.
func (m *mismatch) site() *guess {
	tail := strings.TrimPrefix(m.resource, m.pattern.scheme+"://"+m.pattern.host)
	switch {
	case m.covers(m.url.scheme + "://" + m.pattern.host + tail):
		return m.scheme()
	case m.covers(m.pattern.scheme + "://" + m.url.host + tail):
		return m.host()
	}
	return nil
}

func (m *mismatch) scheme() *guess {
	return &guess{id: "T22", basis: cloudfront.Assumed, how: "the schemes differ", fix: "Sign for https and ask by https."}
}

func (m *mismatch) host() *guess {
	how := "the hosts differ"
	switch {
	case strings.Contains(m.pattern.host, "amazonaws.com"):
		how = "the policy names the bucket, and viewers never ask for that"
	case strings.HasSuffix(m.pattern.host, ".cloudfront.net"):
		how = "the policy names the distribution's own host, and the viewer asked by an alternate domain name"
	case strings.HasSuffix(m.url.host, ".cloudfront.net"):
		how = "the policy names an alternate domain name, and the viewer asked by the distribution's own host"
	}
	return &guess{id: "T21", basis: cloudfront.Documented, how: how, fix: fixHost}
}

// end finds a Resource that stops too early.
func (m *mismatch) end() *guess {
	switch {
	case m.covers(m.resource+"*") && m.url.hasQuery && m.url.withQuery("").String() == m.resource,
		!strings.HasSuffix(m.resource, "*") && cloudfront.Covers(m.resource, m.url.withQuery("").String()):
		return &guess{id: "T20", basis: cloudfront.Documented, how: "the query string is part of what is compared", fix: "End the path in *, which covers any query."}
	case m.covers(m.resource+"*") || m.covers(strings.TrimSuffix(m.resource, "/")+"/*"):
		return &guess{id: "T24", basis: cloudfront.Observed, how: "there is no * at its end, so it is one URL and nothing below it", fix: "End the Resource in /*."}
	case m.asked+"/*" == m.resource:
		return &guess{id: "T24", basis: cloudfront.Assumed, how: "the folder without its slash is not below the folder", fix: "Ask for it with a slash at the end."}
	}
	return nil
}

// letters finds another case, another encoding or another spelling.
func (m *mismatch) letters() *guess {
	if cloudfront.Covers(strings.ToLower(m.resource), strings.ToLower(m.asked)) {
		return &guess{id: "T26", basis: cloudfront.Assumed, how: "they differ in upper and lower case, which counts in paths", fix: "Use the same case."}
	}
	g := &guesses{asked: m.asked, parts: m.url}
	g.encodings()
	g.clients()
	for _, try := range g.all {
		if cloudfront.Covers(m.resource, try.url) || try.id == "T27" && cloudfront.Covers(unescaped(m.resource), try.url) {
			return &try
		}
	}
	return nil
}
