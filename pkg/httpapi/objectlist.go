package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/objects"
)

// defaultLimit is how many files a page of a list has if nothing is said.
const defaultLimit = 100

type filesReply struct {
	Objects    []fileReply `json:"objects"`
	Next       string      `json:"next,omitempty"` // cursor of the following page
	ServerTime time.Time   `json:"server_time"`
}

type fileReply struct {
	Key         string    `json:"key"`
	Area        string    `json:"area"`
	Owner       string    `json:"owner,omitempty"`
	Name        string    `json:"name,omitempty"`
	Type        string    `json:"content_type"`
	Size        int64     `json:"size"`
	SHA256      string    `json:"sha256,omitempty"`
	Public      bool      `json:"public"`
	AddedAt     time.Time `json:"added_at"`
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	URL         string    `json:"url,omitempty"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"` // of the URL
}

func newFileReply(f book.File) fileReply {
	return fileReply{Key: f.Key, Area: f.Area, Owner: f.Owner, Name: f.Name, Type: f.Type, Size: f.Size, SHA256: f.SHA256, Public: f.Public,
		AddedAt: f.Added.UTC().Truncate(time.Second), ConfirmedAt: f.Confirmed.UTC().Truncate(time.Second)}
}

// handleObjects serves GET /v1/objects: what there is in an area.
func (s *Server) handleObjects(w http.ResponseWriter, r *http.Request, who *asker) {
	query, err := readListQuery(r.URL)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	files, next, err := s.opts.Objects.List(r.Context(), who.holder, query.area, query.after, query.limit)
	if err == nil && who.uncertain() { // some may be missing
		err = who.failure
	}
	if err != nil {
		s.failFile(w, r, who, err)
		return
	}
	reply := filesReply{Objects: make([]fileReply, len(files)), Next: next, ServerTime: s.opts.Now().UTC().Truncate(time.Second)}
	for i, f := range files {
		reply.Objects[i] = newFileReply(f)
	}
	if query.urls {
		if err := s.includeURLs(r, who, reply.Objects); err != nil {
			s.failFile(w, r, who, err)
			return
		}
	}
	writeJSON(w, http.StatusOK, reply)
}

// includeURLs puts presigned URLs to the files that the asker may read.
func (s *Server) includeURLs(r *http.Request, who *asker, files []fileReply) error {
	if len(files) == 0 {
		return nil
	}
	keys := make([]string, len(files))
	for i := range files {
		keys[i] = files[i].Key
	}
	links, err := s.opts.Objects.Links(r.Context(), who.holder, keys)
	if err != nil {
		return err
	}
	for i, link := range links {
		item := newItemReply(link)
		files[i].URL, files[i].ExpiresAt = item.URL, item.ExpiresAt
	}
	return nil
}

func newItemReply(link objects.Link) itemReply {
	if link.Err != nil {
		return itemReply{Code: itemCode(link.Err)}
	}
	return itemReply{URL: link.URL, ExpiresAt: link.Expires.UTC().Truncate(time.Second)}
}

func itemCode(err error) string {
	var malformed *objects.RequestError
	if errors.As(err, &malformed) {
		return itemMalformed
	}
	return itemNotFound
}

type listQuery struct {
	area, after string
	limit       int
	urls        bool
}

func readListQuery(u *url.URL) (q listQuery, err error) {
	values, err := readQuery(u, "area", "after", "limit", "include")
	if err != nil {
		return q, err
	}
	if q.urls, err = includesURLs(values); err != nil {
		return q, err
	}
	q.area, q.after, q.limit = values.Get("area"), values.Get("after"), defaultLimit
	if text := values.Get("limit"); text != "" {
		if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 1 || q.limit > maxItems {
			return q, badQuery(fmt.Sprintf(`The parameter "limit" is a number from 1 to %d.`, maxItems))
		}
	}
	return q, nil
}

// readQuery returns the parameters of u, which may have the named ones, each once.
func readQuery(u *url.URL, names ...string) (url.Values, error) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, badQuery("The query cannot be read.")
	}
	for name, all := range values {
		if !slices.Contains(names, name) || len(all) > 1 {
			return nil, badQuery(fmt.Sprintf("The query may have each of %q once and nothing else.", names))
		}
	}
	return values, nil
}

// includesURLs reads the parameter "include".
func includesURLs(values url.Values) (bool, error) {
	switch include := values["include"]; {
	case len(include) == 0:
		return false, nil
	case len(include) == 1 && include[0] == "urls":
		return true, nil
	}
	return false, badQuery(`The parameter "include" is "urls" or left out.`)
}

func badQuery(detail string) error {
	return &requestError{status: http.StatusBadRequest, code: "bad_request", detail: detail}
}
