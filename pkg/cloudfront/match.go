package cloudfront

import (
	"cmp"
	"strings"
)

// A pattern is a policy's resource cut into the four sections of the signed-URL
// page, [protocol]://[domain]/[path]\?[query]. A wildcard acts inside its own
// section (Developer Guide, "Values that you specify in the policy statement
// for a custom policy").
type pattern struct {
	scheme   string // "*" for any, "" for a pattern that matches nothing
	http     glob   // the domain for a request by http, without that scheme's own port
	https    glob   // and by https
	path     glob
	query    glob
	anyPath  bool // the domain ended in "*" and nothing followed
	anyQuery bool // the path ended in "*" and no query section followed
	hasQuery bool
	// bare are the readings of a resource without "\?" in which a bare "?" is the
	// one that begins a query. AWS's own signers write resources like that for a
	// URL with a query.
	bare []bareQuery
}

type bareQuery struct{ path, query glob }

// maxBare is how many readings of a resource are tried. A longer one has more
// wildcards than anybody means.
const maxBare = 16

// compile reads a resource. There is no invalid one: what CloudFront could
// never match, such as a path without a host, compiles to a pattern that
// matches nothing.
func compile(resource string) pattern {
	if strings.IndexByte(resource, anyByte) >= 0 {
		return pattern{}
	}
	if resource == "*" {
		return pattern{scheme: "*", http: newGlob("*"), https: newGlob("*"), anyPath: true}
	}
	p := pattern{}
	scheme, rest, ok := strings.Cut(resource, "://")
	if strings.Contains(scheme, "/") { // a "://" in path or query is none of the protocol's
		ok = false
	}
	switch {
	case ok && (scheme == "http" || scheme == "https" || scheme == "*"):
		p.scheme = scheme
	case strings.HasPrefix(resource, "*") && !ok:
		p.scheme, rest = "*", resource
	default:
		return pattern{}
	}
	host, target := cutHost(rest)
	host = strings.ToLower(host)
	p.http, p.https = newGlob(withoutDefaultPort("http", host)), newGlob(withoutDefaultPort("https", host))
	if target == "" {
		p.anyPath = strings.HasSuffix(host, "*")
	}
	path, query, hasQuery := strings.Cut(target, `\?`)
	path = cmp.Or(path, "/")
	p.path, p.query, p.hasQuery = newGlob(path), newGlob(query), hasQuery
	p.anyQuery = !hasQuery && strings.HasSuffix(path, "*")
	if !hasQuery {
		p.bare = bareQueries(path)
	}
	return p
}

// cutHost cuts behind the domain, where path or query begins.
func cutHost(rest string) (host, target string) {
	end := len(rest)
	for _, mark := range []string{"/", `\?`} {
		if i := strings.Index(rest, mark); i >= 0 {
			end = min(end, i)
		}
	}
	return rest[:end], rest[end:]
}

// withoutDefaultPort drops a port that the scheme has anyway.
func withoutDefaultPort(scheme, host string) string {
	switch scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

func bareQueries(path string) []bareQuery {
	var readings []bareQuery
	for i := range len(path) {
		if path[i] == '?' && len(readings) < maxBare {
			readings = append(readings, bareQuery{newGlob(path[:i]), newGlob(path[i+1:])})
		}
	}
	return readings
}

// covers is match in the reading that parity asks for.
func (s *statement) covers(u *wireURL, parity *Parity) bool {
	p := s.pattern
	if parity.BareQuestionInPath {
		p.bare = nil
	}
	if p.match(u) {
		return true
	}
	if rest, ok := strings.CutPrefix(s.resource, "http*://"); ok && parity.AllowSchemeWildcard {
		p = compile("*://" + rest)
		return p.match(u)
	}
	if parity.AllowWholeURL {
		whole := newGlob(s.resource)
		return whole.match(u.stripped())
	}
	return false
}

// covers reports whether a resource covers u.
func covers(resource string, u *wireURL) bool {
	p := compile(resource)
	return p.match(u)
}

// match reports whether the pattern covers u. The query counts without
// CloudFront's own parameters.
func (p *pattern) match(u *wireURL) bool {
	if u.scheme != "http" && u.scheme != "https" || p.scheme != "*" && p.scheme != u.scheme {
		return false
	}
	host := matchHost(u.scheme, u.host)
	domain := &p.https
	if u.scheme == "http" {
		domain = &p.http
	}
	if host == "" || !domain.match(host) {
		return false
	}
	if p.anyPath {
		return true
	}
	if p.path.match(u.path) && (p.anyQuery || p.hasQuery && p.query.match(u.own) || !p.hasQuery && u.own == "") {
		return true
	}
	for _, b := range p.bare {
		if u.own != "" && b.path.match(u.path) && b.query.match(u.own) {
			return true
		}
	}
	return false
}

// A glob is a text with "*" for any number of characters, none included, and
// "?" for exactly one. Matching takes the leftmost place for every piece
// between stars and never looks back, so its time is linear in the subject. A
// piece with "?" costs more for a character, but never more than 64 comparisons
// or one word for 64 bytes of the piece.
type glob struct {
	pieces []string // between the stars; anyByte stands for "any character"
}

// anyByte takes the place of a bare "?" in a piece, so that an escaped one can
// stand for itself. No URL on the wire has it.
const anyByte = '\x00'

func newGlob(text string) glob {
	text = strings.NewReplacer(`\?`, "?", "?", string(rune(anyByte))).Replace(text)
	for strings.Contains(text, "**") {
		text = strings.ReplaceAll(text, "**", "*")
	}
	return glob{pieces: strings.Split(text, "*")}
}

func (g glob) match(s string) bool {
	first, last := g.pieces[0], g.pieces[len(g.pieces)-1]
	if len(g.pieces) == 1 {
		return len(s) == len(first) && fits(first, s)
	}
	if len(s) < len(first)+len(last) || !fits(first, s[:len(first)]) || !fits(last, s[len(s)-len(last):]) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range g.pieces[1 : len(g.pieces)-1] {
		i := index(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return true
}

// fits compares texts of equal length; "?" in piece is any character.
func fits(piece, s string) bool {
	if piece == s {
		return true
	}
	for i := range len(piece) {
		if piece[i] != s[i] && piece[i] != anyByte {
			return false
		}
	}
	return true
}

// index returns the first place in s that piece fits, or -1.
func index(s, piece string) int {
	switch {
	case strings.IndexByte(piece, anyByte) < 0:
		return strings.Index(s, piece)
	case len(piece) > 64:
		return shiftAnd(s, piece)
	}
	for i := range len(s) - len(piece) + 1 {
		if fits(piece, s[i:i+len(piece)]) {
			return i
		}
	}
	return -1
}

// shiftAnd finds a long piece with "?" by the bit-parallel Shift-And algorithm
// (Baeza-Yates and Gonnet 1992): bit i of state says that the first i+1
// characters of piece fit the text that ends here.
func shiftAnd(s, piece string) int {
	words := (len(piece) + 63) / 64
	masks, state := pieceMasks(piece, words), make([]uint64, words)
	final := uint64(1) << ((len(piece) - 1) % 64)
	for i := range len(s) {
		top := min(i/64+1, words) // the rest is still zero
		exact, wild := masks[int(s[i])*words:][:top], masks[256*words:][:top]
		carry := uint64(1)
		for w, bits := range state[:top] {
			state[w] = (bits<<1 | carry) & (exact[w] | wild[w])
			carry = bits >> 63
		}
		if state[words-1]&final != 0 {
			return i + 1 - len(piece)
		}
	}
	return -1
}

// pieceMasks returns the places of every character in piece, as words bits for
// each of 256 characters, and behind them those of "any".
func pieceMasks(piece string, words int) []uint64 {
	masks := make([]uint64, 257*words)
	for i := range len(piece) {
		c := int(piece[i])
		if c == anyByte {
			c = 256
		}
		masks[c*words+i/64] |= 1 << (i % 64)
	}
	return masks
}
