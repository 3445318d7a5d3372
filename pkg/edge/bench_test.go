package edge_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

// A sink takes an answer and keeps nothing.
type sink struct{ header http.Header }

func (s sink) Header() http.Header              { return s.header }
func (s sink) Write(p []byte) (int, error)      { return len(p), nil }
func (s sink) WriteHeader(int)                  {}
func (s sink) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkEdge is a file of 16 KiB, free and behind signed cookies whose
// signature was verified before, as it is for all but the first request.
func BenchmarkEdge(b *testing.B) {
	desk := newDesk(b, "KCASTLE")
	text := strings.Repeat("0123456789abcdef", 1024)
	origin := folder(b, tree(b, map[string]string{"castle/01.m4a": text, "free/01.m4a": text}))
	e := newEdge(b, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "/castle/*", Origin: origin, TrustedKeyGroup: desk.group}, {PathPattern: "*", Origin: origin}}})
	cookie := desk.cookie(b, "castle")
	for _, bb := range []struct {
		name, target, cookie string
		status               int
	}{{"free", "/free/01.m4a", "", 200}, {"signed", "/castle/01.m4a", cookie, 200}, {"refused", "/castle/01.m4a", "", 403}} {
		r := httptest.NewRequest("GET", bb.target, nil)
		if bb.cookie != "" {
			r.Header.Set("Cookie", bb.cookie)
		}
		w := httptest.NewRecorder()
		if e.ServeHTTP(w, r); w.Code != bb.status {
			b.Fatalf("%s = %d, want %d", bb.name, w.Code, bb.status)
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				w := sink{http.Header{}}
				for pb.Next() {
					clear(w.header)
					e.ServeHTTP(w, r)
				}
			})
		})
	}
}

// BenchmarkEdgeOverTCP is the same through a server, with the kernel's copying.
func BenchmarkEdgeOverTCP(b *testing.B) {
	for _, size := range []int{16 << 10, 16 << 20} {
		origin := folder(b, tree(b, map[string]string{"x": strings.Repeat("x", size)}))
		srv := serve(b, newEdge(b, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: origin}}}))
		b.Run(fmt.Sprint(size>>10, " KiB"), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				resp, err := srv.Client().Get(srv.URL + "/x")
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != int64(size) {
					b.Fatal(n, err)
				}
				resp.Body.Close()
			}
		})
	}
}

// BenchmarkSignedCheck is what the check of signed cookies costs a server: the
// same segment of 16 KiB over TCP, free and paid, in one run.
func BenchmarkSignedCheck(b *testing.B) {
	desk := newDesk(b, "KCASTLE")
	text := strings.Repeat("0123456789abcdef", 1024)
	origin := folder(b, tree(b, map[string]string{"castle/01.m4a": text, "free/01.m4a": text}))
	srv := serve(b, newEdge(b, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "/castle/*", Origin: origin, TrustedKeyGroup: desk.group}, {PathPattern: "*", Origin: origin}}}))
	cookie := desk.cookie(b, "castle")
	for _, bb := range []struct{ name, path, cookie string }{{"free", "/free/01.m4a", ""}, {"signed", "/castle/01.m4a", cookie}} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), "GET", srv.URL+bb.path, nil)
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Cookie", bb.cookie)
				resp, err := srv.Client().Do(r)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != int64(len(text)) {
					b.Fatal(resp.Status, n, err)
				}
				resp.Body.Close()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
