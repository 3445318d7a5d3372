package config

// Admin says where the administration API listens and who may use it.
type Admin struct {
	Listen         string     `mapstructure:"listen" default:"" doc:"host:port or unix:/path that the administration API listens on; empty is no such API"`
	Hosts          []string   `mapstructure:"hosts" default:"localhost,127.0.0.1,::1" doc:"names and addresses by which staff call it, without a port; requests for any other Host are refused"`
	TLSCert        string     `mapstructure:"tls_cert" default:"" path:"true" doc:"PEM file of a certificate with its chain, which may be renewed while the gateway runs; empty is plain http, for this machine only"`
	TLSKey         string     `mapstructure:"tls_key" default:"" path:"true" doc:"PEM file of its private key; goes with tls_cert"`
	InsecurePublic Switch     `mapstructure:"insecure_public" default:"off" doc:"on allows plain http on an address that other machines reach, for a proxy in front that speaks https"`
	Keys           []AdminKey `mapstructure:"keys" doc:"who may use it; at least one if it listens"`
}

// An AdminKey is somebody who may use the administration API.
type AdminKey struct {
	ID          string   `mapstructure:"id" required:"true" slug:"true" doc:"name of the key in the audit: lower-case letters, digits and hyphens"`
	Key         Secret   `mapstructure:"key" required:"true" doc:"secret (file:PATH or env:NAME, at least 32 bytes) that goes with each request"`
	Scopes      []string `mapstructure:"scopes" required:"true" enum:"tickets:issue,tickets:read,tickets:revoke,admissions:read,admissions:revoke,audit:read,*" doc:"what it may do, * is everything; at least one"`
	Attractions []string `mapstructure:"attractions" default:"" doc:"ids of the attractions that it is for; empty is all"`
}
