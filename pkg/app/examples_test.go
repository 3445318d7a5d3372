package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/book/sqlite/sqlitetest"
	"github.com/handstamp/handstamp/pkg/config"
)

// TestExamplesBoot builds a gateway from every configuration that comes with the
// project and asks whether it is ready. Keys, lists and books are put where the
// machine that an example is for would have them; a table at DynamoDB becomes a
// file, and nothing is exported to CloudFront.
func TestExamplesBoot(t *testing.T) {
	for name, fill := range map[string]string{"TICKET_DESK_KEY": "0", "BOOKING_KEY": "1", "AUDIT_KEY": "2", "PASS_OFFICE_TOKEN": "3", "PEPPER": "4"} {
		t.Setenv(name, fill+"f86d081884c7d659a2feaa0c55ad015a")
	}
	for _, file := range []string{"../../config.yaml", "../../examples/museum.yaml", "../../examples/group.yaml", "../../deploy/docker/config.yaml"} {
		t.Run(file, func(t *testing.T) {
			pepper := filepath.Join(t.TempDir(), "pepper")
			if err := os.WriteFile(pepper, []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
				t.Fatal(err)
			}
			over := map[string]string{}
			if filepath.Base(filepath.Dir(file)) == "docker" { // whose secrets are mounted
				over["book.pepper"] = "file:" + pepper
			}
			cfg, err := config.Load(file, config.Options{Overrides: over})
			if err != nil {
				t.Fatalf("Load(%s) = %v", file, err)
			}
			furnish(t, cfg)
			gateway, err := app.New(t.Context(), cfg, app.Options{})
			if err != nil {
				t.Fatalf("New() = %v, want a gateway", err)
			}
			defer gateway.Close()
			w := httptest.NewRecorder()
			gateway.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, cfg.HTTP.PublicURL+"/readyz", nil))
			if w.Code != http.StatusOK {
				t.Errorf("GET /readyz = %d %s, want 200", w.Code, w.Body)
			}
		})
	}
}

// furnish puts what cfg names into a folder of the test.
func furnish(t *testing.T, cfg *config.Config) {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Keys.Active != "KEXAMPLE0001" {
		cfg.Keys.Dir = dir
		if err := os.WriteFile(filepath.Join(dir, cfg.Keys.Active+".pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if cfg.Book.Lasting() {
		cfg.Book.Kind, cfg.Book.File = "sqlite", filepath.Join(dir, "book.db")
		sqlitetest.Put(t, cfg.Book.File)
	}
	if cfg.Admin.TLSCert != "" {
		certificate, key := newPair(t, "staff")
		cfg.Admin.TLSCert, cfg.Admin.TLSKey = filepath.Join(dir, "admin.pem"), filepath.Join(dir, "admin.key")
		if err := errors.Join(os.WriteFile(cfg.Admin.TLSCert, []byte(certificate), 0o600), os.WriteFile(cfg.Admin.TLSKey, []byte(key), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Denylist.KeyValueStore = ""
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if _, err := os.Stat(s.File); s.Kind != "roll" || err == nil {
			continue
		}
		s.File = filepath.Join(dir, "tickets.csv")
		list := "code,attraction,packages,valid_until\nTICKET-7Q4M-2XKD-9PTR," + cfg.Attractions[0].ID + ",,\n"
		if err := os.WriteFile(s.File, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range cfg.Attractions {
		a := &cfg.Attractions[i]
		if _, err := os.Stat(a.Content); err != nil {
			a.Content = ""
		}
	}
}
