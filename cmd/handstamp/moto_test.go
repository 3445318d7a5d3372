package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMotoKeys walks the life of a key by commands, with the key group at a
// stand-in of CloudFront's API that test/moto.sh starts.
func TestMotoKeys(t *testing.T) {
	endpoint := os.Getenv("HANDSTAMP_MOTO")
	if endpoint == "" {
		t.Skip("no stand-in of AWS: see test/moto.sh")
	}
	t.Setenv("HANDSTAMP_MOTO", "") // put back at the end
	os.Unsetenv("HANDSTAMP_MOTO")  // no key of the configuration
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test",
		"AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	t.Chdir(t.TempDir())
	write(t, "tickets.csv", "code,attraction\nCASTLE-1,castle\n")
	write(t, "config.yaml", `keys: {dir: keys, manifest: folder, group: handstamp-commands, settle: 1s, interval: 1s}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}]
`)
	handstamp(t, exitDone, "keys", "new", "--dir", "keys") // makes the folder
	handstamp(t, exitDone, "keys", "new", "--config", "config.yaml")
	handstamp(t, exitDone, "keys", "new", "--config", "config.yaml", "--type", "ecdsa")
	var names []string
	for _, k := range keyList(t) {
		names = append(names, k.Name)
	}
	var ids []string
	for _, name := range names {
		handstamp(t, exitDone, "keys", "publish", name, "--config", "config.yaml")
	}
	for _, k := range keyList(t, "--cloudfront") {
		if k.CloudFront != "there" || k.Differs {
			t.Errorf("after publish: %+v, want it at CloudFront", k)
		}
		ids = append(ids, k.Name)
	}
	handstamp(t, exitDone, "keys", "activate", ids[0], "--force", "--config", "config.yaml")
	handstamp(t, exitDone, "check", "--config", "config.yaml")
	handstamp(t, exitDone, "keys", "activate", ids[1], "--force", "--config", "config.yaml")
	handstamp(t, exitDone, "keys", "retire", ids[0], "--force", "--config", "config.yaml")
	lines := keyList(t, "--cloudfront")
	if lines[0].State != "retired" || lines[0].CloudFront != "" || lines[1].State != "active" || lines[1].CloudFront != "there" {
		t.Errorf("after retire: %+v, want the first gone from CloudFront and the second there", lines)
	}
	if out := handstamp(t, exitFailed, "keys", "revoke", ids[1], "--config", "config.yaml"); !strings.Contains(out, "no other published key") {
		t.Errorf("revoke of the only key says %s, want that there is no other", out)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Clean(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// handstamp runs a command and returns what it prints.
func handstamp(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out lockedBuffer
	if code := run(t.Context(), args, &out, &out); code != want {
		t.Fatalf("handstamp %q = %d, want %d\n%s", args, code, want, out.String())
	}
	return out.String()
}

func keyList(t *testing.T, more ...string) []keyLine {
	t.Helper()
	var list struct{ Keys []keyLine }
	text := handstamp(t, exitDone, append([]string{"keys", "list", "--json", "--config", "config.yaml"}, more...)...)
	if err := json.Unmarshal([]byte(text[strings.Index(text, `{"keys"`):]), &list); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return list.Keys
}
