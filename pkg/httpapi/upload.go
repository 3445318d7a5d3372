package httpapi

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/objects"
)

type uploadRequest struct {
	Area   string `json:"area"`
	Name   string `json:"name"`
	Type   string `json:"content_type"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Public bool   `json:"public"`
	Owner  string `json:"owner"`
	Method string `json:"method"`

	Attraction string `json:"attraction"`
}

type uploadReply struct {
	Key        string            `json:"key"`
	Method     string            `json:"method"`
	URL        string            `json:"url"`
	Fields     map[string]string `json:"fields,omitempty"`  // of the form, for POST
	Headers    map[string]string `json:"headers,omitempty"` // for PUT
	MaxSize    int64             `json:"max_size"`
	ExpiresAt  time.Time         `json:"expires_at"`
	ConfirmBy  time.Time         `json:"confirm_by"`
	ServerTime time.Time         `json:"server_time"`
}

type confirmRequest struct {
	Key string `json:"key"`
}

// handleUpload serves POST /v1/uploads: permission to send one file to the bucket.
func (s *Server) handleUpload(w http.ResponseWriter, r *http.Request, who *asker) {
	var req uploadRequest
	err := readJSON(w, r, &req)
	if err == nil {
		err = req.check()
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	upload, err := s.opts.Objects.StartUpload(r.Context(), who.holder, req.upload())
	if err != nil {
		s.failFile(w, r, who, err)
		return
	}
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "upload permitted", slog.String("key", upload.Key), slog.String("area", req.Area),
		slog.String("content_type", req.Type), slog.Int64("max_size", upload.MaxSize), slog.String("by", who.name()), slog.String("request_id", requestID(r.Context())))
	writeJSON(w, http.StatusOK, uploadReply{Key: upload.Key, Method: upload.Method, URL: upload.URL, Fields: upload.Fields, Headers: upload.Headers,
		MaxSize: upload.MaxSize, ExpiresAt: upload.Expires.UTC().Truncate(time.Second), ConfirmBy: upload.Confirm.UTC().Truncate(time.Second),
		ServerTime: s.opts.Now().UTC().Truncate(time.Second)})
}

func (req *uploadRequest) check() error {
	invalid := func(detail string) error {
		return &requestError{status: http.StatusBadRequest, code: "bad_request", detail: detail}
	}
	switch {
	case req.Area == "":
		return invalid(`The member "area" is missing: where the file belongs.`)
	case req.Type == "":
		return invalid(`The member "content_type" is missing: what the file is.`)
	case req.Size < 0:
		return invalid(`The member "size" is negative.`)
	case req.Method != "" && req.Method != http.MethodPost && req.Method != http.MethodPut:
		return invalid(`The member "method" is "POST" or "PUT".`)
	}
	return nil
}

func (req *uploadRequest) upload() objects.UploadRequest {
	return objects.UploadRequest{Area: req.Area, Name: req.Name, Type: req.Type, Size: req.Size, SHA256: req.SHA256,
		Public: req.Public, Owner: req.Owner, Put: req.Method == http.MethodPut, Attraction: req.Attraction}
}

// handleConfirm serves POST /v1/uploads/confirm: the file is there.
func (s *Server) handleConfirm(w http.ResponseWriter, r *http.Request, who *asker) {
	var req confirmRequest
	if err := readJSON(w, r, &req); err != nil {
		s.fail(w, r, err)
		return
	}
	file, err := s.opts.Objects.ConfirmUpload(r.Context(), who.holder, req.Key)
	if err != nil {
		s.failFile(w, r, who, err)
		return
	}
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "file uploaded", slog.String("key", file.Key), slog.Int64("size", file.Size),
		slog.String("by", who.name()), slog.String("request_id", requestID(r.Context())))
	writeJSON(w, http.StatusOK, newFileReply(file))
}
