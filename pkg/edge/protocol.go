package edge

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A ViewerProtocol is the viewer protocol policy of a behavior, called as in
// CloudFront's API.
type ViewerProtocol string

// The policies. See CloudFront Developer Guide, "Viewer protocol policy".
const (
	AllowAll        ViewerProtocol = "allow-all"
	RedirectToHTTPS ViewerProtocol = "redirect-to-https" // 301 for GET and HEAD, 307 for the others
	HTTPSOnly       ViewerProtocol = "https-only"        // 403
)

func (p ViewerProtocol) check() error {
	if p == "" || slices.Contains([]ViewerProtocol{AllowAll, RedirectToHTTPS, HTTPSOnly}, p) {
		return nil
	}
	return fmt.Errorf("viewer protocol %q, want %s, %s or %s", p, AllowAll, RedirectToHTTPS, HTTPSOnly)
}

// plain reports whether the viewer came by http.
func (q *request) plain() bool { return strings.HasPrefix(q.base, "http://") }

// redirect sends a viewer from http to https, as nginx inside CloudFront words
// it. The port stays: the command answers both protocols on one.
func (w *reply) redirect(q *request) {
	status := http.StatusMovedPermanently
	if q.received.Method != http.MethodGet && q.received.Method != http.MethodHead {
		status = http.StatusTemporaryRedirect // comes again with its method and body
	}
	body := fmt.Sprintf(redirectPage, status, http.StatusText(status))
	h := w.Header()
	h.Set("Server", "CloudFront")
	h.Set("Location", "https://"+strings.TrimPrefix(q.base, "http://")+q.target)
	h.Set("Content-Type", "text/html")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.result = resultRedirect
	w.WriteHeader(status)
	if q.received.Method != http.MethodHead {
		_, _ = io.WriteString(w, body)
	}
}

const redirectPage = "<html>\r\n<head><title>%[1]d %[2]s</title></head>\r\n<body>\r\n<center><h1>%[1]d %[2]s</h1></center>\r\n<hr><center>CloudFront</center>\r\n</body>\r\n</html>\r\n"
