package gate_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
)

const canary = "CANARY-4711"

// leaks reports whether text holds the canary in any of its usual disguises.
func leaks(text string) bool {
	text = strings.ToLower(text)
	for _, form := range []string{canary, hex.EncodeToString([]byte(canary)), fmt.Sprint([]byte(canary)), fmt.Sprintf("%#v", []byte(canary))} {
		if strings.Contains(text, strings.ToLower(form)) {
			return true
		}
	}
	return false
}

// holders are the values of this package that carry something secret, as they
// might be handed to a logger by mistake.
func holders() map[string]any {
	secret, session := gate.Secret(canary), gate.Session(canary)
	return map[string]any{
		"secret":         secret,
		"secret pointer": &secret,
		"session":        session,
		"session list":   []gate.Session{session},
		"credential":     gate.Credential{Code: secret, Attraction: "castle", Factors: map[string]gate.Secret{"surname": secret}},
		"credential at":  &gate.Credential{Code: secret, Factors: map[string]gate.Secret{"surname": secret}},
		"ticket":         gate.Ticket{Source: "list", Normal: secret},
		"ticket at":      &gate.Ticket{Source: "list", Normal: secret},
		"pass":           gate.Pass{Session: session},
		"pass at":        &gate.Pass{Session: session},
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	for name, v := range holders() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%t", "%40s", "%-5v"} {
			if got := fmt.Sprintf(verb, v); leaks(got) {
				t.Errorf("Sprintf(%q, %s) = %s, which shows the secret", verb, name, got)
			}
		}
		if got := fmt.Sprint(v) + fmt.Sprintln(v) + fmt.Errorf("found %v", v).Error(); leaks(got) {
			t.Errorf("Sprint(%s) = %s, which shows the secret", name, got)
		}
	}
	if got := fmt.Sprint(gate.Secret(canary), 1, gate.Session(canary)); got != "[redacted]1[redacted]" {
		t.Errorf("Sprint = %q, want [redacted]1[redacted]", got)
	}
	for _, got := range []string{gate.Secret(canary).String(), gate.Secret(canary).GoString(), gate.Session(canary).String(), gate.Session(canary).GoString()} {
		if got != "[redacted]" {
			t.Errorf("String or GoString = %q, want [redacted]", got)
		}
	}
}

func TestSecretsDoNotMarshal(t *testing.T) {
	for name, v := range holders() {
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("json.Marshal(%s) = %v", name, err)
		}
		if leaks(string(text)) {
			t.Errorf("json.Marshal(%s) = %s, which shows the secret", name, text)
		}
	}
}

func TestSecretsDoNotReachALog(t *testing.T) {
	var out bytes.Buffer
	handlers := []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)}
	for name, v := range holders() {
		for _, h := range handlers {
			slog.New(h).Info("found", "holder", v, slog.Any("again", v), slog.Group("in", "it", v))
		}
		if leaks(out.String()) {
			t.Errorf("a log of %s shows the secret: %s", name, out.String())
		}
		out.Reset()
	}
}

func TestReveal(t *testing.T) {
	if got := gate.Secret(canary).Reveal(); got != canary {
		t.Errorf("Secret.Reveal = %q, want %q", got, canary)
	}
	if got := gate.Session(canary).Reveal(); got != canary {
		t.Errorf("Session.Reveal = %q, want %q", got, canary)
	}
}

func TestNewSession(t *testing.T) {
	seen := map[gate.SessionHash]bool{}
	for range 1000 {
		s := gate.NewSession()
		if len(s.Reveal()) < 26 { // 26 × 5 bits, base32
			t.Fatalf("NewSession has %d characters, want 26 for 128 bits", len(s.Reveal()))
		}
		if seen[s.Hash()] {
			t.Fatal("NewSession gave one session twice")
		}
		seen[s.Hash()] = true
	}
}
