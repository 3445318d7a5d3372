package s3_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	faces  = 50
	window = 15 // seconds
)

// A counter stands before the server and counts what is asked for.
type counter struct {
	mu    sync.Mutex
	asked map[string]int // by URL
}

// newCounter listens until the test ends, and returns its address.
func newCounter(t *testing.T, to string) (*counter, string) {
	t.Helper()
	c := &counter{asked: map[string]int{}}
	proxy := newForwarder(t, to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked["http://"+r.Host+r.RequestURI]++
		c.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return c, server.URL
}

// A look is what the browser saw.
type look struct {
	Name  string
	URLs  []string
	Shown int
}

// A page with fifty private pictures asks the server for each once within a
// window, however often and wherever it is opened in one browser; then for each
// by a new URL.
func TestBrowser(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var keys []string
	for i := range faces {
		keys = append(keys, fmt.Sprintf("staff/pass-%02d.png", i+1))
		s.put(t, keys[i], "image/png", face(t, i))
	}
	count, address := newCounter(t, s.endpoint)
	g := s.newGateway(t, setup{endpoint: address, objects: fmt.Sprintf("  lifetime: %ds\n  window: %ds\n", 2*window, window)})
	page := httptest.NewServer(g.album(keys))
	defer page.Close()

	looks := drive(t, page.URL)
	if len(looks) != 5 {
		t.Fatalf("the browser looked %d times, want 5", len(looks))
	}
	first, last := looks[0], looks[4]
	for _, l := range looks {
		if l.Shown != faces || len(l.URLs) != faces {
			t.Errorf("%s: %d of %d pictures are shown, want %d", l.Name, l.Shown, len(l.URLs), faces)
		}
		if same := slices.Equal(l.URLs, first.URLs); same != (l.Name != last.Name) {
			t.Errorf("%s: the URLs are those of the first look: %v", l.Name, same)
		}
	}
	count.mu.Lock()
	defer count.mu.Unlock()
	for i := range faces {
		if n := count.asked[first.URLs[i]]; n != 2 {
			t.Errorf("the server was asked %d times for %s, want once by each of two browsers", n, keys[i])
		}
		if n := count.asked[last.URLs[i]]; n != 1 {
			t.Errorf("the server was asked %d times for %s in the next window, want once", n, keys[i])
		}
	}
}

// drive has the browser look at a page.
func drive(t *testing.T, page string) (looks []look) {
	t.Helper()
	shots := os.Getenv("HANDSTAMP_S3_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "browser.mjs", os.Getenv("HANDSTAMP_S3_CHROMIUM"), page, fmt.Sprint(window), filepath.Join(shots, "s3-photos.png"))
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("browser.mjs: %v\n%s", err, said.Bytes())
	}
	if err := json.Unmarshal(out, &looks); err != nil {
		t.Fatalf("browser.mjs: %v in %s", err, out)
	}
	return looks
}

var albumPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Pass holders</title>
<style>
  body { font: 15px/1.4 system-ui, sans-serif; margin: 24px; background: #f6f4ef; color: #222 }
  h1 { font-size: 22px; margin: 0 0 16px }
  ul { display: grid; grid-template-columns: repeat(10, 1fr); gap: 12px; list-style: none; margin: 0; padding: 0 }
  img { width: 100%; border-radius: 6px; display: block }
  span { font-size: 12px; color: #666 }
</style>
<h1>Pass holders, {{len .}} photos</h1>
<ul>{{range $i, $url := .}}<li><img src="{{$url}}" alt=""><span>{{printf "No. %02d" $i}}</span></li>{{end}}</ul>
</html>
`))

// album returns a page with all pictures, by one question to the gateway.
func (g *gateway) album(keys []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		urls, err := g.batch(r.Context(), keys)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		_ = albumPage.Execute(w, urls)
	})
}

func (g *gateway) batch(ctx context.Context, keys []string) (urls []string, err error) {
	body, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.address+"/v1/objects/urls", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+g.desk)
	resp, err := g.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer urlsReply
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	for _, item := range answer.URLs {
		urls = append(urls, item.URL)
	}
	return urls, nil
}

// face paints somebody before a wall.
func face(t *testing.T, i int) []byte {
	t.Helper()
	const w, h = 160, 200
	shade := func(n, from, to int) uint8 { return uint8(from + i*n%(to-from)) }
	wall := color.RGBA{shade(37, 120, 220), shade(61, 130, 220), shade(83, 140, 230), 255}
	skin, shirt := color.RGBA{shade(29, 150, 245), shade(23, 110, 200), shade(17, 80, 160), 255}, color.RGBA{shade(71, 20, 150), shade(53, 30, 140), shade(97, 40, 160), 255}
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	inside := func(x, y, cx, cy, rx, ry int) bool {
		dx, dy := float64(x-cx)/float64(rx), float64(y-cy)/float64(ry)
		return dx*dx+dy*dy < 1
	}
	for y := range h {
		for x := range w {
			c := wall
			switch {
			case inside(x, y, w/2, 88, 36, 46):
				c = skin
			case inside(x, y, w/2, 205, 68, 66):
				c = shirt
			}
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
