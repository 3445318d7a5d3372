package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestWarnings has what is allowed but seldom meant, and beside it what is fine.
func TestWarnings(t *testing.T) {
	packages := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("{id: p%d}", i))
		}
		return "sources: [list], packages: [" + strings.Join(all, ", ") + "]}"
	}
	sqlite := edit(t, base, "  kind: memory", "  kind: sqlite", `  pepper: ""`, "  pepper: 0123456789abcdef")
	const inline = "config.yaml:24: book.pepper: the secret itself is in the configuration; production wants a reference, file:PATH or env:NAME"
	host := []string{"https://api.example.org", "https://media.example.org"}
	deep := []string{"https://api.example.org", "https://api.tours.example.org", "https://media.example.org", "https://media.tours.example.org"}
	tests := []struct {
		name, text string
		edit       []string
		want       string // empty is no warning
	}{
		{"default", minimal, nil, ""},
		{"source that nobody uses", minimal, []string{"attractions:", "  - {id: spare, file: spare.csv}\nattractions:"}, `config.yaml:3: sources[1]: no attraction uses the source "spare"`},
		{"twelve prefixes", minimal, []string{"sources: [list]}", packages(12)}, ""},
		{"thirteen prefixes", minimal, []string{"sources: [list]}", packages(13)}, `config.yaml:2: sources[0]: its tickets can open up to 13 prefixes, and with more than 12 in one ticket browsers may drop cookies: each has up to 4, and 50 for a domain are sure (RFC 6265, section 6.1)`},
		{"thirteen prefixes of two attractions", minimal, []string{"sources: [list]}", packages(12) + "\n  - {id: zoo, timezone: UTC, sources: [list]}"}, `config.yaml:2: sources[0]: its tickets can open up to 13 prefixes, and with more than 12 in one ticket browsers may drop cookies: each has up to 4, and 50 for a domain are sure (RFC 6265, section 6.1)`},
		{"thirteen prefixes of two sources", minimal, []string{"attractions:", "  - {id: other, file: other.csv}\nattractions:", "sources: [list]}", packages(12) + "\n  - {id: zoo, timezone: UTC, sources: [other]}"}, ""},
		{"memory for visitors", base, nil, `config.yaml:23: book.kind: memory forgets every admission and revocation when handstamp stops; sqlite keeps them`},
		{"sqlite for visitors", sqlite, nil, inline},
		{"domain that is not needed", sqlite, host, inline + `
config.yaml:13: cookies.domain: every host below "example.org" gets the cookies, and "media.example.org" is the only one that needs them; empty keeps them there`},
		{"domain that is too wide", sqlite, deep, inline + `
config.yaml:13: cookies.domain: every host below "example.org" gets the cookies, "tours.example.org" is enough`},
		{"domain that is just enough", sqlite, append(slices.Clone(deep), "  domain: example.org", "  domain: tours.example.org"), inline},
		{"no proxy before https", sqlite, []string{"[10.0.0.0/8]", "[]"}, inline + `
config.yaml:5: http.trusted_proxies: empty, so all visitors have the address of whatever speaks https in front, and those who guess use up what the throttle grants to everybody`},
		{"no proxy and no throttle", sqlite + "throttle: {enabled: off}\n", []string{"[10.0.0.0/8]", "[]"}, inline},
		{"no floor", minimal + "throttle: {floor: 0s}\n", nil, `config.yaml:5: throttle.floor: 0s, so how long a refusal takes may say whether the code exists`},
		{"no floor and no throttle", minimal + "throttle: {floor: 0s, enabled: off}\n", nil, ""},
		{"idle below the renewal", minimal + "admission: {idle: 10m}\n", nil, `config.yaml:5: admission.idle: 10m is shorter than browsers take to renew (up to 10m40s), so visitors who are here may lose their seats`},
		{"idle above the renewal", minimal + "admission: {idle: 11m}\n", nil, ""},
		{"venue like a carrier", minimal, []string{"sources: [list]}", "sources: [list], venue_networks: [100.0.0.0/8]}"}, `config.yaml:4: attractions[0].venue_networks[0]: 100.0.0.0/8 is bigger than any venue, and whoever is in it may guess more often`},
		{"venue like a provider", minimal, []string{"sources: [list]}", `sources: [list], venue_networks: ["2001:db8::/32"]}`}, `config.yaml:4: attractions[0].venue_networks[0]: 2001:db8::/32 is bigger than any venue, and whoever is in it may guess more often`},
		{"venues", minimal, []string{"sources: [list]}", `sources: [list], venue_networks: [10.0.0.0/8, 203.0.113.0/24, "2001:db8::/48"]}`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(mustLoad(t, edit(t, tt.text, tt.edit...)).Warnings, "\n")
			if got != tt.want {
				t.Errorf("Warnings =\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
