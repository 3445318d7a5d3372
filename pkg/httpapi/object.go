package httpapi

import (
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/handstamp/handstamp/pkg/objects"
)

type keysRequest struct {
	Keys []string `json:"keys"`
}

type keysReply struct {
	URLs       []keyReply `json:"urls"`
	ServerTime time.Time  `json:"server_time"`
}

type keyReply struct {
	Key string `json:"key"`
	itemReply
}

// handleObjectURLs serves POST /v1/objects/urls: presigned URLs for private files.
func (s *Server) handleObjectURLs(w http.ResponseWriter, r *http.Request, who *asker) {
	var req keysRequest
	if err := readItems(w, r, &req, "keys", &req.Keys); err != nil {
		s.fail(w, r, err)
		return
	}
	links, err := s.opts.Objects.Links(r.Context(), who.holder, req.Keys)
	if err != nil {
		s.failFile(w, r, who, err)
		return
	}
	reply := keysReply{URLs: make([]keyReply, len(links)), ServerTime: s.opts.Now().UTC().Truncate(time.Second)}
	found := false
	for i, link := range links {
		reply.URLs[i] = keyReply{Key: link.Key, itemReply: newItemReply(link)}
		found = found || link.Err == nil
		if missing(link) && who.uncertain() {
			s.failFile(w, r, who, link.Err)
			return
		}
	}
	if !found && who.nobody() {
		s.failFile(w, r, who, objects.ErrNotFound)
		return
	}
	writeJSON(w, http.StatusOK, reply)
}

// handleObject serves GET and HEAD /v1/objects/{key}: the file itself.
func (s *Server) handleObject(w http.ResponseWriter, r *http.Request, who *asker) {
	if err := plainTarget(r); err != nil {
		s.fail(w, r, err)
		return
	}
	before := w.Header().Clone()
	if err := s.opts.Objects.Serve(w, anonymousRequest(r), who.holder, mux.Vars(r)["key"]); err != nil {
		clear(w.Header())
		maps.Copy(w.Header(), before) // without what was meant for a success
		s.failFile(w, r, who, err)
	}
}

// handleRemove serves DELETE /v1/objects/{key}.
func (s *Server) handleRemove(w http.ResponseWriter, r *http.Request, who *asker) {
	if err := plainTarget(r); err != nil {
		s.fail(w, r, err)
		return
	}
	key := mux.Vars(r)["key"]
	if err := s.opts.Objects.Remove(r.Context(), who.holder, key); err != nil {
		s.failFile(w, r, who, err)
		return
	}
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "file deleted", slog.String("key", key), slog.String("by", who.name()),
		slog.String("request_id", requestID(r.Context())))
	w.WriteHeader(http.StatusNoContent)
}

// plainTarget refuses a query: S3 has commands for many, such as "?acl".
func plainTarget(r *http.Request) error {
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return &requestError{status: http.StatusBadRequest, code: "bad_request", detail: "A file takes no query."}
	}
	return nil
}

// anonymousRequest returns r without what says who the viewer is: that was
// found out, and has no business in a store.
func anonymousRequest(r *http.Request) *http.Request {
	bare := *r
	bare.Header = r.Header.Clone()
	bare.Header.Del("Authorization")
	bare.Header.Del("Cookie")
	return &bare
}

func missing(link objects.Link) bool { return link.Err != nil && itemCode(link.Err) == itemNotFound }
