// Package mediatype says of what type a file is by its name. The tables of the
// operating system are not asked: they differ between machines, and with them
// would what viewers get.
package mediatype

import (
	"path"
	"strings"
)

// types are those of the files that guides and private areas are made of, by
// extension.
var types = map[string]string{
	".aac":         "audio/aac",
	".avif":        "image/avif",
	".css":         "text/css; charset=utf-8",
	".csv":         "text/csv; charset=utf-8",
	".flac":        "audio/flac",
	".geojson":     "application/geo+json",
	".gif":         "image/gif",
	".glb":         "model/gltf-binary",
	".gltf":        "model/gltf+json",
	".heic":        "image/heic",
	".htm":         "text/html; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/vnd.microsoft.icon",
	".jpeg":        "image/jpeg",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".m3u8":        "application/vnd.apple.mpegurl",
	".m4a":         "audio/mp4",
	".m4s":         "video/iso.segment",
	".m4v":         "video/mp4",
	".mjs":         "text/javascript; charset=utf-8",
	".mov":         "video/quicktime",
	".mp3":         "audio/mpeg",
	".mp4":         "video/mp4",
	".mpd":         "application/dash+xml",
	".oga":         "audio/ogg",
	".ogg":         "audio/ogg",
	".opus":        "audio/ogg",
	".otf":         "font/otf",
	".pdf":         "application/pdf",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".ts":          "video/mp2t", // a segment of a stream, not a program text
	".ttf":         "font/ttf",
	".txt":         "text/plain; charset=utf-8",
	".usdz":        "model/vnd.usdz+zip",
	".vtt":         "text/vtt; charset=utf-8",
	".wasm":        "application/wasm",
	".wav":         "audio/wav",
	".webm":        "video/webm",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff":        "font/woff",
	".woff2":       "font/woff2",
	".xml":         "application/xml",
	".yaml":        "application/yaml",
	".yml":         "application/yaml",
	".zip":         "application/zip",
}

// Of returns the media type for a file name, by its extension in any case, with
// the charset of texts. ok is false for an extension that is not known.
func Of(name string) (kind string, ok bool) {
	extension := path.Ext(name)
	if kind, ok = types[extension]; !ok { // most are lower-case already
		kind, ok = types[strings.ToLower(extension)]
	}
	return kind, ok
}
