package main

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/totp"
)

// A pass that was made is one that opens: the barcode of this half minute, made
// from the secret that was printed, gets in at its source.
func TestPass(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "pepper", "0123456789abcdef0123456789abcdef")
	write(t, "master", "kq8v2n5x7c1m4b6z9a3s5d7f0g2h4j6l")
	write(t, "annual.yaml", "master: file:master\n")
	write(t, "config.yaml", `book: {kind: sqlite, file: book.db, pepper: "file:pepper"}
keys: {dir: keys, active: KLOCAL000001}
sources: [{id: annual, kind: totp, settings: annual.yaml}]
attractions: [{id: castle, timezone: Europe/Madrid, packages: [{id: audio}], sources: [annual]}]
`)
	handstamp(t, exitDone, "keys", "new", "--dir", "keys", "--id", "KLOCAL000001", "--type", "ecdsa")
	handstamp(t, exitDone, "book", "init", "--config", "config.yaml")
	out := handstamp(t, exitDone, "tickets", "pass", "--source", "annual", "--id", "annual7f3k", "--attraction", "castle", "--json", "--config", "config.yaml")
	var made struct {
		Pass   string
		Secret string `json:"secret_base16"`
		Digits int
	}
	if err := json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &made); err != nil || made.Pass != "ANNUAL7F3K" {
		t.Fatalf("pass = %s, %v", out, err)
	}
	secret, err := hex.DecodeString(made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	code := made.Pass + "." + totp.Password(secret, totp.SHA1, made.Digits, time.Now().Unix()/30)
	if out := handstamp(t, exitDone, "tickets", "try", code, "--source", "annual", "--config", "config.yaml"); !strings.Contains(out, "castle/audio") {
		t.Errorf("try of the pass = %s, want that it opens castle/audio", out)
	}
	handstamp(t, exitFailed, "tickets", "pass", "--source", "annual", "--id", "ANNUAL7F3K", "--attraction", "castle", "--config", "config.yaml")
	handstamp(t, exitConfig, "tickets", "pass", "--source", "nobody", "--attraction", "castle", "--config", "config.yaml")
	handstamp(t, exitUsage, "tickets", "pass", "--source", "annual", "--attraction", "moon", "--config", "config.yaml")
}
