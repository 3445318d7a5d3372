package edge_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/edge"
)

const outsideText = "OUTSIDE-BYTES"

// A maze is two attractions and free content, with a secret beside the root
// and links to tempt.
func newMaze(t testing.TB) park {
	t.Helper()
	p := park{castle: newDesk(t, "KCASTLE"), tower: newDesk(t, "KTOWER")}
	base := tree(t, map[string]string{
		"outside.txt": outsideText, "media/castle/x": castleText, "media/castle/x.m4a": castleText,
		"media/tower/x": towerText, "media/castle-2/x": towerText, "media/free/x": freeText,
	})
	p.root = filepath.Join(base, "media")
	for link, target := range map[string]string{"free/out": "../../outside.txt", "free/abs": filepath.Join(base, "outside.txt"), "free/up": "../.."} {
		if err := os.Symlink(target, filepath.Join(p.root, link)); err != nil {
			t.Fatal(err)
		}
	}
	origin := folder(t, p.root)
	p.srv = serve(t, newEdge(t, edge.Config{Behaviors: []edge.Behavior{
		{PathPattern: "/castle/*", Origin: origin, TrustedKeyGroup: p.castle.group},
		{PathPattern: "/castle-2/*", Origin: origin, TrustedKeyGroup: p.tower.group},
		{PathPattern: "/tower/*", Origin: origin, TrustedKeyGroup: p.tower.group},
		{PathPattern: "*", Origin: origin},
	}}))
	return p
}

// look asks for target with and without castle's cookies. Whatever the answer,
// it has no byte of the tower or from outside, and without cookies none of the
// castle either.
func (p park) look(t testing.TB, target, cookie string) (with, without answer) {
	t.Helper()
	with, without = ask(t, p.srv, "GET", target, "Cookie: "+cookie), ask(t, p.srv, "GET", target)
	if strings.Contains(with.body, towerText) || strings.Contains(with.body, outsideText) {
		t.Errorf("GET %q with castle's cookies = %d %q", target, with.StatusCode, with.body)
	}
	if !strings.Contains(without.body, freeText) && without.StatusCode < 300 {
		t.Errorf("GET %q without cookies = %d %q", target, without.StatusCode, without.body)
	}
	return with, without
}

// E-40 to E-52 over a raw socket.
func TestPathSpellings(t *testing.T) {
	p := newMaze(t)
	cookie := p.castle.cookie(t, "castle")
	tests := []struct {
		target        string
		with, without int // status with castle's cookies and without
	}{
		{"/castle/x", 200, 403},
		{"/castle/x?q=/../tower/x", 200, 403},
		{"/free/x", 200, 200},
		{"/c%61stle/x", 403, 403}, // castle's file, but not as the policy spells it
		{"/%63astle/x", 403, 403},
		{"/castle/%78", 200, 403},
		{"/t%6fwer/x", 403, 403},
		{"/castle", 404, 404},
		{"/castle/", 404, 403},
		{"/Castle/x", 404, 404},
		{"/CASTLE/x", 404, 404},
		{"/T/x", 404, 404},
		{"/castle/X", 404, 403},
		{"/castle/x.", 404, 403},
		{"/castle/x%20", 404, 403},
		{"/castle/x/", 404, 403},
		{"/castle/x/y", 404, 403},
		{"/castle/con", 404, 403},
		{"/castle/~", 404, 403},
		{"/castle/x%23y", 404, 403},
		{"/castle/x%3fy", 404, 403},
		{"/castle/x::$DATA", 404, 403},
		{"/castle/caf%C3%A9", 404, 403},
		{"/castle/\xc3\xa9", 404, 403},
		{"/castle*", 404, 404},
		{"/castle/*", 404, 403},
		{"/free/out", 404, 404},
		{"/free/abs", 404, 404},
		{"/free/up/outside.txt", 404, 404},
		{"/free/up/media/tower/x", 404, 404},
		{"http://media.example.org/castle/x", 200, 403},
		{"http://media.example.org/tower/x", 403, 403},

		{"/castle/../tower/x", 400, 400},
		{"/free/../tower/x", 400, 400},
		{"/free/../castle/x", 400, 400},
		{"/castle/../../outside.txt", 400, 400},
		{"/../outside.txt", 400, 400},
		{"/..", 400, 400},
		{"/.", 400, 400},
		{"/castle/..", 400, 400},
		{"/castle/./x", 400, 400},
		{"/castle/%2e%2e/tower/x", 400, 400},
		{"/castle/%2E%2E/tower/x", 400, 400},
		{"/castle/.%2e/tower/x", 400, 400},
		{"/castle/%2e./tower/x", 400, 400},
		{"/castle/%2e/x", 400, 400},
		{"/castle/..%2ftower/x", 400, 400},
		{"/castle/..%2Ftower%2Fx", 400, 400},
		{"/castle/%2e%2e%2ftower%2fx", 400, 400},
		{"/castle/%252e%252e/tower/x", 400, 400},
		{"/castle/%252e%252e%252ftower/x", 400, 400},
		{"/castle/%25%32%65%25%32%65/tower/x", 400, 400},
		{"/castle/..;/tower/x", 400, 400},
		{"/castle/..%3b/tower/x", 400, 400},
		{"/castle;a=b/x", 400, 400},
		{"/castle/x;.m4a", 400, 400},
		{`/castle/..\tower\x`, 400, 400},
		{"/castle/%5c..%5cx", 400, 400},
		{"/castle/..%5Ctower%5Cx", 400, 400},
		{`/castle\x`, 400, 400},
		{"/castle//x", 400, 400},
		{"//castle/x", 400, 400},
		{"//media.example.org/castle/x", 400, 400},
		{"/castle/x//", 400, 400},
		{"/free//../castle/x", 400, 400},
		{"/castle/%00", 400, 400},
		{"/castle/x%00.m4a", 400, 400},
		{"/castle/a%0ab", 400, 400},
		{"/castle/a%0d%0aSet-Cookie:%20a=b", 400, 400},
		{"/castle/a%7f", 400, 400},
		{"/castle/a\tb", 400, 400},
		{"/castle%2fx", 400, 400},
		{"/castle%2Fx", 400, 400},
		{"%2fcastle/x", 400, 400},
		{"/castle/x#y", 400, 400},
		{"/free/x#/../../castle/x", 400, 400},
		{"/castle/x?q#y", 400, 400},
		{"/castle/\xff", 400, 400},
		{"/castle/%ff", 400, 400},
		{"/castle/%c0%ae%c0%ae/tower/x", 400, 400},
		{"/castle/%c0%af..%c0%aftower/x", 400, 400},
		{"/castle/%zz", 400, 400},
		{"/castle/%", 400, 400},
		{"/castle/%u002e%u002e/x", 400, 400},
		{"castle/x", 400, 400},
		{"*", 400, 400},
		{"http://media.example.org", 400, 400},
		{"http://media.example.org/castle/../tower/x", 400, 400},
		{"http://media.example.org//castle/x", 400, 400},
		{"file:///castle/x", 400, 400},
		{"http:castle/x", 400, 400},
	}
	for _, tt := range tests {
		with, without := p.look(t, tt.target, cookie)
		if with.StatusCode != tt.with || without.StatusCode != tt.without {
			t.Errorf("GET %q = %d with castle's cookies and %d without, want %d and %d", tt.target, with.StatusCode, without.StatusCode, tt.with, tt.without)
		}
	}
}

// Put together at random, no path leads astray.
func TestRandomPaths(t *testing.T) {
	p := newMaze(t)
	cookie := p.castle.cookie(t, "castle")
	parts := []string{"castle", "tower", "free", "x", "..", ".", "", "%2e%2e", "%2e", "%2f", "%5c", "\\", ";", "%00", "%252e", "c%61stle",
		"out", "up", "outside.txt", "?", "#", "%74ower", "media", "castle-2", "*", "%", "é", "\xff", "~", "CASTLE"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 600 {
		var b strings.Builder
		for range 1 + random.IntN(5) {
			if random.IntN(5) > 0 {
				b.WriteByte('/')
			}
			b.WriteString(parts[random.IntN(len(parts))])
		}
		p.look(t, "/"+strings.TrimPrefix(b.String(), "/"), cookie)
	}
}

// Through the handler alone, where net/http cannot help.
func FuzzPath(f *testing.F) {
	p := newMaze(f)
	cookie := p.castle.cookie(f, "castle")
	handler := p.srv.Config.Handler
	for _, seed := range []string{"/castle/x", "/castle/../tower/x", "/free/%2e%2e/tower/x", "//tower/x", "/tower%2fx", "http://h/tower/x", "/t%6fwer/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		for _, c := range []string{cookie, ""} {
			r := httptest.NewRequest("GET", "/", nil)
			r.RequestURI = target
			r.Header.Set("Cookie", c)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			body := w.Body.String()
			if strings.Contains(body, towerText) || strings.Contains(body, outsideText) || c == "" && strings.Contains(body, castleText) {
				t.Errorf("GET %q = %d %q", target, w.Code, body)
			}
		}
	})
}

// What a proxy in front leaves of the path does not matter: the edge reads what
// was received.
func TestURLDoesNotCount(t *testing.T) {
	p := newMaze(t)
	r := httptest.NewRequest("GET", "/castle/x", nil)
	r.URL.Path = "/free/x"
	w := httptest.NewRecorder()
	if p.srv.Config.Handler.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("received /castle/x, URL.Path /free/x = %s, want 403", fmt.Sprint(w.Code))
	}
}
