package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

// An edgeRun is the command in this process.
type edgeRun struct {
	edgeReady
	first  string // line of standard output
	stdout *bufio.Reader
	stderr lockedBuffer
	stop   func() int // ends it and returns its status
}

// startEdge runs the command with these flags and waits for its first line.
func startEdge(t *testing.T, args ...string) *edgeRun {
	t.Helper()
	e := &edgeRun{}
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"edge"}, args...), in, &e.stderr)
		in.Close()
	}()
	e.stdout = bufio.NewReader(out)
	var err error
	if e.first, err = e.stdout.ReadString('\n'); err != nil {
		t.Fatalf("the edge printed no line: %v\n%s", err, e.stderr.String())
	}
	stopped := false
	e.stop = func() int {
		stopped = true
		cancel()
		go func() { _, _ = io.Copy(io.Discard, e.stdout) }()
		select {
		case code := <-ended:
			return code
		case <-time.After(10 * time.Second):
			t.Error("the edge did not end within 10 s")
			return -1
		}
	}
	t.Cleanup(func() {
		if !stopped {
			e.stop()
		}
	})
	return e
}

// startEdgeJSON is startEdge with --json on a free port.
func startEdgeJSON(t *testing.T, args ...string) *edgeRun {
	t.Helper()
	e := startEdge(t, append(args, "--json", "--addr", "127.0.0.1:0")...)
	if err := json.Unmarshal([]byte(e.first), &e.edgeReady); err != nil {
		t.Fatalf("%v in %q", err, e.first)
	}
	return e
}

// handstampIn runs a command that must succeed and returns what it prints.
func handstampIn(t *testing.T, args ...string) string {
	t.Helper()
	var out lockedBuffer
	if code := run(t.Context(), args, &out, &out); code != exitDone {
		t.Fatalf("handstamp %q = %d\n%s", args, code, out.String())
	}
	return out.String()
}

// park goes to an empty folder with a key, media and error pages.
func park(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	handstampIn(t, "keys", "new", "--type", "ecdsa", "--id", "KLOCALEDGE01")
	for name, text := range map[string]string{
		"media/castle/audio/01.txt": "SOUND", "media/castle/free/welcome.txt": "WELCOME", "media/index.html": "HOME", "media/errors/403.html": "NO ENTRY",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const edgeKey = "KLOCALEDGE01=keys/KLOCALEDGE01.pub.pem"

// signedCookies returns a Cookie header for everything under prefix.
func signedCookies(t *testing.T, prefix string) string {
	t.Helper()
	out := handstampIn(t, "sign", "cookies", "--private-key", "keys/KLOCALEDGE01.pem", "--key-pair-id", "KLOCALEDGE01", "--resource", prefix+"*", "--expires", "15m")
	return strings.Join(strings.Split(strings.TrimSpace(out), "\n"), "; ")
}

// get asks with headers given as "Name: value" and follows no redirect.
func get(t *testing.T, transport http.RoundTripper, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestEdgeFolder(t *testing.T) {
	park(t)
	e := startEdgeJSON(t, "--root", "media", "--public-key", edgeKey, "--free", "/castle/free/*", "--access-log", "access.log", "--verbose")
	if !slices.Equal(e.Differences, edge.Differences()) || fmt.Sprint(e.Behaviors) != "[{/castle/free/* folder  [GET HEAD] allow-all} {* folder public-key [GET HEAD] allow-all}]" {
		t.Errorf("ready says %s", e.first)
	}
	cookie := "Cookie: " + signedCookies(t, e.URL+"/castle/")
	for _, tt := range []struct {
		target, cookie string
		status         int
		body, reason   string
	}{
		{"/castle/free/welcome.txt", "X: y", 200, "WELCOME", ""},
		{"/castle/audio/01.txt", "X: y", 403, "MissingKey", "key-pair-id T1"},
		{"/castle/audio/01.txt", cookie, 200, "SOUND", ""},
		{"/castle/audio/01.txt?Policy=SECRET", cookie, 403, "MissingKey", "key-pair-id T9"},
		{"/index.html", cookie, 403, "AccessDenied", "resource"},
		{"/explain", "X: y", 200, "<!doctype html>", ""},
	} {
		resp, body := get(t, nil, "GET", e.URL+tt.target, tt.cookie)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) || resp.Header.Get("X-Handstamp-Reason") != tt.reason {
			t.Errorf("GET %s with %.20s = %d %.100q, reason %q, want %d %q, %q", tt.target, tt.cookie, resp.StatusCode, body, resp.Header.Get("X-Handstamp-Reason"), tt.status, tt.body, tt.reason)
		}
	}
	// the port is taken now: a clear word, and the first goes on
	var second lockedBuffer
	address := strings.TrimPrefix(e.URL, "http://")
	if code := run(t.Context(), []string{"edge", "--root", "media", "--public-key", edgeKey, "--addr", address}, &second, &second); code != exitFailed || !strings.Contains(second.String(), address+" is taken by another program") {
		t.Errorf("second edge = %d %q, want %d and that the port is taken", code, second.String(), exitFailed)
	}
	if code := e.stop(); code != exitDone {
		t.Errorf("the edge ended with %d, want %d\n%s", code, exitDone, e.stderr.String())
	}
	text, err := os.ReadFile("access.log")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) != 8 || lines[0] != "#Version: 1.0" || strings.Count(lines[7], "\t") != 32 {
		t.Errorf("access.log has %d lines:\n%s", len(lines), text)
	}
	if strings.Contains(string(text)+e.stderr.String(), "SECRET") || strings.Contains(string(text), cookie[30:60]) {
		t.Errorf("a log has a credential in it:\n%s\n%s", text, e.stderr.String())
	}
	if !strings.Contains(e.stderr.String(), "request refused") {
		t.Errorf("--verbose logs %q", e.stderr.String())
	}
}

// What it does not do comes first, then what it does, then where.
func TestEdgeAnnounces(t *testing.T) {
	park(t)
	e := startEdge(t, "--root", "media", "--public-key", edgeKey, "--paid", "/castle/*", "--free", "/castle/free/*", "--addr", "127.0.0.1:0",
		"--site", "https://media.example.org", "--tls", "--chaos", "latency=1ms")
	text := e.first
	for !strings.Contains(text, "Stop with Ctrl-C") {
		line, err := e.stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after\n%s", err, text)
		}
		text += line
	}
	flat := strings.Join(strings.Fields(text), " ")
	at := -1
	for _, want := range append(edge.Differences(),
		"/castle/free/* everybody GET HEAD allow-all folder", "/castle/* signed by public-key GET HEAD allow-all folder", " * everybody GET HEAD allow-all folder",
		"The edge is at https://127.0.0.1:", "Policies are for https://media.example.org", "SHA-256 fingerprint", "/explain", "Chaos is on: refuse=0%,latency=1ms-1ms") {
		found := strings.Index(flat, want)
		if found <= at {
			t.Errorf("%q is at %d, want it after %d in\n%s", want, found, at, text)
		}
		at = found
	}
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > 80 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
}

func TestEdgeTLS(t *testing.T) {
	park(t)
	e := startEdgeJSON(t, "--root", "media", "--public-key", edgeKey, "--tls")
	block, _ := pem.Decode([]byte(e.Certificate))
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(e.Certificate)) || len(e.Fingerprint) != 64 || block == nil {
		t.Fatalf("ready says %s", e.first)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	cookie := "Cookie: " + signedCookies(t, e.URL+"/castle/")
	for url, want := range map[string]int{
		e.URL: 200, strings.Replace(e.URL, "127.0.0.1", "localhost", 1): 403, strings.Replace(e.URL, "https", "http", 1): 403,
	} {
		if resp, body := get(t, transport, "GET", url+"/castle/audio/01.txt", cookie); resp.StatusCode != want {
			t.Errorf("GET %s = %d %s, want %d for a policy of %s", url, resp.StatusCode, body, want, e.URL)
		}
	}
	// the same certificate as a file of one's own is not printed again
	cert, key := writeCertificate(t)
	own := startEdgeJSON(t, "--root", "media", "--public-key", edgeKey, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(own.URL, "https://") || own.Certificate != "" {
		t.Errorf("ready says %s", own.first)
	}
	insecure := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer insecure.CloseIdleConnections()
	if resp, _ := get(t, insecure, "GET", own.URL+"/index.html"); resp.StatusCode != 403 || resp.TLS.PeerCertificates[0].DNSNames[0] != "own.example.org" {
		t.Errorf("own certificate: %d by %v", resp.StatusCode, resp.TLS.PeerCertificates[0].DNSNames)
	}
}

func writeCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	c, err := edge.SelfSigned(time.Now(), "own.example.org")
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, text := range map[string][]byte{cert: edge.CertificatePEM(c), key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A distribution with everything, flags before the file.
func TestEdgeConfig(t *testing.T) {
	park(t)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		if r.URL.Path == "/v1/down" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprintf(w, "API %s %s", r.URL, r.Header.Get("Cookie"))
	}))
	defer origin.Close()
	text := `
listen: 127.0.0.1:1
default_root_object: index.html
key_groups:
  - {id: visitors, keys: [{id: KLOCALEDGE01, file: keys/KLOCALEDGE01.pub.pem}]}
origins:
  - {id: media, kind: folder, root: media}
  - {id: api, kind: http, url: "` + origin.URL + `"}
behaviors:
  - {path: /v1/*, origin: api, methods: [GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE], forward_cookies: on}
  - path: /castle/*
    origin: media
    key_group: visitors
    methods: [GET, HEAD, OPTIONS]
    viewer_protocol: redirect-to-https
    cors: {origins: [https://app.example.org], credentials: on, methods: [GET], max_age: 1m}
    headers: [{name: X-Added, value: "yes"}]
  - {path: /explain, origin: media}
  - {path: "*", origin: media}
errors:
  - {code: 403, page: /errors/403.html}
  - {code: 500, response: 404, page: /errors/403.html}
tls: {enabled: on}
parity:
  - {name: options_without_cookies, value: pass}
  - {name: oversize_status, value: "414"}
`
	if err := os.WriteFile("edge.yaml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	e := startEdgeJSON(t, "--config", "edge.yaml", "--parity", "oversize_status=431", "--parity", "skew=1m")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(e.Certificate))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	cookie, plain := signedCookies(t, e.URL+"/castle/"), strings.Replace(e.URL, "https", "http", 1)
	for _, tt := range []struct {
		method, url string
		status      int
		body        string
	}{
		{"GET", e.URL + "/", 200, "HOME"},
		{"GET", e.URL + "/castle/audio/01.txt", 200, "SOUND"},
		{"GET", plain + "/castle/audio/01.txt?a=1", 301, ""},
		{"GET", plain + "/v1/x?Signature=1&a=2", 200, "API /v1/x?a=2 own=1"},
		{"GET", e.URL + "/v1/down", 404, "NO ENTRY"},
		{"GET", e.URL + "/castle/audio/01.txt?Signature=1", 403, "NO ENTRY"},
		{"OPTIONS", e.URL + "/castle/audio/01.txt?Signature=1", 200, ""},
		{"GET", e.URL + "/" + strings.Repeat("a", 9000), 431, ""},
		{"GET", e.URL + "/explain", 404, ""}, // the configuration's own
		{"GET", e.URL + "/explain/", 308, ""},
	} {
		resp, body := get(t, transport, tt.method, tt.url, "Cookie: own=1; "+cookie, "Origin: https://app.example.org", "Access-Control-Request-Method: GET")
		if resp.StatusCode != tt.status || tt.body != "" && body != tt.body {
			t.Errorf("%s %.60s = %d %.100q, want %d %q", tt.method, tt.url, resp.StatusCode, body, tt.status, tt.body)
		}
		h, castle := resp.Header, strings.HasPrefix(tt.url, e.URL+"/castle/") && resp.StatusCode == 200
		if (h.Get("Access-Control-Allow-Credentials") == "true") != castle || (h.Get("X-Added") == "yes") != castle {
			t.Errorf("%s %.60s has %v", tt.method, tt.url, h)
		}
		if tt.status == 301 && h.Get("Location") != e.URL+"/castle/audio/01.txt?a=1" {
			t.Errorf("Location is %q", h.Get("Location"))
		}
	}
}

func TestEdgeChaos(t *testing.T) {
	park(t)
	e := startEdgeJSON(t, "--root", "media", "--public-key", edgeKey, "--chaos", "refuse=100%,latency=1ms", "--access-log", "-")
	cookie := "Cookie: " + signedCookies(t, e.URL+"/castle/")
	for range 3 {
		resp, body := get(t, nil, "GET", e.URL+"/castle/audio/01.txt", cookie)
		if resp.StatusCode != 403 || !strings.Contains(body, "AccessDenied") || resp.Header.Get("X-Handstamp-Reason") != "chaos" {
			t.Errorf("GET = %d %s %v", resp.StatusCode, body, resp.Header)
		}
	}
	for _, want := range []string{"#Version: 1.0\n", "#Fields: "} { // behind the line of JSON
		if line, err := e.stdout.ReadString('\n'); err != nil || !strings.HasPrefix(line, want) {
			t.Errorf("standard output goes on with %q, %v, want %q", line, err, want)
		}
	}
	if code := e.stop(); code != exitDone || !strings.Contains(e.stderr.String(), "chaos refused 3 good requests and delayed 3 of 3") {
		t.Errorf("the edge ended with %d and %q", code, e.stderr.String())
	}
}

// Beyond this machine nobody is told why, and there is no page that explains.
func TestEdgeBeyondThisMachine(t *testing.T) {
	park(t)
	e := startEdge(t, "--root", "media", "--public-key", edgeKey, "--addr", "0.0.0.0:0", "--json")
	if err := json.Unmarshal([]byte(e.first), &e.edgeReady); err != nil || !strings.HasPrefix(e.URL, "http://127.0.0.1:") {
		t.Fatalf("ready says %s, %v", e.first, err)
	}
	for target, want := range map[string]int{"/castle/audio/01.txt": 403, "/explain": 403} {
		if resp, _ := get(t, nil, "GET", e.URL+target); resp.StatusCode != want || resp.Header.Get("X-Handstamp-Reason") != "" || e.Explain != "" {
			t.Errorf("GET %s = %d %v", target, resp.StatusCode, resp.Header)
		}
	}
}

// What docs/edge.md and examples/edge.yaml say to type works.
func TestEdgeDocs(t *testing.T) {
	docs, err := filepath.Abs("../../docs/edge.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../examples/edge.yaml")
	if err != nil {
		t.Fatal(err)
	}
	blocks := fences(t, docs, "sh")
	park(t)
	if err := os.RemoveAll("keys"); err != nil { // the document makes its own
		t.Fatal(err)
	}
	own := regexp.MustCompile(`(?m)^listen: .*$`).ReplaceAll(example, []byte("listen: 127.0.0.1:0"))
	own = []byte(strings.NewReplacer("KEXAMPLE0001", "KLOCALEDGE01", "../keys.example", "keys", "../pkg/guide/sample", "media").Replace(string(own)))
	if err := os.WriteFile("edge.yaml", own, 0o644); err != nil {
		t.Fatal(err)
	}
	ports := map[string]string{"127.0.0.1:8081": freePort(t), "127.0.0.1:8082": freePort(t)}
	ran := 0
	for _, block := range blocks {
		for _, line := range commands(block) {
			runEdgeDoc(t, line, ports)
			ran++
		}
	}
	if ran < 8 {
		t.Errorf("%d commands were run, want all of docs/edge.md", ran)
	}
}

func runEdgeDoc(t *testing.T, line string, ports map[string]string) {
	t.Helper()
	line, comment, _ := strings.Cut(line, " # ")
	for port, free := range ports {
		line = strings.ReplaceAll(line, port, free)
	}
	command, background := strings.CutSuffix(line, " &")
	command, file, _ := strings.Cut(command, " > ")
	words := shellWords(command)
	switch {
	case background:
		if !slices.Contains(words, "--addr") && !slices.Contains(words, "--config") {
			words = append(words, "--addr", ports["127.0.0.1:8081"])
		}
		e := startEdge(t, words[2:]...)
		for printed := e.first; !strings.Contains(printed, "Stop with Ctrl-C"); {
			text, err := e.stdout.ReadString('\n')
			if err != nil {
				t.Fatalf("%s: %v\n%s", line, err, e.stderr.String())
			}
			printed += text
		}
	case words[0] == "handstamp":
		out := handstampIn(t, words[1:]...)
		if file != "" {
			if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	case words[0] == "curl":
		headers := []string{"X: y"}
		if i := slices.Index(words, "-b"); i > 0 {
			headers = []string{"Cookie: " + netscapeCookies(t, words[i+1])}
		}
		resp, body := get(t, nil, "GET", words[len(words)-1], headers...)
		if want, _, _ := strings.Cut(comment, ":"); fmt.Sprint(resp.StatusCode) != want {
			t.Errorf("%s = %d %s, want %s", line, resp.StatusCode, body, want)
		}
	default:
		t.Errorf("docs/edge.md: %q is not run by this test", line)
	}
}

// netscapeCookies returns the cookies of a jar that curl would send.
func netscapeCookies(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if fields := strings.Split(line, "\t"); len(fields) == 7 {
			pairs = append(pairs, fields[5]+"="+fields[6])
		}
	}
	return strings.Join(pairs, "; ")
}

// The differences in the document are those of the command, all flags and keys
// are in it, and the example does what its comments say.
func TestEdgeDocsComplete(t *testing.T) {
	text, err := os.ReadFile("../../docs/edge.md")
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(string(text)), " ")
	for _, d := range edge.Differences() {
		if !strings.Contains(flat, d) {
			t.Errorf("docs/edge.md lacks %q", d)
		}
	}
	for _, word := range regexp.MustCompile(`(?m)--[a-z-]+`).FindAllString(handstampIn(t, "edge", "--help"), -1) {
		if word != "--help" && word != "--id" && !strings.Contains(flat, word) {
			t.Errorf("docs/edge.md does not name %s", word)
		}
	}
}

func TestEdgeExample(t *testing.T) {
	t.Chdir("../..")
	example, err := os.ReadFile("examples/edge.yaml")
	if err != nil {
		t.Fatal(err)
	}
	e := startEdgeJSON(t, "--config", "examples/edge.yaml")
	if e.stderr.String() != "" {
		t.Errorf("the example says %s", e.stderr.String())
	}
	comment := regexp.MustCompile(`(?m)^# ? ?`).ReplaceAllString(string(example[:strings.Index(string(example), "\n\n")]), "")
	var signed string
	for _, line := range commands(comment) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "handstamp sign url") {
			line = strings.Replace(line, "http://127.0.0.1:8081", e.URL, 1)
			signed = strings.TrimSpace(handstampIn(t, shellWords(strings.TrimSuffix(line, " --curl"))[1:]...))
		}
	}
	if signed == "" {
		t.Fatalf("no command that signs in %s", comment)
	}
	unsigned, _, _ := strings.Cut(signed, "?")
	for url, want := range map[string]int{signed: 200, unsigned: 403, e.URL + "/castle/free/cover.svg": 200, e.URL + "/zoo/audio/owls.m4a": 403} {
		if resp, body := get(t, nil, "GET", url); resp.StatusCode != want {
			t.Errorf("GET %s = %d %.200q, want %d", url, resp.StatusCode, body, want)
		}
	}
}
