package edge_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/edge"
)

func newRequest(target string, headers ...string) *http.Request {
	r := httptest.NewRequest("GET", target, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return r
}

func TestParseChaos(t *testing.T) {
	for text, want := range map[string]edge.Chaos{
		"refuse=5%":                         {Refuse: 0.05},
		"refuse=0.25, latency=100ms":        {Refuse: 0.25, LeastLatency: 100 * time.Millisecond, MostLatency: 100 * time.Millisecond},
		"latency=0s-2s,refuse=100%,seed=7":  {Refuse: 1, MostLatency: 2 * time.Second, Seed: 7},
		"refuse=0%,latency=1s-30s,seed=123": {LeastLatency: time.Second, MostLatency: 30 * time.Second, Seed: 123},
	} {
		got, err := edge.ParseChaos(text)
		if err != nil || got != want {
			t.Errorf("ParseChaos(%q) = %+v, %v, want %+v", text, got, err, want)
		}
		if again, err := edge.ParseChaos(got.String()); err != nil || again != got {
			t.Errorf("ParseChaos(%q) = %+v, %v, want it back", got.String(), again, err)
		}
	}
	for _, text := range []string{"", "refuse", "refuse=", "refuse=5", "refuse=-1%", "refuse=101%", "refuse=NaN", "refuse=5%,refuse=6%",
		"latency=2", "latency=2s-1s", "latency=-1s", "latency=31s", "latency=0s-", "seed=-1", "seed=x", "panic=1", "refuse=5%,"} {
		if got, err := edge.ParseChaos(text); err == nil || got != (edge.Chaos{}) || !strings.Contains(err.Error(), "hint") {
			t.Errorf("ParseChaos(%q) = %+v, %v, want an error with a hint", text, got, err)
		}
	}
	for _, c := range []edge.Chaos{{Refuse: -1}, {Refuse: 1.1}, {LeastLatency: -1}, {LeastLatency: 2, MostLatency: 1}, {MostLatency: time.Minute}} {
		if _, err := edge.New(edge.Config{Chaos: c, Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x")}}}); err == nil {
			t.Errorf("New with %+v succeeds", c)
		}
	}
}

// Chaos refuses its share of good requests at restricted behaviors, the same
// ones for the same seed, and nothing else.
func TestChaos(t *testing.T) {
	desk := newDesk(t, "KCASTLE")
	fates := func(seed uint64) (string, edge.Counts) {
		e := newEdge(t, edge.Config{Chaos: edge.Chaos{Refuse: 0.2, Seed: seed}, Explain: true, Behaviors: []edge.Behavior{
			{PathPattern: "/castle/*", Origin: named("x"), TrustedKeyGroup: desk.group}, {PathPattern: "*", Origin: named("x")}}})
		cookie := "Cookie: " + desk.cookie(t, "castle")
		var fate strings.Builder
		for range 1000 {
			w := httptest.NewRecorder()
			e.ServeHTTP(w, newRequest("/castle/x", cookie))
			switch {
			case w.Code == 200:
				fate.WriteByte('.')
			case w.Code == 403 && w.Body.String() == cloudfront.AccessDenied.Body() && w.Header().Get("X-Handstamp-Reason") == "chaos":
				fate.WriteByte('X')
			default:
				t.Fatalf("GET = %d %s %v", w.Code, w.Body, w.Header())
			}
		}
		n := e.Counts()
		for range 100 {
			public, forged := httptest.NewRecorder(), httptest.NewRecorder()
			e.ServeHTTP(public, newRequest("/x"))
			e.ServeHTTP(forged, newRequest("/castle/x"))
			if public.Code != 200 || forged.Header().Get("X-Handstamp-Reason") != "key-pair-id T1" {
				t.Fatalf("public = %d, without cookies %v", public.Code, forged.Header())
			}
		}
		if late := e.Counts(); late.ChaosRefused != n.ChaosRefused || late.Refused != n.Refused+100 || late.Requests != n.Requests+200 {
			t.Errorf("counts %+v, later %+v", n, late)
		}
		return fate.String(), n
	}
	first, n := fates(1)
	again, _ := fates(1)
	other, _ := fates(2)
	if first != again || first == other {
		t.Errorf("the same seed gives the same fates: %v; another seed others: %v", first == again, first != other)
	}
	if refused := strings.Count(first, "X"); refused < 160 || refused > 240 || n != (edge.Counts{Requests: 1000, Refused: uint64(refused), ChaosRefused: uint64(refused)}) {
		t.Errorf("%d of 1000 refused, counts %+v, want about 200", refused, n)
	}
}

func TestChaosLatency(t *testing.T) {
	e := newEdge(t, edge.Config{Chaos: edge.Chaos{LeastLatency: 30 * time.Millisecond, MostLatency: 40 * time.Millisecond},
		Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x")}}})
	start := time.Now()
	for range 3 {
		e.ServeHTTP(httptest.NewRecorder(), newRequest("/x"))
	}
	if took := time.Since(start); took < 90*time.Millisecond || e.Counts().ChaosDelayed != 3 {
		t.Errorf("3 requests took %v, counts %+v, want at least 90 ms", took, e.Counts())
	}
	slow := newEdge(t, edge.Config{Chaos: edge.Chaos{LeastLatency: edge.MaxLatency, MostLatency: edge.MaxLatency},
		Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x")}}})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	start = time.Now()
	slow.ServeHTTP(httptest.NewRecorder(), newRequest("/x").WithContext(ctx))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("a viewer who left was waited for %v", took)
	}
}

// A player asks for segments by range, one after the other, and asks for fresh
// cookies whenever it is refused.
type player struct {
	t       *testing.T
	client  *http.Client
	url     string
	renew   func() string
	cookie  string
	renewed int
}

// segment returns the bytes of one, or "" after some tries: the music stops.
func (p *player) segment(first, last int) string {
	for range 5 {
		req, err := http.NewRequest("GET", p.url, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", first, last))
		req.Header.Set("Cookie", p.cookie)
		resp, err := p.client.Do(req)
		if err != nil {
			p.t.Fatal(err)
		}
		got := answer{Response: resp, body: readAll(p.t, resp)}
		switch got.StatusCode {
		case 206:
			return got.body
		case 403:
			p.cookie = p.renew()
			p.renewed++
		default:
			p.t.Fatalf("segment = %d %q", got.StatusCode, got.body)
		}
	}
	return ""
}

// E-67: with cookies that last a minute, 5 % of good requests
// refused and every request late, 1,000 segments play without a stop.
func TestPlayerSurvivesChaos(t *testing.T) {
	const segments, size = 1000, 64
	desk := newDesk(t, "KCASTLE")
	text := strings.Repeat("0123456789abcdef", segments*size/16)
	var clock atomic.Int64
	now := func() time.Time { return noon.Add(time.Duration(clock.Load())) }
	chaos, err := edge.ParseChaos("refuse=5%,latency=0s-500us,seed=1")
	if err != nil {
		t.Fatal(err)
	}
	e := newEdge(t, edge.Config{Now: now, Chaos: chaos, Behaviors: []edge.Behavior{
		{PathPattern: "/castle/*", Origin: folder(t, tree(t, map[string]string{"castle/01.m4a": text})), TrustedKeyGroup: desk.group},
		{PathPattern: "*", Origin: named("x")}}})
	srv := serve(t, e)
	resource, err := cloudfront.ParseResource(site + "/castle/*")
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, client: srv.Client(), url: srv.URL + "/castle/01.m4a", renew: func() string {
		signed, err := desk.signer.Sign(cloudfront.Policy{Resource: resource, DateLessThan: now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		return cookieHeader(signed)
	}}
	for i := range segments {
		first := i * size
		if got := p.segment(first, first+size-1); got != text[first:first+size] {
			t.Fatalf("segment %d = %q, the music stops", i, got)
		}
		clock.Add(int64(4 * time.Second))
	}
	n := e.Counts()
	if n.ChaosRefused < 25 || n.ChaosRefused > 100 || uint64(p.renewed) != n.Refused || n.Refused < n.ChaosRefused+4 {
		t.Errorf("renewed %d times, counts %+v, want about 50 refused by chaos and some by the clock", p.renewed, n)
	}
	t.Logf("%d segments, %d requests, %d refused by chaos, %d because cookies had ended, 0 stops", segments, n.Requests, n.ChaosRefused, n.Refused-n.ChaosRefused)
}
