package objects

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A presentation is how a browser is told to treat a file.
type presentation struct {
	name string // to save it under
	kind string // content type
}

// overrides are the query parameters with which S3 is told what to answer. They
// depend on the file and on the life of the URL only, or the URL would change.
func (p presentation) overrides(life time.Duration) url.Values {
	return url.Values{
		"response-content-type":        {p.kind},
		"response-content-disposition": {p.disposition()},
		"response-cache-control":       {fmt.Sprintf("private, max-age=%d", life/time.Second)},
	}
}

// header sets the same for a file that is streamed, and what S3 cannot be told:
// a document must not run scripts on the host that it comes from.
func (p presentation) header(h http.Header, status int) {
	if status == http.StatusOK || status == http.StatusPartialContent {
		if !strings.HasPrefix(h.Get("Content-Type"), "multipart/byteranges") {
			h.Set("Content-Type", p.kind)
		}
		h.Set("Content-Disposition", p.disposition())
	}
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
}

// disposition returns a Content-Disposition header by RFC 6266: of attachments,
// unless the type can do nothing but be looked at. A name that is not plain
// ASCII is there twice, the second time as RFC 8187 has it.
func (p presentation) disposition() string {
	how := "attachment"
	if isPassive(p.kind) {
		how = "inline"
	}
	name := cleanName(p.name)
	if name == "" {
		return how
	}
	plain := strings.Map(asciiOnly, name)
	if plain == name {
		return fmt.Sprintf(`%s; filename="%s"`, how, plain)
	}
	return fmt.Sprintf(`%s; filename="%s"; filename*=UTF-8''%s`, how, plain, escapeName(name))
}

// maxName is how long a name may be, in bytes.
const maxName = 200

// cleanName returns a name without what could end a header or leave a folder, and
// without what nobody sees. It is empty if nothing is left that can be seen.
func cleanName(s string) string {
	flag, seen := false, false
	s = strings.Map(func(r rune) rune {
		inFlag := flag && isTag(r)
		flag = r == blackFlag || inFlag
		switch {
		case inFlag || joins(r):
			return r
		case r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			return -1
		}
		seen = true
		if r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, s)
	if !seen {
		return ""
	}
	for len(s) > maxName {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.TrimLeft(strings.TrimSpace(s), ".")
}

// joins reports whether r cannot be seen and yet belongs to words and pictures: the
// joiners of Persian, of Indian scripts and of emoji.
func joins(r rune) bool { return r == '\u200c' || r == '\u200d' }

// blackFlag with letters that cannot be seen behind it is the flag of a region, such
// as England's (Unicode TR 51, emoji tag sequences).
const blackFlag = '\U0001f3f4'

func isTag(r rune) bool { return '\U000e0020' <= r && r <= '\U000e007f' }

// asciiOnly replaces what has to be escaped in a quoted name. Browsers do not
// agree on quotes and on "%" in it.
func asciiOnly(r rune) rune {
	if r < ' ' || r > '~' || r == '"' || r == '%' || r == ';' {
		return '_'
	}
	return r
}

// escapeName escapes all that is not unreserved.
func escapeName(s string) string { return strings.ReplaceAll(escapePath(s), "/", "%2F") }
