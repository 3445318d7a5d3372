package objects_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/book/memory"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/objects"
)

func TestNewRefusesRules(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tests := []struct {
		name  string
		rules []objects.Rule
		want  []string // in the error; none means that the rules are good
	}{
		{"none", nil, nil},
		{"good", rules(), nil},
		{"no star", []objects.Rule{{Area: "a", Keys: "photos/x"}}, []string{`does not end in "/*"`}},
		{"everything", []objects.Rule{{Area: "a", Keys: "*"}}, []string{`does not end in "/*"`}},
		{"leading slash", []objects.Rule{{Area: "a", Keys: "/x/*"}}, []string{`segment ""`}},
		{"dots", []objects.Rule{{Area: "a", Keys: "x/../*"}}, []string{`segment ".."`}},
		{"unknown placeholder", []objects.Rule{{Area: "a", Keys: "x/{user}/*"}}, []string{`segment "{user}"`}},
		{"placeholder in a segment", []objects.Rule{{Area: "a", Keys: "x/a-{ticket}/*"}}, []string{`segment "a-{ticket}"`}},
		{"star inside", []objects.Rule{{Area: "a", Keys: "x/*/y/*"}}, []string{`segment "*"`}},
		{"placeholder twice", []objects.Rule{{Area: "a", Keys: "{ticket}/{ticket}/*"}}, []string{"{ticket} twice"}},
		{"area no slug", []objects.Rule{{Area: "A b", Keys: "x/*"}}, []string{"not a slug"}},
		{"nobody", []objects.Rule{{Area: "a", Keys: "x/*", Read: []string{"*"}}}, []string{`"*" can be nobody`}},
		{"everyone writes", []objects.Rule{{Area: "a", Keys: "x/*", Write: []string{"everyone"}}}, []string{"fill the bucket"}},
		{"types", []objects.Rule{{Area: "a", Keys: "x/*", Types: []string{"*/*"}}}, []string{`types: "*/*"`}},
		{"size", []objects.Rule{{Area: "a", Keys: "x/*", MaxSize: 5<<30 + 1}}, []string{"max size"}},
		{"a name twice", []objects.Rule{{Area: "a", Keys: "x/*"}, {Area: "a", Keys: "y/*"}}, []string{"two of this name"}},
		{"the same keys", []objects.Rule{{Area: "a", Keys: "x/*"}, {Area: "b", Keys: "x/*"}}, []string{"want one rule"}},
		{"one in the other", []objects.Rule{{Area: "a", Keys: "x/*"}, {Area: "b", Keys: "x/y/*"}}, []string{"want one rule"}},
		{"by a placeholder", []objects.Rule{{Area: "a", Keys: "x/{ticket}/*"}, {Area: "b", Keys: "x/all/*"}}, []string{"want one rule"}},
		{"two placeholders", []objects.Rule{{Area: "a", Keys: "{attraction}/x/*"}, {Area: "b", Keys: "{ticket}/x/*"}}, []string{"want one rule"}},
		{"a literal that is no slug", []objects.Rule{{Area: "a", Keys: "{attraction}/*"}, {Area: "b", Keys: "Staff/*"}}, nil},
		{"apart below", []objects.Rule{{Area: "a", Keys: "{attraction}/x/*"}, {Area: "b", Keys: "{attraction}/y/*"}}, nil},
		{"a longer word", []objects.Rule{{Area: "a", Keys: "x/*"}, {Area: "b", Keys: "xy/*"}}, nil},
		{"all at once", []objects.Rule{{Area: "a", Keys: "x"}, {Area: "b", Keys: "y/*", Types: []string{"jpeg"}}}, []string{`rule "a"`, `rule "b"`, `"jpeg"`}},
	}
	for _, tt := range tests {
		_, err := objects.New(s.client, "private", memory.New(), tt.rules, objects.Options{Identify: identify})
		if len(tt.want) == 0 && err != nil {
			t.Errorf("%s: New = %v, want no error", tt.name, err)
		}
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: New = %v, want an error with %q", tt.name, err, want)
			}
		}
	}
	if _, err := objects.New(s.client, "private", memory.New(), rules(), objects.Options{}); err == nil || !strings.Contains(err.Error(), "{ticket}") {
		t.Errorf("New with {ticket} and no Identify = %v, want an error", err)
	}
}

func TestNewRefusesOptions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, tt := range map[string]struct {
		opts objects.Options
		want string
	}{
		"too short":         {objects.Options{Lifetime: time.Second}, "lifetime"},
		"more than 7 days":  {objects.Options{Lifetime: 7*24*time.Hour + time.Second}, "lifetime"},
		"not whole":         {objects.Options{Lifetime: 2500 * time.Millisecond}, "lifetime"},
		"negative":          {objects.Options{Lifetime: -time.Minute}, "lifetime"},
		"window over half":  {objects.Options{Lifetime: time.Minute, Window: 31 * time.Second}, "window"},
		"window not whole":  {objects.Options{Lifetime: time.Minute, Window: 1500 * time.Millisecond}, "window"},
		"negative window":   {objects.Options{Window: -time.Second}, "window"},
		"confirm too early": {objects.Options{Confirm: time.Minute}, "confirm"},
		"sending for weeks": {objects.Options{Sending: 8 * 24 * time.Hour}, "sending"},
	} {
		if _, err := objects.New(s.client, "private", memory.New(), nil, tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New = %v, want an error with %q", name, err, tt.want)
		}
	}
	for _, o := range []objects.Options{{}, {Lifetime: 2 * time.Second}, {Lifetime: 7 * 24 * time.Hour}, {Sending: 2 * time.Hour}} {
		if _, err := objects.New(s.client, "private", memory.New(), nil, o); err != nil {
			t.Errorf("New with %+v = %v, want no error", o, err)
		}
	}
}

// noAdmission returns admissions that open nothing at noon.
func noAdmission(code string) map[string]*gate.Admission {
	change := func(f func(*gate.Admission)) *gate.Admission {
		a := admission(code, "castle")
		f(a)
		return a
	}
	return map[string]*gate.Admission{
		"ended":          change(func(a *gate.Admission) { a.State = gate.StateEnded }),
		"revoked":        change(func(a *gate.Admission) { a.State = gate.StateRevoked }),
		"without state":  change(func(a *gate.Admission) { a.State = "" }),
		"over":           change(func(a *gate.Admission) { a.Ends = noon }),
		"until now":      change(func(a *gate.Admission) { a.Entitlements[0].Until = noon }),
		"from later on":  change(func(a *gate.Admission) { a.Entitlements[0].From = noon.Add(time.Nanosecond) }),
		"for nothing":    change(func(a *gate.Admission) { a.Entitlements = nil }),
		"that is no one": nil,
	}
}

func TestWhoMayRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := admission("a", "castle"), admission("b", "tower")
	s.index(book.File{Key: "receipts/of-a.pdf", Owner: "ticket:" + ticket("a"), Area: "receipts", Type: "application/pdf"})
	s.index(book.File{Key: "receipts/of-device-a.pdf", Owner: "device:" + a.Device, Area: "receipts", Type: "application/pdf"})
	s.index(book.File{Key: "receipts/of-desk.pdf", Owner: "token:desk-1", Area: "receipts", Type: "application/pdf"})
	s.index(book.File{Key: "guestbook/castle/public.jpg", Owner: "ticket:" + ticket("b"), Area: "guestbook", Type: "image/jpeg", Public: true})
	s.index(book.File{Key: "photos/" + ticket("a") + "/public.jpg", Owner: "ticket:" + ticket("a"), Area: "photos", Type: "image/jpeg", Public: true})
	waiting := book.File{Key: "press/waiting.jpg", Owner: "token:desk-1", Area: "press", Type: "image/jpeg", Added: noon, Expires: noon.Add(time.Hour)}
	if err := s.book.AddFile(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}
	nobody := objects.Holder{}
	tests := []struct {
		name string
		h    objects.Holder
		key  string
		want bool
	}{
		{"own photo", viewer(a), "photos/" + ticket("a") + "/x.jpg", true},
		{"own photo, deeper", viewer(a), "photos/" + ticket("a") + "/x/y.jpg", true},
		{"another's photo", viewer(b), "photos/" + ticket("a") + "/x.jpg", false},
		{"one of two tickets", viewer(b, a), "photos/" + ticket("a") + "/x.jpg", true},
		{"nobody's photo", nobody, "photos/" + ticket("a") + "/x.jpg", false},
		{"the folder itself", viewer(a), "photos/" + ticket("a"), false},
		{"part of the name", viewer(a), "photos/" + ticket("a")[:31] + "/x.jpg", false},
		{"a placeholder's name", viewer(a), "photos/{ticket}/x.jpg", false},
		{"staff, any photo", roles("staff"), "photos/" + ticket("a") + "/x.jpg", true},
		{"another role", roles("photo-desk"), "photos/" + ticket("a") + "/x.jpg", false},
		{"staff, what is no ticket", roles("staff"), "photos/a b/x.jpg", false},
		{"a role without a token", objects.Holder{Roles: []string{"staff"}}, "photos/" + ticket("a") + "/x.jpg", false},
		{"a role called visitor", roles("visitor", "owner"), "photos/" + ticket("a") + "/x.jpg", false},
		{"staff list", roles("staff"), "staff/list.csv", true},
		{"staff list, visitor", viewer(a), "staff/list.csv", false},
		{"a receipt", viewer(a), "receipts/of-a.pdf", true},
		{"a receipt of the device", viewer(a), "receipts/of-device-a.pdf", true},
		{"another's receipt", viewer(b), "receipts/of-a.pdf", false},
		{"a receipt that is not in the index", viewer(a), "receipts/unknown.pdf", false},
		{"a token's own", roles("other"), "receipts/of-desk.pdf", true},
		{"another token's", objects.Holder{Token: "desk-2", Roles: []string{"other"}}, "receipts/of-desk.pdf", false},
		{"the castle's book", viewer(a), "guestbook/castle/x.jpg", true},
		{"the castle's book, tower", viewer(b), "guestbook/castle/x.jpg", false},
		{"a public file", nobody, "guestbook/castle/public.jpg", true},
		{"public, where nothing is", nobody, "photos/" + ticket("a") + "/public.jpg", false},
		{"own draft", viewer(a), "drafts/ADMa/DEVa/x.txt", true},
		{"own draft, another device", viewer(a), "drafts/ADMa/DEVb/x.txt", false},
		{"two visits mixed", viewer(a, b), "drafts/ADMa/DEVb/x.txt", false},
		{"press", nobody, "press/x.jpg", true},
		{"press, unconfirmed", nobody, "press/waiting.jpg", false},
		{"no rule", roles("staff"), "other/x.jpg", false},
		{"a longer word", roles("staff"), "staffs/x.jpg", false},
	}
	for _, tt := range tests {
		if got := s.link(tt.h, tt.key); (got.Err == nil) != tt.want || got.Err != nil && !errors.Is(got.Err, objects.ErrNotFound) {
			t.Errorf("%s: Links(%q) = %v, want a URL: %v", tt.name, tt.key, got.Err, tt.want)
		}
	}
	for name, dead := range noAdmission("a") {
		for _, key := range []string{"photos/" + ticket("a") + "/x.jpg", "receipts/of-a.pdf", "guestbook/castle/x.jpg", "drafts/ADMa/DEVa/x.txt"} {
			if got := s.link(viewer(dead), key); !errors.Is(got.Err, objects.ErrNotFound) {
				t.Errorf("Links(%q) with an admission %s = %v, want ErrNotFound", key, name, got.Err)
			}
		}
		if err := s.desk.Remove(t.Context(), viewer(dead), "photos/"+ticket("a")+"/x.jpg"); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("Remove with an admission %s = %v, want ErrNotFound", name, err)
		}
	}
}

func TestDeniedAndAbsentAreTheSame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.index(book.File{Key: "receipts/of-a.pdf", Owner: "ticket:" + ticket("a"), Area: "receipts", Type: "application/pdf"})
	b := viewer(admission("b", "tower"))
	denied, absent := s.link(b, "receipts/of-a.pdf"), s.link(b, "receipts/none.pdf")
	if denied.Err != absent.Err || denied.Err != objects.ErrNotFound {
		t.Errorf("Links: denied %v, absent %v, want the same", denied.Err, absent.Err)
	}
	for _, key := range []string{"receipts/of-a.pdf", "receipts/none.pdf"} {
		if err := s.desk.Remove(t.Context(), b, key); err != objects.ErrNotFound {
			t.Errorf("Remove(%q) = %v, want ErrNotFound", key, err)
		}
		if _, err := s.desk.ConfirmUpload(t.Context(), b, key); err != objects.ErrNotFound {
			t.Errorf("ConfirmUpload(%q) = %v, want ErrNotFound", key, err)
		}
	}
	if len(s.s3.calls) > 0 {
		t.Errorf("the bucket was asked %q, want nothing", s.s3.calls)
	}
}

// Whatever the rules, and whatever a holder has: without an admission, role or
// ownership that fits there is no key.
func TestNobodyGetsWhatIsNotTheirs(t *testing.T) {
	t.Parallel()
	const rounds = 3000
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	s := newSite(t)
	opened := 0
	for range rounds {
		r := objects.Rule{Area: "a", Keys: pick("x/", "") + strings.Join([]string{
			pick("{ticket}", "{admission}", "f"), pick("{device}", "g"), pick("{attraction}", "h")}, "/") + "/*",
			Read: []string{pick("visitor", "owner", "staff")}}
		desk, err := objects.New(s.client, "private", memory.New(), []objects.Rule{r}, objects.Options{Identify: identify, Now: s.clock.now})
		if err != nil {
			t.Fatal(err)
		}
		owner, asker := pick("a", "b"), pick("a", "b")
		place := pick("castle", "tower")
		key := strings.NewReplacer("{ticket}", ticket(owner), "{admission}", "ADM"+owner, "{device}", "DEV"+owner, "{attraction}", place, "*", "z").Replace(r.Keys)
		a, alive := admission(asker, pick("castle", "tower")), true
		if random.IntN(4) == 0 {
			for _, a = range noAdmission(asker) {
				alive = false
				break
			}
		}
		h := viewer(a)
		if random.IntN(3) == 0 {
			h.Token, h.Roles = "desk", []string{pick("staff", "other")}
		}
		links, err := desk.Links(t.Context(), h, []string{key})
		if err != nil {
			t.Fatal(err)
		}
		may := r.Read[0] == "staff" && len(h.Roles) > 0 && h.Roles[0] == "staff"
		if r.Read[0] == "visitor" && alive {
			own := !strings.ContainsAny(strings.ReplaceAll(r.Keys, "{attraction}", ""), "{") || owner == asker
			there := !strings.Contains(r.Keys, "{attraction}") || a.Entitlements[0].Attraction == place
			may = own && there
		}
		if got := links[0].Err == nil; got != may {
			t.Fatalf("seed %d: rule %+v, key %q, holder %+v: a URL %v, want %v", seed, r, key, h, got, may)
		} else if got {
			opened++
		}
	}
	if opened < rounds/20 {
		t.Errorf("%d of %d were opened, want enough to say something", opened, rounds)
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1024)
	for _, key := range []string{"x", "a/b", "a b", "ä/ö", "...", "a/..b", "100%", "%zz", "a%2", long, "~", "a&b=c+d", "日本"} {
		if err := objects.CheckKey(key); err != nil {
			t.Errorf("CheckKey(%.40q) = %v, want nil", key, err)
		}
	}
	for _, key := range []string{"", "/", "/x", "x/", "a//b", "..", "../x", "x/..", "x/../y", ".", "./x", "x/./y", "x?", "x?acl", "x#", "x;y", `x\y`,
		"%2e%2e/x", "x%2Fy", "%00", "x\x00", "x\n", "x\x7f", "\u0085", "\xff", long + "x", "%25"} {
		var request *objects.RequestError
		if err := objects.CheckKey(key); !errors.As(err, &request) || request.Field != "key" {
			t.Errorf("CheckKey(%.40q) = %v, want a *RequestError of the key", key, err)
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, key := range []string{"press/a.jpg", "photos/x/y", "press/../staff/x", "press//x", "press/%2e%2e/x", "press/ä b+c", "press/?acl", "/press/x", "press/\u202e"} {
		f.Add(key)
	}
	s := newSite(f)
	f.Fuzz(func(t *testing.T, key string) {
		s := *s
		s.t = t
		links, err := s.desk.Links(t.Context(), objects.Holder{}, []string{key})
		if err != nil {
			t.Fatal(err)
		}
		if links[0].Err != nil {
			return
		}
		if !strings.HasPrefix(key, "press/") || strings.Contains(key, "/../") || strings.Contains(key, "?") {
			t.Fatalf("Links(%q) gave a URL, want none outside of press/", key)
		}
		s.store(key, "text/plain", key)
		if code, _, body := s.fetch("GET", links[0].URL, nil, nil); code != 200 || body != key {
			t.Errorf("GET of the link of %q: %d %q, want 200 and the same key", key, code, body)
		}
	})
}
