//go:build witness

package cloudfront_test

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A witnessCase is one request as the programs in test/witness write it.
type witnessCase struct {
	Tag     string            `json:"tag"`
	URL     string            `json:"url"`
	Cookies []string          `json:"cookies"`
	IP      string            `json:"ip"`
	At      int64             `json:"at"`
	Keys    map[string]string `json:"keys"`
	Expect  struct {
		Allowed bool   `json:"allowed"`
		Code    string `json:"code"`
	} `json:"expect"`
}

// TestForeignCases compares our decision with that of others on the cases in
// the files that HANDSTAMP_CASES names, separated by colons (E-69).
func TestForeignCases(t *testing.T) {
	files := os.Getenv("HANDSTAMP_CASES")
	if files == "" {
		t.Fatal("HANDSTAMP_CASES is not set; test/all.sh sets it")
	}
	keys := map[string]*cloudfront.PublicKey{}
	for name := range strings.SplitSeq(files, ":") {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		total, allowed := 0, 0
		for lines.Scan() {
			var c witnessCase
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			total++
			if c.Expect.Allowed {
				allowed++
			}
			compareForeign(t, keys, &c)
		}
		if err := lines.Err(); err != nil || total < 50 || allowed < total/20 {
			t.Errorf("%s: %d cases of which %d are to be allowed, %v", name, total, allowed, err)
		}
		t.Logf("%s: %d cases, %d to be allowed", name, total, allowed)
	}
}

func compareForeign(t *testing.T, keys map[string]*cloudfront.PublicKey, c *witnessCase) {
	t.Helper()
	var group []*cloudfront.PublicKey
	for id, text := range c.Keys {
		if keys[id+text] == nil {
			key, err := cloudfront.ParsePublicKey(id, []byte(text))
			if err != nil {
				t.Fatalf("%s: %v", c.Tag, err)
			}
			keys[id+text] = key
		}
		group = append(group, keys[id+text])
	}
	request := cloudfront.Request{URL: c.URL, Cookies: c.Cookies}
	if c.IP != "" {
		request.IP = netip.MustParseAddr(c.IP)
	}
	var decider cloudfront.Decider
	got := decider.Trace(request, cloudfront.NewKeyGroup(group...), time.Unix(c.At, 0))
	code := strings.Replace(string(got.Code), string(cloudfront.TooLarge), "TooLarge", 1)
	if got.Allowed != c.Expect.Allowed || c.Expect.Code != "" && code != c.Expect.Code {
		t.Errorf("%s: %.300s\n got %t %s by rule %s, want %t %s", c.Tag, c.URL, got.Allowed, got.Code, got.Rule, c.Expect.Allowed, c.Expect.Code)
	}
}
