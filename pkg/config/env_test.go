package config_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/config"
)

// TestPrecedence: a flag goes before the environment, that before the file,
// that before the default.
func TestPrecedence(t *testing.T) {
	const file = minimal + "http: {listen: ':1'}\n"
	tests := []struct {
		name, text, env string
		flags           map[string]string
		want            string
	}{
		{"default", minimal, "", nil, "127.0.0.1:8080"},
		{"file", file, "", nil, ":1"},
		{"environment over file", file, ":2", nil, ":2"},
		{"environment for an absent key", minimal, ":2", nil, ":2"},
		{"flag over file", file, "", map[string]string{"http.listen": ":3"}, ":3"},
		{"flag over environment", file, ":2", map[string]string{"http.listen": ":3"}, ":3"},
		{"flag for an absent key", minimal, "", map[string]string{"http.listen": ":3"}, ":3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.env != "" {
				t.Setenv("HANDSTAMP_HTTP_LISTEN", tt.env)
			}
			cfg, err := config.Parse("config.yaml", []byte(tt.text), config.Options{Overrides: tt.flags})
			if err != nil || cfg.HTTP.Listen != tt.want {
				t.Errorf("Parse() = %+v, %v; want listen %q", cfg, err, tt.want)
			}
		})
	}
}

// other is for each key that a variable can set a good value that is neither
// the default nor what base says.
var other = map[string]string{
	"environment":              "production",
	"http.listen":              ":9000",
	"http.public_url":          "https://tickets.example.org",
	"http.trusted_origins":     "https://a.example.org, https://b.example.org",
	"http.trusted_proxies":     "10.1.0.0/16,fd00::/8",
	"http.drain":               "5s",
	"media.url":                "https://files.example.org",
	"cookies.lifetime":         "10m",
	"cookies.window":           "30s",
	"cookies.sharing":          "off",
	"cookies.domain":           "sub.example.org",
	"cookies.same_site":        "strict",
	"cookies.hash":             "SHA1",
	"admission.longest":        "8h",
	"admission.devices":        "7",
	"admission.verdict":        "20m",
	"admission.outage":         "0s",
	"admission.idle":           "1h",
	"admission.swaps":          "0",
	"throttle.enabled":         "off",
	"throttle.failures":        "20",
	"throttle.window":          "1h",
	"throttle.venue_factor":    "1",
	"throttle.floor":           "1s",
	"throttle.jitter":          "0s",
	"keys.dir":                 "/keys",
	"keys.active":              "KOTHEROTHER",
	"keys.manifest":            "secretsmanager:castle/ring",
	"keys.interval":            "30s",
	"keys.settle":              "30m",
	"keys.group":               "visitors",
	"keys.allow_group_read":    "on",
	"keys.region":              "eu-west-1",
	"book.kind":                "sqlite",
	"book.file":                "/var/lib/handstamp/book.db",
	"book.table":               "visits",
	"book.region":              "eu-west-1",
	"book.endpoint":            "http://127.0.0.1:8000",
	"denylist.key_value_store": "arn:aws:cloudfront::123456789012:key-value-store/0a1b2c3d-0000-1111-2222-0123456789ab",
	"denylist.interval":        "1m",
	"admin.listen":             "unix:/run/admin.sock",
	"admin.hosts":              "localhost",
	"admin.tls_cert":           "/cert.pem",
	"admin.tls_key":            "/key.pem",
	"admin.insecure_public":    "on",
	"objects.bucket":           "private-files",
	"objects.region":           "eu-west-1",
	"objects.endpoint":         "https://files.example.org",
	"objects.path_style":       "on",
	"objects.lifetime":         "10m",
	"objects.window":           "10s",
	"objects.acls":             "on",
	"book.pepper":              "env:HANDSTAMP_TEST_PEPPER",
	"log.level":                "debug",
	"log.format":               "text",
	"metrics.listen":           "127.0.0.1:9091",
	"traces.endpoint":          "http://127.0.0.1:4318",
	"traces.percent":           "100",
	"edge.root":                "/media",
}

// TestEveryKeyIsBound sets each key by its variable and by a flag, which must
// make the same of it, and something else than base.
func TestEveryKeyIsBound(t *testing.T) {
	t.Setenv("HANDSTAMP_TEST_PEPPER", "0123456789abcdef")
	for _, k := range config.Keys() {
		if k.Env == "" {
			continue
		}
		t.Run(k.Path, func(t *testing.T) {
			value, ok := other[k.Path]
			if !ok {
				t.Fatalf("the test has no value for %s", k.Path)
			}
			before, byFlag := outcome(nil), outcome(map[string]string{k.Path: value})
			t.Setenv(k.Env, value)
			byEnv := outcome(nil)
			if byEnv != byFlag {
				t.Errorf("%s=%q makes\n%s\nwant what the flag makes\n%s", k.Env, value, byEnv, byFlag)
			}
			if byEnv == before {
				t.Errorf("%s=%q changes nothing", k.Env, value)
			}
		})
	}
}

// outcome is what base with flags makes: the configuration or its problems.
func outcome(flags map[string]string) string {
	opts := config.Options{Overrides: flags, OtherEnv: []string{"HANDSTAMP_TEST_PEPPER"}}
	cfg, err := config.Parse("config.yaml", []byte(base), opts)
	var refused *config.Error
	if errors.As(err, &refused) {
		var said []string
		for _, p := range refused.Problems {
			said = append(said, p.Key+": "+p.Text)
		}
		return strings.Join(said, "\n")
	}
	return fmt.Sprintf("%+v", *cfg)
}

func TestEnvironmentLists(t *testing.T) {
	t.Setenv("HANDSTAMP_HTTP_TRUSTED_ORIGINS", "https://a.example.org, https://b.example.org")
	got := mustLoad(t, base).HTTP.TrustedOrigins
	if want := []string{"https://a.example.org", "https://b.example.org"}; !reflect.DeepEqual(got, want) {
		t.Errorf("trusted_origins = %q, want %q", got, want)
	}
}

func TestEnvironmentRefused(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"HANDSTAMP_COOKIES_LIFETIME", "", "HANDSTAMP_COOKIES_LIFETIME: cookies.lifetime: the variable is empty; unset it to keep the value of the file"},
		{"HANDSTAMP_BOOK_PEPPER", "", "HANDSTAMP_BOOK_PEPPER: book.pepper: the variable is empty; unset it to keep the value of the file"},
		{"HANDSTAMP_COOKIES_LIFETIME", "15", `HANDSTAMP_COOKIES_LIFETIME: cookies.lifetime: "15" has no unit, want a duration with its unit, like 15m`},
		{"HANDSTAMP_COOKIES_LIFETIME", "2h", "HANDSTAMP_COOKIES_LIFETIME: cookies.lifetime: 2h is out of range, want 30s to 60m"},
		{"HANDSTAMP_ADMISSION_DEVICES", "05", `HANDSTAMP_ADMISSION_DEVICES: admission.devices: found "05", want a whole number in plain digits`},
		{"HANDSTAMP_COOKIES_SHARING", "perhaps", `HANDSTAMP_COOKIES_SHARING: cookies.sharing: found "perhaps", want on or off`},
		{"HANDSTAMP_KEYS_DIR", "a\nb", "HANDSTAMP_KEYS_DIR: keys.dir: the control character U+000A, want one line of plain text"},
		{"HANDSTAMP_KEYS_DIR", "a\xff", "HANDSTAMP_KEYS_DIR: keys.dir: not UTF-8"},
		{"HANDSTAMP_HTTP_TRUSTED_PROXIES", "10.0.0.0/8,,", `HANDSTAMP_HTTP_TRUSTED_PROXIES: http.trusted_proxies: found "10.0.0.0/8,,", want texts separated by commas`},
		{"HANDSTAMP_HTTP_TRUSTED_PROXIES", "10.0.0.0/8,::/0", `HANDSTAMP_HTTP_TRUSTED_PROXIES: http.trusted_proxies[1]: "::/0" is everybody, and everybody can make up an address; want the networks of your proxies`},
		{"HANDSTAMP_COOKIE_LIFETIME", "10m", `HANDSTAMP_COOKIE_LIFETIME: unknown variable, did you mean "HANDSTAMP_COOKIES_LIFETIME"?`},
		{"HANDSTAMP_COLOUR", "blue", "HANDSTAMP_COLOUR: unknown variable"},
		{"HANDSTAMP_ATTRACTIONS_0_ID", "castle", "HANDSTAMP_ATTRACTIONS_0_ID: attractions can only be set in the file"},
		{"HANDSTAMP_ADMIN_KEYS_0_ID", "desk", "HANDSTAMP_ADMIN_KEYS_0_ID: admin.keys can only be set in the file"},
		{"HANDSTAMP_SOURCES", "[]", "HANDSTAMP_SOURCES: sources can only be set in the file"},
		{"HANDSTAMP_HTTP_PORT", "80", "HANDSTAMP_HTTP_PORT: unknown variable"},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Setenv(tt.name, tt.value)
			_, err := load(base)
			wantProblems(t, err, tt.want)
		})
	}
}

// TestEnvironmentIgnored has variables that look like ours and do no harm.
func TestEnvironmentIgnored(t *testing.T) {
	for name, value := range map[string]string{
		"HANDSTAMP_CONFIG":             "config.yaml",              // Options.OtherEnv
		"HANDSTAMP_SERVICE_HOST":       "10.0.0.7",                 // Kubernetes, for a service called handstamp
		"HANDSTAMP_SERVICE_PORT":       "80",                       //
		"HANDSTAMP_SERVICE_PORT_HTTP":  "80",                       //
		"HANDSTAMP_PORT":               "tcp://10.0.0.7:80",        //
		"HANDSTAMP_PORT_80_TCP":        "tcp://10.0.0.7:80",        //
		"HANDSTAMP_PORT_80_TCP_PROTO":  "tcp",                      //
		"HANDSTAMP_PORT_80_TCP_PORT":   "80",                       //
		"HANDSTAMP_PORT_80_TCP_ADDR":   "10.0.0.7",                 //
		"HANDSTAMP_ADMIN_SERVICE_HOST": "10.0.0.8",                 // and one called handstamp-admin
		"HANDSTAMP_THE_PEPPER":         "0123456789abcdef",         // named by a reference
		"HANDSTAMP_BOOK_PEPPER":        "env:HANDSTAMP_THE_PEPPER", //
		"MYHANDSTAMP_COLOUR":           "blue",
		"handstamp_colour":             "blue",
	} {
		t.Setenv(name, value)
	}
	if _, err := config.Parse("config.yaml", []byte(base), config.Options{OtherEnv: []string{"HANDSTAMP_CONFIG"}}); err != nil {
		t.Errorf("Parse() = %v, want nil", err)
	}
}

func TestOverridesRefused(t *testing.T) {
	tests := []struct{ key, value, want string }{
		{"http.listne", ":80", `command line: http.listne: unknown key, did you mean "http.listen"?`},
		{"http", "x", "command line: http: unknown key"},
		{"attractions[0].id", "x", `command line: "attractions[0].id": attractions can only be set in the file`},
		{"admin.keys[0].id", "x", `command line: "admin.keys[0].id": admin.keys can only be set in the file`},
		{"cookies.lifetime", "15", `command line: cookies.lifetime: "15" has no unit, want a duration with its unit, like 15m`},
		{"cookies.lifetime", "2h", "command line: cookies.lifetime: 2h is out of range, want 30s to 60m"},
		{"cookies.lifetime", "", `command line: cookies.lifetime: "" is not a duration, want one with its unit, like 90s, 15m or 24h`},
		{"cookies.domain", "", `command line: cookies.domain: empty makes host-only cookies, and those of "api.example.org" never reach the media host "media.example.org"; want a domain that covers both, such as "example.org"`},
	}
	for _, tt := range tests {
		t.Run(tt.key+"="+tt.value, func(t *testing.T) {
			_, err := config.Parse("config.yaml", []byte(base), config.Options{Overrides: map[string]string{tt.key: tt.value}})
			wantProblems(t, err, tt.want)
		})
	}
}
