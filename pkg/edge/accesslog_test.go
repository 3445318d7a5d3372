package edge_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/edge"
)

func readAll(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// logNames are the fields of CloudFront's standard log, from its documentation.
var logNames = strings.Fields(`date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer)
	cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken
	x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields
	c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end`)

// readLog returns the lines of a log by field.
func readLog(t *testing.T, text string) []map[string]string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 2 || lines[0] != "#Version: 1.0" || lines[1] != "#Fields: "+strings.Join(logNames, " ") {
		t.Fatalf("the log begins with %.200q", text)
	}
	var all []map[string]string
	for _, line := range lines[2:] {
		values := strings.Split(line, "\t")
		if len(values) != 33 {
			t.Fatalf("%d fields in %q, want 33", len(values), line)
		}
		fields := map[string]string{}
		for i, name := range logNames {
			fields[name] = values[i]
			if values[i] == "" || regexp.MustCompile(`[^!-~]`).MatchString(values[i]) {
				t.Errorf("%s is %q", name, values[i])
			}
		}
		all = append(all, fields)
	}
	return all
}

// logged runs requests against the park and returns what the log says.
func logged(t *testing.T, change func(*edge.Config), do func(p park)) []map[string]string {
	t.Helper()
	var out bytes.Buffer
	log := edge.NewAccessLog(&out)
	p := newPark(t, func(c *edge.Config) {
		c.AccessLog = log
		if change != nil {
			change(c)
		}
	})
	do(p)
	p.srv.Close()
	if err := log.Close(); err != nil || log.Dropped() != 0 {
		t.Fatalf("Close = %v, %d lines dropped", err, log.Dropped())
	}
	return readLog(t, out.String())
}

func TestAccessLog(t *testing.T) {
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "API") })
	var cookie string
	lines := logged(t, func(c *edge.Config) {
		c.Behaviors = append([]edge.Behavior{
			{PathPattern: "/v1/*", Origin: api, AllowedMethods: edge.AllMethods()},
			{PathPattern: "/gone/*", Origin: proxy(t, rawOrigin(t, "", false), edge.ProxyOptions{})},
		}, c.Behaviors...)
	}, func(p park) {
		cookie = p.castle.cookie(t, "castle")
		ask(t, p.srv, "GET", "/castle/01.m4a?v=2", "Cookie: "+cookie, "Range: bytes=2-5", "User-Agent: Mozilla/5.0 (X; \"Y\") 100%", "Referer: https://app.example.org/a b",
			"X-Forwarded-For: 198.51.100.1, 198.51.100.2")
		ask(t, p.srv, "HEAD", "/castle/01.m4a")
		ask(t, p.srv, "POST", "/v1/x", "Content-Length: 3\n\nabc")
		ask(t, p.srv, "BREW", "/free/x")
		ask(t, p.srv, "GET", "/free/a%20~'b")
		ask(t, p.srv, "GET", "/a/../b")
		ask(t, p.srv, "GET", "/gone/x")
		send(t, p.srv, "GET", "GET /x?"+strings.Repeat("a", 9000)+" HTTP/1.1\nHost: media.example.org\n\n")
	})
	want := []string{
		"GET /castle/01.m4a 206 v=2 Miss Miss 2 5 4 audio/mp4",
		"HEAD /castle/01.m4a 403 - Error Error - - 146 text/xml",
		"POST /v1/x 200 - Miss Miss - - - -",
		"BREW /free/x 403 - Error InvalidRequestMethod - - 703 text/html",
		"GET /free/a%2520%7E%27b 404 - Error Error - - - application/xml",
		"GET /a/../b 400 - Error InvalidRequest - - 590 text/html",
		"GET /gone/x 502 - Error OriginConnectError - - 624 text/html",
		"GET /x 413 aaa Error InvalidRequest - - 590 text/html",
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d", len(lines), len(want))
	}
	for i, l := range lines {
		got := strings.Join([]string{l["cs-method"], l["cs-uri-stem"], l["sc-status"], l["cs-uri-query"][:min(3, len(l["cs-uri-query"]))],
			l["x-edge-result-type"], l["x-edge-detailed-result-type"], l["sc-range-start"], l["sc-range-end"], l["sc-content-len"], l["sc-content-type"]}, " ")
		if pattern := regexp.MustCompile(` (590|624|703) `); pattern.ReplaceAllString(got, " n ") != pattern.ReplaceAllString(want[i], " n ") && !strings.Contains(want[i], "text/html") {
			t.Errorf("line %d = %s\nwant     %s", i, got, want[i])
		}
		for name, pattern := range map[string]string{
			"date": `^2026-07-01$`, "time": `^12:00:00$`, "c-ip": `^127\.0\.0\.1$`, "c-port": `^[0-9]+$`, "cs(Host)": `^media\.example\.org$`,
			"x-host-header": `^media\.example\.org$`, "cs(Cookie)": `^-$`, "cs-protocol": `^https$`, "cs-protocol-version": `^HTTP/1\.1$`,
			"time-taken": `^[0-9]+\.[0-9]{3}$`, "time-to-first-byte": `^[0-9]+\.[0-9]{3}$`, "x-edge-request-id": `^[\w-]{54}==$`,
			"sc-bytes": `^[1-9][0-9]+$`, "cs-bytes": `^[1-9][0-9]+$`, "ssl-protocol": `^-$`, "ssl-cipher": `^-$`, "fle-status": `^-$`, "fle-encrypted-fields": `^-$`,
		} {
			if !regexp.MustCompile(pattern).MatchString(l[name]) {
				t.Errorf("line %d: %s is %q, want %s", i, name, l[name], pattern)
			}
		}
	}
	first := lines[0]
	if first["cs(User-Agent)"] != "Mozilla/5.0%20(X;%20%22Y%22)%20100%25" || first["cs(Referer)"] != "https://app.example.org/a%20b" ||
		first["x-forwarded-for"] != "198.51.100.1,%20198.51.100.2" {
		t.Errorf("first line %v", first)
	}
	for _, l := range lines {
		for name, value := range l {
			if strings.Contains(value, cookie[20:60]) {
				t.Errorf("%s has a cookie: %s", name, value)
			}
		}
	}
}

// S11: what opens a file is not in the log, however the viewer wrote it.
func TestAccessLogRedacts(t *testing.T) {
	const secret = "SECRETSIGNATURE"
	targets := []string{
		"/x?a=1&Signature=" + secret + "&b=2", "/x?Policy=" + secret, "/x?%53ignature=" + secret, "/x?signature=" + secret, "/x?a=1;Signature=" + secret,
		"/x?;Signature=" + secret, "/x?Signature=a=" + secret, "/x?+Signature=" + secret, "/x%3FPolicy=a&Signature=" + secret, "/x%3fsignature=" + secret, "/x?Expires=" + secret + "&Key-Pair-Id=" + secret,
		"http://media.example.org/x?Signature=" + secret,
	}
	lines := logged(t, nil, func(p park) {
		for _, target := range targets {
			ask(t, p.srv, "GET", target)
			ask(t, p.srv, "GET", "/x", "Referer: https://media.example.org"+strings.TrimPrefix(target, "http://media.example.org")+"#f")
		}
	})
	for i, l := range lines {
		for name, value := range l {
			if strings.Contains(value, secret) && !(name == "cs(Referer)" && strings.Contains(value, "%253")) {
				t.Errorf("%s: %s is %s", targets[i/2], name, value)
			}
		}
	}
	if got := lines[0]["cs-uri-query"]; got != "a=1&Signature=REDACTED&b=2" {
		t.Errorf("query is %s", got)
	}
	if got := lines[1]["cs(Referer)"]; got != "https://media.example.org/x?a=1&Signature=REDACTED&b=2" {
		t.Errorf("referer is %s", got)
	}
}

// Over TLS, and with custom error pages and redirects.
func TestAccessLogOverTLS(t *testing.T) {
	var out bytes.Buffer
	log := edge.NewAccessLog(&out)
	e, err := edge.New(edge.Config{AccessLog: log, Errors: []edge.ErrorResponse{{Code: 404, Page: "/page", Response: 200}}, Behaviors: []edge.Behavior{
		{PathPattern: "/missing", Origin: http.NotFoundHandler()}, {PathPattern: "*", Origin: named("x"), ViewerProtocol: edge.RedirectToHTTPS}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("requests", func(t *testing.T) {
		address, client := startBoth(t, e)
		for _, path := range []string{"/a", "/missing"} {
			resp, err := client.Get("http://" + address + path)
			if err != nil {
				t.Fatal(err)
			}
			readAll(t, resp)
		}
	})
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range readLog(t, out.String()) {
		got = append(got, strings.Join([]string{l["cs-protocol"], l["cs-protocol-version"], l["sc-status"], l["x-edge-result-type"], l["ssl-protocol"], strings.SplitN(l["ssl-cipher"], "_", 2)[0]}, " "))
	}
	if want := "[http HTTP/1.1 301 Redirect - - https HTTP/2.0 200 Miss TLSv1.3 TLS http HTTP/1.1 200 Error - -]"; fmt.Sprint(got) != want {
		t.Errorf("log is %v, want %v", got, want)
	}
}

// A viewer who leaves before an answer has status 000.
func TestAccessLogWithoutAnswer(t *testing.T) {
	var out bytes.Buffer
	log := edge.NewAccessLog(&out)
	e := newEdge(t, edge.Config{AccessLog: log, Behaviors: []edge.Behavior{{PathPattern: "*", Origin: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })}}})
	func() {
		defer func() { _ = recover() }()
		r := newRequest("/x")
		r.RemoteAddr = "somewhere"
		e.ServeHTTP(httptest.NewRecorder(), r)
	}()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if l := readLog(t, out.String())[0]; l["sc-status"] != "000" || l["time-to-first-byte"] != "-" || l["c-ip"] != "-" {
		t.Errorf("line %v", l)
	}
}

// A stuck writer takes what it can and then nothing.
type stuckWriter struct {
	stuck, free chan struct{}
	once        sync.Once
	lines       int
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.stuck) })
	<-w.free
	w.lines += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// A slow writer keeps no viewer waiting; every line is written or counted.
func TestAccessLogNeverBlocks(t *testing.T) {
	w := &stuckWriter{stuck: make(chan struct{}), free: make(chan struct{})}
	log := edge.NewAccessLog(w)
	e := newEdge(t, edge.Config{AccessLog: log, Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x")}}})
	e.ServeHTTP(httptest.NewRecorder(), newRequest("/x"))
	<-w.stuck
	const viewers, each = 8, 1000
	start := time.Now()
	var all sync.WaitGroup
	for range viewers {
		all.Go(func() {
			for range each {
				e.ServeHTTP(httptest.NewRecorder(), newRequest("/x"))
			}
		})
	}
	all.Wait()
	if took := time.Since(start); took > 10*time.Second || log.Dropped() == 0 {
		t.Errorf("%d requests took %v with a stuck writer, %d lines dropped", viewers*each, took, log.Dropped())
	}
	close(w.free)
	if err := log.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if total := w.lines - 2 + int(log.Dropped()); total != viewers*each+1 {
		t.Errorf("%d lines written and %d dropped of %d", w.lines-2, log.Dropped(), viewers*each+1)
	}
	before := log.Dropped()
	e.ServeHTTP(httptest.NewRecorder(), newRequest("/x"))
	if err := log.Close(); err != nil || log.Dropped() != before+1 {
		t.Errorf("a line after Close: %v, %d dropped, want %d", err, log.Dropped(), before+1)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("disk full")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestAccessLogErrors(t *testing.T) {
	log := edge.NewAccessLog(brokenWriter{})
	e := newEdge(t, edge.Config{AccessLog: log, Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x")}}})
	for range 3 {
		e.ServeHTTP(httptest.NewRecorder(), newRequest("/x"))
		time.Sleep(10 * time.Millisecond)
	}
	if err := log.Close(); !errors.Is(err, errBroken) {
		t.Errorf("Close = %v, want %v", err, errBroken)
	}
}
