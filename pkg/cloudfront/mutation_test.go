package cloudfront_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A mutant is a good cookie set with one thing changed.
type mutant struct {
	sent
	what string
	at   int
}

// mutants changes every bit of the policy, the signature and the ID, and every
// character of their values (E-15). Every step-th is returned.
func mutants(t testing.TB, good sent, step int) []mutant {
	t.Helper()
	var all []mutant
	policy, err := cloudfront.Decode(good.policy)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := cloudfront.Decode(good.signature)
	if err != nil {
		t.Fatal(err)
	}
	add := func(what string, at int, change func(*sent)) {
		m := mutant{good, what, at}
		change(&m.sent)
		all = append(all, m)
	}
	for bit := range 8 * len(policy) {
		add("policy bit", bit, func(s *sent) { s.policy = base64URL(flip(policy, bit)) })
	}
	for bit := range 8 * len(signature) {
		add("signature bit", bit, func(s *sent) { s.signature = base64URL(flip(signature, bit)) })
	}
	for bit := range 8 * len(good.id) {
		add("ID bit", bit, func(s *sent) { s.id = string(flip([]byte(good.id), bit)) })
	}
	for i := range good.policy {
		add("policy character", i, func(s *sent) { s.policy = replaced(s.policy, i) })
		add("policy cut", i, func(s *sent) { s.policy = s.policy[:i] + s.policy[i+1:] })
	}
	for i := range good.signature {
		add("signature character", i, func(s *sent) { s.signature = replaced(s.signature, i) })
		add("signature cut", i, func(s *sent) { s.signature = s.signature[:i] + s.signature[i+1:] })
	}
	var some []mutant
	for i := 0; i < len(all); i += step {
		some = append(some, all[i])
	}
	return some
}

func flip(data []byte, bit int) []byte {
	out := bytes.Clone(data)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}

func replaced(s string, i int) string {
	c := "A"
	if s[i] == 'A' {
		c = "B"
	}
	return s[:i] + c + s[i+1:]
}

// TestMutants: nothing but the very bytes that were signed is allowed, by a
// decision with and without a warm cache.
func TestMutants(t *testing.T) {
	text := policyText("https://media.example.org/castle/*", end)
	tests := []struct {
		name        string
		good        sent
		step, least int
	}{
		{"P-256", castle(), 1, 2000},
		{"RSA SHA1", sealedWith(rsaID, rsaKey(), cloudfront.SHA1, text), 11, 300},
		{"RSA SHA256", sealedWith(rsaID, rsaKey(), cloudfront.SHA256, text), 13, 300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			group := trusted(t)
			cold, warm := new(cloudfront.Decider), cloudfront.NewDecider(cloudfront.Parity{}, 100)
			for _, d := range []*cloudfront.Decider{cold, warm} {
				if got := d.Decide(cloudfront.Request{URL: inCastle, Cookies: []string{tt.good.cookies()}}, group, noon); !got.Allowed {
					t.Fatalf("Decide about the good one = %+v, want it allowed", got)
				}
			}
			all := mutants(t, tt.good, tt.step)
			if len(all) < tt.least {
				t.Errorf("%d mutants, want at least %d", len(all), tt.least)
			}
			for _, m := range all {
				request := cloudfront.Request{URL: inCastle, Cookies: []string{m.cookies()}}
				if strings.HasPrefix(m.what, "ID") { // quick, so also by URL
					request = cloudfront.Request{URL: m.on(inCastle)}
				}
				for name, d := range map[string]*cloudfront.Decider{"cold": cold, "warm": warm} {
					if got := d.Decide(request, group, noon); got.Allowed || got.Code == "" {
						t.Errorf("%s: Decide with %s %d changed = %+v, want a refusal", name, m.what, m.at, got)
					}
				}
			}
			if n := warm.Remembered(); n != 1 {
				t.Errorf("%d signatures remembered, want the good one only", n)
			}
		})
	}
}
