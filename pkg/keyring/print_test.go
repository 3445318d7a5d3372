package keyring_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// holders are values of all exported types of the package through which a
// private key can be reached.
func holders(t *testing.T, private crypto.Signer) map[string]any {
	t.Helper()
	k := key("KCANARY00001", private)
	ring, err := keyring.New([]keyring.Key{k}, k.ID)
	ok(t, err)
	e, err := keyring.NewEntry(k.ID, "env:KEY", private.Public())
	ok(t, err)
	m := &keyring.Manifest{}
	ok(t, m.Add(e, noon))
	ok(t, m.Publish(k.ID, k.ID, noon))
	ok(t, m.Activate(k.ID, keyring.Rules{}, noon.Add(2*time.Hour), false))
	store := keyring.FileStore(filepath.Join(t.TempDir(), keyring.ManifestName))
	ok(t, store.Save(t.Context(), m, 0))
	text := string(pkcs8(private))
	env := keyring.Env{Lookup: func(string) (string, bool) { return text, true }}
	openers := keyring.Openers{"env": env}
	follower, err := keyring.Follow(t.Context(), store, openers, keyring.FollowOptions{})
	ok(t, err)
	return map[string]any{"Key": k, "Ring": ring, "Follower": follower, "Env": env, "Openers": openers, "Opener": keyring.Opener(env)}
}

// harmless are the exported types that have nothing to hide.
var harmless = []string{"Distribution", "Entry", "FileStore", "Files", "FollowOptions", "Manifest", "Options", "Pair", "Rotation", "Rules", "State", "Step", "Store", "Type", "Verb"}

// Whoever adds a type to the package says whether it holds keys.
func TestPrintTestKnowsAllTypes(t *testing.T) {
	known := holders(t, ecKey())
	for _, name := range harmless {
		known[name] = nil
	}
	sources, err := filepath.Glob("*.go")
	ok(t, err)
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		ok(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, is := n.(*ast.TypeSpec)
			if !is || !spec.Name.IsExported() {
				return true
			}
			if _, is := known[spec.Name.Name]; !is {
				t.Errorf("type %s is new: does it hold a private key?", spec.Name)
			}
			return true
		})
	}
}

// An inFields has a value in fields that nobody outside can see, where fmt calls
// no methods.
type inFields struct {
	value any
	list  []any
}

// However a holder of a private key is printed, logged or marshalled, it shows no
// digit of the key.
func TestHoldersPrintNothing(t *testing.T) {
	for _, private := range []crypto.Signer{rsaKey(), ecKey()} {
		secrets := append(numbers(private), pieces(pkcs8DER(private))...)
		for name, v := range holders(t, private) {
			forms := map[string]any{"value": v, "in unexported fields": inFields{v, []any{v}}, "in a map": map[string]any{"k": v}, "in a list": []any{v}}
			if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer {
				forms["behind its pointer"] = r.Elem().Interface()
			} else {
				p := reflect.New(r.Type())
				p.Elem().Set(r)
				forms["pointer"] = p.Interface()
			}
			for form, v := range forms {
				said := printed(v)
				for _, secret := range secrets {
					if strings.Contains(said, secret) {
						t.Errorf("%s, %s, of a %T: a print shows %.12s...", name, form, private, secret)
						break
					}
				}
			}
		}
	}
}

// printed is v in all the ways in which values get into logs.
func printed(v any) string {
	var said bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%e", "%t", "%p"} {
		fmt.Fprintf(&said, verb+"\n", v)
	}
	text, err := json.Marshal(v)
	fmt.Fprintln(&said, string(text), err)
	slog.New(slog.NewTextHandler(&said, nil)).Info("found", slog.Any("it", v))
	slog.New(slog.NewJSONHandler(&said, nil)).Info("found", slog.Any("it", v))
	fmt.Fprintln(&said, fmt.Errorf("found %v", v))
	return said.String()
}

// The print of the key itself shows it: the search finds what there is to find.
func TestPrintTestFindsAKey(t *testing.T) {
	for _, private := range []crypto.Signer{rsaKey(), ecKey()} {
		said, found := printed(private), false
		for _, secret := range numbers(private) {
			found = found || strings.Contains(said, secret)
		}
		if !found {
			t.Errorf("a print of a bare %T shows no number of it: the search is worth nothing", private)
		}
	}
}

// A process that dies with a holder in hand, in a panic or in an argument on the
// stack, leaves no key in its dump.
func TestPanicShowsNothing(t *testing.T) {
	if name := os.Getenv("HANDSTAMP_PANIC"); name != "" {
		private, err := keyring.ParsePrivate([]byte(os.Getenv("HANDSTAMP_PANIC_KEY")))
		ok(t, err)
		panic(holders(t, private)[name])
	}
	private := ecKey()
	secrets := append(numbers(private), pieces(pkcs8DER(private))...)
	for _, name := range []string{"Key", "Ring", "Follower"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPanicShowsNothing$") // #nosec G204 G702 -- ourselves
		child.Env = append(os.Environ(), "GOTRACEBACK=system", "HANDSTAMP_PANIC="+name, "HANDSTAMP_PANIC_KEY="+string(pkcs8(private)))
		out, err := child.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("panic: ")) {
			t.Fatalf("panic(%s) = %v, want a dump:\n%s", name, err, out)
		}
		for _, secret := range secrets {
			if bytes.Contains(out, []byte(secret)) {
				t.Errorf("the dump of panic(%s) shows %.12s...", name, secret)
			}
		}
	}
}
