package admin

import "github.com/gorilla/mux"

// Routes is for the test that holds openapi.yaml and the router together.
func (s *Server) Routes() *mux.Router { return s.routes() }

// DecodeOrder reads the body of POST /admin/v1/tickets and says whether all of
// it could be read.
func DecodeOrder(body []byte) (attraction, note string, ok bool) {
	var o order
	faults, err := decode(body, &o)
	return o.Attraction, o.Note, err == nil && len(faults) == 0
}
