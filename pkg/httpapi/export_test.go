package httpapi

import "github.com/gorilla/mux"

// Routes is for the test that holds openapi.yaml and the router together.
func (s *Server) Routes() *mux.Router { return s.routes() }

// MaxBody is the largest body, in bytes.
const MaxBody = maxBody

// DecodeVerify reads the body of POST /v1/tickets/verify.
func DecodeVerify(body []byte) (ticket, attraction, delivery string, factors map[string]string, err error) {
	var req verifyRequest
	err = decodeStrict(body, &req)
	return req.Ticket, req.Attraction, req.Delivery, req.Factors, err
}
