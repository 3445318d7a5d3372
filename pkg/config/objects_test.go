package config_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
)

// withObjects has private files; its line 5 is the first below.
const withObjects = `sources: [{id: list, kind: roll, file: tickets.csv}]
attractions:
  - {id: castle, timezone: Europe/Madrid, sources: [list]}

objects:
  bucket: private-files
  region: eu-west-1
  endpoint: https://files.example.org
  path_style: on
  lifetime: 10m
  window: 5m
  acls: on
  rules:
    - area: photos
      keys: photos/{ticket}/*
      read: [visitor, staff]
      write: [visitor]
      types: [image/jpeg, "image/*"]
      max_size: 5MiB
      public: on
    - {area: lists, keys: staff/*, read: [staff]}
  tokens:
    - id: pass-office
      token: env:PASS_OFFICE_TOKEN
      roles: [staff]
`

func setOfficeToken(t *testing.T) {
	t.Setenv("PASS_OFFICE_TOKEN", "0123456789abcdef0123456789abcdef")
}

func TestObjects(t *testing.T) {
	setOfficeToken(t)
	want := config.Objects{
		Bucket: "private-files", Region: "eu-west-1", Endpoint: "https://files.example.org", PathStyle: true,
		Lifetime: 10 * time.Minute, Window: 5 * time.Minute, ACLs: true,
		Rules: []config.ObjectRule{
			{Area: "photos", Keys: "photos/{ticket}/*", Read: []string{"visitor", "staff"}, Write: []string{"visitor"},
				Types: []string{"image/jpeg", "image/*"}, MaxSize: 5 << 20, Public: true},
			{Area: "lists", Keys: "staff/*", Read: []string{"staff"}, MaxSize: 10 << 20},
		},
		Tokens: []config.ObjectToken{{ID: "pass-office", Token: mustSecret(t, "env:PASS_OFFICE_TOKEN"), Roles: []string{"staff"}}},
	}
	if got := mustLoad(t, withObjects).Objects; !reflect.DeepEqual(got, want) {
		t.Errorf("Parse() reads %+v, want %+v", got, want)
	}
}

// TestCheckObjects breaks one rule at a time.
func TestCheckObjects(t *testing.T) {
	setOfficeToken(t)
	tests := []struct {
		name string
		edit []string // old, new
		want string
	}{
		{"bucket with capitals", []string{"private-files", "Private"}, `config.yaml:6: objects.bucket: "Private" is not a bucket, want its name: 3 to 63 lower-case letters, digits, dots and hyphens`},
		{"bucket by address", []string{"private-files", "192.168.5.4"}, `config.yaml:6: objects.bucket: "192.168.5.4" is not a bucket, want its name: 3 to 63 lower-case letters, digits, dots and hyphens`},
		{"region elsewhere", []string{"eu-west-1", "auto"}, ""},
		{"region", []string{"eu-west-1", "auto", "  endpoint: https://files.example.org\n", ""}, `config.yaml:7: objects.region: "auto" is not an AWS region, want one like eu-west-1`},
		{"endpoint with a path", []string{"files.example.org", "files.example.org/x"}, `config.yaml:8: objects.endpoint: "https://files.example.org/x" has a path, want only scheme and host`},
		{"lifetime of weeks", []string{"lifetime: 10m", "lifetime: 169h"}, `config.yaml:10: objects.lifetime: 169h is out of range, want 2s to 168h`},
		{"lifetime of a fraction", []string{"lifetime: 10m", "lifetime: 600500ms"}, `config.yaml:10: objects.lifetime: 10m0.5s is not whole seconds`},
		{"window too long", []string{"window: 5m", "window: 301s"}, `config.yaml:11: objects.window: 5m1s is more than half of the lifetime 10m, so a URL could be almost over when it is handed out`},
		{"area with a space", []string{"area: photos", "area: the photos"}, `config.yaml:14: objects.rules[0].area: "the photos" is not a slug, want lower-case letters, digits and inner hyphens, at most 63`},
		{"area twice", []string{"area: lists", "area: photos"}, `config.yaml:21: objects.rules[1].area: "photos" is already the id of objects.rules[0].area`},
		{"keys without an end", []string{"photos/{ticket}/*", "photos/{ticket}"}, `config.yaml:15: objects.rules[0].keys: "photos/{ticket}" does not end in /*, want a folder and all in it, like staff/*`},
		{"all keys", []string{"photos/{ticket}/*", `"*"`}, `config.yaml:15: objects.rules[0].keys: "*" does not end in /*, want a folder and all in it, like staff/*`},
		{"keys with another placeholder", []string{"{ticket}", "{code}"}, `config.yaml:15: objects.rules[0].keys: "photos/{code}/*" has the segment "{code}", want letters, digits, dots, hyphens, underscores, or {admission}, {device}, {ticket} or {attraction}`},
		{"keys that climb", []string{"{ticket}", ".."}, `config.yaml:15: objects.rules[0].keys: "photos/../*" has the segment "..", want letters, digits, dots, hyphens, underscores, or {admission}, {device}, {ticket} or {attraction}`},
		{"reader that nobody is", []string{"[visitor, staff]", "[visitor, stuff]"}, `config.yaml:16: objects.rules[0].read[1]: nobody is "stuff": want visitor, owner, everyone or a role of one of objects.tokens, did you mean "staff"?`},
		{"everyone writes", []string{"write: [visitor]", "write: [everyone]"}, `config.yaml:17: objects.rules[0].write: everyone could fill the bucket, want visitor, owner or roles of tokens`},
		{"no types", []string{`      types: [image/jpeg, "image/*"]` + "\n", ""}, `config.yaml:14: objects.rules[0].types: none, so nothing could be uploaded; want at least one, like image/jpeg`},
		{"type", []string{"image/jpeg", "jpeg"}, `config.yaml:18: objects.rules[0].types[0]: "jpeg" is not a content type, want one like image/jpeg or image/*`},
		{"size without unit", []string{"5MiB", "5000"}, `config.yaml:19: objects.rules[0].max_size: "5000" is not a size, want one with its unit, like 500KiB, 10MiB or 2GiB`},
		{"size of nothing", []string{"5MiB", "0B"}, `config.yaml:19: objects.rules[0].max_size: 0B is not between 1B and 5GiB`},
		{"size too large", []string{"5MiB", "6GiB"}, `config.yaml:19: objects.rules[0].max_size: 6GiB is not between 1B and 5GiB`},
		{"no token", []string{"env:PASS_OFFICE_TOKEN", `""`}, `config.yaml:24: objects.tokens[0].token: missing (secret (file:PATH or env:NAME, at least 32 bytes) that goes with each request)`},
		{"role that is taken", []string{"roles: [staff]", "roles: [staff, owner]"}, `config.yaml:25: objects.tokens[0].roles[1]: "owner" is not a role, want lower-case letters, digits and inner hyphens, other than visitor, owner and everyone`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(edit(t, withObjects, tt.edit...))
			if tt.want != "" {
				wantProblems(t, err, tt.want)
			} else if err != nil {
				t.Errorf("Parse() = %v, want nil", err)
			}
		})
	}
}

// TestSizeText writes sizes as they are read.
func TestSizeText(t *testing.T) {
	for size, want := range map[config.Size]string{0: "0B", 1: "1B", 1023: "1023B", 1 << 10: "1KiB", 3 << 19: "1536KiB", 10 << 20: "10MiB", 5 << 30: "5GiB"} {
		if got := size.String(); got != want {
			t.Errorf("Size(%d).String() = %q, want %q", int64(size), got, want)
		}
	}
}
