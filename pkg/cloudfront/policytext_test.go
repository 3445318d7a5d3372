package cloudfront_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// fill puts resource, conditions and end into a shape.
func fill(shape string) string {
	return strings.NewReplacer("RES", `"Resource":"https://media.example.org/castle/*"`,
		"COND", `"Condition":{"DateLessThan":{"AWS:EpochTime":1782908100}}`,
		"LESS", `"DateLessThan":{"AWS:EpochTime":1782908100}`).Replace(shape)
}

// malformed are policies that CloudFront would refuse, or that two readers
// could read differently.
var malformed = []struct{ name, text string }{
	{"nothing", " "},
	{"null", "null"},
	{"a string", `"Statement"`},
	{"a number", "1"},
	{"an array", `[{RES,COND}]`},
	{"empty object", "{}"},
	{"other member", `{"Version":"2012-10-17","Statement":[{RES,COND}]}`},
	{"no statement", `{"Statement":[]}`},
	{"null statement", `{"Statement":null}`},
	{"statement as object", `{"Statement":{RES,COND}}`},
	{"statement as string", `{"Statement":"x"}`},
	{"statement is null", `{"Statement":[null]}`},
	{"statement is an array", `{"Statement":[[{RES,COND}]]}`},
	{"two statements", `{"Statement":[{RES,COND},{RES,COND}]}`},
	{"statement and more", `{"Statement":[{RES,COND},1]}`},
	{"Statement twice", `{"Statement":[{RES,COND}],"Statement":[{RES,COND}]}`},
	{"statement in lower case", `{"statement":[{RES,COND}]}`},
	{"Id", `{"Statement":[{RES,COND,"Sid":"x"}]}`},
	{"Effect", `{"Statement":[{"Effect":"Allow",RES,COND}]}`},
	{"no condition", `{"Statement":[{RES}]}`},
	{"condition is null", `{"Statement":[{RES,"Condition":null}]}`},
	{"condition is an array", `{"Statement":[{RES,"Condition":[]}]}`},
	{"condition in lower case", `{"Statement":[{RES,"condition":{LESS}}]}`},
	{"no end", `{"Statement":[{RES,"Condition":{}}]}`},
	{"only a start", `{"Statement":[{RES,"Condition":{"DateGreaterThan":{"AWS:EpochTime":1}}}]}`},
	{"end in lower case", `{"Statement":[{RES,"Condition":{"dateLessThan":{"AWS:EpochTime":1782908100}}}]}`},
	{"unknown condition", `{"Statement":[{RES,"Condition":{LESS,"StringEquals":{}}}]}`},
	{"end twice", `{"Statement":[{RES,"Condition":{LESS,LESS}}]}`},
	{"condition twice", `{"Statement":[{RES,COND,COND}]}`},
	{"resource twice", `{"Statement":[{RES,RES,COND}]}`},
	{"resource twice, once escaped", `{"Statement":[{RES,"\u0052esource":"*",COND}]}`},
	{"no resource", `{"Statement":[{COND}]}`},
	{"resource empty", `{"Statement":[{"Resource":"",COND}]}`},
	{"resource is null", `{"Statement":[{"Resource":null,COND}]}`},
	{"resource is a number", `{"Statement":[{"Resource":1,COND}]}`},
	{"resource is an array", `{"Statement":[{"Resource":["*"],COND}]}`},
	{"resource in lower case", `{"Statement":[{"resource":"*",COND}]}`},
	{"resource with a bare backslash", `{"Statement":[{"Resource":"https://h/a\?b",COND}]}`},
	{"epoch quoted", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":"1782908100"}}}]}`},
	{"epoch a fraction", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":1782908100.0}}}]}`},
	{"epoch with an exponent", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":1e10}}}]}`},
	{"epoch negative", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":-1}}}]}`},
	{"epoch minus zero", `{"Statement":[{RES,"Condition":{LESS,"DateGreaterThan":{"AWS:EpochTime":-0}}}]}`},
	{"epoch beyond 2^53", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":9007199254740993}}}]}`},
	{"epoch 2^63", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":9223372036854775808}}}]}`},
	{"epoch with a zero before", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":01782908100}}}]}`},
	{"epoch with a plus", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":+1782908100}}}]}`},
	{"epoch is null", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":null}}}]}`},
	{"epoch is true", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":true}}}]}`},
	{"epoch without a name", `{"Statement":[{RES,"Condition":{"DateLessThan":1782908100}}]}`},
	{"epoch under another name", `{"Statement":[{RES,"Condition":{"DateLessThan":{"aws:epochtime":1782908100}}}]}`},
	{"epoch missing", `{"Statement":[{RES,"Condition":{"DateLessThan":{}}}]}`},
	{"epoch twice", `{"Statement":[{RES,"Condition":{"DateLessThan":{"AWS:EpochTime":1782908100,"AWS:EpochTime":1}}}]}`},
	{"start quoted", `{"Statement":[{RES,"Condition":{LESS,"DateGreaterThan":{"AWS:EpochTime":"1"}}}]}`},
	{"address without mask", `{"Statement":[{RES,"Condition":{LESS,"IpAddress":{"AWS:SourceIp":"192.0.2.1"}}}]}`},
	{"address IPv6", `{"Statement":[{RES,"Condition":{LESS,"IpAddress":{"AWS:SourceIp":"2001:db8::/32"}}}]}`},
	{"address mapped", `{"Statement":[{RES,"Condition":{LESS,"IpAddress":{"AWS:SourceIp":"::ffff:192.0.2.0/120"}}}]}`},
	{"address with a long mask", `{"Statement":[{RES,"Condition":{LESS,"IpAddress":{"AWS:SourceIp":"192.0.2.0/33"}}}]}`},
	{"address with a zero before", `{"Statement":[{RES,"Condition":{LESS,"IpAddress":{"AWS:SourceIp":"192.0.02.0/24"}}}]}`},
	{"addresses", `{"Statement":[{RES,"Condition":{LESS,"IpAddress":{"AWS:SourceIp":["192.0.2.0/24"]}}}]}`},
	{"address empty", `{"Statement":[{RES,"Condition":{LESS,"IpAddress":{"AWS:SourceIp":""}}}]}`},
	{"address missing", `{"Statement":[{RES,"Condition":{LESS,"IpAddress":{}}}]}`},
	{"IPAddress", `{"Statement":[{RES,"Condition":{LESS,"IPAddress":{"AWS:SourceIp":"192.0.2.0/24"}}}]}`},
	{"cut off", `{"Statement":[{RES,COND}]`},
	{"more after it", `{"Statement":[{RES,COND}]}x`},
	{"twice", `{"Statement":[{RES,COND}]}{"Statement":[{RES,COND}]}`},
	{"comma at the end", `{"Statement":[{RES,COND},]}`},
	{"comment", `{"Statement":[{RES,COND}]}//`},
	{"single quotes", `{'Statement':[{RES,COND}]}`},
	{"NUL at the end", "{\"Statement\":[{RES,COND}]}\x00"},
	{"byte order mark", "\ufeff" + `{"Statement":[{RES,COND}]}`},
	{"no-break space", "\u00a0" + `{"Statement":[{RES,COND}]}`},
	{"not UTF-8", "{\"Statement\":[{\"Resource\":\"https://h/\xff*\",COND}]}"},
	{"UTF-16", "{\x00\"\x00S\x00"},
	{"line break in a string", "{\"Statement\":[{\"Resource\":\"https://h/\n*\",COND}]}"},
	{"depth bomb", strings.Repeat("[", 20000) + strings.Repeat("]", 20000)},
	{"depth bomb of objects", strings.Repeat(`{"Statement":`, 2000) + "1" + strings.Repeat("}", 2000)},
	{"depth bomb inside", `{"Statement":[{RES,"Condition":` + strings.Repeat("[", 3000) + strings.Repeat("]", 3000) + `}]}`},
}

// TestMalformedPolicy: properly signed, and refused all the same.
func TestMalformedPolicy(t *testing.T) {
	for _, tt := range malformed {
		t.Run(tt.name, func(t *testing.T) {
			text := fill(tt.text)
			request := cloudfront.Request{URL: inCastle, Cookies: []string{sealed(text).cookies()}}
			got := new(cloudfront.Decider).Decide(request, trusted(t), noon)
			want := cloudfront.Decision{Code: cloudfront.MalformedPolicy, Rule: cloudfront.RulePolicyText}
			if len(text) > 20000 { // too large to get as far
				want = cloudfront.Decision{Code: cloudfront.TooLarge, Rule: cloudfront.RuleSize}
			}
			if got != want {
				t.Errorf("Decide with the policy %.300s = %+v, want %+v", text, got, want)
			}
			if r, err := cloudfront.ReadPolicy([]byte(text)); err == nil && r.Resource != "" {
				t.Errorf("ReadPolicy(%.300s) = %+v, want an error", text, r)
			}
		})
	}
}

// wellFormed mean the same as what we write ourselves.
var wellFormed = []struct{ name, text string }{
	{"as we write it", `{"Statement":[{RES,COND}]}`},
	{"newline at the end", "{\"Statement\":[{RES,COND}]}\n"},
	{"CRLF and spaces, as AWS's example has it", "{ \r\n   \"Statement\": [{ \r\n      RES, \r\n      COND \r\n   }] \r\n}\r\n"},
	{"tabs", "\t{\t\"Statement\"\t:\t[\t{RES\t,\tCOND}\t]\t}\t"},
	{"condition first", `{"Statement":[{COND,RES}]}`},
	{"start before end", `{"Statement":[{RES,"Condition":{"DateGreaterThan":{"AWS:EpochTime":0},LESS}}]}`},
	{"any address", `{"Statement":[{RES,"Condition":{"IpAddress":{"AWS:SourceIp":"0.0.0.0/0"},LESS}}]}`},
	{"escaped slashes", `{"Statement":[{"Resource":"https:\/\/media.example.org\/castle\/*",COND}]}`},
	{"escaped letters", `{"Stat\u0065ment":[{"Resource":"https://media.example.org/\u0063astle/*",COND}]}`},
	{"escaped ampersand and query", `{"Statement":[{"Resource":"https://media.example.org/castle/audio/01.m4a\\?*",COND}]}`},
}

func TestWellFormedPolicy(t *testing.T) {
	for _, tt := range wellFormed {
		t.Run(tt.name, func(t *testing.T) {
			text := fill(tt.text)
			request := cloudfront.Request{URL: inCastle, Cookies: []string{sealed(text).cookies()}, IP: netip.MustParseAddr("192.0.2.7")}
			if got := new(cloudfront.Decider).Decide(request, trusted(t), noon); !got.Allowed {
				t.Errorf("Decide with the policy %s = %+v, want it allowed", text, got)
			}
		})
	}
}

// TestPolicyNotRewritten: the bytes that were sent are checked, not what they mean (E-16).
func TestPolicyNotRewritten(t *testing.T) {
	spaced, compact := fill(wellFormed[2].text), fill(wellFormed[0].text)
	for _, pair := range [][2]string{{spaced, compact}, {compact, spaced}, {compact, compact + "\n"}, {compact + "\n", compact}} {
		s := sealed(pair[0])
		s.policy = base64URL([]byte(pair[1]))
		got := new(cloudfront.Decider).Decide(cloudfront.Request{URL: inCastle, Cookies: []string{s.cookies()}}, trusted(t), noon)
		if got.Rule != cloudfront.RuleSignature {
			t.Errorf("Decide with %q signed and %q sent = %+v, want the signature refused", pair[0], pair[1], got)
		}
	}
}

// laxPolicy is a policy for a reader that takes everything.
type laxPolicy struct {
	Statement []struct {
		Resource  string
		Condition struct {
			DateLessThan    laxEpoch
			DateGreaterThan *laxEpoch
			IPAddress       *struct {
				SourceIP string `json:"AWS:SourceIp"`
			} `json:"IpAddress"`
		}
	}
}

type laxEpoch struct {
	Epoch int64 `json:"AWS:EpochTime"`
}

func (p laxPolicy) reading() (r cloudfront.Reading, ok bool) {
	if len(p.Statement) != 1 {
		return r, false
	}
	c := p.Statement[0].Condition
	r = cloudfront.Reading{Resource: p.Statement[0].Resource, End: c.DateLessThan.Epoch}
	if c.DateGreaterThan != nil {
		r.HasStart, r.Start = true, c.DateGreaterThan.Epoch
	}
	if c.IPAddress != nil {
		network, err := netip.ParsePrefix(c.IPAddress.SourceIP)
		if err != nil {
			return r, false
		}
		r.Network = network.Masked()
	}
	return r, true
}

// What we accept, another reader accepts with the same meaning.
func FuzzPolicyText(f *testing.F) {
	for _, tt := range malformed {
		f.Add([]byte(fill(tt.text)))
	}
	for _, tt := range wellFormed {
		f.Add([]byte(fill(tt.text)))
	}
	f.Add([]byte(fill(`{"Statement":[{COND}]}`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := cloudfront.ReadPolicy(text)
		if err != nil {
			return
		}
		var lax laxPolicy
		if err := json.Unmarshal(text, &lax); err != nil {
			t.Fatalf("ReadPolicy(%q) = %+v, which encoding/json refuses: %v", text, got, err)
		}
		if want, ok := lax.reading(); !ok || got != want {
			t.Errorf("ReadPolicy(%q) = %+v, want %+v, %t", text, got, want, ok)
		}
	})
}
