package config_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

// TestFull reads every key of full that base does not have; opening hours are
// read in TestCalendar.
func TestFull(t *testing.T) {
	setDeskKey(t)
	got := mustLoad(t, full)
	want := []any{
		config.Admission{Longest: 24 * time.Hour, Devices: 5, Verdict: 5 * time.Minute, Idle: time.Hour},
		config.Throttle{Enabled: true, Failures: 5, Window: 15 * time.Minute, VenueFactor: 10, Floor: 300 * time.Millisecond},
		config.Book{
			Kind: "dynamodb", File: "handstamp.db", Table: "visits", Region: "eu-west-1", Endpoint: "http://dynamodb:8000",
			Pepper: mustSecret(t, "env:THE_PEPPER"),
		},
		config.Denylist{
			KeyValueStore: "arn:aws:cloudfront::123456789012:key-value-store/0a1b2c3d-0000-1111-2222-0123456789ab", Interval: 10 * time.Second,
		},
		config.Admin{
			Listen: "127.0.0.1:9090", Hosts: []string{"localhost"}, TLSCert: "cert.pem", TLSKey: "key.pem", InsecurePublic: true,
			Keys: []config.AdminKey{{
				ID: "desk", Key: mustSecret(t, "env:DESK_KEY"), Scopes: []string{"tickets:issue", "tickets:read"}, Attractions: []string{"castle"},
			}},
		},
		[]config.Source{{ID: "desk", Kind: "issued", Terms: config.Terms{
			Days: 3, Hours: 72 * time.Hour, OneDay: true, EarlyAccess: 24 * time.Hour,
		}, Timeout: 3 * time.Second}},
		[]config.Package{{ID: "audio", Name: "audio", Seats: 4}},
		[]string{"203.0.113.7/32"},
		[]string(nil),
	}
	a := got.Attractions[0]
	for i, part := range []any{got.Admission, got.Throttle, got.Book, got.Denylist, got.Admin, got.Sources, a.Packages, a.VenueNetworks, got.Warnings} {
		if !reflect.DeepEqual(part, want[i]) {
			t.Errorf("Parse() reads %+v, want %+v", part, want[i])
		}
	}
}

// TestCheckFull breaks one rule at a time.
func TestCheckFull(t *testing.T) {
	setDeskKey(t)
	const uuid = "key-value-store/0a1b2c3d-0000-1111-2222-0123456789ab"
	tests := []struct {
		name string
		edit []string // old, new
		want string
	}{
		{"verdict none", []string{"verdict: 5m", "verdict: 0s"}, `config.yaml:3: admission.verdict: 0s is out of range, want 1s to 24h`},
		{"outage for days", []string{"outage: 0s", "outage: 25h"}, `config.yaml:4: admission.outage: 25h is out of range, want 0s to 24h`},
		{"outage negative", []string{"outage: 0s", "outage: -1s"}, `config.yaml:4: admission.outage: -1s is out of range, want 0s to 24h`},
		{"idle none", []string{"idle: 1h", "idle: 0s"}, `config.yaml:5: admission.idle: 0s is out of range, want 1m to 24h`},
		{"swaps negative", []string{"swaps: 0", "swaps: -1"}, `config.yaml:6: admission.swaps: -1 is out of range, want 0 to 1000`},
		{"failures none", []string{"failures: 5", "failures: 0"}, `config.yaml:9: throttle.failures: 0 is out of range, want 1 to 10000`},
		{"window of seconds", []string{"window: 15m", "window: 59s"}, `config.yaml:10: throttle.window: 59s is out of range, want 1m to 24h`},
		{"venue factor none", []string{"venue_factor: 10", "venue_factor: 0"}, `config.yaml:11: throttle.venue_factor: 0 is out of range, want 1 to 1000`},
		{"floor for ever", []string{"floor: 300ms", "floor: 11s"}, `config.yaml:12: throttle.floor: 11s is out of range, want 0s to 10s`},
		{"jitter for ever", []string{"jitter: 0s", "jitter: 11s"}, `config.yaml:13: throttle.jitter: 11s is out of range, want 0s to 10s`},
		{"table with a space", []string{"table: visits", "table: my visits"}, `config.yaml:16: book.table: "my visits" is not a table, want its name (3 to 255 letters, digits, hyphens, dots and underscores) or its ARN`},
		{"table empty", []string{"table: visits", `table: ""`}, `config.yaml:16: book.table: "" is not a table, want its name (3 to 255 letters, digits, hyphens, dots and underscores) or its ARN`},
		{"table of another service", []string{"table: visits", "table: arn:aws:s3:eu-west-1:123456789012:table/visits"}, `config.yaml:16: book.table: "arn:aws:s3:eu-west-1:123456789012:table/visits" is not a table, want its name (3 to 255 letters, digits, hyphens, dots and underscores) or its ARN`},
		{"region", []string{"region: eu-west-1", "region: Ireland"}, `config.yaml:17: book.region: "Ireland" is not an AWS region, want one like eu-west-1`},
		{"zone for a region", []string{"region: eu-west-1", "region: eu-west-1a"}, `config.yaml:17: book.region: "eu-west-1a" is not an AWS region, want one like eu-west-1`},
		{"endpoint without scheme", []string{"http://dynamodb:8000", "dynamodb:8000"}, `config.yaml:18: book.endpoint: "dynamodb:8000" is not scheme://host:port, want one like http://127.0.0.1:8000`},
		{"endpoint with a path", []string{"http://dynamodb:8000", "http://dynamodb:8000/x"}, `config.yaml:18: book.endpoint: "http://dynamodb:8000/x" has a path, want only scheme and host`},
		{"endpoint with a password", []string{"http://dynamodb:8000", "http://me:hunter2@dynamodb:8000"}, `config.yaml:18: book.endpoint: the URL has a user name or password, want only scheme and host`},
		{"no pepper", []string{"pepper: env:THE_PEPPER", `pepper: ""`}, `config.yaml:19: book.pepper: missing, want file:PATH or env:NAME: with another pepper at each start nobody in a book that lasts would be known again`},
		{"store of another service", []string{"cloudfront::123456789012:" + uuid, "s3:::bucket"}, `config.yaml:21: denylist.key_value_store: "arn:aws:s3:::bucket" is not the ARN of a CloudFront KeyValueStore, want one like arn:aws:cloudfront::123456789012:key-value-store/ and its id`},
		{"store by its name", []string{"arn:aws:cloudfront::123456789012:" + uuid, "revoked"}, `config.yaml:21: denylist.key_value_store: "revoked" is not the ARN of a CloudFront KeyValueStore, want one like arn:aws:cloudfront::123456789012:key-value-store/ and its id`},
		{"interval of nothing", []string{"interval: 10s", "interval: 0s"}, `config.yaml:22: denylist.interval: 0s is out of range, want 1s to 5m`},
		{"source kind", []string{"kind: issued", "kind: isued"}, `config.yaml:36: sources[0].kind: found "isued", want roll, issued, web, pretix, octo, jwt or totp`},
		{"issued in a list", []string{"kind: issued", "kind: issued\n    file: tickets.csv"}, `config.yaml:37: sources[0].file: it belongs to kind roll; a source of kind issued has none`},
		{"issued in memory", []string{"kind: dynamodb", "kind: memory"}, `config.yaml:36: sources[0].kind: issued tickets need a book that lasts, want book.kind: sqlite or dynamodb`},
		{"days negative", []string{"days: 3", "days: -3"}, `config.yaml:38: sources[0].terms.days: -3 is out of range, want 0 to 3660`},
		{"hours without unit", []string{"hours: 72h", "hours: 72"}, `config.yaml:39: sources[0].terms.hours: "72" has no unit, want a duration with its unit, like 15m`},
		{"hours negative", []string{"hours: 72h", "hours: -72h"}, `config.yaml:39: sources[0].terms.hours: -72h is out of range, want 0s to 87600h`},
		{"one day", []string{"one_day: on", "one_day: yes please"}, `config.yaml:40: sources[0].terms.one_day: found "yes please", want on or off`},
		{"slots of issued tickets", []string{"slot_only: off", "slot_only: on"}, `config.yaml:41: sources[0].terms.slot_only: on, but issued tickets have no slot, so nobody could get in; want off`},
		{"slots of a list", []string{"slot_only: off", "slot_only: on", "kind: issued", "kind: roll\n    file: tickets.csv"}, ""},
		{"a list that is fetched", []string{"kind: issued", "kind: roll\n    settings: list.yaml"}, ""},
		{"issued with settings", []string{"kind: issued", "kind: issued\n    settings: list.yaml"}, `config.yaml:37: sources[0].settings: a source of kind issued has none`},
		{"early access of years", []string{"early_access: 24h", "early_access: 8761h"}, `config.yaml:42: sources[0].terms.early_access: 8761h is out of range, want 0s to 8760h`},
		{"unknown terms", []string{"hours: 72h", "weeks: 72h"}, `config.yaml:39: sources[0].terms.weeks: unknown key, want days, hours, one_day, slot_only or early_access`},
		{"seats negative", []string{"seats: 4", "seats: -1"}, `config.yaml:65: attractions[0].packages[0].seats: -1 is out of range, want 0 to 1000`},
		{"venue address", []string{"[203.0.113.7/32]", "[203.0.113.7]"}, `config.yaml:66: attractions[0].venue_networks[0]: "203.0.113.7" is an address, want a network, like 203.0.113.7/32 for this address alone`},
		{"venue everywhere", []string{"[203.0.113.7/32]", `["::/0"]`}, `config.yaml:66: attractions[0].venue_networks[0]: "::/0" is everybody, and anybody could guess as often; want the networks of the venue`},
		{"venue host bits", []string{"[203.0.113.7/32]", "[203.0.113.7/24]"}, `config.yaml:66: attractions[0].venue_networks[0]: "203.0.113.7/24" has bits set after the first 24, want "203.0.113.0/24"`},
		{"venue twice", []string{"[203.0.113.7/32]", "[203.0.113.7/32, 203.0.113.7/32]"}, `config.yaml:66: attractions[0].venue_networks[1]: "203.0.113.7/32" is listed twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(edit(t, full, tt.edit...))
			if tt.want != "" {
				wantProblems(t, err, tt.want)
			} else if err != nil {
				t.Errorf("Parse() = %v, want nil", err)
			}
		})
	}
}

// TestCheckAdmin breaks one rule of the administration at a time.
func TestCheckAdmin(t *testing.T) {
	setDeskKey(t)
	t.Setenv("SHORT_KEY", "0123456789abcdef0123456789abcde")
	const listen, open = "listen: 127.0.0.1:9090", "tls_cert: cert.pem\n  tls_key: key.pem\n  insecure_public: on"
	tests := []struct {
		name string
		edit []string // old, new
		want string   // empty if there is no problem
	}{
		{"socket", []string{listen, "listen: unix:/run/admin.sock", open, ""}, ""},
		{"IPv6 loopback", []string{listen, `listen: "[::1]:9090"`, open, ""}, ""},
		{"public with TLS", []string{listen, `listen: ":9090"`, "[localhost]", "[admin.example.org]", "insecure_public: on", ""}, ""},
		{"public behind a proxy", []string{listen, `listen: ":9090"`, "[localhost]", "[admin.example.org]", open, "insecure_public: on"}, ""},
		{"all scopes", []string{"[tickets:issue, tickets:read]", `["*"]`}, ""},
		{"every attraction", []string{"attractions: [castle]\n", "attractions: []\n"}, ""},
		{"address as a host", []string{"[localhost]", `[localhost, 192.0.2.1, "2001:db8::1"]`}, ""},
		{"keys without listener", []string{listen, `listen: ""`}, ""},
		{"not an address", []string{listen, `listen: "9090"`}, `config.yaml:24: admin.listen: "9090" is not host:port, want one like 127.0.0.1:8080, or :8080 for every interface`},
		{"relative socket", []string{listen, "listen: unix:admin.sock", open, ""}, `config.yaml:24: admin.listen: "admin.sock" is not an absolute path, want one like unix:/run/handstamp/admin.sock`},
		{"long socket", []string{listen, "listen: unix:/" + strings.Repeat("a", 100), open, ""}, `config.yaml:24: admin.listen: the path of the socket has 101 bytes, want at most 100`},
		{"socket with TLS", []string{listen, "listen: unix:/run/admin.sock"}, `config.yaml:26: admin.tls_cert: a socket has no TLS, want a host:port to listen on or no certificate`},
		{"where the API is", []string{listen, "listen: 127.0.0.1:8080"}, `config.yaml:24: admin.listen: "127.0.0.1:8080" is where the API listens, want an address of its own`},
		{"public", []string{listen, `listen: ":9090"`, "[localhost]", "[admin.example.org]", open, ""}, `config.yaml:24: admin.listen: ":9090" can be reached from other machines, want tls_cert and tls_key, an address of this machine or unix:/path (or insecure_public: on behind a proxy that speaks https)`},
		{"public by name", []string{listen, "listen: admin.example.org:9090", "[localhost]", "[admin.example.org]", open, ""}, `config.yaml:24: admin.listen: "admin.example.org:9090" can be reached from other machines, want tls_cert and tls_key, an address of this machine or unix:/path (or insecure_public: on behind a proxy that speaks https)`},
		{"public with the hosts of this machine", []string{listen, "listen: 0.0.0.0:9090", "[localhost]", `[localhost, 127.0.0.1, "::1"]`}, `config.yaml:25: admin.hosts: only this machine, but "0.0.0.0:9090" is for others too; want the names by which staff call it`},
		{"certificate without key", []string{"  tls_key: key.pem\n", ""}, `config.yaml:23: admin.tls_key: missing, want the private key of admin.tls_cert`},
		{"key without certificate", []string{"  tls_cert: cert.pem\n", ""}, `config.yaml:23: admin.tls_cert: missing, want the certificate of admin.tls_key`},
		{"host with a port", []string{"[localhost]", `["localhost:9090"]`}, `config.yaml:25: admin.hosts[0]: "localhost:9090" is not a host alone, want it without scheme, port or brackets`},
		{"host with brackets", []string{"[localhost]", `["[::1]"]`}, `config.yaml:25: admin.hosts[0]: "[::1]" is not a host alone, want it without scheme, port or brackets`},
		{"host with a scheme", []string{"[localhost]", `["https://localhost"]`}, `config.yaml:25: admin.hosts[0]: "https://localhost" is not a host alone, want it without scheme, port or brackets`},
		{"every host", []string{"[localhost]", `["*"]`}, `config.yaml:25: admin.hosts[0]: "*" has a host that is not a plain name (letters, digits, hyphens; international names as xn--)`},
		{"no keys", []string{"  keys:\n    - id: desk\n      key: env:DESK_KEY\n      scopes: [tickets:issue, tickets:read]\n      attractions: [castle]\n", ""}, `config.yaml:23: admin.keys: none, so nobody could get in; want at least one`},
		{"key without id", []string{"    - id: desk\n      key", "    - key"}, `config.yaml:30: admin.keys[0].id: missing (name of the key in the audit: lower-case letters, digits and hyphens)`},
		{"key id with a space", []string{"    - id: desk\n      key", "    - id: the desk\n      key"}, `config.yaml:30: admin.keys[0].id: "the desk" is not a slug, want lower-case letters, digits and inner hyphens, at most 63`},
		{"no key", []string{"      key: env:DESK_KEY\n", ""}, `config.yaml:30: admin.keys[0].key: missing (secret (file:PATH or env:NAME, at least 32 bytes) that goes with each request)`},
		{"empty key", []string{"env:DESK_KEY", `""`}, `config.yaml:31: admin.keys[0].key: missing (secret (file:PATH or env:NAME, at least 32 bytes) that goes with each request)`},
		{"short key", []string{"env:DESK_KEY", "env:SHORT_KEY"}, `config.yaml:31: admin.keys[0].key: the secret has 31 bytes, want at least 32 (hint: openssl rand -hex 32)`},
		{"key that is not there", []string{"env:DESK_KEY", "env:NO_KEY"}, `config.yaml:31: admin.keys[0].key: env:NO_KEY is empty or not set`},
		{"no scopes", []string{"[tickets:issue, tickets:read]", "[]"}, `config.yaml:32: admin.keys[0].scopes: missing (what it may do, * is everything; at least one)`},
		{"unknown scope", []string{"[tickets:issue, tickets:read]", "[tickets:isue]"}, `config.yaml:32: admin.keys[0].scopes[0]: found "tickets:isue", want tickets:issue, tickets:read, tickets:revoke, admissions:read, admissions:revoke, audit:read or *, did you mean "tickets:issue"?`},
		{"text for scopes", []string{"[tickets:issue, tickets:read]", "tickets:issue"}, `config.yaml:32: admin.keys[0].scopes: found text, want a list, like [a, b]`},
		{"attraction that is not there", []string{"attractions: [castle]\n", "attractions: [castel]\n"}, `config.yaml:33: admin.keys[0].attractions[0]: no attraction has the id "castel", did you mean "castle"?`},
		{"audit of some attractions", []string{"[tickets:issue, tickets:read]", "[audit:read]"}, `config.yaml:32: admin.keys[0].scopes: audit:read is of all attractions, want a key that is not limited to some`},
		{"audit of all attractions", []string{"[tickets:issue, tickets:read]", "[audit:read]", "      attractions: [castle]\n", ""}, ""},
		{"public by a name that sounds local", []string{listen, "listen: admin.localhost:9090", "[localhost]", "[admin.example.org]", open, ""}, `config.yaml:24: admin.listen: "admin.localhost:9090" can be reached from other machines, want tls_cert and tls_key, an address of this machine or unix:/path (or insecure_public: on behind a proxy that speaks https)`},
		{"two keys with one id and one secret", []string{"      attractions: [castle]\n", "    - {id: desk, key: env:DESK_KEY, scopes: [\"*\"]}\n"}, `config.yaml:33: admin.keys[1].id: "desk" is already the id of admin.keys[0]
config.yaml:33: admin.keys[1].key: the same secret as that of admin.keys[0], want one for each`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := edit(t, full, tt.edit...)
			_, err := load(text)
			if tt.want != "" {
				wantProblems(t, err, tt.want)
			} else if err != nil {
				t.Errorf("Parse() = %v, want nil", err)
			}
		})
	}
}

// TestInlineAdminKey: the secret itself never shows, and only development
// takes it.
func TestInlineAdminKey(t *testing.T) {
	setDeskKey(t)
	const inline = "hunter2hunter2hunter2hunter2hunter2"
	text := edit(t, full, "env:DESK_KEY", inline)
	cfg := mustLoad(t, text)
	if want := "config.yaml:31: admin.keys[0].key: the secret itself is in the configuration; production wants a reference, file:PATH or env:NAME"; !slices.Contains(cfg.Warnings, want) {
		t.Errorf("Warnings = %q, want among them %q", cfg.Warnings, want)
	}
	printed, err := cfg.Redacted()
	if shown := fmt.Sprintf("%v %+v %s %v", cfg, cfg.Admin, printed, cfg.Warnings); err != nil || strings.Contains(shown, "hunter2") {
		t.Errorf("the key shows, or %v:\n%s", err, shown)
	}
	_, err = load(edit(t, text, "environment: development", "environment: production"))
	const want = "config.yaml:31: admin.keys[0].key: the secret itself is in the configuration, want a reference, file:PATH or env:NAME"
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), want) {
		t.Errorf("Parse() of an inline key in production = %v, want %s", err, want)
	}
}

// TestProductionFull refuses what is for trying out, in full.
func TestProductionFull(t *testing.T) {
	setDeskKey(t)
	const head = "http:\n  public_url: https://api.example.org\nmedia:\n  url: https://media.example.org\ncookies:\n  domain: example.org\nkeys: {dir: keys, active: K2JCJMDEHXQW5F}\n"
	sound := head + edit(t, full, "environment: development", "environment: production", "  endpoint: http://dynamodb:8000\n", "")
	mustLoad(t, sound)
	const public = "  listen: 0.0.0.0:9090\n  hosts: [admin.example.org]\n  insecure_public: on"
	const admin = "  listen: 127.0.0.1:9090\n  hosts: [localhost]\n  tls_cert: cert.pem\n  tls_key: key.pem\n  insecure_public: on"
	tests := []struct {
		name string
		edit []string
		want string
	}{
		{"DynamoDB Local", []string{"  region: eu-west-1\n", "  endpoint: http://127.0.0.1:8000\n"}, `config.yaml:24: book.endpoint: DynamoDB Local is for development, want none in production`},
		{"no throttle", []string{"  enabled: on", "  enabled: off"}, `config.yaml:15: throttle.enabled: off lets everybody guess at tickets, want on in production`},
		{"no pepper", []string{"  pepper: env:THE_PEPPER\n", ""}, `config.yaml:21: book.pepper: missing, want file:PATH or env:NAME in production`},
		{"plain http without a proxy", []string{admin, public}, `config.yaml:32: admin.insecure_public: plain http for other machines, but http.trusted_proxies has no proxy that could speak https in front; want tls_cert and tls_key in production`},
		{"plain http with a proxy", []string{admin, public, "https://api.example.org\n", "https://api.example.org\n  trusted_proxies: [10.0.0.0/8]\n"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(edit(t, sound, tt.edit...))
			if tt.want != "" {
				wantProblems(t, err, tt.want)
			} else if err != nil {
				t.Errorf("Parse() = %v, want nil", err)
			}
		})
	}
}

func TestAdmissionOptions(t *testing.T) {
	want := gate.Options{Seats: 5, Verdict: 10 * time.Minute, Outage: 2 * time.Hour, Idle: 45 * time.Minute, Swaps: 3}
	a := config.Default().Admission
	if got := a.Options(); !reflect.DeepEqual(got, want) {
		t.Errorf("Options() of the default = %+v, want %+v", got, want)
	}
	a.Outage, a.Swaps = 0, 0
	if got := a.Options(); got.Outage >= 0 || got.Swaps >= 0 {
		t.Errorf("Options() of none = %+v, want less than zero, which is none to a gate.Keeper", got)
	}
}

func TestTermsValidity(t *testing.T) {
	got := config.Terms{Days: 3, Hours: 72 * time.Hour, OneDay: true, SlotOnly: true, EarlyAccess: 24 * time.Hour}.Validity()
	want := gate.Validity{Days: 3, Span: 72 * time.Hour, OneDay: true, SlotOnly: true, EarlyAccess: 24 * time.Hour}
	if got != want {
		t.Errorf("Validity() = %+v, want %+v", got, want)
	}
	if got := (config.Terms{}).Validity(); got != (gate.Validity{}) {
		t.Errorf("Validity() of no terms = %+v, want no limits", got)
	}
}

func TestVenues(t *testing.T) {
	cfg := &config.Config{Attractions: []config.Attraction{
		{VenueNetworks: []string{"203.0.113.7/32", "2001:db8::/48"}}, {}, {VenueNetworks: []string{"203.0.113.7/32", "198.51.100.0/24"}},
	}}
	got, err := cfg.Venues()
	want := []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32"), netip.MustParsePrefix("2001:db8::/48"), netip.MustParsePrefix("198.51.100.0/24")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Venues() = %v, %v; want %v", got, err, want)
	}
	cfg.Attractions[1].VenueNetworks = []string{"here"}
	if got, err := cfg.Venues(); err == nil {
		t.Errorf("Venues() of what is no network = %v, want an error", got)
	}
}
