package edge_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/edge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const site = "https://media.example.org"

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// A ticketDesk signs with one key and knows the group that trusts it.
type ticketDesk struct {
	signer *cloudfront.Signer
	group  *cloudfront.KeyGroup
}

func newDesk(t testing.TB, keyPairID string) ticketDesk {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cloudfront.NewSigner(keyPairID, key, "")
	if err != nil {
		t.Fatal(err)
	}
	public, err := cloudfront.NewPublicKey(keyPairID, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	group := cloudfront.NewKeyGroup(public)
	return ticketDesk{signer, &group}
}

// sign signs an hour from noon for everything under prefix.
func (d ticketDesk) sign(t testing.TB, site, prefix string) *cloudfront.Signed {
	t.Helper()
	s, err := cloudfront.ParseSite(site)
	if err != nil {
		t.Fatal(err)
	}
	resource, err := s.Prefix(prefix)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := d.signer.Sign(cloudfront.Policy{Resource: resource, DateLessThan: noon.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// cookie returns the Cookie header for everything under prefix.
func (d ticketDesk) cookie(t testing.TB, prefix string) string {
	t.Helper()
	return cookieHeader(d.sign(t, site, prefix))
}

func cookieHeader(signed *cloudfront.Signed) string {
	var pairs []string
	for _, f := range signed.Cookies() {
		pairs = append(pairs, f.Name+"="+f.Value)
	}
	return strings.Join(pairs, "; ")
}

// tree writes files into a new directory.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func folder(t testing.TB, root string) *edge.Files {
	t.Helper()
	f, err := edge.Folder(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// newEdge completes c with the site and a clock at noon.
func newEdge(t testing.TB, c edge.Config) *edge.Edge {
	t.Helper()
	if c.Site == "" {
		c.Site = site
	}
	if c.Now == nil {
		c.Now = at(noon)
	}
	e, err := edge.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// serve starts a server as the documentation of Edge wants it.
func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.DisableGeneralOptionsHandler = true
	srv.Config.MaxHeaderBytes = 64 << 10
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// An answer is what came back over the wire.
type answer struct {
	*http.Response
	body string
}

// send writes a request as it is and reads one answer. Lines end in \n here.
func send(t testing.TB, srv *httptest.Server, method, text string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.80q: %v", text, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%.80q: %v", text, err)
	}
	return answer{resp, string(body)}
}

// ask sends method and target with headers given as "Name: value".
func ask(t testing.TB, srv *httptest.Server, method, target string, headers ...string) answer {
	t.Helper()
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: media.example.org", "Connection: close"}, headers...)
	return send(t, srv, method, strings.Join(lines, "\n")+"\n\n")
}

func wantStatus(t testing.TB, call string, got answer, want int) {
	t.Helper()
	if got.StatusCode != want {
		t.Errorf("%s = %d %.300q, want %d", call, got.StatusCode, got.body, want)
	}
}

// A park is an edge over two attractions and free content, with the desks that
// sign for them.
type park struct {
	srv           *httptest.Server
	root          string
	castle, tower ticketDesk
}

const castleText, towerText, freeText = "CASTLE-BYTES", "TOWER-BYTES", "FREE-BYTES"

func newPark(t testing.TB, change func(*edge.Config)) park {
	t.Helper()
	p := park{castle: newDesk(t, "KCASTLE"), tower: newDesk(t, "KTOWER")}
	p.root = tree(t, map[string]string{
		"castle/01.m4a": castleText, "castle/a b.txt": castleText, "castle/café.txt": castleText, "castle/x#y": castleText,
		"castle-2/01.m4a": towerText, "tower/01.m4a": towerText, "tower/x": towerText, "x": freeText, "free/x": freeText,
		"index.html": freeText,
	})
	origin := folder(t, p.root)
	c := edge.Config{Behaviors: []edge.Behavior{
		{PathPattern: "/castle/*", Origin: origin, TrustedKeyGroup: p.castle.group, AllowedMethods: []string{"GET", "HEAD", "OPTIONS"}},
		{PathPattern: "/castle-2/*", Origin: origin, TrustedKeyGroup: p.tower.group},
		{PathPattern: "/tower/*", Origin: origin, TrustedKeyGroup: p.tower.group},
		{PathPattern: "*", Origin: origin},
	}}
	if change != nil {
		change(&c)
	}
	p.srv = serve(t, newEdge(t, c))
	return p
}

func prefix(t testing.TB, s string) netip.Prefix {
	t.Helper()
	p, err := netip.ParsePrefix(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// source returns the comments of a file as running text.
func source(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(string(text), "\n//", "\n")), " ")
}
