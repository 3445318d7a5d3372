package rotation_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A tally counts what happened to all viewers.
type tally struct {
	requests    atomic.Int64 // for media, of viewers whose cookies had not ended
	stamps      atomic.Int64 // cookie sets
	renewals    atomic.Int64
	unavailable atomic.Int64 // answers 503
	refused     atomic.Int64 // of requests
	silent      atomic.Int64 // times that a viewer who renews in time had no cookies
	untrusted   atomic.Int64 // of stamps, by a key that an edge location did not trust
}

// A viewer shows a ticket, renews in time, and listens.
type viewer struct {
	w      *world
	t      *testing.T
	code   string
	paths  []string
	late   bool // renews in the last moment only
	client *http.Client
	rng    *rand.Rand

	renewAt, ends time.Time
	signed        map[string]string // key pair ID by cookie path
}

func (w *world) newViewer(t *testing.T, code string, late bool) *viewer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{w: w, t: t, code: code, late: late, client: &http.Client{Jar: jar, Transport: w}, rng: rand.New(rand.NewPCG(7, w.viewers.Add(1)))}
	v.paths = []string{"/castle/audio/hall.m4a"}
	if strings.HasPrefix(code, premium) {
		v.paths = append(v.paths, "/castle/premium/tower.m4a")
	}
	return v
}

// RoundTrip implements http.RoundTripper: it is the Internet. The API is at one
// of the gateways, everything else at one of the edge locations.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		return serve(w.gateways[rand.IntN(len(w.gateways))].api, r), nil
	}
	return serve(w.network.any().now().edge, r), nil
}

// serve has h answer a request as if it had come over a network.
func serve(h http.Handler, r *http.Request) *http.Response {
	in := r.Clone(r.Context())
	in.RequestURI, in.Host, in.RemoteAddr, in.TLS = r.URL.RequestURI(), r.URL.Host, "192.0.2.1:1234", &tls.ConnectionState{}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	out := httptest.NewRecorder()
	h.ServeHTTP(out, in)
	return out.Result()
}

func (v *viewer) ask(method, path, body string, header http.Header) (*http.Response, []byte) {
	r, err := http.NewRequest(method, site+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	resp, err := v.client.Do(r)
	if err != nil {
		v.t.Errorf("%s %s = %v", method, path, err)
		return &http.Response{}, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Errorf("%s %s: %v", method, path, err)
	}
	return resp, text
}

var jsonBody = http.Header{"Content-Type": {"application/json"}}

// show trades the ticket for cookies, and reports the status.
func (v *viewer) show() int {
	resp, text := v.ask("POST", "/v1/tickets/verify", fmt.Sprintf(`{"ticket": %q}`, v.code), jsonBody)
	v.take(resp, text)
	return resp.StatusCode
}

// renew asks for fresh cookies, and reports the status.
func (v *viewer) renew() int {
	v.w.tally.renewals.Add(1)
	resp, text := v.ask("POST", "/v1/admission/renew", "", nil)
	v.take(resp, text)
	return resp.StatusCode
}

// take looks at an answer of the API: it has a whole cookie set for every path
// that the ticket opens, by a key that every edge location trusts, or none at all.
func (v *viewer) take(resp *http.Response, text []byte) {
	sets := map[string]map[string]string{}
	for _, c := range resp.Cookies() {
		if strings.HasPrefix(c.Name, "CloudFront-") && c.MaxAge >= 0 {
			if sets[c.Path] == nil {
				sets[c.Path] = map[string]string{}
			}
			sets[c.Path][c.Name] = c.Value
		}
	}
	if resp.StatusCode != http.StatusOK {
		v.turnedAway(resp, text, len(sets))
		return
	}
	var reply struct {
		Grants []struct {
			CookiePath string    `json:"cookie_path"`
			ExpiresAt  time.Time `json:"expires_at"`
		} `json:"grants"`
	}
	if err := json.Unmarshal(text, &reply); err != nil || len(reply.Grants) != len(v.paths) || len(sets) != len(v.paths) {
		v.t.Errorf("pass = %s with %d cookie sets, %v, want %d", text, len(sets), err, len(v.paths))
		return
	}
	v.signed, v.ends = map[string]string{}, reply.Grants[0].ExpiresAt
	for _, g := range reply.Grants {
		set := sets[g.CookiePath]
		if set["CloudFront-Policy"] == "" || set["CloudFront-Signature"] == "" || set["CloudFront-Key-Pair-Id"] == "" {
			v.t.Errorf("cookies for %s = %d of a set, want all", g.CookiePath, len(set))
		}
		v.check(set["CloudFront-Key-Pair-Id"])
		v.signed[g.CookiePath] = set["CloudFront-Key-Pair-Id"]
		if g.ExpiresAt.Before(v.ends) {
			v.ends = g.ExpiresAt
		}
	}
	left := time.Until(v.ends)
	v.renewAt = time.Now().Add(left * 2 / 3)
	if v.late {
		v.renewAt = v.ends.Add(-v.w.reserve)
	}
}

// check notes a cookie set by a key that an edge location would not accept.
func (v *viewer) check(keyPairID string) {
	v.w.tally.stamps.Add(1)
	if names := v.w.network.strangers(keyPairID); len(names) > 0 {
		if v.w.tally.untrusted.Add(1) < 5 {
			v.t.Errorf("cookies signed with %s at %v, which %v does not trust yet", keyPairID, time.Now(), names)
		}
	}
}

func (v *viewer) turnedAway(resp *http.Response, text []byte, sets int) {
	if sets != 0 {
		v.t.Errorf("an answer %d has %d cookie sets, want none", resp.StatusCode, sets)
	}
	if resp.StatusCode != http.StatusServiceUnavailable {
		v.t.Errorf("answer = %d, %s, want 200 or 503", resp.StatusCode, text)
	}
	v.w.tally.unavailable.Add(1)
	v.renewAt = time.Now().Add(v.w.pause) // and try again
}

// listen fetches a part of a track, as players do. Whoever holds cookies that have
// not ended must get it.
func (v *viewer) listen() {
	path := v.paths[v.rng.IntN(len(v.paths))]
	from := v.rng.IntN(len(track) - 100)
	if !time.Now().Before(v.ends) {
		if !v.late {
			v.w.tally.silent.Add(1)
		}
		return
	}
	resp, text := v.ask("GET", path, "", http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", from, from+99)}})
	if resp.StatusCode != http.StatusPartialContent && !time.Now().Before(v.ends) {
		return // they ended on the way
	}
	v.w.tally.requests.Add(1)
	if resp.StatusCode != http.StatusPartialContent || !bytes.Equal(text, track[from:from+100]) {
		if v.w.tally.refused.Add(1) < 5 {
			v.t.Errorf("GET %s at %v = %d with cookies of %v until %v, want 206", path, time.Now(), resp.StatusCode, v.signed, v.ends)
		}
	}
}

// visit is a whole visit, until ctx ends. Viewers come one after the other.
func (v *viewer) visit(ctx context.Context) {
	_ = wait(ctx, time.Duration(v.rng.Int64N(int64(v.w.lifetime))))
	for v.ends.IsZero() && ctx.Err() == nil {
		v.show()
		v.rest(ctx)
	}
	for ctx.Err() == nil {
		if !time.Now().Before(v.renewAt) {
			v.renew()
		}
		v.listen()
		v.rest(ctx)
	}
}

// rest waits for the pause between two requests, more or less, or until it is time
// to renew.
func (v *viewer) rest(ctx context.Context) {
	pause := v.w.pause/2 + time.Duration(v.rng.Int64N(int64(v.w.pause)))
	if left := time.Until(v.renewAt); left > 0 { // as apps do, which set a timer
		pause = min(pause, left)
	}
	_ = wait(ctx, pause)
}

// wait returns after d, or with an error when ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
