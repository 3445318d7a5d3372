package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// asBinary makes the test binary be handstamp: testscript and the tests below
// start it as a process of its own.
const asBinary = "HANDSTAMP_TEST_AS_BINARY"

func TestMain(m *testing.M) {
	if os.Getenv(asBinary) != "" {
		os.Unsetenv(asBinary)
		main()
		return
	}
	testscript.Main(m, map[string]func(){"handstamp": main})
}

func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": wantStatus, "expand": expand, "weakkey": weakKey, "mode": wantMode, "nameof": nameOf, "tamper": tamper},
	})
}

// wantStatus is the script command "status N COMMAND...": the command must end
// with exit status N.
func wantStatus(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("%q ended with status %d, want %s", args[1:], got, args[0])
	}
}

// expand is the script command "expand FILE": it puts $ROOT into a file.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "$ROOT", ts.Getenv("ROOT"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// nameOf is the script command "nameof VARIABLE": it sets a variable to the name
// of the key that is not published yet, from the list that was just printed.
func nameOf(ts *testscript.TestScript, _ bool, args []string) {
	var list struct{ Keys []struct{ Name string } }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &list))
	for _, k := range list.Keys {
		if strings.HasPrefix(k.Name, "unpublished-") {
			ts.Setenv(args[0], k.Name)
			return
		}
	}
	ts.Fatalf("every key is published: %+v", list)
}

// weakKey is the script command "weakkey KIND FILE": it writes a private key
// that CloudFront does not take.
func weakKey(ts *testscript.TestScript, _ bool, args []string) {
	var key any
	var err error
	switch args[0] {
	case "rsa1024":
		key, err = rsa.GenerateKey(rand.Reader, 1024)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	ts.Check(err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
}

// wantMode is the script command "mode OCTAL FILE": the file must have it.
func wantMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// startDemo runs the demo as a process and returns what it prints when ready.
func startDemo(t *testing.T) demoReady {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, os.Args[0], "demo", "--json", "--no-browser", "--addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), asBinary+"=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		t.Fatalf("the demo printed no line: %v\n%s", err, stderr.String())
	}
	t.Cleanup(func() {
		cancel()
		if rest, _ := io.ReadAll(lines); len(rest) > 0 {
			t.Errorf("the demo printed more than one line: %q", rest)
		}
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			t.Errorf("the demo ended with %v\n%s", err, stderr.String())
		}
	})
	var ready demoReady
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	return ready
}

// A visitor has a cookie jar, like a browser.
type visitor struct {
	t      *testing.T
	client *http.Client
	demo   demoReady
}

func newVisitor(t *testing.T, demo demoReady) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, &http.Client{Jar: jar, Timeout: 10 * time.Second}, demo}
}

func (v *visitor) do(method, path, body string, header ...string) (*http.Response, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.demo.URL+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp, string(text)
}

func (v *visitor) want(status int, method, path, body string, header ...string) string {
	v.t.Helper()
	resp, text := v.do(method, path, body, header...)
	if resp.StatusCode != status {
		v.t.Errorf("%s %s = %d %.200s, want %d", method, path, resp.StatusCode, text, status)
	}
	return text
}

func (v *visitor) show(status int, code string) string {
	v.t.Helper()
	body, _ := json.Marshal(map[string]string{"ticket": code})
	return v.want(status, "POST", "/v1/tickets/verify", string(body), "Content-Type", "application/json")
}

func TestDemoAsProcess(t *testing.T) {
	demo := startDemo(t)
	castle, zoo := demo.Tickets[0], demo.Tickets[1]
	if castle.Attraction != "castle" || zoo.Attraction != "zoo" {
		t.Fatalf("tickets = %+v, want castle, then zoo", demo.Tickets)
	}
	v := newVisitor(t, demo)
	for _, path := range demo.Free {
		v.want(200, "GET", path, "")
	}
	v.want(403, "GET", demo.Paid["castle"][0], "")

	v.show(200, castle.Code)
	for _, path := range demo.Paid["castle"] {
		v.want(200, "GET", path, "")
	}
	for _, path := range demo.Paid["zoo"] {
		v.want(403, "GET", path, "")
	}
	resp, text := v.do("GET", demo.Paid["castle"][0], "", "Range", "bytes=4-7")
	if resp.StatusCode != 206 || text != "ftyp" {
		t.Errorf("Range bytes=4-7 = %d %q, want 206 \"ftyp\"", resp.StatusCode, text)
	}
	v.want(200, "GET", "/v1/admission", "")

	v.show(200, zoo.Code)
	v.want(200, "GET", demo.Paid["castle"][0], "") // the castle stays open
	v.want(200, "GET", demo.Paid["zoo"][0], "")

	v.want(204, "DELETE", "/v1/admission", "")
	v.want(403, "GET", demo.Paid["castle"][0], "")
	v.want(403, "GET", demo.Paid["zoo"][0], "")
	v.want(401, "GET", "/v1/admission", "")
}

func TestDemoRefuses(t *testing.T) {
	demo := startDemo(t)
	v := newVisitor(t, demo)
	_, refused := demoTickets()
	if text := v.show(403, refused[0].Code); !strings.Contains(text, `"reason":"expired"`) {
		t.Errorf("expired ticket: %s, want the reason", text)
	}
	for _, code := range []string{"UNKNOWN-1", "' OR 1=1", "🎫", strings.Repeat("A", 200), "\x00\x01", ""} {
		text := v.show(map[bool]int{true: 403, false: 400}[code == "UNKNOWN-1"], code)
		if strings.Contains(text, code) && code != "" {
			t.Errorf("the reply repeats %q: %s", code, text)
		}
	}
	v.want(413, "POST", "/v1/tickets/verify", `{"ticket":"`+strings.Repeat("A", 20_000)+`"}`, "Content-Type", "application/json")
	for _, id := range []string{"*", "?", "..", "%2f", "a/b", "%2e%2e"} {
		resp, _ := v.do("GET", "/v1/attractions/"+id+"/content", "")
		if resp.StatusCode != 400 && resp.StatusCode != 404 {
			t.Errorf("content of attraction %q = %d, want 400 or 404", id, resp.StatusCode)
		}
		body, _ := json.Marshal(map[string]string{"ticket": demo.Tickets[0].Code, "attraction": id})
		v.want(400, "POST", "/v1/tickets/verify", string(body), "Content-Type", "application/json")
	}
	body, _ := json.Marshal(map[string]string{"ticket": demo.Tickets[0].Code, "attraction": "zoo"})
	if text := v.want(403, "POST", "/v1/tickets/verify", string(body), "Content-Type", "application/json"); !strings.Contains(text, "wrong_attraction") {
		t.Errorf("castle's ticket at the zoo: %s, want the reason", text)
	}
}
