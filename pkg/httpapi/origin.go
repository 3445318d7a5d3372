package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// origins are the pages that may call the API with cookies: our own, and those
// that the operator lists.
type origins struct {
	own     string
	trusted []string
}

func newOrigins(own string, trusted []string) (*origins, error) {
	for _, o := range append(slices.Clone(trusted), own) {
		if o == "" {
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Scheme+"://"+u.Host != o || u.Host == "" || strings.ContainsAny(o, "*") || strings.ToLower(o) != o {
			return nil, fmt.Errorf("origin %q, want scheme://host[:port] in lower case and nothing else", o)
		}
	}
	return &origins{own: own, trusted: trusted}, nil
}

// allows reports whether a page of that origin may call with cookies. An own
// origin that is not configured is taken from the request.
func (o *origins) allows(origin string, r *http.Request) bool {
	if o.own != "" && origin == o.own || slices.Contains(o.trusted, origin) {
		return true
	}
	return o.own == "" && (origin == "http://"+r.Host || origin == "https://"+r.Host)
}

var errForeign = errors.New("a page of another origin may not do this")

// check refuses a request that a foreign page makes a browser send. Browsers
// say where a request comes from in Sec-Fetch-Site or at least in Origin;
// without both it is no browser, and no cookie was sent behind anybody's back.
func (o *origins) check(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if len(r.Header.Values("Origin")) > 1 || len(r.Header.Values("Sec-Fetch-Site")) > 1 {
		return errForeign
	}
	if origin != "" && o.allows(origin, r) {
		return nil
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		if origin == "" {
			return nil
		}
	case "":
		if origin == "" {
			return nil
		}
	}
	return fmt.Errorf("%w: Origin %.100q, Sec-Fetch-Site %.20q", errForeign, origin, r.Header.Get("Sec-Fetch-Site"))
}

// safe are the methods that change nothing.
var safe = []string{http.MethodGet, http.MethodHead, http.MethodOptions}

// refuseForeignPages is the protection against cross-site request forgery.
func (s *Server) refuseForeignPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(safe, r.Method) {
			if err := s.origins.check(r); err != nil {
				s.fail(w, r, &requestError{status: http.StatusForbidden, code: "forbidden", err: err,
					detail: "Pages of another origin may not call this. List the page's origin in http.trusted_origins."})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// answerPreflights lets the trusted origins read replies (CORS, WHATWG Fetch),
// and answers their preflights.
func (s *Server) answerPreflights(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if slices.Contains(s.origins.trusted, origin) {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			w.Header().Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, Accept-Ranges, Content-Range, ETag")
		}
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		if slices.Contains(s.origins.trusted, origin) {
			w.Header().Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Authorization, Idempotency-Key, Range, If-Match, If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since")
			w.Header().Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
