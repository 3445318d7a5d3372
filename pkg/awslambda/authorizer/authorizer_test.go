package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/awslambda/authorizer"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const session = "SESSIONSESSIONSESSIONSESSI" // as in testdata

var (
	noon  = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	forms = []string{"http-api-2.0", "http-api-1.0", "rest-request", "rest-token"}
)

// A hall is a Guard that knows one session and one ticket.
type hall struct {
	err   error // of every question; nil means none
	until time.Time
	asked []string
}

func (h *hall) visitor(id, admission string) *authorizer.Visitor {
	until := h.until
	if until.IsZero() {
		until = noon.Add(time.Hour)
	}
	return &authorizer.Visitor{ID: id, Admission: admission, Entitlements: []gate.Entitlement{
		{Attraction: "castle", Package: "audio", Until: until}, {Attraction: "castle", Package: "premium", From: noon.Add(time.Minute), Until: until},
	}}
}

func (h *hall) Session(_ context.Context, s gate.Session) (*authorizer.Visitor, error) {
	h.asked = append(h.asked, "session "+s.Reveal())
	if h.err == nil && s.Reveal() != session {
		return nil, gate.Deny(gate.ReasonNoSession, nil)
	}
	return h.visitor("ADMISSION1", "ADMISSION1"), h.err
}

func (h *hall) Ticket(_ context.Context, code gate.Secret) (*authorizer.Visitor, error) {
	h.asked = append(h.asked, "ticket "+code.Reveal())
	if h.err == nil && code != "GOOD" {
		return nil, gate.Deny(gate.ReasonExpired, nil)
	}
	return h.visitor("ticket-x", ""), h.err
}

type answer struct {
	IsAuthorized   *bool
	PrincipalID    string
	PolicyDocument struct {
		Statement []struct{ Action, Effect, Resource string }
	}
	Context map[string]string
}

// allowed reports whether a lets the method of arn through, and fails for an
// answer about anything else.
func (a *answer) allowed(t *testing.T, arn string) bool {
	t.Helper()
	if a.IsAuthorized != nil {
		return *a.IsAuthorized
	}
	s := a.PolicyDocument.Statement
	if len(s) != 1 || s[0].Action != "execute-api:Invoke" || s[0].Resource != arn {
		t.Fatalf("policy = %+v, want one statement about %s", s, arn)
	}
	return s[0].Effect == "Allow"
}

// event returns one of testdata with members replaced.
func event(t testing.TB, form string, changes map[string]any) (text []byte, arn string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", form+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	maps.Copy(all, changes)
	text, err = json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	arn, _ = all["methodArn"].(string)
	if route, ok := all["routeArn"].(string); ok {
		arn = route
	}
	return text, arn
}

func ask(t testing.TB, h *hall, opts authorizer.Options, text []byte) (*answer, error) {
	t.Helper()
	opts.Now = func() time.Time { return noon }
	a, err := authorizer.New(h, opts)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := a.Invoke(t.Context(), text)
	if err != nil {
		return nil, err
	}
	got := &answer{}
	if err := json.Unmarshal(reply, got); err != nil {
		t.Fatal(err)
	}
	return got, nil
}

func TestAVisitorIsLetThrough(t *testing.T) {
	for _, form := range forms {
		text, arn := event(t, form, nil)
		got, err := ask(t, &hall{}, authorizer.Options{Attraction: "castle"}, text)
		if err != nil || !got.allowed(t, arn) {
			t.Fatalf("%s: answer = %+v, %v, want leave", form, got, err)
		}
		if (form == "http-api-2.0") != (got.IsAuthorized != nil) || got.IsAuthorized == nil && got.PrincipalID != "ADMISSION1" {
			t.Errorf("%s: answer = %+v, want the form's own, for ADMISSION1", form, got)
		}
		want := map[string]string{"visitor": "ADMISSION1", "admission": "ADMISSION1", "attractions": "castle", "packages": "castle/audio", "until": "2026-07-01T13:00:00Z"}
		if !maps.Equal(got.Context, want) {
			t.Errorf("%s: context = %v, want %v", form, got.Context, want)
		}
	}
	text, arn := event(t, "http-api-2.0", nil)
	if got, err := ask(t, &hall{}, authorizer.Options{Policy: true}, text); err != nil || got.IsAuthorized != nil || !got.allowed(t, arn) {
		t.Errorf("with Policy: answer = %+v, %v, want a policy", got, err)
	}
}

func TestNobodyElseIs(t *testing.T) {
	bearer := func(token string) map[string]any {
		return map[string]any{"headers": map[string]any{"authorization": "Bearer " + token}, "multiValueHeaders": map[string]any{"Authorization": []string{"Bearer " + token}},
			"authorizationToken": "Bearer " + token, "identitySource": nil}
	}
	tests := []struct {
		name    string
		change  map[string]any
		hall    hall
		opts    authorizer.Options
		missing bool // so that a REST API is told 401
	}{
		{"another session", bearer("WRONG"), hall{}, authorizer.Options{}, true},
		{"nothing", bearer(""), hall{}, authorizer.Options{}, true},
		{"too long", bearer(strings.Repeat("A", 200)), hall{}, authorizer.Options{}, true},
		{"another attraction", nil, hall{}, authorizer.Options{Attraction: "zoo"}, false},
		{"over", nil, hall{until: noon}, authorizer.Options{}, false},
		{"revoked", nil, hall{err: gate.Deny(gate.ReasonRevoked, nil)}, authorizer.Options{}, true},
	}
	for _, tt := range tests {
		for _, form := range forms {
			text, arn := event(t, form, tt.change)
			h := tt.hall
			got, err := ask(t, &h, tt.opts, text)
			if tt.missing && strings.HasPrefix(form, "rest") {
				if !errors.Is(err, authorizer.ErrUnauthorized) || err.Error() != "Unauthorized" {
					t.Errorf("%s, %s: %+v, %v, want the error Unauthorized", tt.name, form, got, err)
				}
				continue
			}
			if err != nil || got.allowed(t, arn) || got.Context != nil {
				t.Errorf("%s, %s: %+v, %v, want a refusal that says nothing", tt.name, form, got, err)
			}
		}
	}
}

func TestNobodyKnows(t *testing.T) {
	var log bytes.Buffer
	for _, form := range forms {
		text, _ := event(t, form, nil)
		h := &hall{err: errors.New("table throttled")}
		if got, err := ask(t, h, authorizer.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, text); !errors.Is(err, authorizer.ErrUnavailable) || strings.Contains(err.Error(), "table") {
			t.Errorf("%s: %+v, %v, want ErrUnavailable and no more", form, got, err)
		}
	}
	if strings.Contains(log.String(), session) || !strings.Contains(log.String(), "table throttled") {
		t.Errorf("log = %q, want the cause and no session", log.String())
	}
}

// What would be remembered for others is refused: an answer that API Gateway
// keeps by something else than the credential.
func TestAnswersAreNotOthers(t *testing.T) {
	tests := []struct {
		name, form string
		from       string
		change     map[string]any
		want       error
	}{
		{"by the credential", "http-api-2.0", "bearer", nil, nil},
		{"by nothing", "http-api-2.0", "bearer", map[string]any{"identitySource": nil}, nil},
		{"by a cookie, and a bearer is read", "http-api-2.0", "bearer", map[string]any{"identitySource": []string{"a=1"}}, authorizer.ErrUnavailable},
		{"by all cookies", "http-api-2.0", "cookie:handstamp_admission", map[string]any{"cookies": []string{"handstamp_admission=" + session}, "identitySource": []string{"a=1; handstamp_admission=" + session}}, nil},
		{"by another header in format 1.0", "http-api-1.0", "bearer", map[string]any{"identitySource": "x"}, authorizer.ErrUnavailable},
		{"a token for a cookie", "rest-token", "cookie:handstamp_admission", nil, authorizer.ErrUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, arn := event(t, tt.form, tt.change)
			got, err := ask(t, &hall{}, authorizer.Options{From: tt.from}, text)
			if !errors.Is(err, tt.want) || err == nil && !got.allowed(t, arn) {
				t.Errorf("answer = %+v, %v, want error %v", got, err, tt.want)
			}
		})
	}
}

// at returns an event of a form whose ARN ends in end: stage, method and path.
func at(t *testing.T, form, end string) (text []byte, arn string) {
	t.Helper()
	arn = "arn:aws:execute-api:us-east-1:123456789012:s4x3opwd6i/" + end
	name := "methodArn"
	if form == "http-api-2.0" {
		name = "routeArn"
	}
	return event(t, form, map[string]any{name: arn})
}

// A path that is a pattern would open other methods in a policy that is kept.
func TestPatternsInThePath(t *testing.T) {
	for _, form := range forms {
		for _, end := range []string{"test/GET/*", "test/GET/a?c", "test/GET/${aws:username}", "$default/GET/*", "$default/GET/a${*}"} {
			text, arn := at(t, form, end)
			h := &hall{}
			if got, err := ask(t, h, authorizer.Options{Policy: true}, text); err != nil || got.allowed(t, arn) || h.asked != nil {
				t.Errorf("%s: %s = %+v, %v, asked %q, want a refusal without a question", form, end, got, err, h.asked)
			}
		}
	}
}

// A "$" alone is none: HTTP APIs have it in the name of their stage.
func TestDefaultStage(t *testing.T) {
	for _, form := range []string{"http-api-2.0", "http-api-1.0"} {
		for _, end := range []string{"$default/GET/products", "$default/GET/", "$default/GET/price/in$", "test/GET/$1"} {
			for _, policy := range []bool{false, true} {
				text, arn := at(t, form, end)
				if got, err := ask(t, &hall{}, authorizer.Options{Policy: policy}, text); err != nil || !got.allowed(t, arn) {
					t.Errorf("%s, policy %v: %s = %+v, %v, want leave", form, policy, end, got, err)
				}
			}
		}
	}
}

func TestOneCredentialIsRead(t *testing.T) {
	all := map[string]any{
		"identitySource": nil, "cookies": []string{"handstamp_admission=C1.C2", "other=1"}, "rawQueryString": "ticket=Q",
		"headers": map[string]any{"authorization": "Bearer B", "x-ticket": "GOOD"},
	}
	tests := []struct{ from, want string }{
		{"", "session B"}, {"bearer", "session B"}, {"cookie:handstamp_admission", "session C1,session C2"}, {"header:X-Ticket", "ticket GOOD"}, {"query:ticket", "ticket Q"},
	}
	for _, tt := range tests {
		text, _ := event(t, "http-api-2.0", all)
		h := &hall{}
		if _, err := ask(t, h, authorizer.Options{From: tt.from}, text); err != nil || strings.Join(h.asked, ",") != tt.want {
			t.Errorf("from %q: asked %q, %v, want %s", tt.from, h.asked, err, tt.want)
		}
	}
	for _, twice := range []map[string]any{
		{"rawQueryString": "ticket=GOOD&ticket=BAD", "identitySource": nil},
	} {
		text, arn := event(t, "http-api-2.0", twice)
		if got, err := ask(t, &hall{}, authorizer.Options{From: "query:ticket"}, text); err != nil || got.allowed(t, arn) {
			t.Errorf("a ticket that comes twice = %+v, %v, want a refusal", got, err)
		}
	}
	for _, from := range []string{"cookie", "header:", "token", "header:a b"} {
		if _, err := authorizer.New(&hall{}, authorizer.Options{From: from}); err == nil {
			t.Errorf("New from %q = nil, want an error", from)
		}
	}
}

func TestNoEvent(t *testing.T) {
	for _, text := range []string{"", "null", "[]", `{"type":"TOKEN"}`, `{"headers":3,"methodArn":"x"}`} {
		if got, err := ask(t, &hall{}, authorizer.Options{}, []byte(text)); !errors.Is(err, authorizer.ErrUnavailable) {
			t.Errorf("Invoke(%q) = %+v, %v, want ErrUnavailable", text, got, err)
		}
	}
}

// FuzzInvoke looks for an event that panics, or opens without the session.
func FuzzInvoke(f *testing.F) {
	for _, form := range forms {
		text, _ := event(f, form, nil)
		f.Add(text)
	}
	a, err := authorizer.New(&hall{}, authorizer.Options{Now: func() time.Time { return noon }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		reply, err := a.Invoke(t.Context(), text)
		open := bytes.Contains(reply, []byte(`"Allow"`)) || bytes.Contains(reply, []byte(`"isAuthorized":true`))
		if err == nil && open && !bytes.Contains(text, []byte("SESSI")) && !bytes.Contains(text, []byte(`\u`)) {
			t.Errorf("Invoke(%q) = %s", text, reply)
		}
	})
}
