package httpapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"
)

// A Place is an attraction as visitors see it.
type Place struct {
	ID, Name string
	Intro    string // one or two sentences
	CoverURL string // free; may be empty
	Timezone string // IANA name
	Packages []PlacePackage
	Items    []Item
}

// A PlacePackage is a part of a place that a ticket can buy.
type PlacePackage struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// An Item is one thing to hear or see. URLs are plain: the viewer's cookies
// open them, or nothing has to.
type Item struct {
	ID        string  `json:"id"`
	Stop      int     `json:"stop,omitempty"` // number on site
	Title     string  `json:"title"`
	Kind      string  `json:"kind"`    // audio, image, map, video or text
	Package   string  `json:"package"` // empty means free
	URL       string  `json:"url,omitempty"`
	StreamURL string  `json:"stream_url,omitempty"` // HLS playlist
	ImageURL  string  `json:"image_url,omitempty"`
	Seconds   float64 `json:"duration_seconds,omitempty"`
	Text      string  `json:"text,omitempty"`

	// ExpiresAt is when URL and ImageURL stop working, as far as they are signed;
	// zero means that they are plain.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

type attractionReply struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Intro    string         `json:"intro,omitempty"`
	CoverURL string         `json:"cover_url,omitempty"`
	Timezone string         `json:"timezone,omitempty"`
	Packages []PlacePackage `json:"packages"`
}

type contentReply struct {
	Attraction attractionReply `json:"attraction"`
	Packages   []PlacePackage  `json:"packages"`
	Items      []Item          `json:"items"`
	Signed     *bool           `json:"signed,omitempty"` // the viewer's admission was asked for URLs; nil means that nobody wanted any
	ServerTime time.Time       `json:"server_time"`
}

// handleAttractions serves GET /v1/attractions.
func (s *Server) handleAttractions(w http.ResponseWriter, _ *http.Request) {
	list := make([]attractionReply, len(s.places))
	for i := range s.places {
		list[i] = newAttractionReply(&s.places[i])
	}
	writeJSON(w, http.StatusOK, map[string]any{"attractions": list})
}

// handleContent serves GET /v1/attractions/{id}/content: everything there is,
// free and paid, so that a list needs no call an item. With ?include=urls, what
// the viewer's admission opens has signed URLs.
func (s *Server) handleContent(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.places, func(p Place) bool { return p.ID == mux.Vars(r)["id"] })
	if i < 0 {
		s.fail(w, r, &requestError{status: http.StatusNotFound, code: "not_found", detail: "There is no attraction with this id."})
		return
	}
	signed, err := includesURLs(r.URL.Query())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := &s.places[i]
	reply := contentReply{Attraction: newAttractionReply(p), Packages: orEmpty(p.Packages),
		Items: orEmpty(p.Items), ServerTime: s.opts.Now().UTC().Truncate(time.Second)}
	if signed {
		if err := s.signContent(r, &reply); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	writeJSON(w, http.StatusOK, reply)
}

func newAttractionReply(p *Place) attractionReply {
	return attractionReply{ID: p.ID, Name: p.Name, Intro: p.Intro, CoverURL: p.CoverURL, Timezone: p.Timezone, Packages: orEmpty(p.Packages)}
}

// orEmpty keeps an empty list from becoming null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
