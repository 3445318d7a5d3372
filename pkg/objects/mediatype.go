package objects

import (
	"regexp"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/mediatype"
)

var (
	typeForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$`)
	typePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/(\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,63})$`)
)

const (
	unknownType = "application/octet-stream"
	svgType     = "image/svg+xml"
)

// A mediaType is a content type that files are often of.
type mediaType struct {
	name      string
	extension string // of new keys
	passive   bool   // a browser that shows it runs nothing
}

var mediaTypes = []mediaType{
	{"image/jpeg", ".jpg", true},
	{"image/png", ".png", true},
	{"image/gif", ".gif", true},
	{"image/webp", ".webp", true},
	{"image/avif", ".avif", true},
	{"image/heic", ".heic", true},
	{svgType, ".svg", false},
	{"audio/mpeg", ".mp3", true},
	{"audio/mp4", ".m4a", true},
	{"audio/ogg", ".ogg", true},
	{"audio/wav", ".wav", true},
	{"audio/flac", ".flac", true},
	{"video/mp4", ".mp4", true},
	{"video/webm", ".webm", true},
	{"video/quicktime", ".mov", true},
	{"application/pdf", ".pdf", false},
	{"text/plain", ".txt", true},
	{"text/vtt", ".vtt", true},
	{"text/csv", ".csv", false},
	{"text/html", ".html", false},
	{"application/json", ".json", false},
	{"application/zip", ".zip", false},
}

// typeOf returns the content type of a key by its extension, without parameters.
func typeOf(key string) string {
	kind, ok := mediatype.Of(key)
	if !ok {
		return unknownType
	}
	kind, _, _ = strings.Cut(kind, ";")
	return kind
}

// extensionOf returns the extension for a content type; empty if it is unknown.
func extensionOf(kind string) string {
	for i := range mediaTypes {
		if mediaTypes[i].name == kind {
			return mediaTypes[i].extension
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
