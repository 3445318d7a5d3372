package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
)

// edgeBase is a sound edge.yaml, for tests to spoil. The tests count on its
// lines.
const edgeBase = `listen: 127.0.0.1:8081
site: https://media.example.org
key_groups:
  - id: visitors
    keys:
      - {id: K2JCJMDEHXQW5F, file: public.pem}
origins:
  - id: media
    kind: folder
    root: media
  - id: api
    kind: http
    url: http://127.0.0.1:8080
behaviors:
  - path: /castle/*
    origin: media
    key_group: visitors
    viewer_protocol: redirect-to-https
    cors:
      origins: [https://app.example.org]
      credentials: true
      max_age: 10m
    headers:
      - {name: X-One, value: "1", override: on}
  - path: "*"
    origin: api
    forward_cookies: on
errors:
  - {code: 403, response: 403, page: /errors/403.html, cache_ttl: 5s}
access_log: access.log
chaos: refuse=5%
parity:
  - {name: skew, value: 1s}
explain: on
development: off
environment: development
tls:
  enabled: on
`

func parseEdge(text string, overrides ...string) (*config.Distribution, error) {
	set := map[string]string{}
	for i := 0; i < len(overrides); i += 2 {
		set[overrides[i]] = overrides[i+1]
	}
	return config.ParseDistribution("conf/edge.yaml", []byte(text), config.DistributionOptions{Overrides: set})
}

func TestParseDistribution(t *testing.T) {
	d, err := parseEdge(edgeBase)
	if err != nil {
		t.Fatal(err)
	}
	first := d.Behaviors[0]
	if d.KeyGroups[0].Keys[0].File != filepath.Join("conf", "public.pem") || d.Origins[0].Root != filepath.Join("conf", "media") || d.AccessLog != filepath.Join("conf", "access.log") {
		t.Errorf("paths %q, %q, %q, want them in the folder of the file", d.KeyGroups[0].Keys[0].File, d.Origins[0].Root, d.AccessLog)
	}
	if first.CORS.MaxAge != 10*time.Minute || !bool(first.CORS.Credentials) || !bool(first.CORS.Override) || first.Headers[0] != (config.ResponseHeader{Name: "X-One", Value: "1", Override: true}) {
		t.Errorf("behaviors[0] = %+v", first)
	}
	if last := d.Behaviors[1]; last.ViewerProtocol != "allow-all" || !bool(last.ForwardCookies) || len(last.CORS.Origins) != 0 || !bool(last.CORS.Override) {
		t.Errorf("behaviors[1] = %+v, want the defaults", last)
	}
	if d.Errors[0] != (config.ErrorResponse{Code: 403, Response: 403, Page: "/errors/403.html", CacheTTL: 5 * time.Second}) || len(d.Warnings) != 0 {
		t.Errorf("errors[0] = %+v, warnings %q", d.Errors[0], d.Warnings)
	}
	for _, absolute := range []string{"-", "/var/log/edge.log"} {
		d, err := parseEdge(edit(t, edgeBase, "access_log: access.log", `access_log: "`+absolute+`"`))
		if err != nil || d.AccessLog != absolute {
			t.Errorf("access_log %s = %+v, %v", absolute, d, err)
		}
	}
	d, err = parseEdge(edgeBase, "listen", "127.0.0.1:0", "access_log", "mine.log", "chaos", "latency=1s")
	if err != nil || d.Listen != "127.0.0.1:0" || d.AccessLog != "mine.log" || d.Chaos != "latency=1s" {
		t.Errorf("with flags: %+v, %v", d, err)
	}
}

func TestParseDistributionBucket(t *testing.T) {
	d, err := parseEdge(edit(t, edgeBase, "    kind: http\n    url: http://127.0.0.1:8080\n",
		"    kind: s3\n    bucket: media\n    region: eu-west-1\n    endpoint: http://127.0.0.1:9000\n    path_style: on\n    prefix: castle\n    anonymous: on\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := config.ContentOrigin{ID: "api", Kind: "s3", Bucket: "media", Region: "eu-west-1", Endpoint: "http://127.0.0.1:9000", PathStyle: true, Prefix: "castle", Anonymous: true}
	if d.Origins[1] != want {
		t.Errorf("origins[1] = %+v, want %+v", d.Origins[1], want)
	}
}

func TestParseDistributionStrict(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit []string
		want string
	}{
		{"unknown key", []string{"listen:", "lisen:"}, `conf/edge.yaml:1: lisen: unknown key, did you mean "listen"?`},
		{"key of config.yaml", []string{"chaos: refuse=5%", "cookies: {lifetime: 1m}"}, `conf/edge.yaml:31: cookies: unknown key, want environment, development, site, listen, tls, default_root_object, key_groups, origins, behaviors, errors, access_log, chaos, parity or explain`},
		{"unknown key below", []string{"      max_age", "      maxage"}, `conf/edge.yaml:22: behaviors[0].cors.maxage: unknown key, did you mean "max_age"?`},
		{"unknown key elsewhere", []string{"      max_age: 10m", "      cache_ttl: 10m"}, `conf/edge.yaml:22: behaviors[0].cors.cache_ttl: unknown key here, did you mean "errors[].cache_ttl"?`},
		{"duration without unit", []string{"cache_ttl: 5s", "cache_ttl: 5"}, `conf/edge.yaml:29: errors[0].cache_ttl: "5" has no unit, want a duration with its unit, like 15m`},
		{"text for a switch", []string{"credentials: true", "credentials: perhaps"}, `conf/edge.yaml:21: behaviors[0].cors.credentials: found "perhaps", want on or off`},
		{"text for a number", []string{"code: 403", "code: forbidden"}, `conf/edge.yaml:29: errors[0].code: found text, want a whole number`},
		{"code out of range", []string{"code: 403", "code: 200"}, `conf/edge.yaml:29: errors[0].code: 200 is out of range, want 400 to 504`},
		{"no list", []string{"origins: [https://app.example.org]", "origins: https://app.example.org"}, `conf/edge.yaml:20: behaviors[0].cors.origins: found text, want a list, like [a, b]`},
		{"wrong kind", []string{"kind: http", "kind: ftp"}, `conf/edge.yaml:12: origins[1].kind: found "ftp", want folder, http or s3`},
		{"s3 without bucket", []string{"    kind: http\n    url: http://127.0.0.1:8080\n", "    kind: s3\n    region: eu-west-1\n"}, `conf/edge.yaml:11: origins[1].bucket: missing, want the name of the bucket`},
		{"s3 with url", []string{"kind: http", "kind: s3\n    bucket: media"}, `conf/edge.yaml:14: origins[1].url: it belongs to kind http, this one is s3`},
		{"folder with bucket", []string{"    root: media", "    root: media\n    bucket: media\n    region: eu-west-1\n    endpoint: http://h\n    path_style: on\n    prefix: a\n    anonymous: on"}, `conf/edge.yaml:11: origins[0].bucket: it belongs to kind s3, this one is a folder
conf/edge.yaml:12: origins[0].region: it belongs to kind s3, this one is a folder
conf/edge.yaml:13: origins[0].endpoint: it belongs to kind s3, this one is a folder
conf/edge.yaml:14: origins[0].path_style: it belongs to kind s3, this one is a folder
conf/edge.yaml:15: origins[0].prefix: it belongs to kind s3, this one is a folder
conf/edge.yaml:16: origins[0].anonymous: it belongs to kind s3, this one is a folder`},
		{"folder with url", []string{"    root: media", "    root: media\n    url: http://h"}, `conf/edge.yaml:11: origins[0].url: it belongs to kind http, this one is a folder`},
		{"http with root", []string{"    url: http://127.0.0.1:8080", "    url: http://127.0.0.1:8080\n    root: x"}, `conf/edge.yaml:14: origins[1].root: it belongs to kind folder, this one is http`},
		{"folder without root", []string{"    root: media\n", ""}, `conf/edge.yaml:8: origins[0].root: missing, want the folder with the files`},
		{"http without url", []string{"    url: http://127.0.0.1:8080\n", ""}, `conf/edge.yaml:11: origins[1].url: missing, want the address of the server`},
		{"same origin twice", []string{"  - id: api", "  - id: media"}, `conf/edge.yaml:11: origins[1].id: "media" is there already
conf/edge.yaml:26: behaviors[1].origin: there is no "api"`},
		{"unknown origin", []string{"    origin: api", "    origin: medias"}, `conf/edge.yaml:26: behaviors[1].origin: there is no "medias", did you mean "media"?`},
		{"unknown key group", []string{"key_group: visitors", "key_group: visitor"}, `conf/edge.yaml:17: behaviors[0].key_group: there is no "visitor", did you mean "visitors"?`},
		{"no keys", []string{"    keys:\n      - {id: K2JCJMDEHXQW5F, file: public.pem}", "    keys: []"}, `conf/edge.yaml:5: key_groups[0].keys: none, so nobody could get in; want at least one`},
		{"same key twice", []string{"file: public.pem}", "file: public.pem}\n      - {id: K2JCJMDEHXQW5F, file: b.pem}"}, `conf/edge.yaml:7: key_groups[0].keys[1].id: "K2JCJMDEHXQW5F" is there already`},
		{"no behaviors", []string{edgeBase[strings.Index(edgeBase, "behaviors:"):strings.Index(edgeBase, "errors:")], ""}, `conf/edge.yaml: behaviors: none is configured, want at least one`},
		{"no path", []string{"  - path: /castle/*\n    origin: media", "  - origin: media"}, `conf/edge.yaml:15: behaviors[0].path: missing (path pattern with * for any text and ? for one character, like /castle/*)`},
		{"cors without origins", []string{"      origins: [https://app.example.org]\n", ""}, `conf/edge.yaml:19: behaviors[0].cors.origins: missing, want the origins of the pages, like [https://app.example.org]`},
		{"fraction of a second", []string{"max_age: 10m", "max_age: 1.5s"}, `conf/edge.yaml:22: behaviors[0].cors.max_age: 1.5s has a fraction of a second, want whole seconds`},
		{"nothing speaks https", []string{"site: https://media.example.org", "site: http://127.0.0.1:8081", "  enabled: on", "  enabled: off"}, `conf/edge.yaml:18: behaviors[0].viewer_protocol: redirect-to-https, but nothing here speaks https; want tls.enabled: on, or a site that begins with https://`},
		{"certificate without key", []string{"  enabled: on", "  enabled: on\n  cert: a.pem"}, `conf/edge.yaml:37: tls.key: missing, want the private key of tls.cert`},
		{"key without certificate", []string{"  enabled: on", "  enabled: on\n  key: a.pem"}, `conf/edge.yaml:37: tls.cert: missing, want the certificate of tls.key`},
		{"certificate without tls", []string{"  enabled: on", "  enabled: off\n  cert: a.pem\n  key: b.pem"}, `conf/edge.yaml:38: tls.enabled: off, though there is a certificate; want on, or no tls.cert`},
		{"bad listener", []string{"listen: 127.0.0.1:8081", "listen: 8081"}, `conf/edge.yaml:1: listen: found a whole number, want text (hint: put it in quotes)`},
		{"explain for everybody", []string{"listen: 127.0.0.1:8081", "listen: :8081"}, `conf/edge.yaml:34: explain: on, and ":8081" can be reached from other machines, whose viewers would be told what CloudFront keeps to itself; want off, or development: on`},
		{"production", []string{"environment: development", "environment: production", "development: off", "development: on"}, `conf/edge.yaml:31: chaos: it refuses viewers who may enter, want none in production
conf/edge.yaml:34: explain: on tells viewers what CloudFront keeps to itself, want off in production
conf/edge.yaml:35: development: on, want off in production
conf/edge.yaml:37: tls.cert: missing, want a certificate of your own in production`},
		{"everything at once", []string{"listen: 127.0.0.1:8081", "listen: nowhere", "kind: http", "kind: ftp", "code: 403", "code: 40"}, `conf/edge.yaml:1: listen: "nowhere" is not host:port, want one like 127.0.0.1:8080, or :8080 for every interface
conf/edge.yaml:12: origins[1].kind: found "ftp", want folder, http or s3
conf/edge.yaml:29: errors[0].code: 40 is out of range, want 400 to 504`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseEdge(edit(t, edgeBase, tt.edit...))
			wantProblems(t, err, tt.want)
		})
	}
	_, err := parseEdge("a: [\n")
	wantProblems(t, err, `conf/edge.yaml:1: not YAML around here: did not find expected node content`)
	_, err = parseEdge("- a\n")
	wantProblems(t, err, `conf/edge.yaml:1: found a list, want keys like "tls:" at the left margin`)
	_, err = parseEdge(edgeBase, "listen", "8081", "lisen", "x")
	wantProblems(t, err, `command line: lisen: unknown key, did you mean "listen"?
command line: listen: "8081" is not host:port, want one like 127.0.0.1:8080, or :8080 for every interface`)
	_, err = config.LoadDistribution("missing.yaml", config.DistributionOptions{})
	wantProblems(t, err, "missing.yaml: no such file or directory")
}

// Reasons are for this machine, unless somebody says otherwise.
func TestDistributionExplain(t *testing.T) {
	quiet := edit(t, edgeBase, "explain: on\n", "", "chaos: refuse=5%\n", "")
	for _, tt := range []struct {
		edit []string
		want bool
	}{
		{nil, true},
		{[]string{"listen: 127.0.0.1:8081", "listen: localhost:8081"}, true},
		{[]string{"listen: 127.0.0.1:8081", `listen: "[::1]:8081"`}, true},
		{[]string{"listen: 127.0.0.1:8081", "listen: :8081"}, false},
		{[]string{"listen: 127.0.0.1:8081", "listen: 0.0.0.0:8081"}, false},
		{[]string{"listen: 127.0.0.1:8081", "listen: 192.0.2.1:8081"}, false},
		{[]string{"listen: 127.0.0.1:8081", "listen: media.example.org:8081"}, false},
		{[]string{"listen: 127.0.0.1:8081", "listen: :8081", "development: off", "development: on"}, true},
		{[]string{"environment: development", "environment: production", "  enabled: on", "  enabled: off"}, false},
	} {
		d, err := parseEdge(edit(t, quiet, tt.edit...))
		if err != nil || bool(d.Explain) != tt.want {
			t.Errorf("%q: explain %v, %v, want %v", tt.edit, d, err, tt.want)
		}
	}
	if _, err := parseEdge(edgeBase, "listen", ":0"); err == nil || !strings.Contains(err.Error(), "explain: on, and \":0\"") {
		t.Errorf("a flag that opens the listener = %v, want an error", err)
	}
}

// S18, and a variable that says production.
func TestDistributionWarnsAndEnvironment(t *testing.T) {
	d, err := parseEdge(edit(t, edgeBase, "response: 403", "response: 200"))
	if err != nil || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "conf/edge.yaml:29: errors[0].response: a refusal becomes 200") {
		t.Errorf("warnings %q, %v, want one of S18", d.Warnings, err)
	}
	t.Setenv("HANDSTAMP_ENVIRONMENT", "production")
	if _, err := parseEdge(edgeBase); err == nil || !strings.Contains(err.Error(), "chaos: it refuses viewers") {
		t.Errorf("chaos with HANDSTAMP_ENVIRONMENT=production = %v, want an error", err)
	}
	t.Setenv("HANDSTAMP_LISTEN", "127.0.0.1:1") // not a variable of the edge
	if d, err := parseEdge(edit(t, edgeBase, "chaos: refuse=5%\n", "", "explain: on\n", "", "  enabled: on", "  enabled: off")); err != nil || d.Listen != "127.0.0.1:8081" {
		t.Errorf("listen is %v, %v", d, err)
	}
}

// The caller's own check sees everything and does not repeat what was said.
func TestDistributionCheck(t *testing.T) {
	check := func(d *config.Distribution, fail func(key, text string)) {
		for i := range d.Behaviors {
			fail(fmt.Sprintf("behaviors[%d].path", i), "no good")
			fail(fmt.Sprintf("behaviors[%d].path", i), "said again")
			fail("listen", "also no good")
		}
	}
	_, err := config.ParseDistribution("edge.yaml", []byte(edit(t, edgeBase, "listen: 127.0.0.1:8081", "listen: nowhere")), config.DistributionOptions{Check: check})
	wantProblems(t, err, `edge.yaml:1: listen: "nowhere" is not host:port, want one like 127.0.0.1:8080, or :8080 for every interface
edge.yaml:15: behaviors[0].path: no good
edge.yaml:25: behaviors[1].path: no good`)

	d := config.DefaultDistribution()
	d.Listen = ":8081"
	err = d.Validate(func(key string) string { return "--" + key }, config.DistributionOptions{Check: check})
	wantProblems(t, err, "--origins: none is configured, want at least one\n--behaviors: none is configured, want at least one")
	if d.Explain {
		t.Error("explain is on for everybody")
	}
}

// The example loads, and says every key that there is.
func TestDistributionExample(t *testing.T) {
	text, err := os.ReadFile("../../examples/edge.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := config.LoadDistribution("../../examples/edge.yaml", config.DistributionOptions{})
	if err != nil || len(d.Warnings) != 0 {
		t.Fatalf("LoadDistribution = %v, warnings %q", err, d.Warnings)
	}
	for _, k := range config.DistributionKeys() {
		name := k.Path[strings.LastIndex(k.Path, ".")+1:]
		if !strings.Contains(string(text), name+":") {
			t.Errorf("examples/edge.yaml does not have %s", k.Path)
		}
		if k.Doc == "" && k.Type != "section" {
			t.Errorf("%s has no documentation", k.Path)
		}
		if (k.Env != "") != (k.Path == "environment") {
			t.Errorf("%s is set by %q", k.Path, k.Env)
		}
	}
}
