package objects

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	typeForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$`)
	typePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/(\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,63})$`)
)

const (
	unknownType = "application/octet-stream"
	svgType     = "image/svg+xml"
)

// A mediaType is a content type with its extensions, the first for new keys. The
// list is our own: that of the operating system differs between machines, and
// with it would the URLs.
type mediaType struct {
	name       string
	extensions []string
	passive    bool // a browser that shows it runs nothing
}

var mediaTypes = []mediaType{
	{"image/jpeg", []string{".jpg", ".jpeg"}, true},
	{"image/png", []string{".png"}, true},
	{"image/gif", []string{".gif"}, true},
	{"image/webp", []string{".webp"}, true},
	{"image/avif", []string{".avif"}, true},
	{"image/heic", []string{".heic"}, true},
	{svgType, []string{".svg"}, false},
	{"audio/mpeg", []string{".mp3"}, true},
	{"audio/mp4", []string{".m4a"}, true},
	{"audio/ogg", []string{".ogg", ".oga", ".opus"}, true},
	{"audio/wav", []string{".wav"}, true},
	{"audio/flac", []string{".flac"}, true},
	{"video/mp4", []string{".mp4", ".m4v"}, true},
	{"video/webm", []string{".webm"}, true},
	{"video/quicktime", []string{".mov"}, true},
	{"application/pdf", []string{".pdf"}, false},
	{"text/plain", []string{".txt"}, true},
	{"text/vtt", []string{".vtt"}, true},
	{"text/csv", []string{".csv"}, false},
	{"text/html", []string{".html", ".htm"}, false},
	{"application/json", []string{".json"}, false},
	{"application/zip", []string{".zip"}, false},
}

// typeOf returns the content type of a key by its extension.
func typeOf(key string) string {
	extension := strings.ToLower(path.Ext(key))
	for i := range mediaTypes {
		if slices.Contains(mediaTypes[i].extensions, extension) {
			return mediaTypes[i].name
		}
	}
	return unknownType
}

// extensionOf returns the extension for a content type; empty if it is unknown.
func extensionOf(kind string) string {
	for i := range mediaTypes {
		if mediaTypes[i].name == kind {
			return mediaTypes[i].extensions[0]
		}
	}
	return ""
}

func isPassive(kind string) bool {
	return slices.ContainsFunc(mediaTypes, func(m mediaType) bool { return m.passive && m.name == kind })
}

// isTaken reports whether one of the patterns is for a content type.
func isTaken(patterns []string, kind string) bool {
	family, _, _ := strings.Cut(kind, "/")
	return slices.Contains(patterns, kind) || kind != svgType && slices.Contains(patterns, family+"/*")
}
