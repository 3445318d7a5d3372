// Package lambdatest runs the binary of a function as AWS Lambda does: behind a
// runtime API on this machine. See "Using the Lambda runtime API for custom
// runtimes" in the Lambda Developer Guide.
package lambdatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a function may take for anything.
const patience = 30 * time.Second

// Build compiles a command as for Lambda, on this kind of processor, into a file.
func Build(file, pkg string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags", "lambda.norpc,lambda.noweb", "-o", file, pkg) // #nosec G204 -- a test names the command
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// A Result is what came of one event.
type Result struct {
	Body  []byte
	Error bool // it was sent to /error
}

// An Environment is a function that runs.
type Environment struct {
	Init time.Duration // from the start of the process to its first question for an event

	tb     testing.TB
	api    *httptest.Server
	cmd    *exec.Cmd
	output lockedBuffer
	events chan event
	begun  chan struct{} // closed at the first question
	failed chan []byte   // what was sent to /init/error
	ended  chan error
	once   sync.Once
	mu     sync.Mutex
	open   map[string]chan Result
	serial int
}

type event struct {
	id   string
	body []byte
	end  time.Time
}

// Start starts the binary with variables, NAME=VALUE, and nothing else in its
// environment, and waits until it asks for an event or fails to.
func Start(tb testing.TB, binary string, variables ...string) (*Environment, error) {
	tb.Helper()
	e := &Environment{tb: tb, events: make(chan event), begun: make(chan struct{}), failed: make(chan []byte, 1),
		ended: make(chan error, 1), open: map[string]chan Result{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { e.finish(w, r, false) })
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { e.finish(w, r, true) })
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "extension-1")
		_, _ = io.WriteString(w, "{}")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	e.api = httptest.NewServer(mux)
	e.cmd = exec.Command(binary) // #nosec G204 -- the test's own
	e.cmd.Env = append(variables, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(e.api.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=handstamp")
	e.cmd.Stdout, e.cmd.Stderr = &e.output, &e.output
	began := time.Now()
	if err := e.cmd.Start(); err != nil {
		e.api.Close()
		return nil, err
	}
	go func() { e.ended <- e.cmd.Wait() }()
	tb.Cleanup(func() { _ = e.Stop(os.Kill) })
	select {
	case <-e.begun:
		e.Init = time.Since(began)
		return e, nil
	case err := <-e.ended:
		e.ended <- err
		return e, fmt.Errorf("the function ended: %w", err)
	case <-time.After(patience):
		return e, fmt.Errorf("the function asks for no event")
	}
}

func (e *Environment) next(w http.ResponseWriter, r *http.Request) {
	e.once.Do(func() { close(e.begun) })
	select {
	case ev := <-e.events:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", ev.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(ev.end.UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:handstamp")
		_, _ = w.Write(ev.body)
	case <-r.Context().Done():
	}
}

func (e *Environment) finish(w http.ResponseWriter, r *http.Request, failed bool) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	done := e.open[r.PathValue("id")]
	e.mu.Unlock()
	if done == nil {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	done <- Result{Body: body, Error: failed}
}

func (e *Environment) initError(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.failed <- body
	w.WriteHeader(http.StatusAccepted)
}

// InitError returns what the function sent to /init/error, or nothing.
func (e *Environment) InitError() string {
	select {
	case body := <-e.failed:
		return string(body)
	default:
		return ""
	}
}

// Invoke hands an event to the function and returns what comes of it.
func (e *Environment) Invoke(body []byte, limit time.Duration) Result {
	e.tb.Helper()
	done := make(chan Result, 1)
	e.mu.Lock()
	e.serial++
	id := fmt.Sprintf("request-%d", e.serial)
	e.open[id] = done
	e.mu.Unlock()
	select {
	case e.events <- event{id: id, body: body, end: time.Now().Add(limit)}:
	case <-time.After(patience):
		e.tb.Fatalf("the function asks for no event; it wrote:\n%s", e.Output())
	}
	select {
	case r := <-done:
		return r
	case <-time.After(patience):
		e.tb.Fatalf("the function does not answer; it wrote:\n%s", e.Output())
	}
	return Result{}
}

// Do is Invoke for an event of payload format 2.0, with its answer read.
func (e *Environment) Do(r *http.Request, body string) (*http.Response, string) {
	e.tb.Helper()
	headers := map[string]string{"host": r.Host}
	for name := range r.Header {
		headers[strings.ToLower(name)] = r.Header.Get(name)
	}
	text, err := json.Marshal(map[string]any{"version": "2.0", "rawPath": r.URL.EscapedPath(), "rawQueryString": r.URL.RawQuery, "headers": headers, "body": body,
		"requestContext": map[string]any{"stage": "$default", "domainName": "x.lambda-url.eu-west-1.on.aws", "http": map[string]any{"method": r.Method, "sourceIp": "203.0.113.9"}}})
	if err != nil {
		e.tb.Fatal(err)
	}
	result := e.Invoke(text, 10*time.Second)
	var reply struct {
		StatusCode int
		Headers    map[string]string
		Cookies    []string
		Body       string
	}
	if err := json.Unmarshal(result.Body, &reply); err != nil || result.Error {
		e.tb.Fatalf("%s %s = %s, want a reply", r.Method, r.URL, result.Body)
	}
	resp := &http.Response{StatusCode: reply.StatusCode, Header: http.Header{"Set-Cookie": reply.Cookies}, Body: http.NoBody}
	for name, value := range reply.Headers {
		resp.Header.Set(name, value)
	}
	return resp, reply.Body
}

// Stop sends a signal and waits until the function has ended. It can be called
// again.
func (e *Environment) Stop(signal os.Signal) error {
	_ = e.cmd.Process.Signal(signal) // it may have ended
	err := <-e.ended
	e.ended <- err
	e.api.CloseClientConnections()
	e.api.Close()
	return err
}

// Environ returns the environment that the process was started with and anybody
// who may look at it sees.
func (e *Environment) Environ() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", e.cmd.Process.Pid))
	if err != nil {
		return strings.Join(e.cmd.Env, "\x00")
	}
	return string(text)
}

// Terminate is the signal that Lambda sends before the end.
const Terminate = syscall.SIGTERM

// Output returns what the function wrote.
func (e *Environment) Output() string { return e.output.String() }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
