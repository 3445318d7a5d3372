package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/config"
)

// base is a sound configuration that sets every key, for tests to spoil. The
// tests count on its lines.
const base = `http:
  listen: 127.0.0.1:8080
  public_url: https://api.example.org
  trusted_origins: [https://app.example.org]
  trusted_proxies: [10.0.0.0/8]
  drain: 3s
media:
  url: https://media.example.org
cookies:
  lifetime: 15m
  window: 60s
  sharing: on
  domain: example.org
  same_site: lax
  hash: SHA256
admission:
  longest: 24h
  devices: 5
keys:
  dir: keys
  active: K2JCJMDEHXQW5F
book:
  kind: memory
  pepper: ""
log:
  level: info
  format: json
sources:
  - id: list
    kind: roll
    match: "[A-Z]+"
    file: tickets.csv
attractions:
  - id: castle
    name: Castle
    prefix: spain/castle
    timezone: Europe/Madrid
    packages:
      - id: audio
        name: Audio
    free: [free]
    sources: [list]
    content: guide.yaml
edge:
  root: media
environment: development
`

// full sets what base does not: everything that is for big or careful houses.
// The tests count on its lines.
const full = `environment: development
admission:
  verdict: 5m
  outage: 0s
  idle: 1h
  swaps: 0
throttle:
  enabled: on
  failures: 5
  window: 15m
  venue_factor: 10
  floor: 300ms
  jitter: 0s
book:
  kind: dynamodb
  table: visits
  region: eu-west-1
  endpoint: http://dynamodb:8000
  pepper: env:THE_PEPPER
denylist:
  key_value_store: arn:aws:cloudfront::123456789012:key-value-store/0a1b2c3d-0000-1111-2222-0123456789ab
  interval: 10s
admin:
  listen: 127.0.0.1:9090
  hosts: [localhost]
  tls_cert: cert.pem
  tls_key: key.pem
  insecure_public: on
  keys:
    - id: desk
      key: env:DESK_KEY
      scopes: [tickets:issue, tickets:read]
      attractions: [castle]
sources:
  - id: desk
    kind: issued
    terms:
      days: 3
      hours: 72h
      one_day: on
      slot_only: off
      early_access: 24h
attractions:
  - id: castle
    timezone: Europe/Madrid
    opening:
      weekly:
        - days: [tue-fri, sun]
          hours: [10:00-14:00, 16:00-18:00]
        - days: [sat]
          hours: [18:00-02:00]
      exceptions:
        - from: 2026-06-15
          to: "2026-09-15"
          hours: [09:00-20:00]
        - from: 2026-06-15
          to: 2026-09-15
          days: [mon]
          closed: on
      day_ends: 04:00
      grace_early: 20m
      grace_late: 30m
    packages:
      - id: audio
        seats: 4
    venue_networks: [203.0.113.7/32]
    sources: [desk]
`

// setDeskKey sets the variables that full names.
func setDeskKey(t *testing.T) {
	t.Setenv("THE_PEPPER", "0123456789abcdef")
	t.Setenv("DESK_KEY", "0123456789abcdef0123456789abcdef")
}

// minimal leaves out all that has a default.
const minimal = `sources:
  - {id: list, file: tickets.csv}
attractions:
  - {id: castle, timezone: Europe/Madrid, sources: [list]}
`

// edit returns text with the only occurrence of each old replaced by the new
// that follows it.
func edit(t testing.TB, text string, oldnew ...string) string {
	t.Helper()
	for i := 0; i < len(oldnew); i += 2 {
		if n := strings.Count(text, oldnew[i]); n != 1 {
			t.Fatalf("%q is in the text %d times, want once", oldnew[i], n)
		}
		text = strings.Replace(text, oldnew[i], oldnew[i+1], 1)
	}
	return text
}

// load parses text as the file config.yaml.
func load(text string) (*config.Config, error) {
	return config.Parse("config.yaml", []byte(text), config.Options{})
}

// mustLoad is load for text that is sound.
func mustLoad(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := load(text)
	if err != nil {
		t.Fatalf("Parse() = %v\nof\n%s", err, text)
	}
	return cfg
}

// wantProblems checks that err is an *Error with these problems, one a line.
func wantProblems(t *testing.T, err error, want string) {
	t.Helper()
	var refused *config.Error
	if !errors.As(err, &refused) {
		t.Fatalf("Parse() = %v, want a *config.Error with\n%s", err, want)
	}
	if got := refused.Error(); got != strings.TrimSpace(want) {
		t.Errorf("Parse() refuses with\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}
