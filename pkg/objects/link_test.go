package objects_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/objects"
)

func TestLinkOpensOneFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, key := range []string{
		"press/a.jpg", "press/a b.txt", "press/ä+&=~!'()*@:,$.pdf", "press/sub/100%.html", "press/x=1&y.mp3",
	} {
		s.store(key, "text/html", key)
		l := s.link(objects.Holder{}, key)
		if l.Err != nil {
			t.Errorf("Links(%q) = %v, want a URL", key, l.Err)
			continue
		}
		if code, _, body := s.fetch("GET", l.URL, nil, nil); code != 200 || body != key {
			t.Errorf("GET of %q: %d %q, want 200 and the file", key, code, body)
		}
	}
}

func TestLinkIsForNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.store("press/a.jpg", "image/jpeg", "a")
	s.store("press/b.jpg", "image/jpeg", "b")
	link := s.link(objects.Holder{}, "press/a.jpg").URL
	s.expect(200, "GET", link)
	for _, method := range []string{"HEAD", "PUT", "DELETE"} {
		s.expect(403, method, link)
	}
	for name, changed := range map[string]string{
		"another key":         strings.Replace(link, "a.jpg", "b.jpg", 1),
		"longer":              strings.Replace(link, "Expires=60", "Expires=61", 1),
		"another type":        strings.Replace(link, "image%2Fjpeg", "text%2Fhtml", 1),
		"another disposition": strings.Replace(link, "inline", "attachment", 1),
		"a list":              link + "&list-type=2",
		"an acl":              link + "&acl=",
		"another header":      link + "&response-content-encoding=gzip",
		"one digit":           link[:len(link)-1] + string("0123456789abcdef"[(strings.IndexByte("0123456789abcdef", link[len(link)-1])+1)%16]),
	} {
		if changed == link {
			t.Fatalf("%s: nothing changed in the URL", name)
		}
		s.expect(403, "GET", changed)
	}
	if !strings.HasSuffix(strings.SplitN(link, "?", 2)[0], "/private/press/a.jpg") {
		t.Errorf("link to %q, want the bucket in the path", strings.SplitN(link, "?", 2)[0])
	}
}

func TestLinkStaysTheSameForAWindow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		opts           objects.Options
		life, window   time.Duration
		begin          time.Time
		differentScope bool
	}{
		{name: "defaults", life: time.Minute, window: 30 * time.Second, begin: noon},
		{name: "across midnight", opts: objects.Options{Lifetime: 10 * time.Minute, Window: 5 * time.Minute}, life: 10 * time.Minute, window: 5 * time.Minute,
			begin: time.Date(2026, 7, 1, 23, 55, 0, 0, time.UTC)},
		{name: "a window that spans midnight", opts: objects.Options{Lifetime: 48 * time.Hour, Window: 7 * time.Hour}, life: 48 * time.Hour, window: 7 * time.Hour,
			begin: time.Date(2026, 7, 1, 20, 0, 0, 0, time.UTC).Truncate(7 * time.Hour)},
		{name: "shortest", opts: objects.Options{Lifetime: 2 * time.Second}, life: 2 * time.Second, window: time.Second, begin: noon},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(o *objects.Options) { o.Lifetime, o.Window = tt.opts.Lifetime, tt.opts.Window })
			s.store("press/a.jpg", "image/jpeg", "a")
			begin := tt.begin.Truncate(tt.window)
			get := func(after time.Duration) objects.Link {
				s.clock.set(begin.Add(after))
				l := s.link(objects.Holder{}, "press/a.jpg")
				s.expect(200, "GET", l.URL)
				if left := l.Expires.Sub(s.clock.now()); left < tt.life-tt.window {
					t.Errorf("Links %v into the window: %v left, want at least %v", after, left, tt.life-tt.window)
				}
				return l
			}
			first, last, next := get(0), get(tt.window-time.Nanosecond), get(tt.window)
			if first.URL != last.URL || !first.Expires.Equal(last.Expires) {
				t.Errorf("Links at the end of the window gave another URL:\n%s\n%s", first.URL, last.URL)
			}
			if next.URL == first.URL || !next.Expires.Equal(begin.Add(tt.window+tt.life)) {
				t.Errorf("Links in the next window: expires %v, same URL %v, want a new one until %v", next.Expires, next.URL == first.URL, begin.Add(tt.window+tt.life))
			}
			s.clock.set(first.Expires.Add(-time.Nanosecond))
			s.expect(200, "GET", first.URL)
			s.clock.set(first.Expires)
			s.expect(403, "GET", first.URL)
		})
	}
}

func TestLinkEndsWithTheVisit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := "photos/" + ticket("a") + "/x.jpg"
	s.store(key, "image/jpeg", "me")
	a := admission("a", "castle")
	a.Entitlements[0].Until = noon.Add(20*time.Second + 700*time.Millisecond)
	l := s.link(viewer(a), key)
	if want := noon.Add(20 * time.Second); !l.Expires.Equal(want) {
		t.Errorf("Links: expires %v, want %v, the end of the visit", l.Expires, want)
	}
	if other := s.link(roles("staff"), key); !other.Expires.Equal(noon.Add(time.Minute)) {
		t.Errorf("Links for staff: expires %v, want a minute", other.Expires)
	}
	s.clock.set(noon.Add(20*time.Second + 100*time.Millisecond))
	if l := s.link(viewer(a), key); !errors.Is(l.Err, objects.ErrNotFound) {
		t.Errorf("Links in the last second of a visit = %+v, want ErrNotFound", l)
	}
	s.expect(403, "GET", l.URL)
}

func TestLinksOfABatch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	own, foreign := "photos/"+ticket("a")+"/x.jpg", "photos/"+ticket("b")+"/x.jpg"
	keys := []string{own, foreign, "press/a.txt", "../x", "nowhere/x", own}
	links, err := s.desk.Links(t.Context(), viewer(admission("a", "castle")), keys)
	if err != nil || len(links) != len(keys) {
		t.Fatalf("Links = %d links, %v, want %d", len(links), err, len(keys))
	}
	var request *objects.RequestError
	for i, want := range []string{"url", "none", "url", "bad", "none", "url"} {
		got := "url"
		switch {
		case errors.Is(links[i].Err, objects.ErrNotFound):
			got = "none"
		case errors.As(links[i].Err, &request):
			got = "bad"
		}
		if got != want || links[i].Key != keys[i] || (links[i].URL != "") != (want == "url") {
			t.Errorf("Links of %q = %+v, want %s", keys[i], links[i], want)
		}
	}
	if _, err := s.desk.Links(t.Context(), objects.Holder{}, make([]string, objects.MaxKeys+1)); !errors.As(err, &request) {
		t.Errorf("Links of %d keys = %v, want a *RequestError", objects.MaxKeys+1, err)
	}
}

type index = book.Files // its method Files and an embedded book.Files would be one name

// counting counts the questions to an index, and fails them if it is told to.
type counting struct {
	index
	asked int
	err   error
}

func (c *counting) Files(ctx context.Context, keys []string) ([]book.File, error) {
	c.asked++
	if c.err != nil {
		return nil, c.err
	}
	return c.index.Files(ctx, keys)
}

func TestLinksAskTheIndexOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	index := &counting{index: s.book}
	desk, err := objects.New(s.client, "private", index, rules(), objects.Options{Identify: identify, Now: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for i := range objects.MaxKeys {
		keys = append(keys, fmt.Sprintf("press/%04d.jpg", i))
	}
	if _, err := desk.Links(t.Context(), objects.Holder{}, keys); err != nil || index.asked != 1 {
		t.Errorf("Links of 1,000 keys = %v with %d questions, want 1", err, index.asked)
	}
	index.err = errors.New("the book is down")
	if links, err := desk.Links(t.Context(), objects.Holder{}, keys); !errors.Is(err, index.err) || links != nil {
		t.Errorf("Links without a book = %d links, %v, want its error", len(links), err)
	}
}

func TestLinkSaysHowToShowTheFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tests := []struct {
		key, name, kind       string
		wantKind, disposition string
	}{
		{"press/a.jpg", "", "", "image/jpeg", `inline; filename="a.jpg"`},
		{"press/b.JPG", "", "", "image/jpeg", `inline; filename="b.JPG"`},
		{"press/c.html", "", "", "text/html", `attachment; filename="c.html"`},
		{"press/d.svg", "", "", "image/svg+xml", `attachment; filename="d.svg"`},
		{"press/e.unknown", "", "", "application/octet-stream", `attachment; filename="e.unknown"`},
		{"press/f", "", "", "application/octet-stream", `attachment; filename="f"`},
		{"press/g", "Ich.png", "image/png", "image/png", `inline; filename="Ich.png"`},
		{"press/h.jpg", "x", "text/html", "text/html", `attachment; filename="x"`},
		{"press/i.jpg", "Ünï \"quoted\".jpg", "image/jpeg", "image/jpeg", `inline; filename="_n_ _quoted_.jpg"; filename*=UTF-8''%C3%9Cn%C3%AF%20%22quoted%22.jpg`},
		{"press/j.jpg", "a\r\nSet-Cookie: x=1", "image/jpeg", "image/jpeg", `inline; filename="aSet-Cookie: x=1"`},
		{"press/k.jpg", "../../etc/passwd", "image/jpeg", "image/jpeg", `inline; filename="_.._etc_passwd"`},
		{"press/l.jpg", "50%; x=\"y\".jpg", "image/jpeg", "image/jpeg", `inline; filename="50__ x=_y_.jpg"; filename*=UTF-8''50%25%3B%20x%3D%22y%22.jpg`},
		{"press/m.jpg", "\u202egpj.exe", "image/jpeg", "image/jpeg", `inline; filename="gpj.exe"`},
		{"press/p.jpg", "👩\u200d🚀.jpg", "image/jpeg", "image/jpeg", `inline; filename="___.jpg"; filename*=UTF-8''%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80.jpg`},
		{"press/n.jpg", "x", "text/html\r\nX: y", "image/jpeg", `inline; filename="x"`},
		{"press/o.jpg", "日本.jpg", "image/jpeg", "image/jpeg", `inline; filename="__.jpg"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.jpg`},
	}
	for _, tt := range tests {
		if tt.name != "" {
			s.index(book.File{Key: tt.key, Owner: "token:x", Name: tt.name, Type: tt.kind, Area: "press"})
		} else {
			s.store(tt.key, "text/html", "<script>")
		}
		code, h, _ := s.fetch("GET", s.link(objects.Holder{}, tt.key).URL, nil, nil)
		if code != 200 || h.Get("Content-Type") != tt.wantKind || h.Get("Content-Disposition") != tt.disposition || h.Get("Cache-Control") != "private, max-age=60" {
			t.Errorf("GET %q called %q: %d, type %q, disposition\n%s, want\n%s and type %q; Cache-Control %q",
				tt.key, tt.name, code, h.Get("Content-Type"), h.Get("Content-Disposition"), tt.disposition, tt.wantKind, h.Get("Cache-Control"))
		}
	}
}

func TestLinkAtAmazon(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"private":      "https://private.s3.eu-central-1.amazonaws.com/press/a.jpg",
		"dots.private": "https://s3.eu-central-1.amazonaws.com/dots.private/press/a.jpg",
	} {
		client := s3.New(s3.Options{Region: "eu-central-1", Credentials: &vault{creds: lasting}})
		desk, err := objects.New(client, name, memory.New(), rules(), objects.Options{Identify: identify})
		if err != nil {
			t.Fatal(err)
		}
		links, err := desk.Links(t.Context(), objects.Holder{}, []string{"press/a.jpg"})
		if err != nil || links[0].Err != nil {
			t.Fatalf("Links = %+v, %v", links, err)
		}
		u, err := url.Parse(links[0].URL)
		if got := u.Scheme + "://" + u.Host + u.Path; err != nil || got != want {
			t.Errorf("Links for bucket %q: %s, want %s", name, got, want)
		}
	}
}

func BenchmarkLinks(b *testing.B) {
	s := newSite(b)
	s.vault.put(s.role("ROLE", noon.Add(time.Hour)), nil)
	var keys []string
	for i := range objects.MaxKeys {
		keys = append(keys, fmt.Sprintf("photos/%s/%04d.jpg", ticket("a"), i))
	}
	h := viewer(admission("a", "castle"))
	b.ReportAllocs()
	for b.Loop() {
		links, err := s.desk.Links(b.Context(), h, keys)
		if err != nil || links[len(links)-1].Err != nil {
			b.Fatal(links[len(links)-1].Err, err)
		}
	}
}
