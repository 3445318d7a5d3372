package guide

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed app
var appFiles embed.FS

// An asset is one file of the app, ready to be served.
type asset struct {
	kind string // Content-Type
	etag string // of the content, quoted
	body []byte
}

// types are those of the app's files, fixed so that no machine's MIME table
// decides whether a script runs.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".svg":         "image/svg+xml",
	".webmanifest": "application/manifest+json",
}

// policy lets the page run its own scripts and styles and nothing else. Media
// and API may live on other hosts; forms go nowhere, so that a ticket cannot end
// up in a query string when a script fails.
var policy = strings.Join([]string{
	"default-src 'self'",
	"img-src 'self' data: https: http:",
	"media-src 'self' https: http: blob:",
	"connect-src 'self' https: http:",
	"object-src 'none'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
}, "; ")

// Handler serves the visitor app: the page at "/" and, for links that carry a
// ticket behind "#", at "/t"; its files under "/app/".
// Everything else is 404. Answers carry an ETag made from the content and are
// revalidated at every use, so an update reaches visitors at once.
func Handler() http.Handler {
	assets := loadAssets(sub(appFiles, "app"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		a, ok := assets[r.URL.Path]
		switch {
		case !ok:
			http.Error(w, "not found", http.StatusNotFound)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		default:
			a.serve(w, r)
		}
	})
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", a.etag)
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}

// loadAssets reads the app's files, by the URL path under which they are served.
func loadAssets(files fs.FS) map[string]asset {
	assets := map[string]asset{}
	names, err := fs.Glob(files, "*")
	if err != nil {
		panic(err) // only for a malformed pattern
	}
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err) // it is embedded
		}
		sum := sha256.Sum256(body)
		url := "/app/" + name
		if name == "index.html" {
			url = "/"
		}
		page := asset{types[path.Ext(name)], `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, body}
		assets[url] = page
		if url == "/" {
			assets["/t"] = page
		}
	}
	return assets
}
