package bucket_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/objects/bucket"
)

func TestOpenRefuses(t *testing.T) {
	isolate(t)
	for _, tt := range []struct {
		config bucket.Config
		want   string
	}{
		{bucket.Config{}, `bucket "": not the name of a bucket`},
		{bucket.Config{Name: "a/b"}, `not the name of a bucket`},
		{bucket.Config{Name: "media?x"}, `not the name of a bucket`},
		{bucket.Config{Name: "media"}, `bucket "media": no region`},
		{bucket.Config{Name: "media", Endpoint: "127.0.0.1:9000"}, `endpoint: `},
		{bucket.Config{Name: "media", Endpoint: "ftp://host"}, `endpoint: found "ftp://host", want http or https and a host`},
		{bucket.Config{Name: "media", Endpoint: "http://host/path"}, `want http or https and a host`},
		{bucket.Config{Name: "media", Endpoint: "http://me:hunter2@host"}, `want http or https and a host`},
		{bucket.Config{Name: "media", Endpoint: "http://h?x"}, `want http or https and a host`},
		{bucket.Config{Name: "media", Region: "eu-west-1", Options: bucket.Options{Prefix: "castle"}}, `prefix "castle", want segments that end with a slash`},
		{bucket.Config{Name: "media", Region: "eu-west-1", Options: bucket.Options{Prefix: "/castle/"}}, `prefix "/castle/"`},
		{bucket.Config{Name: "media", Region: "eu-west-1", Options: bucket.Options{Prefix: "a/../b/"}}, `prefix "a/../b/"`},
		{bucket.Config{Name: "media", Region: "eu-west-1", Options: bucket.Options{Prefix: "/"}}, `prefix "/"`},
	} {
		b, err := bucket.Open(t.Context(), tt.config)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%+v) = %v, %v, want %q", tt.config, b, err, tt.want)
		}
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	b, err := bucket.Open(t.Context(), bucket.Config{Name: "media"})
	if err != nil || b.Client().Options().Region != "eu-west-1" {
		t.Errorf("Open with AWS_REGION = %v", err)
	}
}

// A public bucket is asked without a signature, also where there are credentials.
func TestOpenAnonymous(t *testing.T) {
	s := newStore(t, map[string]stored{"x": {text: "0123456789"}})
	isolate(t)
	for _, anonymous := range []bool{true, false} {
		b, err := bucket.Open(t.Context(), bucket.Config{Name: "media", Endpoint: s.URL, PathStyle: true, Anonymous: anonymous})
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, serve(t, b), "GET", "/x"); got.body != "0123456789" {
			t.Errorf("GET = %d %q", got.StatusCode, got.body)
		}
		for _, r := range s.requests() {
			if signed := r.Header.Get("Authorization") != ""; signed == anonymous {
				t.Errorf("anonymous %v: signed %v", anonymous, signed)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A store that fails in passing is asked again, and not for ever.
func TestOpenTriesAgain(t *testing.T) {
	s := newStore(t, map[string]stored{"x": {text: "0123456789"}})
	failures := 1
	s.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if failures--; failures < 0 {
			return false
		}
		refuse(w, 500, "InternalError")
		return true
	}
	b := s.open(t, bucket.Options{})
	if got := ask(t, serve(t, b), "GET", "/x"); got.body != "0123456789" || len(s.requests()) != 3 {
		t.Errorf("GET after a failure = %d %q", got.StatusCode, got.body)
	}
	if n := b.Client().Options().Retryer.MaxAttempts(); n != 3 {
		t.Errorf("a call is made %d times, want 3", n)
	}
}

// A signed request goes to no other host.
func TestOpenFollowsNobody(t *testing.T) {
	other, s := newStore(t, map[string]stored{"x": {text: "0123456789"}}), newStore(t, nil)
	s.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Location", other.URL+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}
	if got := ask(t, serve(t, s.open(t, bucket.Options{})), "GET", "/x"); got.StatusCode != 503 || len(other.requests()) != 0 {
		t.Errorf("GET = %d %q, want 503 and nobody else asked", got.StatusCode, got.body)
	}
}
