package cloudfront_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// TestPolicyText holds the text to bytes that were written by hand.
func TestPolicyText(t *testing.T) {
	url := parseResource(t, "https://media.example.org/castle/map.pdf?lang=en&v=<2>")
	tests := []struct {
		name   string
		policy cloudfront.Policy
		want   string
	}{
		{"prefix", cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: time.Unix(1795003600, 999)},
			`{"Statement":[{"Resource":"https://media.example.org/castle/*","Condition":{"DateLessThan":{"AWS:EpochTime":1795003600}}}]}`},
		{"ampersand", cloudfront.Policy{Resource: url, DateLessThan: time.Unix(1795000600, 0)},
			`{"Statement":[{"Resource":"https://media.example.org/castle/map.pdf?lang=en&v=%3C2%3E","Condition":{"DateLessThan":{"AWS:EpochTime":1795000600}}}]}`},
		{"everything", cloudfront.Policy{Resource: prefix(t, "castle/audio"), DateLessThan: time.Unix(1795003600, 0),
			DateGreaterThan: time.Unix(1795000060, 0), IPAddress: netip.MustParsePrefix("192.0.2.77/24")},
			`{"Statement":[{"Resource":"https://media.example.org/castle/audio/*","Condition":{"DateLessThan":{"AWS:EpochTime":1795003600},` +
				`"DateGreaterThan":{"AWS:EpochTime":1795000060},"IpAddress":{"AWS:SourceIp":"192.0.2.0/24"}}}]}`},
		{"one address", cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: time.Unix(1, 0), IPAddress: netip.MustParsePrefix("192.0.2.1/32")},
			`{"Statement":[{"Resource":"https://media.example.org/castle/*","Condition":{"DateLessThan":{"AWS:EpochTime":1},"IpAddress":{"AWS:SourceIp":"192.0.2.1/32"}}}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.policy.Text()
			if string(got) != tt.want {
				t.Errorf("Text() = %s\nwant     %s", got, tt.want)
			}
			if !json.Valid(got) {
				t.Errorf("Text() = %s, which is not JSON", got)
			}
		})
	}
}

func TestPolicyCheck(t *testing.T) {
	castle := prefix(t, "castle")
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	tests := []struct {
		name   string
		policy cloudfront.Policy
		want   error // nil means it can be signed
	}{
		{"good", cloudfront.Policy{Resource: castle, DateLessThan: end}, nil},
		{"nanoseconds", cloudfront.Policy{Resource: castle, DateLessThan: end.Add(999)}, nil},
		{"last second", cloudfront.Policy{Resource: castle, DateLessThan: at(1<<31 - 1)}, nil},
		{"first second", cloudfront.Policy{Resource: castle, DateLessThan: at(1)}, nil},
		{"start", cloudfront.Policy{Resource: castle, DateLessThan: end, DateGreaterThan: noon}, nil},
		{"start in 1970", cloudfront.Policy{Resource: castle, DateLessThan: end, DateGreaterThan: at(0)}, nil},
		{"range", cloudfront.Policy{Resource: castle, DateLessThan: end, IPAddress: netip.MustParsePrefix("192.0.2.0/24")}, nil},
		{"no resource", cloudfront.Policy{DateLessThan: end}, cloudfront.ErrUnsafeResource},
		{"nothing", cloudfront.Policy{}, cloudfront.ErrUnsafeResource},
		{"no end", cloudfront.Policy{Resource: castle}, cloudfront.ErrTimes},
		{"end in 1970", cloudfront.Policy{Resource: castle, DateLessThan: at(0)}, cloudfront.ErrTimes},
		{"end before 1970", cloudfront.Policy{Resource: castle, DateLessThan: at(-1)}, cloudfront.ErrTimes},
		{"end in 2038", cloudfront.Policy{Resource: castle, DateLessThan: at(1 << 31)}, cloudfront.ErrTimes},
		{"year 9999", cloudfront.Policy{Resource: castle, DateLessThan: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, cloudfront.ErrTimes},
		{"start is end", cloudfront.Policy{Resource: castle, DateLessThan: end, DateGreaterThan: end}, cloudfront.ErrTimes},
		{"start within the last second", cloudfront.Policy{Resource: castle, DateLessThan: end.Add(9e8), DateGreaterThan: end}, cloudfront.ErrTimes},
		{"start after end", cloudfront.Policy{Resource: castle, DateLessThan: end, DateGreaterThan: end.Add(time.Second)}, cloudfront.ErrTimes},
		{"start before 1970", cloudfront.Policy{Resource: castle, DateLessThan: end, DateGreaterThan: at(-1)}, cloudfront.ErrTimes},
		{"IPv6", cloudfront.Policy{Resource: castle, DateLessThan: end, IPAddress: netip.MustParsePrefix("2001:db8::/32")}, cloudfront.ErrIPv4},
		{"mapped", cloudfront.Policy{Resource: castle, DateLessThan: end, IPAddress: netip.PrefixFrom(netip.MustParseAddr("::ffff:192.0.2.1"), 128)}, cloudfront.ErrIPv4},
		{"bad length", cloudfront.Policy{Resource: castle, DateLessThan: end, IPAddress: netip.PrefixFrom(netip.MustParseAddr("192.0.2.1"), 33)}, cloudfront.ErrIPv4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.policy.Check(); !errors.Is(err, tt.want) {
				t.Errorf("Check() = %v, want %v", err, tt.want)
			}
			for _, s := range []*cloudfront.Signer{newSigner(t, rsaID, rsaKey(), cloudfront.SHA1), newSigner(t, ecID, ecKey(), "")} {
				if signed, err := s.Sign(tt.policy); !errors.Is(err, tt.want) || err != nil && signed != nil {
					t.Errorf("Sign with %s = %v, %v, want %v", s.Hash(), signed, err, tt.want)
				}
			}
		})
	}
}

func TestPolicyCanned(t *testing.T) {
	url := parseResource(t, "https://media.example.org/castle/map.pdf?x=1")
	tests := []struct {
		name   string
		policy cloudfront.Policy
		want   bool
	}{
		{"URL", cloudfront.Policy{Resource: url, DateLessThan: end}, true},
		{"wildcard", cloudfront.Policy{Resource: prefix(t, "castle"), DateLessThan: end}, false},
		{"wildcard in the query", cloudfront.Policy{Resource: parseResource(t, "https://media.example.org/a?x=*"), DateLessThan: end}, false},
		{"start", cloudfront.Policy{Resource: url, DateLessThan: end, DateGreaterThan: noon}, false},
		{"address", cloudfront.Policy{Resource: url, DateLessThan: end, IPAddress: netip.MustParsePrefix("192.0.2.0/24")}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.policy.Canned(); got != tt.want {
				t.Errorf("Canned() = %t, want %t", got, tt.want)
			}
			_, err := newSigner(t, ecID, ecKey(), "").SignCanned(tt.policy)
			if refused := errors.Is(err, cloudfront.ErrCanned); refused == tt.want {
				t.Errorf("SignCanned() = %v, want ErrCanned %t", err, !tt.want)
			}
		})
	}
}
