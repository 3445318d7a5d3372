package probe_test

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/edge"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/probe"
)

// A distribution is one as it should be, for tests to break.
type distribution struct {
	t       *testing.T
	srv     *httptest.Server
	target  probe.Target
	serving http.Handler
	group   cloudfront.KeyGroup
	old     *cloudfront.PublicKey
	media   http.Handler
	config  edge.Config
}

func newKey(t *testing.T, id string) (crypto.Signer, *cloudfront.PublicKey) {
	t.Helper()
	key, err := keyring.Generate(keyring.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	public, err := cloudfront.NewPublicKey(id, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key, public
}

func newSigner(t *testing.T, id string, key crypto.Signer) *cloudfront.Signer {
	t.Helper()
	s, err := cloudfront.NewSigner(id, key, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newDistribution(t *testing.T) *distribution {
	d := &distribution{t: t}
	d.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.serving.ServeHTTP(w, r) }))
	t.Cleanup(d.srv.Close)
	site, err := cloudfront.ParseSite(d.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	active, public := newKey(t, "KACTIVE00001")
	retired, old := newKey(t, "KRETIRED0001")
	d.group, d.old = cloudfront.NewKeyGroup(public), old
	file := &fstest.MapFile{Data: []byte("sound"), ModTime: time.Unix(1_800_000_000, 0)}
	d.media = edge.FS(fstest.MapFS{"castle/audio/01.m4a": file, "zoo/audio/01.m4a": file, "castle/free/a.m4a": file})
	api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusUnauthorized)
	})
	d.config = edge.Config{Site: d.srv.URL, Behaviors: []edge.Behavior{
		{PathPattern: "/v1/*", Origin: api, ForwardCookies: true},
		{PathPattern: "/castle/free/*", Origin: d.media},
		{PathPattern: "/castle/*", Origin: d.media, TrustedKeyGroup: &d.group},
		{PathPattern: "/zoo/*", Origin: d.media, TrustedKeyGroup: &d.group},
		{PathPattern: "*", Origin: http.NotFoundHandler()},
	}}
	d.target = probe.Target{
		Site: site, Signer: newSigner(t, "KACTIVE00001", active), Untrusted: []*cloudfront.Signer{newSigner(t, "KRETIRED0001", retired)},
		Place:  probe.Place{ID: "castle", Path: "castle/audio", Paid: "/castle/audio/01.m4a", Free: "/castle/free/a.m4a"},
		Others: []probe.Place{{ID: "zoo", Path: "zoo/audio", Paid: "/zoo/audio/01.m4a"}},
		API:    d.srv.URL,
	}
	return d
}

// run probes the distribution as it is configured now.
func (d *distribution) run() *probe.Report {
	d.t.Helper()
	if d.serving == nil {
		e, err := edge.New(d.config)
		if err != nil {
			d.t.Fatal(err)
		}
		d.serving = e
	}
	return probe.Run(d.t.Context(), d.target, probe.Options{Timeout: 5 * time.Second})
}

func failures(r *probe.Report) []string {
	var ids []string
	for _, c := range r.Checks {
		if c.Result == probe.Failed {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func TestSoundDistributionPasses(t *testing.T) {
	r := newDistribution(t).run()
	if !r.OK() || r.Count(probe.Passed) != 12 || r.Count(probe.Skipped) != 2 {
		t.Errorf("Run = %d passed, %d skipped, failed %v, want 12, 2 (https and bucket) and none:\n%+v",
			r.Count(probe.Passed), r.Count(probe.Skipped), failures(r), r.Checks)
	}
}

// Each mistake that operators make is found, and by its name.
func TestMistakes(t *testing.T) {
	xml := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	noAccess := xml(403, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>A</RequestId><HostId>B</HostId></Error>`)
	tests := []struct {
		name   string
		break_ func(*distribution)
		want   []string // ids of the checks that fail
		cause  string   // of the first of them
	}{
		{"no key group", func(d *distribution) { d.config.Behaviors[2].TrustedKeyGroup = nil },
			[]string{"shut", "expired", "tampered", "stranger", "retired"}, "S7"},
		{"an earlier behavior is open", func(d *distribution) {
			d.config.Behaviors = slices.Insert(d.config.Behaviors, 1, edge.Behavior{PathPattern: "*.m4a", Origin: d.media})
		}, []string{"shut", "elsewhere", "expired", "tampered", "stranger", "retired"}, "S7"},
		{"the other attraction has no key group", func(d *distribution) { d.config.Behaviors[3].TrustedKeyGroup = nil }, []string{"elsewhere"}, "S7"},
		{"the key is not in the group", func(d *distribution) { d.group = cloudfront.NewKeyGroup(d.old) }, []string{"opens", "retired", "hash"}, "T11"},
		{"another public key under the id", func(d *distribution) {
			_, other := newKey(d.t, "KACTIVE00001")
			d.group = cloudfront.NewKeyGroup(other)
		}, []string{"opens", "hash"}, "T13"},
		{"the retired key is still trusted", func(d *distribution) {
			d.group = cloudfront.NewKeyGroup(append(d.group.Keys(), d.old)...)
		}, []string{"retired"}, "the key is still"},
		{"the bucket lets nobody in", func(d *distribution) { d.config.Behaviors[2].Origin = noAccess }, []string{"opens", "hash"}, "T43"},
		{"the bucket lets nobody in and CloudFront everybody", func(d *distribution) {
			d.config.Behaviors[2].Origin, d.config.Behaviors[2].TrustedKeyGroup = noAccess, nil
		}, []string{"shut", "opens", "expired", "tampered", "stranger", "retired", "hash"}, "T43"},
		{"free content behind the paid pattern", func(d *distribution) {
			b := d.config.Behaviors
			b[1], b[2] = b[2], b[1]
		}, []string{"free"}, "its path pattern"},
		{"the bucket is public", func(d *distribution) {
			public := httptest.NewServer(d.media)
			d.t.Cleanup(public.Close)
			d.target.Bucket = public.URL
		}, []string{"bucket"}, "S13"},
		{"a cache in front of the API", func(d *distribution) {
			d.config.Behaviors[0].Origin = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Age", "12")
				w.WriteHeader(http.StatusUnauthorized)
			})
		}, []string{"api"}, "S9"},
		{"the API goes elsewhere", func(d *distribution) { d.config.Behaviors[0].Origin = http.NotFoundHandler() }, []string{"api"}, "/v1/admission answers 404"},
		{"no Range", func(d *distribution) {
			d.config.Behaviors[2].Origin = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "sound") })
		}, []string{"ranges"}, "the origin ignores Range"},
		{"our clock is behind", func(d *distribution) {
			later := func() time.Time { return time.Now().Add(time.Hour) }
			d.config.Now = later
			e, err := edge.New(d.config)
			if err != nil {
				d.t.Fatal(err)
			}
			d.serving = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", later().UTC().Format(http.TimeFormat))
				e.ServeHTTP(w, r)
			})
		}, []string{"opens", "hash", "clock"}, "CloudFront's clock is 1h0m"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDistribution(t)
			tt.break_(d)
			r := d.run()
			got := failures(r)
			if !slices.Equal(got, tt.want) {
				t.Fatalf("failed checks = %v, want %v:\n%+v", got, tt.want, r.Checks)
			}
			i := slices.IndexFunc(r.Checks, func(c probe.Check) bool { return c.Result == probe.Failed })
			if c := r.Checks[i]; !strings.HasPrefix(c.Cause, tt.cause) || c.Fix == "" {
				t.Errorf("cause = %q, fix %q, want a cause that begins %q, and a fix", c.Cause, c.Fix, tt.cause)
			}
		})
	}
}

// Nothing answers: that is one thing to say, and not a leak.
func TestNothingAnswers(t *testing.T) {
	d := newDistribution(t)
	d.srv.Close()
	r := d.run()
	if r.OK() {
		t.Fatal("Run of a distribution that is not there is fine, want failures")
	}
	if c := r.Checks[0]; c.Result != probe.Failed || c.Cause != "nothing answers" {
		t.Errorf("first check = %+v, want that nothing answers", c)
	}
}

// A report is printed and logged; nothing in it opens anything.
func TestReportHoldsNoCookie(t *testing.T) {
	d := newDistribution(t)
	d.serving = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // says back what it gets
		w.Header().Set("X-Cache", r.Header.Get("Cookie"))
		w.WriteHeader(http.StatusTeapot)
	})
	text := fmt.Sprintf("%+v", d.run().Checks)
	for _, secret := range []string{"CloudFront-Signature=", "CloudFront-Policy="} {
		if strings.Contains(text, secret) {
			t.Errorf("the report has %s in it", secret)
		}
	}
}

// Trusts tells of one key whether it could sign.
func TestTrusts(t *testing.T) {
	d := newDistribution(t)
	next, public := newKey(t, "KNEXT0000001")
	d.target.Unready = []*cloudfront.Signer{newSigner(t, "KNEXT0000001", next)}
	d.run() // serves
	for _, tt := range []struct {
		id   string
		want bool
	}{{"KACTIVE00001", true}, {"KNEXT0000001", false}} {
		if got, err := probe.Trusts(t.Context(), d.target, tt.id, probe.Options{}); err != nil || got != tt.want {
			t.Errorf("Trusts(%s) = %t, %v, want %t", tt.id, got, err, tt.want)
		}
	}
	d.group = cloudfront.NewKeyGroup(append(d.group.Keys(), public)...)
	d.serving = nil
	if r := d.run(); !r.OK() {
		t.Errorf("Run = %+v, want nothing failed", failures(r))
	}
	if got, err := probe.Trusts(t.Context(), d.target, "KNEXT0000001", probe.Options{}); err != nil || !got {
		t.Errorf("Trusts of a key in the group = %t, %v, want true", got, err)
	}
	if _, err := probe.Trusts(t.Context(), d.target, "KNOBODY00001", probe.Options{}); !errors.Is(err, probe.ErrNoSigner) {
		t.Errorf("Trusts of an unknown key = %v, want ErrNoSigner", err)
	}
}
