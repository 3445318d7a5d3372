package app_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// showAll has all browsers show a ticket at once. Those who are told to wait come
// back when they may, again all at once. It returns the last answers in the order
// of browsers. header is what number n sends beside.
func (v *venue) showAll(browsers []*browser, ticket string, header func(n int) []string) []*answer {
	v.t.Helper()
	answers := make([]*answer, len(browsers))
	waiting := func(a *answer) bool { return a == nil || a.status == http.StatusTooManyRequests }
	for round := 1; slices.ContainsFunc(answers, waiting); round++ {
		if round > len(browsers) {
			v.t.Fatalf("after %d rounds there are some who were told to wait each time", round)
		}
		var crowd sync.WaitGroup
		for n, b := range browsers {
			if waiting(answers[n]) {
				crowd.Go(func() { answers[n] = b.verify(ticket, header(n)...) })
			}
		}
		crowd.Wait()
		v.pass(longestWait(answers))
	}
	return answers
}

func longestWait(answers []*answer) (longest time.Duration) {
	for _, a := range answers {
		if a != nil && a.status == http.StatusTooManyRequests {
			seconds, _ := strconv.Atoi(a.header.Get("Retry-After"))
			longest = max(longest, time.Duration(seconds)*time.Second)
		}
	}
	return longest
}

func noHeader(int) []string { return nil }

// let returns which of the crowd were let in, and fails the test for everybody
// else who did not hear that all seats are taken.
func let(t *testing.T, answers []*answer) (in []int) {
	t.Helper()
	for n, a := range answers {
		switch {
		case a.status == http.StatusOK:
			in = append(in, n)
		case a.status != http.StatusForbidden || a.Reason != "seats_taken":
			t.Errorf("device %d: verify = %v, want 200, or 403 seats_taken", n, a)
		}
	}
	return in
}

// crowd returns n devices, each with an address of its own.
func (v *venue) crowd(n int) (browsers []*browser) {
	for i := range n {
		b := v.enter(nil)
		b.addr = fmt.Sprintf("198.51.100.%d:40000", i+1)
		browsers = append(browsers, b)
	}
	return browsers
}

// TestCrowd: sixty-four devices show one ticket with three seats at once. Three
// get in, and when all come again, the same three.
func TestCrowd(t *testing.T) {
	tests := []struct {
		name   string
		change func(*config.Config)
		addr   string // of everybody; empty means that each has one
	}{
		{name: "from everywhere"},
		{name: "behind one address", addr: "198.51.100.1:40000"},
		{name: "without a throttle", change: func(c *config.Config) { c.Throttle.Enabled = false }}, // all reach the book at once
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newVenue(t, "sqlite", tt.change)
			browsers := v.crowd(64)
			for _, b := range browsers {
				b.addr = cmp.Or(tt.addr, b.addr)
			}
			first := let(t, v.showAll(browsers, code, noHeader))
			if len(first) != 3 {
				t.Fatalf("devices %v were let in, want 3", first)
			}
			for range 2 {
				if again := let(t, v.showAll(browsers, code, noHeader)); !slices.Equal(again, first) {
					t.Errorf("devices %v were let in when all came again, want %v", again, first)
				}
				v.restart()
			}
			for _, n := range first {
				if err := newTrack(t, "/castle/audio/hall.m4a").play(browsers[n]); err != nil {
					t.Errorf("device %d, which was let in: %v", n, err)
				}
			}
		})
	}
}

// TestCrowdLosesAnswers: three devices whose answers were lost ask again with
// the same Idempotency-Key, in the middle of the crowd. They have the seats.
func TestCrowdLosesAnswers(t *testing.T) {
	v := newVenue(t, "sqlite", nil)
	browsers := v.crowd(64)
	key := func(n int) []string { return []string{"Idempotency-Key", fmt.Sprint("request of device ", n)} }
	for n, b := range browsers[:3] {
		b.lose.Store(1)
		if a := b.verify(code, key(n)...); a != nil {
			t.Fatalf("an answer that is lost = %v", a)
		}
	}
	for range 3 {
		if in := let(t, v.showAll(browsers, code, key)); !slices.Equal(in, []int{0, 1, 2}) {
			t.Errorf("devices %v were let in, want 0, 1 and 2, whose answers were lost", in)
		}
		v.restart()
	}
	a := browsers[0].ask("GET", "/v1/admission", "")
	if a.status != http.StatusOK || a.Admission.Devices != 3 {
		t.Errorf("GET /v1/admission = %v with %d devices, want 200 and 3", a, a.Admission.Devices)
	}
	if a := browsers[1].ask("POST", "/v1/tickets/verify", fmt.Sprintf(`{"ticket":%q,"attraction":"zoo"}`, code), key(1)...); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the key of another request = %v, want 422", a)
	}
}

// TestCrowdWithoutKeys is the price of a lost answer without Idempotency-Key: it
// took a seat that nobody knows the session of, until it falls idle.
func TestCrowdWithoutKeys(t *testing.T) {
	v := newVenue(t, "sqlite", nil)
	b := v.enter(nil)
	b.lose.Store(3)
	for range 3 {
		b.verify(code)
	}
	if a := b.verify(code); a.Reason != "seats_taken" {
		t.Errorf("verify after three lost answers = %v, want 403 seats_taken", a)
	}
	v.pass(46 * time.Minute)
	if a := b.verify(code); a.status != http.StatusOK {
		t.Errorf("verify when they are idle = %v, want 200", a)
	}
}

// TestPass: a pass that is shown at one attraction and then at another opens
// both, in one jar, and each renewal keeps both.
func TestPass(t *testing.T) {
	v := newVenue(t, "sqlite", nil)
	b := v.enter(nil)
	hall, owls := newTrack(t, "/castle/audio/hall.m4a"), newTrack(t, "/zoo/audio/owls.m4a")
	for _, place := range []string{"castle", "zoo"} {
		a := b.ask("POST", "/v1/tickets/verify", fmt.Sprintf(`{"ticket":%q,"attraction":%q}`, code, place))
		if a.status != http.StatusOK || a.Admission.Devices != 1 {
			t.Fatalf("verify at %s = %v with %d devices, want 200 and 1", place, a, a.Admission.Devices)
		}
		if open := owls.play(b) == nil; open != (place == "zoo") {
			t.Errorf("shown at %s: the zoo is open: %v", place, open)
		}
	}
	for range 6 {
		if err := hall.play(b); err != nil {
			t.Errorf("%v: %v", v.now(), err)
		}
		if err := owls.play(b); err != nil {
			t.Errorf("%v: %v", v.now(), err)
		}
		v.pass(10 * time.Minute)
		if a := b.renew(); a.status != http.StatusOK || len(a.Grants) != 3 {
			t.Fatalf("%v: renewal = %v with %d grants, want 200 and 3", v.now(), a, len(a.Grants))
		}
	}
}

// A smallJar is a browser that keeps 50 cookies of a host and no more, the least
// that RFC 6265, section 6.1, promises, and drops those first that it has not
// used for longest (section 5.3). The browsers of today keep 180 and more.
type smallJar struct {
	http.CookieJar
	mu   sync.Mutex
	used []jarred // the one used last at the end
}

// A jarred cookie is its name and path; there is one host.
type jarred struct{ name, path string }

const smallest = 50

func newSmallJar(t testing.TB) *smallJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &smallJar{CookieJar: jar}
}

func (j *smallJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range cookies {
		j.CookieJar.SetCookies(u, []*http.Cookie{c})
		key := jarred{c.Name, c.Path}
		j.used = slices.DeleteFunc(j.used, func(k jarred) bool { return k == key })
		if c.MaxAge < 0 {
			continue
		}
		if j.used = append(j.used, key); len(j.used) > smallest {
			j.CookieJar.SetCookies(u, []*http.Cookie{{Name: j.used[0].name, Path: j.used[0].path, MaxAge: -1}})
			j.used = j.used[1:]
		}
	}
}

func (j *smallJar) Cookies(u *url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, key := range slices.Clone(j.used) {
		if strings.HasPrefix(u.Path, strings.TrimSuffix(key.path, "/")) {
			j.used = slices.DeleteFunc(j.used, func(k jarred) bool { return k == key })
			j.used = append(j.used, key)
		}
	}
	return j.CookieJar.Cookies(u)
}

// TestPassForMany is the limit of a pass for many attractions: every package
// takes a set of cookies, of three with an RSA key and of four with P-256, which
// names its hash. Beside them are two of our own. What is too much for the
// smallest of browsers is what is listed first.
func TestPassForMany(t *testing.T) {
	tests := []struct {
		kind   keyring.Type
		places int
		shut   int // attractions that do not open
	}{
		{keyring.RSA, 16, 0},   // 50 cookies
		{keyring.RSA, 17, 1},   // 53
		{keyring.RSA, 20, 4},   // 62
		{keyring.ECDSA, 12, 0}, // 50
		{keyring.ECDSA, 13, 1}, // 54
		{keyring.ECDSA, 20, 8}, // 82
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.kind, " ", tt.places), func(t *testing.T) {
			v := newVenueOf(t, tt.kind, tt.places)
			b, whole := v.enter(newSmallJar(t)), v.enter(nil)
			for _, device := range []*browser{b, whole} {
				if a := device.verify(manyCode); a.status != http.StatusOK || len(a.Grants) != tt.places {
					t.Fatalf("verify = %v with %d grants, want 200 and %d", a, len(a.Grants), tt.places)
				}
			}
			for range 3 {
				shut := v.shut(b, tt.places)
				if !slices.Equal(shut, placeIDs(tt.shut)) {
					t.Errorf("with room for %d cookies %q of %d attractions are shut, want the first %d", smallest, shut, tt.places, tt.shut)
				}
				if shut := v.shut(whole, tt.places); len(shut) != 0 {
					t.Errorf("with room for all cookies %v are shut", shut)
				}
				v.pass(10 * time.Minute)
				for _, device := range []*browser{b, whole} {
					if a := device.renew(); a.status != http.StatusOK {
						t.Fatalf("renewal = %v, want 200", a)
					}
				}
			}
		})
	}
}

const manyCode = "PASS-FOR-EVERYTHING-0001"

func placeIDs(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("place-%02d", i))
	}
	return ids
}

// newVenueOf is a venue of so many attractions with one package each, and a pass
// for all of them.
func newVenueOf(t testing.TB, kind keyring.Type, places int) *venue {
	t.Helper()
	v := newVenue(t, "memory", nil)
	media, ids := fstest.MapFS{}, placeIDs(places)
	v.cfg.Attractions = nil
	for _, id := range ids {
		media[id+"/audio/track.m4a"] = &fstest.MapFile{Data: []byte(id)}
		v.cfg.Attractions = append(v.cfg.Attractions,
			config.Attraction{ID: id, Timezone: "Europe/Madrid", Sources: []string{"booth"}, Packages: []config.Package{{ID: "audio"}}})
	}
	list, err := roll.Parse("list.csv", []byte("code,attraction,seats\n"+manyCode+","+strings.Join(ids, ";")+",3\n"), roll.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v.booth.Roll, v.opts.Media, v.opts.Ring = list, media, newRing(t, kind)
	v.restart()
	return v
}

// shut are the attractions of newVenueOf that a device cannot listen in.
func (v *venue) shut(b *browser, places int) (shut []string) {
	for _, id := range placeIDs(places) {
		if a := b.ask("GET", "/"+id+"/audio/track.m4a", ""); a.status != http.StatusOK {
			shut = append(shut, id)
		}
	}
	return shut
}
