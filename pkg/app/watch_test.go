package app_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
)

// newPair returns a certificate for name that signed itself, and its key, in PEM.
func newPair(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

const seenConfig = `http: {listen: "127.0.0.1:0", drain: 1s}
keys: {dir: KEYS}
book: {kind: sqlite, file: book.db, pepper: "file:pepper"}
sources:
  - {id: octo, kind: octo, settings: octo.yaml}
  - {id: shop, kind: jwt, settings: shop.yaml}
  - {id: desk, kind: issued}
attractions:
  - {id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [octo, shop, desk]}
admin:
  listen: "127.0.0.1:0"
  tls_cert: staff.pem
  tls_key: staff.key
  keys: [{id: desk, key: "file:desk.key", scopes: ["*"]}]
`

// seenFiles are what seenConfig names, and what these name.
func seenFiles(t *testing.T) map[string]string {
	files := map[string]string{
		"pepper":   "0123456789abcdef",
		"desk.key": "a-key-for-the-desk-with-32-characters-and-more",
		"octo.yaml": `url: https://octo.example
token: file:octo.token
zone: Europe/Madrid
network: {ca: ca.pem, certificate: client.pem, key: client.key}
products: [{id: adult, buys: [castle]}]
`,
		"octo.token": "token-of-the-reservations",
		"shop.yaml": `issuer: https://shop.example
audience: handstamp
keys: [{file: shop.pub, id: k1}]
ca: shop-ca.pem
names: {adult: [castle]}
`,
	}
	files["ca.pem"], _ = newPair(t, "ca")
	files["shop-ca.pem"], _ = newPair(t, "shop ca")
	files["client.pem"], files["client.key"] = newPair(t, "client")
	files["staff.pem"], files["staff.key"] = newPair(t, "staff")
	files["shop.pub"] = newPublic(t)
	return files
}

func newPublic(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// TestWatchSeesAllFiles changes each file that a gateway was made of, without a
// word in its configuration.
func TestWatchSeesAllFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(files map[string]string) {
		t.Helper()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	keys, err := filepath.Abs("../../keys.example")
	if err != nil {
		t.Fatal(err)
	}
	put(seenFiles(t))
	put(map[string]string{"config.yaml": strings.Replace(seenConfig, "KEYS", keys, 1)})
	file := filepath.Join(dir, "config.yaml")
	var log bytes.Buffer
	live, err := app.NewLive(t.Context(), func() (*config.Config, error) { return config.Load(file, config.Options{}) },
		app.LiveOptions{App: app.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, File: file})
	if err != nil {
		t.Fatalf("NewLive() = %v", err)
	}
	defer func() {
		if err := live.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	}()
	look := live.Watcher()
	twice := func() { look(t.Context()); look(t.Context()) }
	changed := func() int { return strings.Count(log.String(), "config_reloaded") }
	if twice(); changed() != 0 {
		t.Fatalf("nothing has changed, and it was taken on:\n%s", log.String())
	}
	certificate, key := newPair(t, "client, renewed")
	staff, staffKey := newPair(t, "staff, renewed")
	ca, _ := newPair(t, "ca, renewed")
	for i, files := range []map[string]string{
		{"pepper": "fedcba9876543210"},
		{"desk.key": "another-key-for-the-desk-of-32-characters-and-more"},
		{"octo.token": "renewed-token-of-the-reservations"},
		{"ca.pem": ca},
		{"client.pem": certificate, "client.key": key},
		{"shop-ca.pem": ca},
		{"shop.pub": newPublic(t)},
		{"staff.pem": staff, "staff.key": staffKey},
	} {
		put(files)
		if twice(); changed() != i+1 {
			t.Fatalf("changed files %v are not taken on:\n%s", files, log.String())
		}
	}
	if shown, err := live.Certificate(nil); err != nil || shown.Leaf.Subject.CommonName != "staff, renewed" {
		t.Errorf("Certificate() = %v, %v, want the renewed one", shown, err)
	}

	// half a renewal is refused, and what there was goes on
	before := changed()
	other, otherKey := newPair(t, "staff, once more")
	put(map[string]string{"staff.pem": other})
	if twice(); changed() != before || !strings.Contains(log.String(), "admin.tls_cert") {
		t.Errorf("a certificate without its key was taken on:\n%s", log.String())
	}
	if shown, err := live.Certificate(nil); err != nil || shown.Leaf.Subject.CommonName != "staff, renewed" {
		t.Errorf("Certificate() after half a renewal = %v, %v, want the one before", shown, err)
	}
	put(map[string]string{"staff.key": otherKey})
	if twice(); changed() != before+1 {
		t.Errorf("the other half of a renewal is not taken on:\n%s", log.String())
	}

	// so is a configuration that names what is not there yet, until it is
	before = changed()
	edited := strings.NewReplacer("KEYS", keys, "settings: octo.yaml", "settings: new.yaml").Replace(seenConfig)
	put(map[string]string{"config.yaml": edited})
	if twice(); changed() != before || !strings.Contains(log.String(), "new.yaml") {
		t.Errorf("a configuration with a file that is missing was taken on:\n%s", log.String())
	}
	refused := strings.Count(log.String(), "config_reload_failed")
	twice()
	if twice(); strings.Count(log.String(), "config_reload_failed") != refused {
		t.Errorf("what cannot be taken on was tried again, though nothing has changed:\n%s", log.String())
	}
	put(map[string]string{"new.yaml": strings.Replace(seenFiles(t)["octo.yaml"], "ca.pem", "new-ca.pem", 1)})
	if twice(); changed() != before {
		t.Errorf("settings with a file that is missing were taken on:\n%s", log.String())
	}
	put(map[string]string{"new-ca.pem": ca})
	if twice(); changed() != before+1 {
		t.Errorf("what was missing is there, and is not taken on:\n%s", log.String())
	}

	// whether there is TLS at all is settled at the start
	put(map[string]string{"config.yaml": strings.NewReplacer("KEYS", keys, "  tls_cert: staff.pem\n  tls_key: staff.key\n", "").Replace(seenConfig)})
	if err := live.Reload(t.Context()); !errors.Is(err, app.ErrRestart) {
		t.Errorf("Reload() without TLS = %v, want ErrRestart", err)
	}
}
