package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/config"
)

func mustSecret(t *testing.T, text string) config.Secret {
	t.Helper()
	s, err := config.ParseSecret(text)
	if err != nil {
		t.Fatalf("ParseSecret(%q) = %v", text, err)
	}
	return s
}

func TestParseSecretRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"file:", `nothing follows "file:", want the path of a file`},
		{"file:  ", `nothing follows "file:", want the path of a file`},
		{"kms:", `nothing follows "kms:", want a key ID or ARN`},
		{"env:", `what follows "env:" is not the name of a variable`},
		{"env:hunter2-hunter2", `what follows "env:" is not the name of a variable`},
		{"flie:hunter2", "unknown kind of reference before the colon, want file:PATH or env:NAME"},
		{"redacted:inline", "unknown kind of reference before the colon, want file:PATH or env:NAME"},
	}
	for _, tt := range tests {
		if _, err := config.ParseSecret(tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("ParseSecret(%q) = %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestSecretResolve(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file:" + path
	}
	t.Setenv("A_SECRET", "from the environment")
	t.Setenv("NO_SECRET", "")
	tests := []struct{ text, want, fails string }{
		{write("plain", "hunter2"), "hunter2", ""},
		{write("line", "hunter2\n"), "hunter2", ""},
		{write("crlf", "hunter2\r\n"), "hunter2", ""},
		{write("lines", "hunter2\n\n"), "hunter2\n", ""},
		{write("most", strings.Repeat("x", 64<<10)), strings.Repeat("x", 64<<10), ""},
		{write("big", strings.Repeat("x", 64<<10+1)), "", "bigger than 64 KiB"},
		{write("empty", "\n"), "", "is empty or not set"},
		{"file:" + dir, "", "is a directory"},
		{"file:" + dir + "/absent", "", "no such file"},
		{"env:A_SECRET", "from the environment", ""},
		{"env:NO_SECRET", "", "env:NO_SECRET is empty or not set"},
		{"env:UNSET_SECRET", "", "env:UNSET_SECRET is empty or not set"},
		{"hunter2", "hunter2", ""},
		{"", "", "no secret is configured"},
		{"secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:x", "", "not available in this build"},
		{"ssm:/handstamp/pepper", "", "not available in this build"},
		{"kms:alias/pepper", "", "not available in this build"},
	}
	for _, tt := range tests {
		got, err := mustSecret(t, tt.text).Resolve()
		if tt.fails == "" && (err != nil || string(got) != tt.want) {
			t.Errorf("Resolve() of %q = %.20q, %v; want %.20q", tt.text, got, err, tt.want)
		}
		if tt.fails != "" && (err == nil || len(got) > 0 || !strings.Contains(err.Error(), tt.fails)) {
			t.Errorf("Resolve() of %q = %.20q, %v; want an error with %q", tt.text, got, err, tt.fails)
		}
	}
	if _, err := mustSecret(t, "kms:x").Resolve(); !errors.Is(err, config.ErrNotAvailable) {
		t.Errorf("Resolve() of kms:x = %v, want ErrNotAvailable", err)
	}
}

// TestSecretHides prints a Config with an inline secret in every way.
func TestSecretHides(t *testing.T) {
	cfg := config.Default()
	cfg.Book.Pepper = mustSecret(t, "hunter2hunter2hunter2")
	s := cfg.Book.Pepper
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10.2s"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", *cfg)
		fmt.Fprintf(&out, verb+"\n", &cfg.Book)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "book", cfg.Book)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", s, "book", cfg.Book)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		text, err := marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	printed, err := cfg.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	out.Write(printed)
	hex := fmt.Sprintf("%x", "hunter2")
	if s := out.String(); strings.Contains(s, "hunter2") || strings.Contains(s, hex) || !strings.Contains(s, "redacted") {
		t.Errorf("an inline secret shows, or its stand-in does not:\n%s", s)
	}
}

// TestSecretShowsReference: where a secret is is no secret.
func TestSecretShowsReference(t *testing.T) {
	s := mustSecret(t, "file:/run/secrets/pepper")
	for verb, want := range map[string]string{
		"%v": "file:/run/secrets/pepper", "%q": `"file:/run/secrets/pepper"`, "%#v": `config.Secret("file:/run/secrets/pepper")`,
	} {
		if got := fmt.Sprintf(verb, s); got != want {
			t.Errorf("Sprintf(%q) = %s, want %s", verb, got, want)
		}
	}
	if got := s.LogValue().String(); got != "file:/run/secrets/pepper" {
		t.Errorf("LogValue() = %s", got)
	}
	if !(config.Secret{}).IsZero() || s.IsZero() {
		t.Error("IsZero() is true for a reference or false for none")
	}
}

func TestPepper(t *testing.T) {
	t.Setenv("GOOD_PEPPER", "0123456789abcdef")
	t.Setenv("SHORT_PEPPER", "0123456789abcde")
	const line = "config.yaml:24: book.pepper: "
	tests := []struct{ pepper, want string }{
		{"env:GOOD_PEPPER", ""},
		{"env:SHORT_PEPPER", line + "the secret has 15 bytes, want at least 16 (hint: openssl rand -hex 32)"},
		{"env:UNSET_PEPPER", line + "env:UNSET_PEPPER is empty or not set"},
		{"file:/nonexistent/pepper", line + "open /nonexistent/pepper: no such file or directory"},
		{"kms:alias/pepper", line + "kms: references are not available in this build (hint: use file:PATH or env:NAME)"},
		{"hunter2", line + "the secret has 7 bytes, want at least 16 (hint: openssl rand -hex 32)"},
		{"evn:hunter2hunter2", line + "unknown kind of reference before the colon, want file:PATH or env:NAME"},
	}
	for _, tt := range tests {
		t.Run(tt.pepper, func(t *testing.T) {
			text := edit(t, base, `  pepper: ""`, "  pepper: "+tt.pepper)
			if tt.want == "" {
				mustLoad(t, text)
				return
			}
			_, err := load(text)
			wantProblems(t, err, tt.want)
		})
	}
}

func TestInlinePepper(t *testing.T) {
	text := edit(t, base, `  pepper: ""`, "  pepper: hunter2hunter2hunter2")
	got := mustLoad(t, text).Warnings[0]
	if want := "config.yaml:24: book.pepper: the secret itself is in the configuration; production wants a reference, file:PATH or env:NAME"; got != want {
		t.Errorf("Warnings = %s, want %s", got, want)
	}
	_, err := load(edit(t, text, "environment: development", "environment: production"))
	if err == nil || strings.Contains(err.Error(), "hunter2") ||
		!strings.Contains(err.Error(), "config.yaml:24: book.pepper: the secret itself is in the configuration, want a reference, file:PATH or env:NAME") {
		t.Errorf("Parse() of an inline secret in production = %v", err)
	}
}
