package config

import "time"

// Objects says where single private files are, and who may read and write them.
type Objects struct {
	Bucket    string        `mapstructure:"bucket" default:"" doc:"S3 bucket with the private files; empty is no such files"`
	Region    string        `mapstructure:"region" default:"" doc:"its AWS region; empty is that of the environment, as the AWS tools find it"`
	Endpoint  string        `mapstructure:"endpoint" default:"" doc:"scheme://host:port of another S3-compatible store, as browsers reach it too; empty is Amazon S3"`
	PathStyle Switch        `mapstructure:"path_style" default:"off" doc:"on puts the bucket's name into the path instead of the host name, as most other stores want it"`
	Lifetime  time.Duration `mapstructure:"lifetime" default:"60s" min:"2s" max:"168h" doc:"how long a presigned URL opens its file; whole seconds"`
	Window    time.Duration `mapstructure:"window" default:"30s" min:"1s" max:"84h" doc:"for so long the same file has the same URL, so that browsers cache it; at most half of the lifetime; whole seconds"`
	ACLs      Switch        `mapstructure:"acls" default:"off" doc:"on uploads public files with the ACL public-read, for buckets that still have ACLs; off leaves it to the bucket's policy"`
	Rules     []ObjectRule  `mapstructure:"rules" doc:"which keys there are, and who may read and write them; at least one if there is a bucket"`
	Tokens    []ObjectToken `mapstructure:"tokens" doc:"API tokens of backends and of staff, with their roles"`
}

// An ObjectRule opens an area of the bucket.
type ObjectRule struct {
	Area    string   `mapstructure:"area" required:"true" slug:"true" doc:"name of the rule: lower-case letters, digits and hyphens"`
	Keys    string   `mapstructure:"keys" required:"true" doc:"the keys that it is for, like photos/{ticket}/*: segments, the placeholders {admission}, {device}, {ticket} and {attraction}, and a last * for the rest"`
	Read    []string `mapstructure:"read" default:"" doc:"who may read: visitor, owner, everyone or a role of a token; empty is nobody"`
	Write   []string `mapstructure:"write" default:"" doc:"who may upload and delete: visitor, owner or a role of a token; empty is nobody"`
	Types   []string `mapstructure:"types" default:"" doc:"content types that may be uploaded, like image/jpeg or image/*; at least one if somebody may write"`
	MaxSize Size     `mapstructure:"max_size" default:"10MiB" doc:"largest upload, like 500KiB, 10MiB or 2GiB; at most 5GiB"`
	Public  Switch   `mapstructure:"public" default:"off" doc:"on lets an upload be asked for as public"`
}

// An ObjectToken is what a backend or a program of the staff shows.
type ObjectToken struct {
	ID    string   `mapstructure:"id" required:"true" slug:"true" doc:"its name in the log: lower-case letters, digits and hyphens"`
	Token Secret   `mapstructure:"token" required:"true" doc:"secret (file:PATH or env:NAME, at least 32 bytes) that goes with each request"`
	Roles []string `mapstructure:"roles" required:"true" doc:"what it may be in the rules, such as staff; at least one"`
}
