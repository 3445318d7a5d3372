package explain_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/explain"
)

func TestWrite(t *testing.T) {
	in := asking(inCastle, over(policyText(castle, noon.Add(-72*time.Hour), `"DateGreaterThan":{"AWS:EpochTime":1}`)))()
	in.Response = explain.Response{Status: 403, Type: "text/xml", Body: missing.Body()}
	in.URL += "?x=%1b[31m\x1b[31m\u202e"
	in.Cookies = append(in.Cookies, "CloudFront-Hash-Algorithm=SHA256")
	r := explain.Explain(in)
	plain := describe(r)
	for _, want := range []string{"refused: CloudFront would answer 403 AccessDenied", "answered: 403 MissingKey", "\nWhy\n  T29 The policy ended", "fix: ", "(proved; documented)", "Policy custom, in the cookies",
		"before    2026-06-28T12:00:00Z (3 days ago)", "resource  " + castle, "key       " + ecID + ", SHA256", "text      {", "FAIL DateLessThan", "ok   Resource"} {
		if !strings.Contains(plain, want) {
			t.Errorf("Write lacks %q:\n%s", want, plain)
		}
	}
	if strings.ContainsAny(plain, "\x1b\u202e") {
		t.Errorf("Write hands the terminal what the viewer sent: %q", plain)
	}
	var colour strings.Builder
	r.Write(&colour, true)
	if !strings.Contains(colour.String(), "\x1b[1m\x1b[31mrefused\x1b[0m") {
		t.Errorf("Write with colour:\n%q", colour.String())
	}
	if text := describe(explain.Explain(request(inCastle, good()))); !strings.HasPrefix(text, "allowed: CloudFront would serve") || !strings.Contains(text, "(in 15m0s)") {
		t.Errorf("Write of what is allowed:\n%s", text)
	}
}

func TestWriteAll(t *testing.T) {
	var reports []*explain.Report
	for _, url := range []string{inCastle, "https://media.example.org/castle/audio/02.m4a", "https://media.example.org/zoo/lion.m4a"} {
		reports = append(reports, explain.Explain(request(url, sealed(policyText(castle, noon.Add(-time.Hour))))))
	}
	reports = append(reports, explain.Explain(request(inCastle, good())))
	var b strings.Builder
	explain.WriteAll(&b, reports, false)
	text := b.String()
	if strings.Count(text, "the same as above") != 1 || strings.Count(text, "refused: ") != 2 || !strings.Contains(text, "GET https://media.example.org/zoo/lion.m4a\n") || !strings.HasSuffix(text, "3 of 4 requests would be refused\n") {
		t.Errorf("WriteAll:\n%s", text)
	}
}

// The form of the JSON is what scripts rely on.
func TestReportJSON(t *testing.T) {
	text, err := json.Marshal(explain.Explain(request(inCastle, canned(castle, soon))))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Allowed *bool
		Code    string
		URL     string
		Causes  []struct{ ID, Says, Fix, Basis, Certainty string }
		Policy  struct{ Form, In, Expires string }
		Steps   []struct {
			Rule, Looked, Found, Basis string
			Passed                     *bool
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Allowed == nil || *got.Allowed || got.Code != "AccessDenied" || got.URL != inCastle || got.Causes[0].ID != "T19" || got.Causes[0].Basis != "documented" || got.Causes[0].Certainty != "proved" ||
		got.Policy.Form != "canned" || got.Policy.Expires != "2026-07-01T12:15:00Z" || len(got.Steps) < 10 || got.Steps[0].Passed == nil {
		t.Errorf("JSON = %s", text)
	}
	if text, _ := json.Marshal(explain.Explain(request(inCastle, good()))); !strings.Contains(string(text), `"causes":[]`) {
		t.Errorf("JSON of what is allowed = %s, want an empty list of causes", text)
	}
}
