package cloudfront

import "strings"

// A pattern is a policy's resource cut into the four sections of the signed-URL
// page, [protocol]://[domain]/[path]\?[query]. A wildcard acts inside its own
// section (Developer Guide, "Values that you specify in the policy statement
// for a custom policy").
type pattern struct {
	scheme   string // "*" for any, "" for a pattern that matches nothing
	host     glob
	path     glob
	query    glob
	anyPath  bool // the domain ended in "*" and nothing followed
	anyQuery bool // the path ended in "*" and no query section followed
	hasQuery bool
}

// compile reads a resource. There is no invalid one: what CloudFront could
// never match, such as a path without a host, compiles to a pattern that
// matches nothing.
func compile(resource string) pattern {
	if resource == "*" {
		return pattern{scheme: "*", host: newGlob("*"), anyPath: true}
	}
	p := pattern{}
	scheme, rest, ok := strings.Cut(resource, "://")
	switch {
	case ok && (scheme == "http" || scheme == "https" || scheme == "*"):
		p.scheme = scheme
	case strings.HasPrefix(resource, "*") && !ok:
		p.scheme, rest = "*", resource
	default:
		return pattern{}
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		p.host = newGlob(strings.ToLower(rest))
		p.anyPath = strings.HasSuffix(rest, "*")
		p.path = newGlob("/")
		return p
	}
	p.host = newGlob(strings.ToLower(rest[:slash]))
	path, query, hasQuery := strings.Cut(rest[slash:], `\?`)
	p.path, p.query, p.hasQuery = newGlob(path), newGlob(query), hasQuery
	p.anyQuery = !hasQuery && strings.HasSuffix(path, "*")
	return p
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
	if host == "" || !p.host.match(host) {
		return false
	}
	if p.anyPath {
		return true
	}
	if !p.path.match(u.path) {
		return false
	}
	if p.hasQuery {
		return p.query.match(u.own)
	}
	return p.anyQuery || u.own == ""
}

// A glob is a text with "*" for any number of characters, none included, and
// "?" for exactly one. Matching takes the leftmost place for every piece
// between stars and never looks back, so its time is linear in the subject. A
// piece with "?" costs more for a character, but never more than 64 comparisons
// or one word for 64 bytes of the piece.
type glob struct {
	pieces []string // between the stars
}

func newGlob(text string) glob {
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
		if piece[i] != s[i] && piece[i] != '?' {
			return false
		}
	}
	return true
}

// index returns the first place in s that piece fits, or -1.
func index(s, piece string) int {
	switch {
	case strings.IndexByte(piece, '?') < 0:
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
// each of 256 characters, and behind them the places of "?".
func pieceMasks(piece string, words int) []uint64 {
	masks := make([]uint64, 257*words)
	for i := range len(piece) {
		c := int(piece[i])
		if c == '?' {
			c = 256
		}
		masks[c*words+i/64] |= 1 << (i % 64)
	}
	return masks
}
