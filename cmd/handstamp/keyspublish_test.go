package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// asCloudFront makes CloudFront have the key group "visitors" with one public key.
func asCloudFront(t *testing.T, id, public string) {
	t.Helper()
	config := fmt.Sprintf("<KeyGroupConfig><Name>visitors</Name><Items><PublicKey>%s</PublicKey></Items></KeyGroupConfig>", id)
	answers := map[string]string{
		"/2020-05-31/key-group":    "<KeyGroupList><MaxItems>100</MaxItems><Quantity>1</Quantity><Items><KeyGroupSummary><KeyGroup><Id>G1</Id>" + config + "</KeyGroup></KeyGroupSummary></Items></KeyGroupList>",
		"/2020-05-31/key-group/G1": "<KeyGroup><Id>G1</Id>" + config + "</KeyGroup>",
		"/2020-05-31/public-key/" + id: "<PublicKey><Id>" + id + "</Id><PublicKeyConfig><Name>one</Name><CallerReference>x</CallerReference><EncodedKey>" + public +
			"</EncodedKey></PublicKeyConfig></PublicKey>",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.Path]
		if !ok || r.Method != http.MethodGet {
			t.Errorf("CloudFront was asked to %s %s, want reads of the group and its key only", r.Method, r.URL.Path)
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, text)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull} {
		t.Setenv(name, value)
	}
}

// A key pair ID that somebody else tells is only taken for the key that CloudFront
// has under it.
func TestPublishWithIDComparesKeys(t *testing.T) {
	stranger, err := keyring.Generate(keyring.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	other, err := keyring.NewEntry("", "file:x", stranger.Public())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, public, id string
		want             int
		says             string
	}{
		{name: "the same key", id: "KSECOND00001", want: exitDone, says: "is at CloudFront as KSECOND00001"},
		{name: "another key under this ID", public: other.Public, id: "KSECOND00001", want: exitFailed, says: "CloudFront has another public key"},
		{name: "not in the group", id: "KTHIRD000001", want: exitFailed, says: `key group "visitors" has no KTHIRD000001`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "tickets.csv", "code,attraction\nCASTLE-1,castle\n")
			write(t, "config.yaml", `keys: {dir: keys, manifest: folder, group: visitors}
sources: [{id: list, kind: roll, file: tickets.csv}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [list]}]
`)
			asCloudFront(t, "KSECOND00001", "") // "keys new" asks nothing
			handstamp(t, exitDone, "keys", "new", "--dir", "keys")
			handstamp(t, exitDone, "keys", "new", "--config", "config.yaml", "--type", "ecdsa")
			var name string
			for _, k := range keyList(t) {
				name = k.Name
			}
			asCloudFront(t, "KSECOND00001", publicOf(t, name, tt.public))
			out := handstamp(t, tt.want, "keys", "publish", name, "--id", tt.id, "--config", "config.yaml")
			if !strings.Contains(out, tt.says) {
				t.Errorf("publish --id %s says %s, want %q", tt.id, out, tt.says)
			}
			if published := keyList(t)[0].Published != nil; published != (tt.want == exitDone) {
				t.Errorf("published = %v, want %v", published, !published)
			}
		})
	}
}

// publicOf returns instead, or the public half of a key of the manifest.
func publicOf(t *testing.T, name, instead string) string {
	t.Helper()
	if instead != "" {
		return instead
	}
	m, err := keyring.FileStore("keys/" + keyring.ManifestName).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Entry(name)
	if err != nil {
		t.Fatal(err)
	}
	return e.Public
}
