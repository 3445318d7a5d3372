package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrNotAvailable is the error of Resolve for a reference that is understood
// but that this build cannot follow.
var ErrNotAvailable = errors.New("not available in this build (hint: use file:PATH or env:NAME)")

// maxSecret is the most bytes that the file of a secret may have.
const maxSecret = 64 << 10

const (
	fileRef = "file"
	envRef  = "env"
	inline  = "inline"
)

var (
	reference = regexp.MustCompile(`^([a-z][a-z0-9+.-]*):(.*)$`)
	envName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// A Secret says where a secret is, so that a configuration can be shown to
// anyone. The zero value is no secret. However it is printed, logged or
// encoded, it shows the reference, and never an inline value.
type Secret struct {
	kind string // file, env, secretsmanager, kms, ssm, inline; empty for none
	at   string // path, variable, name or ARN; the value itself if inline
}

// ParseSecret returns the secret that text refers to: file:PATH, env:NAME,
// secretsmanager:, ssm: or kms: with a name or ARN. Other text is the secret
// itself, which Load refuses in production, unless it looks like a reference
// of another kind. Its errors do not quote text.
func ParseSecret(text string) (Secret, error) {
	if text == "" {
		return Secret{}, nil
	}
	m := reference.FindStringSubmatch(text)
	if m == nil {
		return Secret{kind: inline, at: text}, nil
	}
	switch m[1] {
	case fileRef, "secretsmanager", "kms", "ssm":
		if strings.TrimSpace(m[2]) == "" {
			return Secret{}, fmt.Errorf("nothing follows %q, want %s", m[1]+":", secretHint[m[1]])
		}
	case envRef:
		if !envName.MatchString(m[2]) {
			return Secret{}, errors.New("what follows \"env:\" is not the name of a variable")
		}
	default:
		return Secret{}, errors.New("unknown kind of reference before the colon, want file:PATH or env:NAME")
	}
	return Secret{kind: m[1], at: m[2]}, nil
}

var secretHint = map[string]string{
	fileRef: "the path of a file", "secretsmanager": "a name or ARN", "kms": "a key ID or ARN", "ssm": "a parameter name",
}

// Inline reports whether s is the secret itself and not a reference to it.
func (s Secret) Inline() bool { return s.kind == inline }

// IsZero reports whether s is no secret at all.
func (s Secret) IsZero() bool { return s.kind == "" }

// Resolve reads the secret. One line end after the content of a file is not
// part of it. No secret and an empty one are errors, and so is a reference
// that this build cannot follow: ErrNotAvailable. The errors never hold the
// secret.
func (s Secret) Resolve() ([]byte, error) {
	var value []byte
	var err error
	switch s.kind {
	case "":
		return nil, errors.New("no secret is configured")
	case inline:
		value = []byte(s.at)
	case envRef:
		value = []byte(os.Getenv(s.at))
	case fileRef:
		value, err = readSecret(s.at)
	default:
		return nil, fmt.Errorf("%s: references are %w", s.kind, ErrNotAvailable)
	}
	if err == nil && len(value) == 0 {
		err = fmt.Errorf("%s is empty or not set", s)
	}
	return value, err
}

func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	value, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(value) > maxSecret {
		return nil, fmt.Errorf("%s is bigger than 64 KiB", path)
	}
	value = bytes.TrimSuffix(value, []byte("\n"))
	return bytes.TrimSuffix(value, []byte("\r")), nil
}

// String returns the reference, or what stands for an inline value. The latter
// is refused where it is read back.
func (s Secret) String() string {
	switch s.kind {
	case "":
		return ""
	case inline:
		return "redacted:inline"
	}
	return s.kind + ":" + s.at
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("config.Secret(%q)", s.String()) }

// Format prints String for every verb but %#v.
func (s Secret) Format(f fmt.State, verb rune) {
	switch {
	case verb == 'v' && f.Flag('#'):
		fmt.Fprint(f, s.GoString())
	case verb == 'q':
		fmt.Fprintf(f, "%q", s.String())
	default:
		fmt.Fprint(f, s.String())
	}
}

// LogValue logs String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON encodes String.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText encodes String, for YAML and others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// in returns s with the path of a file reference taken relative to dir.
func (s Secret) in(dir string) Secret {
	if s.kind == fileRef && !filepath.IsAbs(s.at) {
		s.at = filepath.Join(dir, s.at)
	}
	return s
}

// SecretFiles returns the files that secrets of c are in.
func (c *Config) SecretFiles() (files []string) {
	c.each(func(_ *field, _ string, v value) {
		if s, ok := v.Interface().(Secret); ok && s.kind == fileRef {
			files = append(files, s.at)
		}
	})
	return files
}
