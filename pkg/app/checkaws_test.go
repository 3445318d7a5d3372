package app_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/probe"
)

// asAWS lets handler answer for all of AWS.
func asAWS(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull} {
		t.Setenv(name, value)
	}
	return server.URL
}

// refuse is an answer of AWS that is an error.
func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>", code)
}

// xml answers as AWS does.
func xml(w http.ResponseWriter, format string, args ...any) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+format, args...)
}

// The key that signs is held against what CloudFront has under its ID.
func TestCheckKeyGroup(t *testing.T) {
	h := newHouse(t)
	h.server.Listener.Close()
	example, err := os.ReadFile("../../keys.example/KEXAMPLE0001.pub.pem")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := keyring.Generate(keyring.RSA)
	if err != nil {
		t.Fatal(err)
	}
	other, err := keyring.NewEntry("", "file:x", stranger.Public())
	if err != nil {
		t.Fatal(err)
	}
	id := signingKey(t, h)
	tests := []struct {
		name, group, id, public string
		denied                  bool
		want                    probe.Result
		found                   string
	}{
		{name: "the same", want: probe.Passed, found: "fingerprint"},
		{name: "another key under its ID", public: other.Public, want: probe.Failed, found: "another public key"},
		{name: "not in the group", id: "KOTHER0000001", want: probe.Failed, found: "not among the 1"},
		{name: "no such group", group: "others", want: probe.Failed, found: "not at CloudFront"},
		{name: "not permitted", denied: true, want: probe.Failed, found: "AccessDenied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			member := cmp.Or(tt.id, id)
			config := fmt.Sprintf("<KeyGroupConfig><Name>%s</Name><Items><PublicKey>%s</PublicKey></Items></KeyGroupConfig>", cmp.Or(tt.group, "visitors"), member)
			cloudfront := http.NewServeMux()
			cloudfront.HandleFunc("GET /2020-05-31/key-group", func(w http.ResponseWriter, _ *http.Request) {
				if tt.denied {
					refuse(w, http.StatusForbidden, "AccessDenied")
					return
				}
				xml(w, "<KeyGroupList><MaxItems>100</MaxItems><Quantity>1</Quantity><Items><KeyGroupSummary><KeyGroup><Id>G1</Id>%s</KeyGroup></KeyGroupSummary></Items></KeyGroupList>", config)
			})
			cloudfront.HandleFunc("GET /2020-05-31/key-group/G1", func(w http.ResponseWriter, _ *http.Request) {
				xml(w, "<KeyGroup><Id>G1</Id>%s</KeyGroup>", config)
			})
			cloudfront.HandleFunc("GET /2020-05-31/public-key/"+member, func(w http.ResponseWriter, _ *http.Request) {
				xml(w, "<PublicKey><Id>%s</Id><PublicKeyConfig><Name>one</Name><CallerReference>x</CallerReference><EncodedKey>%s</EncodedKey></PublicKeyConfig></PublicKey>",
					member, cmp.Or(tt.public, string(example)))
			})
			asAWS(t, cloudfront)
			cfg := h.load(t)
			cfg.Keys.Group = "visitors"
			report, err := app.Check(t.Context(), cfg, app.CheckOptions{})
			if err != nil {
				t.Fatalf("Check = %v", err)
			}
			if got, found := result(report, "key_group"); got != tt.want || !strings.Contains(found, tt.found) {
				t.Errorf("check key_group %s (%s), want %s with %q", got, found, tt.want, tt.found)
			}
		})
	}
}

// signingKey returns the ID of the key that signs in h.
func signingKey(t *testing.T, h *house) string {
	t.Helper()
	report, err := app.Check(t.Context(), h.load(t), app.CheckOptions{Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	_, found := result(report, "key")
	var id string
	if _, err := fmt.Sscanf(found, "signing with %s", &id); err != nil {
		t.Fatalf("check key found %q: %v", found, err)
	}
	return id
}

// A bucket is there or not, and it is shut for strangers or not.
func TestCheckBucket(t *testing.T) {
	files := func(keys ...string) string {
		var b strings.Builder
		for _, key := range keys {
			_, _ = fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>5</Size></Contents>", key)
		}
		return b.String()
	}
	tests := []struct {
		name           string
		status         int    // of the bucket
		list           string // of files in it; empty may not be listed
		open           bool   // for strangers
		there, private probe.Result
	}{
		{name: "private", status: 200, list: files("posters/a.jpg", "photos/x/a.jpg"), there: probe.Passed, private: probe.Passed},
		{name: "open", status: 200, list: files("posters/a.jpg", "photos/x/a.jpg"), open: true, there: probe.Passed, private: probe.Failed},
		{name: "public files are", status: 200, list: files("posters/a.jpg"), open: true, there: probe.Passed, private: probe.Skipped},
		{name: "not to be listed", status: 200, there: probe.Passed, private: probe.Skipped},
		{name: "not permitted", status: 403, there: probe.Failed},
		{name: "absent", status: 404, there: probe.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := http.NewServeMux()
			store.HandleFunc("HEAD /private", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) })
			store.HandleFunc("GET /private", func(w http.ResponseWriter, _ *http.Request) {
				if tt.list == "" {
					refuse(w, http.StatusForbidden, "AccessDenied")
					return
				}
				xml(w, "<ListBucketResult><Name>private</Name>%s</ListBucketResult>", tt.list)
			})
			store.HandleFunc("GET /private/{key...}", func(w http.ResponseWriter, r *http.Request) {
				if r.PathValue("key") != "photos/x/a.jpg" || r.Header.Get("Authorization") != "" || r.URL.RawQuery != "" {
					t.Errorf("a stranger asks for %s", r.URL)
				}
				if !tt.open {
					refuse(w, http.StatusForbidden, "AccessDenied")
				}
			})
			h := newHouse(t)
			h.server.Listener.Close()
			cfg := h.load(t)
			cfg.Objects.Bucket, cfg.Objects.Region, cfg.Objects.Endpoint, cfg.Objects.PathStyle = "private", "eu-west-1", asAWS(t, store), true
			cfg.Objects.Rules = []config.ObjectRule{{Area: "posters", Keys: "posters/{attraction}/*", Read: []string{"everyone"}, Write: []string{"staff"}, Types: []string{"image/jpeg"}, MaxSize: 1 << 20, Public: true},
				{Area: "photos", Keys: "photos/{ticket}/*", Read: []string{"visitor"}}}
			report, err := app.Check(t.Context(), cfg, app.CheckOptions{})
			if err != nil {
				t.Fatalf("Check = %v", err)
			}
			for id, want := range map[string]probe.Result{"bucket_there": tt.there, "bucket_private": tt.private} {
				if got, found := result(report, id); got != want {
					t.Errorf("check %s %q (%s), want %q", id, got, found, want)
				}
			}
		})
	}
}
