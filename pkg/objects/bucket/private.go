package bucket

import (
	"mime"
	"net/http"
	"strings"
	"unicode"
)

// guard adds the headers of a private file: no cache shows it to another
// viewer, no browser takes it for another type than it says, and if it is opened
// as a page, it can run nothing and reach nothing.
func guard(h http.Header, status int, disposition string) {
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	if status == http.StatusOK || status == http.StatusPartialContent {
		h.Set("Content-Disposition", disposition)
	}
}

// Disposition returns a Content-Disposition for a file of a content type that
// was uploaded by somebody. Pictures, sound, films and plain text are shown;
// all else is a download, above all what a browser would run: HTML, SVG, XML,
// PDF, and types that are unknown. Name is any text; see RFC 6266 for its form.
func Disposition(contentType, name string) string {
	how := "attachment"
	if shown(contentType) {
		how = "inline"
	}
	name = strings.Map(plain, strings.ToValidUTF8(name, "_"))
	if name == "" {
		return how
	}
	return mime.FormatMediaType(how, map[string]string{"filename": name})
}

// plain puts "_" in the place of what could change the meaning of a name: folders,
// control characters and marks that turn the direction of text. Joiners stay, as
// words and emoji are made with them.
func plain(c rune) rune {
	joins := c == '\u200c' || c == '\u200d' || '\U000e0020' <= c && c <= '\U000e007f'
	if c == '/' || c == '\\' || unicode.IsControl(c) || unicode.Is(unicode.Cf, c) && !joins {
		return '_'
	}
	return c
}

// shown reports whether a browser may show the type in the place of a page.
func shown(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	class, _, _ := strings.Cut(kind, "/")
	switch class {
	case "image", "audio", "video":
		return !strings.HasSuffix(kind, "xml")
	}
	return kind == "text/plain" || kind == "text/vtt"
}
