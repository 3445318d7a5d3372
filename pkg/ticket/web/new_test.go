package web_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

// TestNewRefuses: what is wrong is said when the source is made, and where.
func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*web.Config)
		want   string
	}{
		{"effect", func(c *web.Config) { c.Effect = "write" }, "effect"},
		{"no code in the request", func(c *web.Config) { c.Request.URL = "https://example.org/" }, "{code} is nowhere"},
		{"placeholder in the host", func(c *web.Config) { c.Request.URL = "https://{code}/" }, "request.url"},
		{"unknown placeholder", func(c *web.Config) { c.Request.URL = "https://example.org/{code}/{ticket}" }, "{ticket} is not known"},
		{"factor that nobody compares", func(c *web.Config) { c.Factors = []web.Factor{{Name: "surname"}} }, "neither compared nor sent"},
		{"factor twice", func(c *web.Config) {
			c.Factors = []web.Factor{{Name: "a", Equals: "item.name"}, {Name: "a", Equals: "item.name"}}
		}, "factors"},
		{"method", func(c *web.Config) { c.Request.Method = "DELETE" }, "request.method"},
		{"header", func(c *web.Config) { c.Request.Header = map[string]string{"Host": "evil.example"} }, "request.header"},
		{"header with a line break", func(c *web.Config) { c.Request.Header = map[string]string{"X": "a\r\nY: b"} }, "request.header"},
		{"JSON outside of a string", func(c *web.Config) { c.Request.Body = `{"code": {code}}` }, "request.body"},
		{"JSON in a name", func(c *web.Config) { c.Request.Body = `{"{code}": 1}` }, "request.body"},
		{"no JSON", func(c *web.Config) { c.Request.Body = `code={code}` }, "request.body"},
		{"XML in a comment", func(c *web.Config) { c.Request.Type, c.Request.Body = web.XML, `<a><!-- {code} --></a>` }, "request.body"},
		{"XML in CDATA", func(c *web.Config) { c.Request.Type, c.Request.Body = web.XML, `<a><![CDATA[{code}]]></a>` }, "request.body"},
		{"XML as a name", func(c *web.Config) { c.Request.Type, c.Request.Body = web.XML, `<{code}/>` }, "request.body"},
		{"form as a name", func(c *web.Config) { c.Request.Type, c.Request.Body = web.Form, `{code}=1` }, "request.body"},
		{"two kinds of auth", func(c *web.Config) { c.Auth = web.Auth{Bearer: "x", Basic: &web.Basic{User: "a", Password: "b"}} }, "auth"},
		{"basic without a password", func(c *web.Config) { c.Auth.Basic = &web.Basic{User: "a"} }, "auth.basic"},
		{"key with a line break", func(c *web.Config) { c.Auth.Header = []web.Field{{Name: "X", Value: "CANARY\n"}} }, "auth.header"},
		{"oauth2 over something else", func(c *web.Config) { c.Auth.OAuth2 = &web.OAuth2{URL: "ftp://x/", ID: "a", Secret: "b"} }, "auth.oauth2.url"},
		{"status that says nothing", func(c *web.Config) { c.Answer.Verdicts = []int{200, 429} }, "429"},
		{"our own fault as a verdict", func(c *web.Config) { c.Answer.Unknown = []int{401} }, "401"},
		{"server error as a verdict", func(c *web.Config) { c.Answer.Verdicts = []int{500} }, "500"},
		{"redirect as a verdict", func(c *web.Config) { c.Answer.Verdicts = []int{302} }, "302"},
		{"status with two meanings", func(c *web.Config) { c.Answer.Unknown = []int{200} }, "two meanings"},
		{"refusals without a shape", func(c *web.Config) { c.Answer.Refusals = []int{400} }, "refusal_shape"},
		{"format", func(c *web.Config) { c.Answer.Format = web.Form }, "answer.format"},
		{"shape", func(c *web.Config) { c.Answer.Shape = `{valid: boolean}` }, "answer.shape"},
		{"shape twice", func(c *web.Config) { c.Answer.Shape = `{valid: bool, valid?: bool}` }, "answer.shape"},
		{"shape cut", func(c *web.Config) { c.Answer.Shape = `{valid: bool` }, "answer.shape"},
		{"shape of two types", func(c *web.Config) { c.Answer.Shape = `[bool, string]` }, "answer.shape"},
		{"no shape", func(c *web.Config) { c.Answer.Shape = `` }, "answer.shape"},
		{"no valid", func(c *web.Config) { c.Decide.Valid = "" }, "decide.valid"},
		{"no echo", func(c *web.Config) { c.Decide.Echo = "" }, "insecure_no_echo"},
		{"field that is not declared", func(c *web.Config) { c.Decide.Valid = "item.vaild" }, "unknown field vaild"},
		{"valid is no truth value", func(c *web.Config) { c.Decide.Valid = "item.state" }, "valid: is a string, want a bool"},
		{"types that cannot be equal", func(c *web.Config) { c.Decide.Valid = `item.valid == "true"` }, "mismatched types"},
		{"until is no time", func(c *web.Config) { c.Decide.Until = "item.until" }, "until: is a string, want a time.Time"},
		{"seats are no number", func(c *web.Config) { c.Decide.Seats = `"3"` }, "seats"},
		{"a clock", func(c *web.Config) { c.Decide.Until = `date("2026-07-01")` }, "unknown name date"},
		{"syntax", func(c *web.Config) { c.Decide.Valid = "item.valid &&" }, "valid"},
		{"select of texts", func(c *web.Config) { c.Decide.Select = "body.state" }, "select"},
		{"reason", func(c *web.Config) { c.Decide.Reasons = []web.Reason{{Reason: "refunded"}} }, "reasons[0]"},
		{"reason of the gateway", func(c *web.Config) { c.Decide.Reasons = []web.Reason{{Reason: gate.ReasonNoSession}} }, "reasons[0]"},
		{"no grants", func(c *web.Config) { c.Decide.Grants = nil }, "grants"},
		{"grant of nothing", func(c *web.Config) { c.Decide.Grants = []web.Grant{{}} }, "grants[0]"},
		{"grant that is not configured", func(c *web.Config) { c.Decide.Grants = []web.Grant{{Attraction: "moon"}} }, "no such attraction"},
		{"pattern", func(c *web.Config) { c.Code.Pattern = "(" }, "code.pattern"},
		{"exact and lower", func(c *web.Config) { c.Code = web.Code{Exact: true, Lower: true} }, "code"},
	}
	opts := options()
	opts.Check = func(p gate.Product) error {
		if p.Attraction != "castle" {
			return errors.New("no such attraction")
		}
		return nil
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config("https://example.org")
			tt.change(&cfg)
			s, err := web.New(cfg, opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("New = %v, %v, want an error with %q", s, err, tt.want)
			}
		})
	}
	if _, err := web.New(config("https://example.org"), opts); err != nil {
		t.Errorf("New = %v", err)
	}
	opts.Secret = []byte("short")
	if _, err := web.New(config("https://example.org"), opts); err == nil {
		t.Error("New with a short secret succeeded")
	}
}

func TestCodes(t *testing.T) {
	tests := []struct {
		name  string
		code  web.Code
		typed string
		want  string // "-" if it is malformed
	}{
		{"as everywhere", web.Code{}, " ab-12 c", "AB12C"},
		{"lower", web.Code{Lower: true}, "AB-12 c", "ab12c"},
		{"hyphens", web.Code{Hyphens: true}, "ab-12 c", "AB-12C"},
		{"exact", web.Code{Exact: true}, " aB-1%2\t", "aB-1%252"},
		{"exact with a space inside", web.Code{Exact: true}, "a b", "-"},
		{"pattern", web.Code{Pattern: "[A-Z]{2}[0-9]+"}, "ab-12", "AB12"},
		{"pattern of a part", web.Code{Pattern: "[A-Z]{2}"}, "ab-12", "-"},
		{"pattern with an alternative", web.Code{Pattern: "AB|12"}, "AB99", "-"},
	}
	for _, tt := range tests {
		cfg := config("https://example.org")
		cfg.Code, cfg.Request.URL = tt.code, "https://example.org/?c={code}"
		text, err := web.Wire(source(t, cfg, options()), gate.Secret(tt.typed))
		got := "-"
		if err == nil {
			_, got, _ = strings.Cut(strings.SplitN(text, " ", 3)[1], "=")
		}
		if got != tt.want {
			t.Errorf("%s: %q was asked as %q, want %q", tt.name, tt.typed, got, tt.want)
		}
	}
}
