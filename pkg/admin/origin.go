package admin

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// loopbackNames are the hosts that requests may name when none are configured.
var loopbackNames = []string{"localhost", "127.0.0.1", "::1"}

// checkHosts returns an error for a host that no request could name.
func checkHosts(hosts []string) error {
	for _, h := range hosts {
		if h == "" || strings.ContainsAny(h, "/*@?# []") || strings.Contains(h, ":") && net.ParseIP(h) == nil {
			return fmt.Errorf("host %q, want a name or an address without port", h)
		}
	}
	return nil
}

func checkOrigins(origins []string) error {
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != o || strings.Contains(o, "*") || strings.ToLower(o) != o {
			return fmt.Errorf("origin %q, want scheme://host[:port] in lower case and nothing else", o)
		}
	}
	return nil
}

// refuseForeignHosts answers 421 to a request for another host than ours: a
// page whose name was made to resolve to this machine (DNS rebinding) says its
// own. Health checks come by address and may.
func (s *Server) refuseForeignHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != healthPath && !s.named(r.Host) {
			s.fail(w, r, &requestError{status: http.StatusMisdirectedRequest, code: "misdirected",
				detail: "This server answers under another host name. List the name in admin.hosts."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) named(host string) bool {
	u := url.URL{Host: host}
	return slices.ContainsFunc(s.opts.Hosts, func(h string) bool { return strings.EqualFold(h, u.Hostname()) })
}

var errBrowser = errors.New("a browser asked")

// refusePages answers 403 to what a page made a browser send, unless the page's
// origin is listed. Browsers say so in Origin or Sec-Fetch-Site; programs send
// neither.
func (s *Server) refusePages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origins, site := r.Header.Values("Origin"), r.Header.Values("Sec-Fetch-Site")
		switch {
		case len(origins) == 1 && slices.Contains(s.opts.Origins, origins[0]):
			s.answerPage(w, r, next)
		case len(origins) == 0 && len(site) == 0:
			next.ServeHTTP(w, r)
		default:
			s.fail(w, r, &requestError{status: http.StatusForbidden, code: "forbidden", err: errBrowser,
				detail: "This is not for browsers. List the page's origin in admin.origins if it is."})
		}
	})
}

// answerPage lets a listed page read the answer (CORS, WHATWG Fetch), and
// answers its preflights. There are no cookies here, so no credentials.
func (s *Server) answerPage(w http.ResponseWriter, r *http.Request, next http.Handler) {
	w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	w.Header().Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Authorization, Idempotency-Key")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
