package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// reasons lists gate's constants as its source has them, so that a new one is
// not forgotten here.
func reasons(t *testing.T) (list []gate.Reason) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../gate/denial.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Reason") {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, gate.Reason(text))
		}
		return true
	})
	if len(list) < 14 {
		t.Fatalf("found %v, want all reasons", list)
	}
	return list
}

// anonymous is a body without its request ID.
func anonymous(t *testing.T, r *reply) []byte {
	t.Helper()
	return bytes.ReplaceAll(r.body, []byte(r.problem(t).RequestID), []byte("REQUEST"))
}

// Apps and guessers see these bodies: a change of one is a change of the API.
func TestRefusalsAreFrozen(t *testing.T) {
	s := newSite(t)
	var got bytes.Buffer
	add := func(name string, r *reply) { fmt.Fprintf(&got, "%s\n%d %s\n", name, r.status, anonymous(t, r)) }
	for _, reason := range reasons(t) {
		if reason == gate.ReasonNoSession { // no source says so
			continue
		}
		for _, proven := range []bool{false, true} {
			s.verify = func(gate.Credential) error {
				return &gate.Denial{Reason: reason, Proven: proven, Err: errors.New("CANARY: internals")}
			}
			add(fmt.Sprintf("%s, proven %v", reason, proven), s.show(t, s.device(t), strongCode, ""))
		}
	}
	s.verify = func(gate.Credential) error { return errors.New("CANARY: connection refused") }
	add("source down", s.show(t, s.client, strongCode, ""))
	s.verify = func(gate.Credential) error { panic("CANARY") }
	add("panic", s.show(t, s.client, strongCode, ""))
	s.verify = nil
	for _, body := range []string{``, `[]`, `{"ticket":1}`, `{"ticket":"A","CANARY":1}`, `{"ticket":"A","ticket":"B"}`, `{"ticket":"A"}x`, `{"ticket":null}`,
		`{"ticket":""}`, `{"ticket":"A","attraction":"*"}`, `{"ticket":"A","delivery":"CANARY"}`, `{"ticket":"CANARY!"}`} {
		add("body "+strings.ReplaceAll(body, "CANARY", "..."), s.post(t, s.client, body))
	}
	add("text", s.post(t, s.client, `{}`, "Content-Type", "text/plain"))
	add("large", s.post(t, s.client, strings.Repeat(" ", 20_000)))
	add("foreign page", s.post(t, s.client, `{}`, "Origin", "https://CANARY.test"))
	add("no session", s.do(t, s.client, http.MethodGet, admissionPath, nil))
	add("renew without a session", s.renew(t, s.device(t)))
	add("renew with a strange session", s.renewWith(t, "CANARY"))
	s.admit(t, s.client, strongCode)
	s.revokeTicket(t, s.client, 0)
	add("renew with a revoked ticket", s.renew(t, s.client))
	s.show(t, s.device(t), strongZoo, "", "Idempotency-Key", "CANARY")
	add("idempotency key of another request", s.show(t, s.device(t), strongZoo, "zoo", "Idempotency-Key", "CANARY"))
	add("idempotency key twice", s.show(t, s.device(t), strongZoo, "", "Idempotency-Key", "CANARY", "Idempotency-Key", "CANARY"))
	add("no such path", s.do(t, s.client, http.MethodGet, "/CANARY", nil))
	add("no such attraction", s.do(t, s.client, http.MethodGet, "/v1/attractions/canary/content", nil))
	add("ambiguous path", s.do(t, s.client, http.MethodGet, "/CANARY/..", nil))
	add("no such method", s.do(t, s.client, http.MethodGet, verifyPath, nil))
	add("foreign host", s.do(t, s.client, http.MethodGet, "/v1/attractions", nil, "Host", "canary.test"))
	s.api.Drain()
	add("draining", s.do(t, s.client, http.MethodGet, "/readyz", nil))

	if strings.Contains(strings.ToUpper(got.String()), "CANARY") {
		t.Errorf("a refusal echoes the viewer or shows internals:\n%s", got.String())
	}
	golden(t, "refusals.txt", got.Bytes())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, got, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s:%d\n%s\nwant (go test -update accepts the change)\n%s", path, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s has %d lines, got %d", path, len(w), len(g))
}

// What a guesser gets does not depend on what the code was worth.
func TestRefusalsAreUniform(t *testing.T) {
	s := newSite(t)
	s.admit(t, s.device(t), weakOneSeat)
	unknown := s.show(t, s.device(t), weakUnknown, "")
	tests := []struct{ name, code, where string }{
		{"unknown, strong", strongUnknown, ""},
		{"expired", weakExpired, ""},
		{"not yet valid", weakEarly, ""},
		{"wrong attraction", weakZoo, "castle"},
		{"attraction that there is not", weakCode, "moon"},
		{"attraction that there is not, strong", strongCode, "moon"},
		{"nothing included", weakNothing, ""},
		{"seats taken", weakOneSeat, ""},
		{"unknown, at an attraction", weakUnknown, "castle"},
	}
	for _, tt := range tests {
		r := s.show(t, s.device(t), tt.code, tt.where)
		if r.status != http.StatusForbidden || !bytes.Equal(anonymous(t, r), anonymous(t, unknown)) || len(r.cookies) != 0 {
			t.Errorf("%s: %d %s\nwant the same as for an unknown code\n%s", tt.name, r.status, r.body, unknown.body)
		}
		for _, header := range []string{"X-Request-Id", "Date"} {
			r.header.Del(header)
			unknown.header.Del(header)
		}
		if got, want := fmt.Sprint(r.header), fmt.Sprint(unknown.header); got != want {
			t.Errorf("%s: headers %s\nwant %s", tt.name, got, want)
		}
	}
}

func TestRefusalsGiveReasonsToHoldersOfTickets(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct{ code, where, want string }{
		{strongExpired, "", "expired"},
		{strongExpired, "zoo", "expired"},
		{strongEarly, "", "not_yet_valid"},
		{strongZoo, "castle", "wrong_attraction"},
		{strongNothing, "", "not_included"},
	} {
		r := s.show(t, s.device(t), tt.code, tt.where)
		if p := r.problem(t); r.status != http.StatusForbidden || p.Code != "ticket_not_accepted" || p.Reason != tt.want || len(r.cookies) != 0 {
			t.Errorf("%s at %q: %d %s, want %s", tt.code, tt.where, r.status, r.body, tt.want)
		}
	}
}

// blames reports whether a body says anything bad about a ticket.
func blames(body []byte) bool {
	text := strings.ToLower(string(body))
	return slices.ContainsFunc([]string{"accepted", "expired", "cancelled", "revoked", "blocked", "unknown", "not valid", "reason", "staff", "session_required", "dial"},
		func(word string) bool { return strings.Contains(text, word) })
}

func TestNobodyKnows(t *testing.T) {
	errDown := errors.New("dial tcp: connection refused")
	tests := []struct {
		name   string
		break_ func(*site)
		method string
		path   string
		status int
	}{
		{"verifier", func(s *site) { s.verify = func(gate.Credential) error { return errDown } }, "POST", verifyPath, 503},
		{"verifier out of time", func(s *site) { s.verify = func(gate.Credential) error { return context.DeadlineExceeded } }, "POST", verifyPath, 503},
		{"book", func(s *site) { s.book = errDown }, "POST", verifyPath, 503},
		{"stamper", func(s *site) { s.stamp = func() error { return errDown } }, "POST", verifyPath, 503},
		{"book, admission", func(s *site) { s.book = errDown }, "GET", admissionPath, 503},
		{"book, leave", func(s *site) { s.book = errDown }, "DELETE", admissionPath, 503},
		{"panic in the verifier", func(s *site) { s.verify = func(gate.Credential) error { panic(strongCode) } }, "POST", verifyPath, 500},
		{"panic in the stamper", func(s *site) { s.stamp = func() error { panic(errDown) } }, "POST", verifyPath, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.admit(t, s.client, strongCode)
			tt.break_(s)
			r := s.do(t, s.client, tt.method, tt.path, strings.NewReader(`{"ticket":"`+strongCode+`"}`), "Content-Type", "application/json")
			if r.status != tt.status || len(r.cookies) != 0 || blames(r.body) {
				t.Errorf("%d %s, cookies %v, want %d that blames nobody and sets nothing", r.status, r.body, r.cookies, tt.status)
			}
			if tt.status == 503 && (r.header.Get("Retry-After") != "5" || r.problem(t).Code != "unavailable") {
				t.Errorf("Retry-After %q, %s, want 5 and unavailable", r.header.Get("Retry-After"), r.body)
			}
			if log := s.log.String(); !strings.Contains(log, `"level":"ERROR"`) || strings.Contains(log, "K7QM") || !strings.Contains(log, r.problem(t).RequestID) {
				t.Errorf("log %s, want an error with the request's ID and without the code", log)
			}
		})
	}
}

// A viewer whose request fails on our side has not lost the seat.
func TestTryAgainAfterAFailure(t *testing.T) {
	s := newSite(t)
	s.stamp = func() error { return errors.New("busy") }
	for range 5 {
		if r := s.show(t, s.client, weakOneSeat, ""); r.status != 503 {
			t.Fatalf("with a broken stamper = %d, want 503", r.status)
		}
	}
	s.stamp = nil
	s.admit(t, s.client, weakOneSeat)
}

// A viewer who goes away is nobody's error.
func TestViewerGoesAway(t *testing.T) {
	s := newSite(t)
	s.verify = func(gate.Credential) error { return fmt.Errorf("ask the seller: %w", context.Canceled) }
	if r := s.show(t, s.client, strongCode, ""); r.status != 503 || strings.Contains(s.log.String(), `"level":"ERROR"`) {
		t.Errorf("%d, log %s, want 503 and no error in the log", r.status, s.log.String())
	}
}

// A handler that gives up on the connection is let go.
func TestAbort(t *testing.T) {
	s := newSite(t)
	s.verify = func(gate.Credential) error { panic(http.ErrAbortHandler) }
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("recovered %v, want http.ErrAbortHandler", p)
		}
	}()
	r := httptest.NewRequest(http.MethodPost, s.url+verifyPath, strings.NewReader(`{"ticket":"A"}`))
	r.Header.Set("Content-Type", "application/json")
	s.api.ServeHTTP(httptest.NewRecorder(), r)
	t.Error("ServeHTTP came back")
}

func TestLogHasNoSecrets(t *testing.T) {
	s := newSite(t)
	session := s.post(t, s.client, `{"ticket":"`+strongCode+`","factors":{"surname":"CANARYNAME"},"delivery":"json"}`).pass(t).Session
	for _, headers := range [][]string{{"Authorization", "Bearer " + session + "x"}, {"Cookie", sessionName + "=" + session + "x"}} {
		s.do(t, s.client, http.MethodGet, admissionPath, nil, headers...)
	}
	for _, code := range []string{strongCode, strongExpired, "CANARYCODE!", "CANARYCODE"} {
		s.show(t, s.device(t), code, "")
	}
	for _, body := range []string{`{"ticket":"CANARYCODE"`, `{"ticket":"CANARYCODE","x":1}`, `{"ticket":["CANARYCODE"]}`, `{"CANARYCODE":1}`,
		`{"ticket":"A","factors":{"CANARYNAME":1}}`, `{"ticket":"A","factors":["CANARYNAME"]}`} {
		if r := s.post(t, s.device(t), body); strings.Contains(string(r.body), "CANARY") {
			t.Errorf("%s is echoed: %s", body, r.body)
		}
	}
	for _, secret := range []string{session, "CANARY", "K7QM", "E7QM", "2XWD"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log shows %q: %s", secret, s.log.String())
		}
	}
}
