package config

import "time"

// A Config is everything that an operator can set. The tags of each field are
// its documentation: "default" is the value of an absent key, "doc" says what
// it does, its unit and what happens when it is empty; Keys lists them.
type Config struct {
	Environment string       `mapstructure:"environment" default:"development" enum:"development,production" doc:"production refuses what is only fit for trying out: http URLs, keys.example, the memory book, a missing pepper, edge.root"`
	HTTP        HTTP         `mapstructure:"http"`
	Media       Media        `mapstructure:"media"`
	Cookies     Cookies      `mapstructure:"cookies"`
	Admission   Admission    `mapstructure:"admission"`
	Keys        KeyRing      `mapstructure:"keys"`
	Book        Book         `mapstructure:"book"`
	Log         Log          `mapstructure:"log"`
	Sources     []Source     `mapstructure:"sources" required:"true" doc:"who confirms tickets; at least one"`
	Attractions []Attraction `mapstructure:"attractions" required:"true" doc:"what can be visited; at least one"`
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
	TrustedProxies []string      `mapstructure:"trusted_proxies" default:"" doc:"networks (CIDR) of the proxies whose X-Forwarded-For is believed; empty trusts nobody"`
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
}

// KeyRing says where the signing keys are.
type KeyRing struct {
	Dir    string `mapstructure:"dir" default:"keys.example" path:"true" required:"true" doc:"folder with the private keys, each named KEY-PAIR-ID.pem"`
	Active string `mapstructure:"active" default:"KEXAMPLE0001" required:"true" doc:"ID, at CloudFront, of the public key whose private key signs"`
}

// Book says where admissions are recorded.
type Book struct {
	Kind   string `mapstructure:"kind" default:"memory" enum:"memory,sqlite" doc:"where admissions are recorded; memory forgets them when the process ends, sqlite keeps them in a file"`
	File   string `mapstructure:"file" default:"handstamp.db" path:"true" doc:"the SQLite file, for sqlite; in production made once by \"handstamp book init\", in development when it is missing"`
	Pepper Secret `mapstructure:"pepper" default:"" doc:"secret (file:PATH or env:NAME, at least 16 bytes) that makes stored ticket fingerprints useless to whoever steals the book; empty is a random one per start, in development only"`
}

// Log shapes the log on standard error.
type Log struct {
	Level  string `mapstructure:"level" default:"info" enum:"debug,info,warn,error" doc:"least important level that is logged"`
	Format string `mapstructure:"format" default:"text" enum:"text,json" doc:"text for people, json for machines"`
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
