package config_test

import (
	"strings"
	"testing"
)

// TestParseStrict spoils base in ways that viper and YAML would let through,
// read as something else or refuse without saying where.
func TestParseStrict(t *testing.T) {
	tests := []struct {
		name string
		edit []string // old, new
		want string
	}{
		{"unknown key", []string{"  lifetime: 15m", "  lifetme: 15m"}, `config.yaml:10: cookies.lifetme: unknown key, did you mean "lifetime"?`},
		{"unknown key in other case", []string{"  lifetime: 15m", "  Lifetime: 15m"}, `config.yaml:10: cookies.Lifetime: unknown key, did you mean "lifetime"?`},
		{"unknown key with a hyphen", []string{"  same_site: lax", "  same-site: lax"}, `config.yaml:14: cookies.same-site: unknown key, did you mean "same_site"?`},
		{"unknown key that belongs elsewhere", []string{"environment: development", "lifetime: 15m"}, `config.yaml:46: lifetime: unknown key here, did you mean "cookies.lifetime"?`},
		{"unknown key like nothing", []string{"  lifetime: 15m", "  colour: blue"}, `config.yaml:10: cookies.colour: unknown key, want lifetime, window, sharing, domain, same_site or hash`},
		{"unknown key in a list", []string{"    file: tickets.csv", "    fil: tickets.csv"}, `config.yaml:32: sources[0].fil: unknown key, did you mean "file"?`},
		{"dotted key", []string{"environment: development", "cookies.lifetime: 15m"}, `config.yaml:46: cookies.lifetime: unknown key, write it nested: cookies: { lifetime: ... }`},
		{"key that is a list", []string{"  lifetime: 15m", "  ? [a, b]\n  : 15m"}, `config.yaml:10: cookies: a key that is a list, want a word`},
		{"key with control characters", []string{"  lifetime: 15m", `  "a\nb\e[31m": 15m`}, `config.yaml:10: cookies."a\nb\x1b[31m": unknown key, want lifetime, window, sharing, domain, same_site or hash`},
		{"endless key", []string{"environment: development", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: 1"}, `config.yaml:46: "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"...: unknown key, want environment, http, media, cookies, admission, throttle, keys, book, denylist, log, metrics, traces, sources, attractions, admin, objects or edge`},
		{"duplicate key", []string{"  window: 60s", "  lifetime: 20m"}, `config.yaml:11: cookies.lifetime: the key is already on line 10`},
		{"duplicate key by case", []string{"  window: 60s", "  LIFETIME: 20m"}, `config.yaml:11: cookies.LIFETIME: differs only by case from "lifetime" on line 10`},
		{"duplicate section", []string{"environment: development", "log:\n  level: debug"}, `config.yaml:46: log: the key is already on line 25`},
		{"second document", []string{"environment: development", "---\nenvironment: production"}, `config.yaml:46: a second document begins here (---), want one in the file`},
		{"anchor", []string{"  lifetime: 15m", "  lifetime: &life 15m"}, `config.yaml:10: cookies.lifetime: anchors (&name) are not used here; put a value that begins with & in quotes`},
		{"alias", []string{"  lifetime: 15m\n  window: 60s", "  lifetime: &life 15m\n  window: *life"}, `config.yaml:10: cookies.lifetime: anchors (&name) are not used here; put a value that begins with & in quotes
config.yaml:11: cookies.window: aliases (*name) are not used here, write the value out`},
		{"alias of nothing", []string{`  pepper: ""`, "  pepper: *hunter2hunter2hunter2"}, `config.yaml:24: a value begins with *, which makes it an alias; put it in quotes`},
		{"merge key", []string{"  lifetime: 15m", "  <<: {lifetime: 15m}"}, `config.yaml:10: cookies."<<": merge keys are not used here, write the keys out`},
		{"tag", []string{"  devices: 5", `  devices: !!int "5"`}, `config.yaml:18: admission.devices: tags (!type) are not used here; put a value that begins with ! in quotes`},
		{"tag of our own", []string{`  pepper: ""`, "  pepper: !hunter2 x"}, `config.yaml:24: book.pepper: tags (!type) are not used here; put a value that begins with ! in quotes`},
		{"tab", []string{"  lifetime: 15m", "\tlifetime: 15m"}, `config.yaml:10: a tab in the indentation, want spaces`},
		{"bare number", []string{"  lifetime: 15m", "  lifetime: 15"}, `config.yaml:10: cookies.lifetime: "15" has no unit, want a duration with its unit, like 15m`},
		{"bare fraction", []string{"  lifetime: 15m", "  lifetime: 1.5"}, `config.yaml:10: cookies.lifetime: "1.5" has no unit, want a duration with its unit, like 15m`},
		{"bare number in quotes", []string{"  lifetime: 15m", `  lifetime: "15"`}, `config.yaml:10: cookies.lifetime: "15" has no unit, want a duration with its unit, like 15m`},
		{"bare zero", []string{"  drain: 3s", "  drain: 0"}, `config.yaml:6: http.drain: "0" has no unit, want a duration with its unit, like 15m`},
		{"years", []string{"  lifetime: 15m", "  lifetime: 10y"}, `config.yaml:10: cookies.lifetime: "10y" is not a duration, want one with its unit, like 90s, 15m or 24h`},
		{"words", []string{"  lifetime: 15m", "  lifetime: a while"}, `config.yaml:10: cookies.lifetime: "a while" is not a duration, want one with its unit, like 90s, 15m or 24h`},
		{"empty duration", []string{"  lifetime: 15m", `  lifetime: ""`}, `config.yaml:10: cookies.lifetime: "" is not a duration, want one with its unit, like 90s, 15m or 24h`},
		{"date for a duration", []string{"  lifetime: 15m", "  lifetime: 2026-07-01"}, `config.yaml:10: cookies.lifetime: found a date, want a duration with its unit, like 15m`},
		{"null", []string{"  lifetime: 15m", "  lifetime:"}, `config.yaml:10: cookies.lifetime: nothing is set, want a duration with its unit, like 15m; take the line out to get the default`},
		{"tilde", []string{"  level: info", "  level: ~"}, `config.yaml:26: log.level: nothing is set, want debug, info, warn or error; take the line out to get the default`},
		{"null for a list", []string{"    sources: [list]", "    sources:"}, `config.yaml:42: attractions[0].sources: nothing is set, want a list, like [a, b]; take the line out to get the default`},
		{"null for a section", []string{"  root: media", "  # root: media"}, `config.yaml:44: edge: nothing is set, want keys below it; take the line out to get the default`},
		{"null in a list", []string{"    sources: [list]", "    sources: [list, ~]"}, `config.yaml:42: attractions[0].sources[1]: found nothing, want text`},
		{"fraction for a number", []string{"  devices: 5", "  devices: 5.0"}, `config.yaml:18: admission.devices: found a number, want a whole number`},
		{"text for a number", []string{"  devices: 5", `  devices: "5"`}, `config.yaml:18: admission.devices: found text, want a whole number`},
		{"octal", []string{"  devices: 5", "  devices: 010"}, `config.yaml:18: admission.devices: found "010", want a whole number in plain digits`},
		{"hexadecimal", []string{"  devices: 5", "  devices: 0x5"}, `config.yaml:18: admission.devices: found "0x5", want a whole number in plain digits`},
		{"underscores", []string{"  devices: 5", "  devices: 1_0"}, `config.yaml:18: admission.devices: found "1_0", want a whole number in plain digits`},
		{"number that overflows", []string{"  devices: 5", "  devices: 99999999999999999999"}, `config.yaml:18: admission.devices: found a number, want a whole number`},
		{"number for a switch", []string{"  sharing: on", "  sharing: 1"}, `config.yaml:12: cookies.sharing: found a whole number, want on or off`},
		{"word for a switch", []string{"  sharing: on", "  sharing: maybe"}, `config.yaml:12: cookies.sharing: found "maybe", want on or off`},
		{"number for text", []string{"    name: Castle", "    name: 1066"}, `config.yaml:35: attractions[0].name: found a whole number, want text (hint: put it in quotes)`},
		{"boolean for text", []string{"  domain: example.org", "  domain: true"}, `config.yaml:13: cookies.domain: found true or false, want text (hint: put it in quotes)`},
		{"date for text", []string{"    name: Castle", "    name: 2026-07-01"}, `config.yaml:35: attractions[0].name: found a date, want text (hint: put it in quotes)`},
		{"list for text", []string{"  level: info", "  level: [info]"}, `config.yaml:26: log.level: found a list, want debug, info, warn or error`},
		{"keys for text", []string{"  level: info", "  level: {info: on}"}, `config.yaml:26: log.level: found keys below it, want debug, info, warn or error`},
		{"text for a list", []string{"    sources: [list]", "    sources: list"}, `config.yaml:42: attractions[0].sources: found text, want a list, like [a, b]`},
		{"number in a list", []string{"    sources: [list]", "    sources: [list, 7]"}, `config.yaml:42: attractions[0].sources[1]: found a whole number, want text (hint: put it in quotes)`},
		{"list in a list", []string{"    sources: [list]", "    sources: [[list]]"}, `config.yaml:42: attractions[0].sources[0]: found a list, want text`},
		{"text for a section", []string{"  root: media", "  media"}, `config.yaml:45: edge: found text, want keys below it`},
		{"keys for a list of objects", []string{"  - id: list\n    kind: roll\n    match: \"[A-Z]+\"", "    id: list"}, `config.yaml:29: sources: found keys below it, want a list of entries, each beginning with -`},
		{"text in a list of objects", []string{"  - id: list\n    kind: roll\n    match: \"[A-Z]+\"\n    file: tickets.csv", "  - list"}, `config.yaml:29: sources[0]: found text, want keys: id, kind, match, file, terms, settings, rate, timeout`},
		{"newline in a value", []string{"    name: Castle", `    name: "Cas\ntle"`}, `config.yaml:35: attractions[0].name: the control character U+000A, want one line of plain text`},
		{"control character in a list", []string{"    free: [free]", `    free: ["fr\u0007ee"]`}, `config.yaml:41: attractions[0].free[0]: the control character U+0007, want one line of plain text`},
		{"number for a secret", []string{`  pepper: ""`, "  pepper: 31415926535897932384"}, `config.yaml:24: book.pepper: found a number, want a reference, file:PATH or env:NAME`},
		{"keys for a secret", []string{`  pepper: ""`, "  pepper: {hunter2hunter2hunter2: x}"}, `config.yaml:24: book.pepper: found keys below it, want a reference, file:PATH or env:NAME`},
		{"not YAML", []string{"  lifetime: 15m", "  lifetime: [15m"}, `config.yaml:9: not YAML around here: did not find expected ',' or ']'`},
		{"not YAML beside a secret", []string{`  pepper: ""`, `  pepper: "hunter2hunter2\q"`}, `config.yaml:24: not YAML around here: found unknown escape character`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(edit(t, base, tt.edit...))
			wantProblems(t, err, tt.want)
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes a secret: %v", err)
			}
		})
	}
}

func TestParseWholeFile(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", `config.yaml: sources: none is configured, want at least one
config.yaml: attractions: none is configured, want at least one`},
		{"only comments", "# nothing\n", `config.yaml: sources: none is configured, want at least one
config.yaml: attractions: none is configured, want at least one`},
		{"null", "~\n", `config.yaml: sources: none is configured, want at least one
config.yaml: attractions: none is configured, want at least one`},
		{"list", "- a\n", `config.yaml:1: found a list, want keys like "http:" at the left margin`},
		{"text", "hello\n", `config.yaml:1: found text, want keys like "http:" at the left margin`},
		{"anchor", "&a {}\n", `config.yaml:1: anchors (&name) are not used here; put a value that begins with & in quotes`},
		{"UTF-16", "\xff\xfeh\x00", `config.yaml: not UTF-8 text`},
		{"NUL", "http:\x00\n", `config.yaml:1: the control character U+0000, want one line of plain text`},
		{"control character", "http:\n  listen: \x1b[31m\n", `config.yaml:2: the control character U+001B, want one line of plain text`},
		{"not YAML in the first line", "http: [\n", `config.yaml:1: not YAML around here: did not find expected node content`},
		{"tab before a comment", "http:\n\t# c\n", `config.yaml:2: a tab in the indentation, want spaces`},
		{"several", "colour: blue\nhttp: {listen: 1}\nattractions:\n  - {id: A, timezone: UTC, sources: [x]}\nlog: {level: loud}\ncookies: {lifetime: 2h}\nsources: [{id: y, file: f}]\n", `config.yaml:1: colour: unknown key, want environment, http, media, cookies, admission, throttle, keys, book, denylist, log, metrics, traces, sources, attractions, admin, objects or edge
config.yaml:2: http.listen: found a whole number, want text (hint: put it in quotes)
config.yaml:4: attractions[0].id: "A" is not a slug, want lower-case letters, digits and inner hyphens, at most 63
config.yaml:4: attractions[0].sources[0]: no source has the id "x"
config.yaml:5: log.level: found "loud", want debug, info, warn or error
config.yaml:6: cookies.lifetime: 2h is out of range, want 30s to 60m`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(tt.text)
			wantProblems(t, err, tt.want)
		})
	}
}
