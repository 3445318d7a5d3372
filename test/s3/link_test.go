package s3_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/objects"
)

// A URL opens its file as the index says, whatever the object says of itself.
func TestLinkOpens(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	for _, tt := range []struct{ key, stored, kind, disposition string }{
		{"staff/a.jpg", "text/html", "image/jpeg", `inline; filename="a.jpg"`},
		{"staff/page.html", "image/jpeg", "text/html", `attachment; filename="page.html"`},
		{"staff/Führung 1+2 (neu)~'*!.csv", "text/html", "text/csv", `attachment; filename="F_hrung 1+2 (neu)~'*!.csv"; filename*=UTF-8''F%C3%BChrung%201%2B2%20%28neu%29~%27%2A%21.csv`},
		{"staff/100% sicher & co=x-y,z@a:b$.png", "text/html", "image/png", `inline; filename="100_ sicher & co=x-y,z@a:b$.png"; filename*=UTF-8''100%25%20sicher%20%26%20co%3Dx-y%2Cz%40a%3Ab%24.png`},
	} {
		s.put(t, tt.key, tt.stored, []byte("of "+tt.key))
		r := ask(t, s.http, http.MethodGet, s.link(t, tt.key), nil)
		h := r.header
		if r.status != 200 || string(r.body) != "of "+tt.key {
			t.Errorf("GET %s = %v, want its content", tt.key, r)
		}
		if h.Get("Content-Type") != tt.kind || h.Get("Content-Disposition") != tt.disposition || h.Get("Cache-Control") != "private, max-age=60" {
			t.Errorf("GET %s: %q, %q, %q, want %q, %q and a minute in the browser's cache", tt.key,
				h.Get("Content-Type"), h.Get("Content-Disposition"), h.Get("Cache-Control"), tt.kind, tt.disposition)
		}
	}
}

// Two desks with the same credentials give the same URL byte for byte within a
// window, and another one after it.
func TestLinkStays(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	k := newUser(t, s.printed(t))
	one, other := s.newSite(t, k, memory.New()), s.newSite(t, k, memory.New())
	s.put(t, "staff/a.jpg", "image/jpeg", []byte("picture"))
	window := 30 * time.Second
	begin := time.Now().Truncate(window)
	urls := map[string]string{}
	for _, look := range []struct {
		name string
		at   time.Time
		by   *site
	}{
		{"last", begin.Add(-window), one},
		{"last, at its end", begin.Add(-time.Nanosecond), other},
		{"this", begin, other},
		{"this, later", begin.Add(window / 2), one},
		{"this, at its end", begin.Add(window - time.Nanosecond), other},
		{"next", begin.Add(window), one},
	} {
		look.by.at(look.at, func() { urls[look.name] = look.by.link(t, "staff/a.jpg") })
	}
	if urls["last"] != urls["last, at its end"] || urls["this"] != urls["this, later"] || urls["this"] != urls["this, at its end"] {
		t.Errorf("the URL changes within a window: %v", urls)
	}
	if urls["last"] == urls["this"] || urls["this"] == urls["next"] {
		t.Errorf("the URL stays after its window: %v", urls)
	}
	if r := ask(t, one.http, http.MethodGet, urls["this"], nil); r.status != 200 || string(r.body) != "picture" {
		t.Errorf("GET the URL of this window = %v, want the picture", r)
	}
}

// Two gateways are two processes; nothing but the credentials is the same.
func TestLinkStaysAcrossProcesses(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	k := newUser(t, s.printed(t))
	one, other := s.newGateway(t, setup{key: k}), s.newGateway(t, setup{key: k})
	for range 3 { // a window may end in the middle
		first := one.urls(t, one.desk, "staff/a.jpg", "staff/b.jpg")
		second := other.urls(t, other.desk, "staff/a.jpg", "staff/b.jpg")
		again := one.urls(t, one.desk, "staff/a.jpg", "staff/b.jpg")
		if first[0] != again[0] {
			continue
		}
		if first[0] != second[0] || first[1] != second[1] {
			t.Errorf("within a window one process says\n%s\nand another\n%s", first[0], second[0])
		}
		if first[0] == first[1] {
			t.Errorf("two files have the URL %s", first[0])
		}
		return
	}
	t.Error("the URLs of one process changed at every call")
}

// The server refuses whatever the URL was not signed for.
func TestLinkRefused(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	s.put(t, "staff/a.jpg", "image/jpeg", []byte("picture"))
	s.put(t, "staff/b.jpg", "image/jpeg", []byte("other picture"))
	elsewhere := newStore(t)
	elsewhere.put(t, "staff/a.jpg", "image/jpeg", []byte("picture of another bucket"))
	good := s.link(t, "staff/a.jpg")

	for name := range mustParse(t, good).Query() {
		for how, change := range map[string]func(q url.Values){
			"changed":  func(q url.Values) { q.Set(name, other(q.Get(name))) },
			"left out": func(q url.Values) { q.Del(name) },
			"twice":    func(q url.Values) { q.Add(name, other(q.Get(name))) },
		} {
			if how == "twice" && strings.HasPrefix(name, "X-Amz-") {
				continue // this server reads the first only, which changes nothing
			}
			s.refuses(t, http.MethodGet, change, good, name+" "+how)
		}
	}
	for _, more := range []string{"acl=", "versionId=null", "uploads=", "partNumber=1", "response-content-language=de", "X-Amz-Security-Token=x", "anything=else"} {
		s.refuses(t, http.MethodGet, func(q url.Values) {
			name, value, _ := strings.Cut(more, "=")
			q.Set(name, value)
		}, good, "with "+more)
	}
	for _, method := range []string{http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPost} {
		s.refuses(t, method, func(url.Values) {}, good, "with another verb")
	}
	s.refuses(t, http.MethodGet, func(url.Values) {}, strings.Replace(good, "/a.jpg", "/b.jpg", 1), "of another key")
	s.refuses(t, http.MethodGet, func(url.Values) {}, strings.Replace(good, s.bucket, elsewhere.bucket, 1), "of another bucket")
	s.refuses(t, http.MethodGet, func(url.Values) {}, strings.Replace(good, s.bucket+"/staff/a.jpg", s.bucket, 1), "of the whole bucket")
	s.at(time.Now().Add(-61*time.Second), func() {
		s.refuses(t, http.MethodGet, func(url.Values) {}, s.link(t, "staff/a.jpg"), "that is over")
	})

	if r := ask(t, s.http, http.MethodGet, s.link(t, "staff/a.jpg"), nil); r.status != 200 || string(r.body) != "picture" {
		t.Errorf("GET a good URL after that = %v, want the picture", r)
	}
}

// refuses fails the test if a changed URL opens, or changes, anything.
func (s *site) refuses(t *testing.T, method string, change func(url.Values), address, what string) {
	t.Helper()
	u := mustParse(t, address)
	q := u.Query()
	change(q)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	r := ask(t, s.http, method, u.String(), strings.NewReader(""))
	refusals := []int{http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed}
	if !slices.Contains(refusals, r.status) || bytes.Contains(r.body, []byte("picture")) {
		t.Errorf("%s a URL %s = %v, want one of %v", method, what, r, refusals)
	}
}

// other returns a well-formed value that differs.
func other(value string) string {
	if value == "" {
		return "x"
	}
	last := value[len(value)-1]
	switch {
	case strings.HasSuffix(value, "Z"): // a time, whose last second is another
		return value[:len(value)-2] + string('0'+(value[len(value)-2]-'0'+1)%10) + "Z"
	case '0' <= last && last <= '9':
		return value[:len(value)-1] + string('0'+(last-'0'+1)%10)
	}
	return value[:len(value)-1] + string(map[bool]rune{true: 'c', false: 'b'}[last == 'b'])
}

// What is removed opens no more, by any URL that is out.
func TestLinkEndsWithFile(t *testing.T) {
	t.Parallel()
	s := newDesk(t)
	s.put(t, "staff/a.jpg", "image/jpeg", []byte("picture"))
	address := s.link(t, "staff/a.jpg")
	if r := ask(t, s.http, http.MethodGet, address, nil); r.status != 200 {
		t.Fatalf("GET before = %v, want 200", r)
	}
	if err := s.Remove(t.Context(), office, "staff/a.jpg"); err != nil {
		t.Fatalf("Remove: %v", err)
	}
	if r := ask(t, s.http, http.MethodGet, address, nil); r.status != 404 {
		t.Errorf("GET after Remove = %v, want 404", r)
	}
}

// A thousand files take one question; a closed one among them spoils no other.
func TestBatch(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	g := s.newGateway(t, setup{})
	keys := make([]string, objects.MaxKeys)
	for i := range keys {
		keys[i] = fmt.Sprintf("staff/%04d.jpg", i)
	}
	keys[500] = "nowhere/0500.jpg"
	for _, i := range []int{0, 499, 501, 999} {
		s.put(t, keys[i], "image/jpeg", []byte(keys[i]))
	}
	var answer urlsReply
	g.call(t, http.StatusOK, g.desk, "POST /v1/objects/urls", map[string]any{"keys": keys}, &answer)
	if len(answer.URLs) != len(keys) {
		t.Fatalf("%d answers, want %d", len(answer.URLs), len(keys))
	}
	for i, item := range answer.URLs {
		if open := i != 500; item.Key != keys[i] || (item.URL != "") != open || (item.Code == "not_found") == open {
			t.Errorf("answer %d is %+v, want one for %s", i, item, keys[i])
		}
	}
	for _, i := range []int{0, 499, 501, 999} {
		if r := ask(t, g.http, http.MethodGet, answer.URLs[i].URL, nil); string(r.body) != keys[i] {
			t.Errorf("GET the URL of %s = %v, want its content", keys[i], r)
		}
	}
	g.call(t, http.StatusBadRequest, g.desk, "POST /v1/objects/urls", map[string]any{"keys": append(keys, "staff/more.jpg")}, nil)
}
