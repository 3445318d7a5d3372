package cloudfront_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

type foreignFile struct {
	Keys map[string]struct {
		KeyPairID string `json:"key_pair_id"`
		PublicPEM string `json:"public_pem"`
	} `json:"keys"`
	Cases []foreignCase `json:"cases"`
}

type foreignCase struct {
	Name     string            `json:"name"`
	Kind     string            `json:"kind"`
	Policy   string            `json:"policy"`
	Cookies  map[string]string `json:"cookies"`
	Requests []struct {
		URL    string `json:"url"`
		At     int64  `json:"at"`
		Allow  bool   `json:"allow"`
		Reason string `json:"reason"`
		IP     string `json:"ip"`
	} `json:"requests"`
}

func readForeign(t testing.TB) foreignFile {
	t.Helper()
	text, err := os.ReadFile("testdata/foreign.json")
	if err != nil {
		t.Fatal(err)
	}
	var file foreignFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

func (f foreignFile) group(t testing.TB) cloudfront.KeyGroup {
	t.Helper()
	var keys []*cloudfront.PublicKey
	for name, k := range f.Keys {
		key, err := cloudfront.ParsePublicKey(k.KeyPairID, []byte(k.PublicPEM))
		if err != nil {
			t.Fatalf("ParsePublicKey of %s: %v", name, err)
		}
		keys = append(keys, key)
	}
	return cloudfront.NewKeyGroup(keys...)
}

// TestForeign decides about what AWS's signers and openssl have signed.
func TestForeign(t *testing.T) {
	file := readForeign(t)
	group := file.group(t)
	cached := cloudfront.NewDecider(cloudfront.Parity{}, 100)
	for _, c := range file.Cases {
		var cookies []string
		for name, value := range c.Cookies {
			cookies = append(cookies, name+"="+value)
		}
		for i, r := range c.Requests {
			request := cloudfront.Request{URL: r.URL, Cookies: cookies}
			if r.IP != "" {
				request.IP = netip.MustParseAddr(r.IP)
			}
			t.Run(fmt.Sprintf("%s/%d %s", c.Name, i, r.Reason), func(t *testing.T) {
				at := time.Unix(r.At, 0)
				if got := new(cloudfront.Decider).Decide(request, group, at); got.Allowed != r.Allow {
					t.Errorf("Decide(%q at %d from %q) = %+v, want allowed %t", r.URL, r.At, r.IP, got, r.Allow)
				}
				if got := cached.Decide(request, group, at); got.Allowed != r.Allow {
					t.Errorf("with a cache: Decide(%q at %d from %q) = %+v, want allowed %t", r.URL, r.At, r.IP, got, r.Allow)
				}
			})
		}
	}
}

// TestForeignText holds our policy text to that of AWS's signer.
func TestForeignText(t *testing.T) {
	file := readForeign(t)
	got := string(cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: time.Unix(1795003600, 0)}.Text())
	for _, c := range file.Cases[:3] {
		if got != c.Policy {
			t.Errorf("Text() = %s, want %s as of %q", got, c.Policy, c.Name)
		}
	}
}
