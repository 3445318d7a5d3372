package config

import (
	"reflect"
	"time"
)

// A Distribution is everything that the configuration of `handstamp edge` can
// say, edge.yaml. Its tags are its documentation, as those of Config.
type Distribution struct {
	Environment       string          `mapstructure:"environment" default:"development" enum:"development,production" doc:"production refuses what is for tests: chaos, explain and a certificate made on the spot; the variable HANDSTAMP_ENVIRONMENT goes before it"`
	Development       Switch          `mapstructure:"development" default:"off" doc:"on says that whoever can reach a listener beyond this machine may be told why they are refused; without it explain is for this machine only"`
	Site              string          `mapstructure:"site" default:"" doc:"scheme and host by which viewers reach the edge, like https://media.example.org, as they stand in policies; empty takes them from each request"`
	Listen            string          `mapstructure:"listen" default:"127.0.0.1:8081" doc:"host:port to answer on; an empty host is every interface, port 0 any free port"`
	TLS               ServerTLS       `mapstructure:"tls"`
	DefaultRootObject string          `mapstructure:"default_root_object" default:"" doc:"file that / stands for, like index.html; empty is none"`
	KeyGroups         []KeyGroup      `mapstructure:"key_groups" doc:"the public keys that behaviors trust"`
	Origins           []ContentOrigin `mapstructure:"origins" required:"true" doc:"where content comes from; at least one"`
	Behaviors         []CacheBehavior `mapstructure:"behaviors" required:"true" doc:"cache behaviors in order of precedence, the first whose path fits counts; the last one has the path *"`
	Errors            []ErrorResponse `mapstructure:"errors" doc:"custom error responses, for the whole distribution"`
	AccessLog         string          `mapstructure:"access_log" default:"" doc:"file that gets a line for every request, in the format of CloudFront's standard logs; \"-\" in quotes is standard output, empty is none"`
	Chaos             string          `mapstructure:"chaos" default:"" doc:"refuses a share of good requests and delays requests, to test players: refuse=5%,latency=0s-2s,seed=1; empty is none"`
	Parity            []ParitySetting `mapstructure:"parity" doc:"settings for what AWS leaves open"`
	Explain           Switch          `mapstructure:"explain" default:"on" doc:"on adds X-Handstamp-Reason to refusals, with the rule that failed; left out it is on for this machine only"`

	// Warnings says what is allowed here but deserves a look, one line each,
	// in the form of a Problem. It is not a key.
	Warnings []string `mapstructure:"-"`
}

// Production reports whether d is held to the rules for production.
func (d *Distribution) Production() bool { return d.Environment == "production" }

// ServerTLS is how the edge speaks https.
type ServerTLS struct {
	Enabled Switch `mapstructure:"enabled" default:"off" doc:"on answers https as well as http on the same port, with a certificate made on the spot unless cert and key name one"`
	Cert    string `mapstructure:"cert" default:"" path:"true" doc:"PEM file of a certificate with its chain; empty makes one on the spot"`
	Key     string `mapstructure:"key" default:"" path:"true" doc:"PEM file of its private key; goes with cert"`
}

// A KeyGroup is public keys that are trusted together.
type KeyGroup struct {
	ID   string            `mapstructure:"id" required:"true" slug:"true" doc:"name of the key group, for behaviors to refer to: lower-case letters, digits and hyphens"`
	Keys []PublicKeySource `mapstructure:"keys" doc:"its keys, at least one"`
}

// A PublicKeySource is one public key.
type PublicKeySource struct {
	ID   string `mapstructure:"id" required:"true" doc:"ID of the public key at CloudFront, as viewers send it in CloudFront-Key-Pair-Id"`
	File string `mapstructure:"file" required:"true" path:"true" doc:"PEM file with the public key (PUBLIC KEY)"`
}

// A ContentOrigin is one place that content comes from.
type ContentOrigin struct {
	ID   string `mapstructure:"id" required:"true" slug:"true" doc:"name of the origin, for behaviors to refer to: lower-case letters, digits and hyphens"`
	Kind string `mapstructure:"kind" required:"true" enum:"folder,http,s3" doc:"folder: files below root; http: the server at url; s3: objects of bucket"`
	Root string `mapstructure:"root" default:"" path:"true" doc:"folder with the files; for kind folder"`
	URL  string `mapstructure:"url" default:"" doc:"address of the server, http or https, with a path before every other if need be; for kind http"`

	Bucket    string `mapstructure:"bucket" default:"" doc:"name of the bucket; for kind s3, as all keys after it"`
	Region    string `mapstructure:"region" default:"" doc:"its AWS region, like eu-west-1; empty is that of the environment (AWS_REGION)"`
	Endpoint  string `mapstructure:"endpoint" default:"" doc:"scheme and host of another store than AWS that speaks S3, like http://127.0.0.1:9000; empty is AWS"`
	PathStyle Switch `mapstructure:"path_style" default:"off" doc:"on puts the bucket into the path and not into the host name, as most other stores want it"`
	Prefix    string `mapstructure:"prefix" default:"" doc:"folder in the bucket that stands before every path, like media; empty is none"`
	Anonymous Switch `mapstructure:"anonymous" default:"off" doc:"on asks without credentials, for a bucket that is public; off finds them as all AWS tools do"`
}

// A CacheBehavior says what becomes of the paths that a pattern covers.
type CacheBehavior struct {
	Path           string           `mapstructure:"path" required:"true" doc:"path pattern with * for any text and ? for one character, like /castle/*"`
	Origin         string           `mapstructure:"origin" required:"true" doc:"id of the origin that answers"`
	KeyGroup       string           `mapstructure:"key_group" default:"" doc:"id of the key group whose signatures open it; empty is public"`
	Methods        []string         `mapstructure:"methods" default:"" doc:"one of CloudFront's sets: [GET, HEAD], these and OPTIONS, or all seven; empty is [GET, HEAD]"`
	ViewerProtocol string           `mapstructure:"viewer_protocol" default:"allow-all" enum:"allow-all,redirect-to-https,https-only" doc:"what becomes of plain http: served, sent to https with 301, or refused with 403"`
	ForwardCookies Switch           `mapstructure:"forward_cookies" default:"off" doc:"on hands the viewer's own cookies to the origin and its Set-Cookie back; signed cookies stay here"`
	CORS           CrossOrigin      `mapstructure:"cors"`
	Headers        []ResponseHeader `mapstructure:"headers" doc:"headers to add to the origin's answers"`
}

// CrossOrigin is what pages on other hosts may do.
type CrossOrigin struct {
	Origins     []string      `mapstructure:"origins" default:"" doc:"origins of the pages, like https://app.example.org or https://*.example.org; [\"*\"] is everybody, empty adds no CORS headers"`
	Credentials Switch        `mapstructure:"credentials" default:"off" doc:"on lets them send cookies, as signed cookies need it; then nothing may be *"`
	Methods     []string      `mapstructure:"methods" default:"" doc:"methods that a preflight allows"`
	Headers     []string      `mapstructure:"headers" default:"" doc:"request headers that a preflight allows, like [Range]"`
	Expose      []string      `mapstructure:"expose" default:"" doc:"response headers that scripts may read, like [Content-Range]"`
	MaxAge      time.Duration `mapstructure:"max_age" default:"0s" min:"0s" max:"24h" doc:"how long a browser remembers a preflight, whole seconds; 0s leaves it to the browser"`
	Override    Switch        `mapstructure:"override" default:"on" doc:"on replaces the origin's own CORS headers; off keeps them, if it sends any"`
}

// A ResponseHeader is added to the origin's answers.
type ResponseHeader struct {
	Name     string `mapstructure:"name" required:"true" doc:"name of the header"`
	Value    string `mapstructure:"value" default:"" doc:"its value"`
	Override Switch `mapstructure:"override" default:"off" doc:"on replaces the origin's own; off keeps it, if it sends one"`
}

// An ErrorResponse replaces one error.
type ErrorResponse struct {
	Code     int           `mapstructure:"code" required:"true" min:"400" max:"504" doc:"status that is replaced: 400, 403, 404, 405, 414, 416 or 500 to 504"`
	Response int           `mapstructure:"response" default:"0" min:"0" max:"504" doc:"status that is sent with the page; 0 keeps it"`
	Page     string        `mapstructure:"page" default:"" doc:"path of the page, like /errors/403.html, at a public behavior; empty replaces nothing"`
	CacheTTL time.Duration `mapstructure:"cache_ttl" default:"10s" min:"0s" max:"8760h" doc:"how long CloudFront would remember the error; the edge remembers nothing"`
}

// A ParitySetting decides one point that AWS leaves open.
type ParitySetting struct {
	Name  string `mapstructure:"name" required:"true" doc:"name of the setting, see docs/parity.md"`
	Value string `mapstructure:"value" required:"true" doc:"one of its values"`
}

// distributionSchema describes Distribution. Nothing changes it.
var distributionSchema = describe(reflect.TypeFor[Distribution](), "")

// DistributionKeys is Keys for edge.yaml. Variables set none of them but
// environment.
func DistributionKeys() []Key {
	keys := list(distributionSchema, false)
	keys[0].Env = distributionSchema[0].env()
	return keys
}
