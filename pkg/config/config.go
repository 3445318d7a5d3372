package config

import (
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Config is everything that an operator can set. The tags of each field are
// its documentation: "default" is the value of an absent key, "doc" says what
// it does, its unit and what happens when it is empty; Keys lists them.
type Config struct {
	Environment string       `mapstructure:"environment" default:"development" enum:"development,production" doc:"production refuses what is only fit for trying out: http URLs, keys.example, the memory book, a missing pepper, throttle.enabled: off, edge.root"`
	HTTP        HTTP         `mapstructure:"http"`
	Media       Media        `mapstructure:"media"`
	Cookies     Cookies      `mapstructure:"cookies"`
	Admission   Admission    `mapstructure:"admission"`
	Throttle    Throttle     `mapstructure:"throttle"`
	Keys        KeyRing      `mapstructure:"keys"`
	Book        Book         `mapstructure:"book"`
	Denylist    Denylist     `mapstructure:"denylist"`
	Log         Log          `mapstructure:"log"`
	Metrics     Metrics      `mapstructure:"metrics"`
	Traces      Traces       `mapstructure:"traces"`
	Sources     []Source     `mapstructure:"sources" required:"true" doc:"who confirms tickets; at least one"`
	Attractions []Attraction `mapstructure:"attractions" required:"true" doc:"what can be visited; at least one"`
	Admin       Admin        `mapstructure:"admin"`
	Objects     Objects      `mapstructure:"objects"`
	Edge        Edge         `mapstructure:"edge"`

	// Warnings says what is allowed here but deserves a look, one line each,
	// in the form of a Problem. It is not a key.
	Warnings []string `mapstructure:"-"`
}

// Production reports whether c is held to the rules for production.
func (c *Config) Production() bool { return c.Environment == "production" }

// HTTP says where the API listens and whom it believes.
type HTTP struct {
	Listen         string        `mapstructure:"listen" default:"127.0.0.1:8080" doc:"host:port the API listens on; an empty host is every interface, port 0 any free port"`
	PublicURL      string        `mapstructure:"public_url" default:"http://127.0.0.1:8080" doc:"scheme and host (and port) where browsers reach the API; https, or http on this machine in development"`
	TrustedOrigins []string      `mapstructure:"trusted_origins" default:"" doc:"origins (scheme://host) of pages on other hosts that may call the API with cookies; empty is none"`
	TrustedProxies []string      `mapstructure:"trusted_proxies" default:"" doc:"networks (CIDR) of the proxies whose X-Forwarded-For is believed, by the administration too; empty trusts nobody"`
	Drain          time.Duration `mapstructure:"drain" default:"3s" min:"0s" max:"60s" doc:"on shutdown readiness answers 503 for this long before the listener closes; 0s closes at once"`
}

// Media is the distribution that serves the files.
type Media struct {
	URL string `mapstructure:"url" default:"http://127.0.0.1:8080" doc:"scheme and host of the distribution exactly as viewers ask for it, as it goes into policies; https without a port, or http on this machine in development"`
}

// Cookies shapes the signed cookies.
type Cookies struct {
	Lifetime time.Duration `mapstructure:"lifetime" default:"15m" min:"30s" max:"60m" doc:"how long signed cookies open the door; also the longest exposure after a ticket is revoked; whole seconds"`
	Window   time.Duration `mapstructure:"window" default:"60s" min:"1s" max:"30m" doc:"expiries are rounded up to a multiple of this, so that everybody admitted meanwhile shares one signature; at most half of the lifetime; whole seconds"`
	Sharing  Switch        `mapstructure:"sharing" default:"on" doc:"on: one signature for everybody with the same rights and expiry; off: sign for each admission"`
	Domain   string        `mapstructure:"domain" default:"" doc:"Domain of the cookies, covering the hosts of both http.public_url and media.url; empty makes them host-only, for when both are the same host"`
	SameSite string        `mapstructure:"same_site" default:"lax" enum:"lax,strict,none" doc:"SameSite of the cookies; none is for pages on other sites and needs https"`
	Hash     string        `mapstructure:"hash" default:"" enum:",SHA1,SHA256" doc:"hash of the signatures: SHA1 or SHA256; empty follows the key (RSA: SHA1, P-256: SHA256)"`
}

// Admission limits a visit.
type Admission struct {
	Longest time.Duration `mapstructure:"longest" default:"24h" min:"1m" max:"8760h" doc:"longest visit, whatever the ticket says; whole seconds, not shorter than cookies.lifetime"`
	Devices int           `mapstructure:"devices" default:"5" min:"1" max:"1000" doc:"devices per ticket when neither its source nor its package says"`
	Verdict time.Duration `mapstructure:"verdict" default:"10m" min:"1s" max:"24h" doc:"how old a source's word may be before it is asked again at a renewal, so how soon a refund bites"`
	Outage  time.Duration `mapstructure:"outage" default:"2h" min:"0s" max:"24h" doc:"how much longer visitors who are in go on while their source does not answer; 0s not at all"`
	Idle    time.Duration `mapstructure:"idle" default:"45m" min:"1m" max:"24h" doc:"a device that has not renewed for so long may lose its seat to another one"`
	Swaps   int           `mapstructure:"swaps" default:"3" min:"0" max:"1000" doc:"seats of a ticket that may change hands like that in 24 hours; 0 is none"`
}

// Options returns what a says in the form that a gate.Keeper takes, where zero
// is the default and less than zero is none.
func (a Admission) Options() gate.Options {
	opts := gate.Options{Seats: a.Devices, Verdict: a.Verdict, Outage: a.Outage, Idle: a.Idle, Swaps: a.Swaps}
	if opts.Outage == 0 {
		opts.Outage = -1
	}
	if opts.Swaps == 0 {
		opts.Swaps = -1
	}
	return opts
}

// Throttle limits guessing at tickets.
type Throttle struct {
	Enabled     Switch        `mapstructure:"enabled" default:"on" doc:"on counts refused tickets and makes those who guess wait; off is for tests, never in production"`
	Failures    int           `mapstructure:"failures" default:"10" min:"1" max:"10000" doc:"refused tickets that one network (an IPv4 address, an IPv6 /64) and one device may show at once"`
	Window      time.Duration `mapstructure:"window" default:"10m" min:"1m" max:"24h" doc:"time in which all of these are forgotten again, evenly"`
	VenueFactor int           `mapstructure:"venue_factor" default:"20" min:"1" max:"1000" doc:"how many times as many the venue_networks of attractions may show"`
	Floor       time.Duration `mapstructure:"floor" default:"400ms" min:"0s" max:"10s" doc:"all refusals take at least that long, so that their time says nothing; more than a source usually takes"`
	Jitter      time.Duration `mapstructure:"jitter" default:"100ms" min:"0s" max:"10s" doc:"a random part of this is added to the floor; 0s is none"`
}

// KeyRing says where the signing keys are.
type KeyRing struct {
	Dir    string `mapstructure:"dir" default:"keys.example" path:"true" required:"true" doc:"folder with the private keys, each named KEY-PAIR-ID.pem"`
	Active string `mapstructure:"active" default:"KEXAMPLE0001" required:"true" doc:"ID, at CloudFront, of the public key whose private key signs"`

	Manifest  string        `mapstructure:"manifest" default:"" doc:"where the life of the keys is written down, so that they rotate while the gateway runs: folder (keys.json in keys.dir) or secretsmanager:NAME; empty is nowhere, and keys.active signs"`
	Interval  time.Duration `mapstructure:"interval" default:"10s" min:"1s" max:"10m" doc:"how often a gateway looks at the manifest; all of them follow within this and 10 seconds"`
	Settle    time.Duration `mapstructure:"settle" default:"1h" min:"1s" max:"168h" doc:"how long after it was published a key may sign, when every edge location knows it"`
	Group     string        `mapstructure:"group" default:"" doc:"name or ID of the key group at CloudFront that the commands under \"handstamp keys\" look after; empty is none, and they say what to do there by hand"`
	GroupRead Switch        `mapstructure:"allow_group_read" default:"off" doc:"on accepts key files that their group can read, as Kubernetes mounts secrets with an fsGroup (0440); off wants 0600"`
	Region    string        `mapstructure:"region" default:"" doc:"AWS region of keys in Secrets Manager, Parameter Store and KMS; empty is that of the environment, as the AWS tools find it"`
}

// Book says where admissions are recorded.
type Book struct {
	Kind     string `mapstructure:"kind" default:"memory" enum:"memory,sqlite,dynamodb" doc:"where admissions are recorded; memory forgets them when the process ends, sqlite keeps them in a file, dynamodb in a table that any number of processes share"`
	File     string `mapstructure:"file" default:"handstamp.db" path:"true" doc:"the SQLite file, for sqlite; in production made once by \"handstamp book init\", in development when it is missing"`
	Table    string `mapstructure:"table" default:"handstamp" doc:"name or ARN of the table, for dynamodb"`
	Region   string `mapstructure:"region" default:"" doc:"AWS region of the table, for dynamodb; empty is that of the environment, as the AWS tools find it"`
	Endpoint string `mapstructure:"endpoint" default:"" doc:"scheme://host:port of a DynamoDB Local, for dynamodb in development only; empty is DynamoDB itself"`
	Pepper   Secret `mapstructure:"pepper" default:"" doc:"secret (file:PATH or env:NAME, at least 16 bytes) that makes stored ticket fingerprints useless to whoever steals the book; empty is a random one per start, in development only"`
}

// Lasting reports whether the book outlives the process.
func (b Book) Lasting() bool { return b.Kind == "sqlite" || b.Kind == "dynamodb" }

// Denylist says where revocations are exported to.
type Denylist struct {
	KeyValueStore string        `mapstructure:"key_value_store" default:"" doc:"ARN of a CloudFront KeyValueStore that gets what was revoked, for a CloudFront function to refuse; empty is none"`
	Interval      time.Duration `mapstructure:"interval" default:"5s" min:"1s" max:"5m" doc:"how often it is brought up to date"`
}

// Log shapes the log on standard error.
type Log struct {
	Level  string `mapstructure:"level" default:"info" enum:"debug,info,warn,error" doc:"least important level that is logged"`
	Format string `mapstructure:"format" default:"text" enum:"text,json" doc:"text for people, json for machines"`
}

// Metrics says where Prometheus finds them.
type Metrics struct {
	Listen string `mapstructure:"listen" default:"" doc:"host:port that answers GET /metrics in the form of Prometheus, apart from the API; empty is nowhere"`
}

// Traces says where traces of requests go.
type Traces struct {
	Endpoint string `mapstructure:"endpoint" default:"" doc:"scheme://host:port of an OpenTelemetry collector that takes traces over http (OTLP); empty is no traces"`
	Percent  int    `mapstructure:"percent" default:"10" min:"0" max:"100" doc:"of the requests, how many are traced"`
}

// Edge is what `handstamp serve` also serves beside the API in development.
type Edge struct {
	Root string `mapstructure:"root" default:"" path:"true" doc:"folder with the media, served behind a local CloudFront beside the API, in development only; empty serves nothing"`
}

// A Switch is on or off. In YAML true and false work too: tools that follow
// YAML 1.1 turn on and off into them.
type Switch bool

// String returns "on" or "off".
func (s Switch) String() string {
	if s {
		return "on"
	}
	return "off"
}
