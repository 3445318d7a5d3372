package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/urlpath"
)

// A Linker gives files of the media site URLs that need no cookies.
type Linker interface {
	// Links returns a URL for each of permits, in their order, or an error.
	Links(ctx context.Context, permits []gate.Permit) ([]string, error)
	// Site returns scheme and host of the URLs.
	Site() string
}

type urlsRequest struct {
	Paths []string `json:"paths"`
}

type urlsReply struct {
	URLs       []pathReply `json:"urls"`
	ServerTime time.Time   `json:"server_time"`
}

type pathReply struct {
	Path string `json:"path"`
	itemReply
}

// An itemReply is what one item of a batch gets: a URL, or a code that says why
// there is none.
type itemReply struct {
	URL       string    `json:"url,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero for a URL that does not end
	Code      string    `json:"code,omitempty"`
}

// Codes of items.
const (
	itemMalformed = "bad_request"
	itemNotFound  = "not_found"
)

// handleURLs serves POST /v1/urls: signed URLs for media files that the viewer's
// admissions open, for devices that do not have the cookies.
func (s *Server) handleURLs(w http.ResponseWriter, r *http.Request) {
	var req urlsRequest
	if s.opts.Links == nil {
		s.handleNotFound(w, r)
		return
	}
	if err := readItems(w, r, &req, "paths", &req.Paths); err != nil {
		s.fail(w, r, err)
		return
	}
	opened, err := s.opened(r)
	switch {
	case err != nil:
		s.fail(w, r, err)
		return
	case !opened.known:
		s.failSessions(w, r, opened.failure)
		return
	}
	items, err := s.links(r.Context(), req.Paths, opened)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, urlsReply{URLs: items, ServerTime: s.opts.Now().UTC().Truncate(time.Second)})
}

// An opening is what the sessions of a device open now.
type opening struct {
	known   bool // some admission lives
	grants  []gate.Grant
	failure error // the worst met
}

// uncertain reports whether nobody knows about one of the admissions.
func (o *opening) uncertain() bool {
	var denial *gate.Denial
	return o.failure != nil && !errors.As(o.failure, &denial)
}

// opened asks for what the sessions of a request open. It returns an error for a
// viewer who has to wait.
func (s *Server) opened(r *http.Request) (opening, error) {
	var all opening
	shown := s.session.read(r)
	turn := s.allowSessions(r, shown)
	defer turn.Cancel()
	if !turn.OK {
		return all, tooMany(&turn)
	}
	for _, session := range shown {
		_, grants, err := s.keeper.Grants(r.Context(), session)
		if err != nil {
			all.failure = worse(all.failure, err)
			continue
		}
		all.known, all.grants = true, append(all.grants, grants...)
	}
	settleSessions(&turn, all.known, all.failure)
	return all, nil
}

// links returns an item for each of paths, in their order.
func (s *Server) links(ctx context.Context, paths []string, opened opening) ([]pathReply, error) {
	items := make([]pathReply, len(paths))
	var permits []gate.Permit
	var places []int // in items, of each permit
	for i, raw := range paths {
		items[i].Path = raw
		path, ok := readPath(raw)
		if !ok {
			items[i].Code = itemMalformed
			continue
		}
		permit, ok := s.keeper.Permit(path, opened.grants)
		switch {
		case ok:
			permits, places = append(permits, permit), append(places, i)
		case opened.uncertain():
			return nil, opened.failure
		default:
			items[i].Code = itemNotFound
		}
	}
	urls, err := s.sign(ctx, permits)
	if err != nil {
		return nil, err
	}
	for n, i := range places {
		items[i].URL, items[i].ExpiresAt = urls[n], permits[n].Expires
	}
	return items, nil
}

// sign returns a URL for each of permits.
func (s *Server) sign(ctx context.Context, permits []gate.Permit) ([]string, error) {
	urls, err := s.opts.Links.Links(ctx, permits)
	if err != nil && ctx.Err() == nil {
		err = &requestError{status: http.StatusServiceUnavailable, code: "unavailable", err: err,
			detail: "No URLs can be signed at the moment. Nothing was refused; try again."}
	}
	return urls, err
}

// maxPath is the longest path of a file, in bytes, as S3 has it for keys.
const maxPath = 1024

// readPath returns the decoded form of what a viewer calls a path: that of one
// file, without query and in one reading.
func readPath(raw string) (path string, ok bool) {
	path, err := urlpath.Canonical(raw)
	return path, err == nil && len(path) <= maxPath && !strings.HasSuffix(path, "/")
}
