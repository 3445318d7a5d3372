package main

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/awslambda/lambdatest"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/keyring"
)

// Canaries must be seen nowhere.
const (
	pepperCanary = "canary-pepper-5f0c1d7e9a"
	ticketCanary = "CASTLE-OPEN-3K6Z-8MDF"
	tokenCanary  = "canary-aws-session-token"
)

var binary string

func TestMain(m *testing.M) {
	if runtime.GOOS != "linux" {
		return // Lambda is
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "handstamp-lambda")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "bootstrap")
	if err := lambdatest.Build(binary, "."); err != nil {
		panic(err)
	}
	return m.Run()
}

// root is where the project's config.yaml is.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func begin(t *testing.T, variables ...string) *lambdatest.Environment {
	t.Helper()
	e, err := lambdatest.Start(t, binary, append([]string{"HANDSTAMP_CONFIG=testdata/config.yaml", "HANDSTAMP_LOG_FORMAT=json"}, variables...)...)
	if err != nil {
		t.Fatalf("Start = %v; it wrote:\n%s", err, e.Output())
	}
	return e
}

// fromEvents returns the recorded event of a form, asking for one path with a
// ticket as body.
func fromEvents(t *testing.T, form, body string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../pkg/awslambda/testdata", form+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	all["body"], all["isBase64Encoded"] = body, false
	for _, name := range []string{"headers", "multiValueHeaders"} {
		h, _ := all[name].(map[string]any)
		for n := range h {
			if strings.EqualFold(n, "Cookie") {
				delete(h, n)
			}
			if strings.EqualFold(n, "Host") && form == "load-balancer" {
				h[n] = []string{"127.0.0.1:8080"}
			}
		}
	}
	text, err = json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEveryFormGetsCookiesThatOpen(t *testing.T) {
	e := begin(t)
	began := time.Now()
	keys, err := keyring.Load(root(t)+"/keys.example", "KEXAMPLE0001", keyring.Options{InsecureAllowExample: true})
	if err != nil {
		t.Fatal(err)
	}
	k := keys.Keys()[0]
	public, err := cloudfront.NewPublicKey(k.ID, k.Public)
	if err != nil {
		t.Fatal(err)
	}
	trusted := cloudfront.NewKeyGroup(public)
	first := true
	for _, form := range []string{"http-api-2.0", "http-api-1.0", "rest-api", "function-url", "load-balancer"} {
		ticket := `{"ticket":"CASTLE-DEMO-7Q4M-2XKD"}` // with four seats
		if form == "load-balancer" {
			ticket = `{"ticket":"CASTLE-OPEN-3K6Z-8MDF"}`
		}
		result := e.Invoke(fromEvents(t, form, ticket), 5*time.Second)
		if first {
			t.Logf("init %v, first answer after %v more", e.Init.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
			first = false
		}
		var reply struct {
			StatusCode        int
			Cookies           []string
			MultiValueHeaders http.Header
			Body              string
		}
		if err := json.Unmarshal(result.Body, &reply); err != nil || result.Error || reply.StatusCode != 200 {
			t.Fatalf("%s: %s, want 200; it wrote:\n%s", form, result.Body, e.Output())
		}
		resp := &http.Response{Header: http.Header{"Set-Cookie": append(reply.Cookies, reply.MultiValueHeaders["Set-Cookie"]...)}}
		r := httptest.NewRequest("GET", "http://127.0.0.1:8080/castle/audio/hall.m4a", nil)
		r.Host = "127.0.0.1:8080"
		session := false
		for _, c := range resp.Cookies() {
			session = session || c.Name == "handstamp_admission"
			if c.Path == "/castle/audio/" && c.MaxAge >= 0 {
				r.AddCookie(c)
			}
		}
		if d := opens(trusted, r); !d || !session {
			t.Errorf("%s: its cookies open the file: %v, a session among them: %v, want both; %q", form, d, session, resp.Header)
		}
	}
	if limit := 150 * time.Millisecond; e.Init > limit {
		t.Logf("init took %v, more than the %v that an idle machine stays under", e.Init, limit)
	}
	if e.Init > 3*time.Second {
		t.Errorf("init took %v", e.Init)
	}
}

func TestItLivesOn(t *testing.T) {
	e := begin(t)
	for _, text := range []string{`null`, `{"source":"aws.events"}`, `{"version":"2.0"}`, `{`} {
		result := e.Invoke([]byte(text), time.Second)
		if result.Error || !strings.Contains(string(result.Body), `"statusCode":400`) {
			t.Errorf("%s = %s, want 400", text, result.Body)
		}
	}
	if result := e.Invoke(fromEvents(t, "http-api-2.0", `{"ticket":"CASTLE-DEMO-7Q4M-2XKD"}`), 100*time.Millisecond); !strings.Contains(string(result.Body), `"statusCode":503`) {
		t.Errorf("with 100 ms left = %s, want 503", result.Body)
	}
	r := httptest.NewRequest("GET", "http://127.0.0.1:8080/v1/attractions", nil)
	if resp, body := e.Do(r, ""); resp.StatusCode != 200 || !strings.Contains(body, "castle") {
		t.Errorf("attractions = %d %s, want 200", resp.StatusCode, body)
	}
	r = httptest.NewRequest("GET", "http://127.0.0.1:8080/app/app.css", nil)
	if resp, _ := e.Do(r, ""); resp.StatusCode != 200 {
		t.Errorf("the visitor app = %d, want 200", resp.StatusCode)
	}
	began := time.Now()
	if err := e.Stop(lambdatest.Terminate); err != nil || time.Since(began) > 300*time.Millisecond {
		t.Errorf("SIGTERM: %v after %v, want a clean end within 300 ms", err, time.Since(began))
	}
}

func TestNoSecretIsShown(t *testing.T) {
	dir := t.TempDir()
	pepper := filepath.Join(dir, "pepper")
	if err := os.WriteFile(pepper, []byte(pepperCanary), 0o600); err != nil {
		t.Fatal(err)
	}
	e := begin(t, "HANDSTAMP_BOOK_PEPPER=file:"+pepper, "HANDSTAMP_LOG_LEVEL=debug", "AWS_SESSION_TOKEN="+tokenCanary)
	var shown strings.Builder
	for _, body := range []string{`{"ticket":"` + ticketCanary + `"}`, `{"ticket":"` + ticketCanary + `","x":1}`, `{"ticket":"` + ticketCanary} {
		shown.Write(e.Invoke(fromEvents(t, "rest-api", body), 5*time.Second).Body)
	}
	shown.Write(e.Invoke([]byte(`{"body":"`+ticketCanary+`"`), time.Second).Body)
	for where, text := range map[string]string{"replies": shown.String(), "log": e.Output()} {
		for _, secret := range []string{pepperCanary, hex.EncodeToString([]byte(pepperCanary)), ticketCanary, strings.ReplaceAll(ticketCanary, "-", ""), tokenCanary} {
			if strings.Contains(text, secret) {
				t.Errorf("%s have %q in them: %s", where, secret, text)
			}
		}
	}
	if environ := e.Environ(); strings.Contains(environ, pepperCanary) {
		t.Errorf("environment = %q, want no secret", environ)
	}
}

func TestStartThatFails(t *testing.T) {
	pepper := "HANDSTAMP_BOOK_PEPPER=" + pepperCanary
	tests := map[string]struct {
		variables []string
		log       string
	}{
		"no configuration":  {[]string{"HANDSTAMP_CONFIG=/nowhere/config.yaml"}, "/nowhere/config.yaml"},
		"a book in a file":  {[]string{"HANDSTAMP_BOOK_KIND=sqlite", pepper}, "dynamodb"},
		"unknown key":       {[]string{"HANDSTAMP_BOOK_PEPER=" + pepperCanary}, "HANDSTAMP_BOOK_PEPER"},
		"no such reference": {[]string{"HANDSTAMP_SECRETS=PEPPER=" + pepperCanary}, "PEPPER"},
		"no credentials":    {[]string{"HANDSTAMP_SECRETS=PEPPER=ssm:/x", "AWS_REGION=eu-west-1"}, "no credentials"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := lambdatest.Start(t, binary, append([]string{"HANDSTAMP_CONFIG=testdata/config.yaml"}, tt.variables...)...)
			if err == nil {
				t.Fatal("the function started")
			}
			envelope := e.InitError()
			if !strings.Contains(envelope, "Handstamp.Start") || !strings.Contains(e.Output(), tt.log) {
				t.Errorf("init error %q and log %q, want an envelope and %q", envelope, e.Output(), tt.log)
			}
			if strings.Contains(envelope+e.Output(), pepperCanary) {
				t.Errorf("init error %q and log %q have a secret in them", envelope, e.Output())
			}
		})
	}
}

// sizeLimit is of the binary, in bytes. A larger one starts more slowly.
const sizeLimit = 20_000_000

func TestSize(t *testing.T) {
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > sizeLimit {
		t.Errorf("the binary has %d bytes, want at most %d", info.Size(), sizeLimit)
	}
}

// opens reports whether CloudFront would answer r, as far as we decide as it
// does, with the public key alone.
func opens(trusted cloudfront.KeyGroup, r *http.Request) bool {
	var d cloudfront.Decider
	request := cloudfront.Request{URL: r.URL.String(), Cookies: r.Header["Cookie"]}
	return d.Decide(request, trusted, time.Now()).Allowed
}
