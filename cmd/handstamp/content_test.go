package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/objects/mirror/mirrortest"
)

// A scriptStore is the bucket of one script.
type scriptStore struct {
	*mirrortest.Bucket
	mu     sync.Mutex
	broken string // requests that would change a key with this in it are refused
}

func (s *scriptStore) fail(r *http.Request) (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != "" && r.Method != http.MethodGet && r.Method != http.MethodHead && strings.Contains(r.URL.Path, s.broken) {
		return http.StatusForbidden, "AccessDenied"
	}
	return 0, ""
}

// TestContentScripts runs the scripts that need a bucket: $ENDPOINT is a store
// that has any.
func TestContentScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/content",
		Setup: func(env *testscript.Env) error {
			store := &scriptStore{Bucket: &mirrortest.Bucket{}}
			store.Fail = store.fail
			server := httptest.NewServer(store)
			env.Defer(server.Close)
			env.Values["store"] = store
			for name, value := range map[string]string{"ENDPOINT": server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
				"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": env.WorkDir + "/none", "AWS_SHARED_CREDENTIALS_FILE": env.WorkDir + "/none",
				"AWS_MAX_ATTEMPTS": "1"} {
				env.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": wantStatus, "objects": wantObjects, "sent": wantSent, "broken": setBroken, "stray": addStray},
	})
}

// TestContentMistakes are mistakes in the command line, none of which gets as
// far as asking somebody.
func TestContentMistakes(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir()) // nothing of whoever runs the test
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("media", 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		line string
		code int
		says string
	}{
		{"content frobnicate", exitUsage, `no command "frobnicate"`},
		{"content check", exitUsage, ""},
		{"content check nowhere", exitFailed, "nowhere"},
		{"content sync media", exitUsage, ""},
		{"content sync media media", exitUsage, `want one like "s3://bucket/castle"`},
		{"content sync media s3://media --delete", exitUsage, "want a prefix"},
		{"content sync media s3://media/x --parallel 0", exitUsage, "1 to 64"},
		{"content sync media s3://media/x --cache-control 600", exitUsage, "not a cache rule"},
		{"content sync media s3://media/x", exitUsage, "hint: --region"},
		{"content sync nowhere s3://media/x", exitFailed, "nowhere"},
		{"check --iam=everything --config CONFIG", exitUsage, "want gateway, keys, book, content or check"},
		{"check --iam --account 12 --config CONFIG", exitUsage, "12 digits"},
		{"check --iam --region moon --config CONFIG", exitUsage, "eu-west-1"},
		{"check --iam --partition moon --config CONFIG", exitUsage, "aws-cn"},
		{"check --iam=content --config CONFIG", exitUsage, `--to: "" is not a place`},
		{"check --iam --key vault:x --config CONFIG", exitUsage, "want kms:"},
		{"check --iam --config CONFIG", exitFailed, "nothing at AWS is configured"},
	}
	for _, tt := range tests {
		line := strings.ReplaceAll(tt.line, "CONFIG", filepath.Join(root, "config.yaml"))
		var out bytes.Buffer
		if got := run(t.Context(), strings.Fields(line), &out, &out); got != tt.code || !strings.Contains(out.String(), tt.says) {
			t.Errorf("handstamp %s = status %d, %s\nwant %d and %q", tt.line, got, out.String(), tt.code, tt.says)
		}
	}
}

// TestContentDocs runs the commands of docs/content.md and docs/iam.md, with the
// sample as media and a store on this machine.
func TestContentDocs(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	store := &mirrortest.Bucket{}
	server := httptest.NewServer(store)
	defer server.Close()
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "TOKEN": strings.Repeat("0123456789abcdef", 2)} {
		t.Setenv(name, value)
	}
	t.Chdir(t.TempDir())
	if err := os.CopyFS("media", guide.Sample()); err != nil {
		t.Fatal(err)
	}
	write(t, "config.yaml", awsConfig)
	write(t, "tickets.csv", "code,attraction\nCASTLE-1,castle\n")
	for _, file := range []string{"docs/content.md", "docs/iam.md"} {
		for _, block := range fences(t, filepath.Join(root, file), "sh") {
			for _, line := range commands(block) {
				if strings.HasPrefix(line, "handstamp content sync") {
					line += " --path-style --endpoint " + server.URL
				}
				runDocumented(t, file, line)
			}
		}
	}
	if _, ok := store.Objects()["castle/guide.yaml"]; !ok {
		t.Error("after docs/content.md the castle is not in the bucket")
	}
}

const awsConfig = `book: {kind: dynamodb, table: visits, region: eu-central-1, pepper: env:TOKEN}
keys: {manifest: "secretsmanager:handstamp/ring", group: castle}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}]
`

func storeOf(ts *testscript.TestScript) *scriptStore { return ts.Value("store").(*scriptStore) }

// wantObjects is the script command "objects KEY...": the bucket has these and
// no others.
func wantObjects(ts *testscript.TestScript, _ bool, args []string) {
	got := slices.Sorted(maps.Keys(storeOf(ts).Objects()))
	if !slices.Equal(got, args) {
		ts.Fatalf("the bucket has %q, want %q", got, args)
	}
}

// wantSent is the script command "sent LINE...": these changes were made since
// it was used last, in this order.
func wantSent(ts *testscript.TestScript, _ bool, args []string) {
	if got := storeOf(ts).Log(); fmt.Sprint(got) != fmt.Sprint(args) {
		ts.Fatalf("done: %q, want %q", got, args)
	}
}

// setBroken is the script command "broken TEXT": changes of keys with TEXT in
// them fail from now on; without TEXT none do.
func setBroken(ts *testscript.TestScript, _ bool, args []string) {
	s := storeOf(ts)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = strings.Join(args, "")
}

// addStray is the script command "stray KEY...": the bucket has these, too.
func addStray(ts *testscript.TestScript, _ bool, args []string) {
	for _, key := range args {
		storeOf(ts).Put(key, mirrortest.Object{Body: []byte("stray")})
	}
}
