package explain

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed page
var pageFiles embed.FS

// An asset is one file of the page, ready to be served.
type asset struct {
	kind string // Content-Type
	etag string // of the content, quoted
	body []byte
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", a.etag)
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}

// kinds are those of the page's files, fixed so that no machine's MIME table
// decides whether a script runs.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml",
}

// loadPage reads the page's files, by the URL path under which they are served.
func loadPage() map[string]asset {
	assets := map[string]asset{}
	names, err := fs.Glob(pageFiles, "page/*")
	if err != nil {
		panic(err) // only for a malformed pattern
	}
	for _, name := range names {
		body, err := fs.ReadFile(pageFiles, name)
		if err != nil {
			panic(err) // it is embedded
		}
		sum := sha256.Sum256(body)
		url := "/explain/" + path.Base(name)
		if path.Base(name) == "index.html" {
			url = "/explain"
		}
		assets[url] = asset{kinds[path.Ext(name)], `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, body}
	}
	return assets
}
