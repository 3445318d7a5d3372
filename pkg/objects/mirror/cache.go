package mirror

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// The Cache-Control of files that no CacheRule is for. None of them is "private"
// or "no-cache": CloudFront would ask the bucket for every viewer. See "Managing
// how long content stays in the cache" in its Developer Guide.
const (
	CacheLists  = "max-age=60"                  // playlists and catalogues
	CacheHashed = "max-age=31536000, immutable" // names that change with the content
	CacheOther  = "max-age=3600"
)

// A CacheRule says how long some files may be cached.
type CacheRule struct {
	// Pattern is that of path.Match: with a slash for a whole name, without for
	// the last part of one. With a slash at the end it is for all in a folder.
	// Empty is for all files.
	Pattern string
	Control string // the header Cache-Control
}

// ErrCacheRule is returned for a rule that cannot be meant.
var ErrCacheRule = errors.New("not a cache rule")

// ParseCacheRule reads "max-age=600", for all files, or a pattern before it, as
// in "*.jpg: max-age=86400".
func ParseCacheRule(s string) (CacheRule, error) {
	var r CacheRule
	pattern, control, ok := strings.Cut(s, ":")
	if ok {
		r.Pattern, r.Control = strings.TrimSpace(pattern), strings.TrimSpace(control)
	} else {
		r.Control = strings.TrimSpace(s)
	}
	_, err := path.Match(r.Pattern, "")
	if err != nil || ok && r.Pattern == "" || checkText(r.Pattern) != nil || !directives.MatchString(r.Control) {
		return CacheRule{}, fmt.Errorf(`%w: %q, want one like "max-age=600" or "*.jpg: max-age=86400"`, ErrCacheRule, s)
	}
	return r, nil
}

// directives is what a Cache-Control looks like (RFC 9111, section 5.2).
var directives = regexp.MustCompile(`^[a-z-]+(=[0-9]+)?(, ?[a-z-]+(=[0-9]+)?)*$`)

func (r CacheRule) matches(name string) bool {
	if r.Pattern == "" {
		return true
	}
	if folder, ok := strings.CutSuffix(r.Pattern, "/"); ok {
		return strings.HasPrefix(name, folder+"/")
	}
	if !strings.Contains(r.Pattern, "/") {
		name = path.Base(name)
	}
	ok, err := path.Match(r.Pattern, name)
	return ok && err == nil
}

// cacheControl returns the header of a file: that of the first rule that is for
// it. Lists stay short under a rule for all files, or visitors would miss what
// is new.
func cacheControl(name string, rules []CacheRule) string {
	list := stageOf(name) != media
	for _, r := range rules {
		if r.matches(name) && !(list && r.Pattern == "") {
			return r.Control
		}
	}
	switch {
	case list:
		return CacheLists
	case hashed(name):
		return CacheHashed
	}
	return CacheOther
}

var lastWord = regexp.MustCompile(`[.-]([0-9a-f]{8,64})\.[A-Za-z0-9.]+$`)

// hashed reports whether a name has a hash of the content in it, like
// "app.3f2a9c1b.js": hexadecimal in which letters and digits change places at
// least twice. Dates have no letters, and "castle-facade01" changes once. The
// few hashes that look like that are cached as other files are.
func hashed(name string) bool {
	m := lastWord.FindStringSubmatch(path.Base(name))
	if m == nil {
		return false
	}
	changes := 0
	for i := 1; i < len(m[1]); i++ {
		if (m[1][i] <= '9') != (m[1][i-1] <= '9') {
			changes++
		}
	}
	return changes >= 2
}
