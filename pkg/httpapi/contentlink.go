package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// signContent puts signed URLs into the items that the viewer's admissions open.
// Without an admission the list stays plain, and says so: it is for everybody.
func (s *Server) signContent(r *http.Request, reply *contentReply) error {
	reply.Signed = new(bool)
	if s.opts.Links == nil {
		return nil
	}
	opened, err := s.opened(r)
	switch {
	case err != nil:
		return err
	case opened.uncertain():
		return opened.failure
	case !opened.known:
		return nil
	}
	*reply.Signed = true
	reply.Items, err = s.signItems(r, reply.Items, opened.grants)
	return err
}

// signItems returns items with signed URLs where the grants open them. A stream
// stays as it is: its playlist names segments, and only cookies open those.
func (s *Server) signItems(r *http.Request, items []Item, grants []gate.Grant) ([]Item, error) {
	items = slices.Clone(items)
	var permits []gate.Permit
	var places []*string // where the URL of each permit belongs
	for i := range items {
		item := &items[i]
		for _, url := range []*string{&item.URL, &item.ImageURL} {
			permit, ok := s.permit(*url, grants)
			if !ok || permit.Expires.IsZero() {
				continue
			}
			permits, places = append(permits, permit), append(places, url)
			if item.ExpiresAt.IsZero() || permit.Expires.Before(item.ExpiresAt) {
				item.ExpiresAt = permit.Expires
			}
		}
	}
	urls, err := s.sign(r.Context(), permits)
	if err != nil {
		return nil, err
	}
	for i, url := range urls {
		*places[i] = url
	}
	return items, nil
}

// permit returns what opens a plain URL of the media site, if something does.
func (s *Server) permit(url string, grants []gate.Grant) (gate.Permit, bool) {
	raw, ok := strings.CutPrefix(url, s.opts.Links.Site())
	path, single := readPath(raw)
	if !ok || !single {
		return gate.Permit{}, false
	}
	return s.keeper.Permit(path, grants)
}
