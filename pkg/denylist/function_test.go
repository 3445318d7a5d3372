package denylist

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

const functionFile = "../../deploy/denylist/function.js"

// The function has the constants of this package, and asks for no session until
// somebody has said which.
func TestFunctionConstants(t *testing.T) {
	text, err := os.ReadFile(functionFile)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^const ([A-Z_]+) = '?([^';]*)'?;`).FindAllSubmatch(text, -1) {
		got[string(m[1])] = string(m[2])
	}
	want := map[string]string{
		"PREFIX_KEY": prefixKey, "SESSION_KEY": sessionKey, "MAX_DEPTH": strconv.Itoa(maxDepth), "SESSION_COOKIE": "", "FAIL_OPEN": "true",
	}
	for name, value := range want {
		if v, ok := got[name]; !ok || v != value {
			t.Errorf("%s: const %s = %q, %v, want %q", functionFile, name, v, ok, value)
		}
	}
	if limit := 10 << 10; len(text) > limit {
		t.Errorf("%s has %d bytes, CloudFront takes at most %d", functionFile, len(text), limit)
	}
}

// The entries that the tests of the function begin with are those that an
// Exporter writes.
func TestFunctionCases(t *testing.T) {
	text, err := os.ReadFile("../../test/denylist/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Attraction, Prefix string
		Session            gate.Session
		Revoked            int64
		Entries            map[string]string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(cases.Revoked, 0)
	rules := &gate.Rules{Attractions: []*gate.Attraction{{ID: cases.Attraction, Prefix: cases.Prefix}}}
	e := NewExporter(nil, rules, nil, Options{Sessions: true})
	want, _ := e.want([]book.Revocation{
		{At: at, Kind: gate.TargetAttraction, Attraction: cases.Attraction},
		{At: at, Kind: gate.TargetDevice, Session: cases.Session.Hash()},
	})
	got := map[string]string{}
	for _, edit := range edits(nil, want, at) {
		got[edit.Key] = edit.Value
	}
	if !maps.Equal(got, cases.Entries) {
		t.Errorf("the exporter writes %v, the cases have %v", got, cases.Entries)
	}
}
