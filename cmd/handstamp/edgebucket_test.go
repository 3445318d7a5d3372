package main

import (
	"os"
	"strings"
	"testing"
)

// An edge in front of a bucket, and the bucket is another edge: a folder that
// answers HEAD, Range and If-Match as a store does.
func TestEdgeBucket(t *testing.T) {
	park(t)
	if err := os.Rename("media", "my-media"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("store", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("my-media", "store/my-media"); err != nil {
		t.Fatal(err)
	}
	store := startEdgeJSON(t, "--root", "store", "--public-key", edgeKey, "--free", "*")
	bucket := startEdgeJSON(t, "--origin", "s3://my-media", "--s3-endpoint", store.URL, "--s3-anonymous", "--public-key", edgeKey, "--free", "/index.html", "--verbose")
	text := `
listen: 127.0.0.1:0
key_groups:
  - {id: visitors, keys: [{id: KLOCALEDGE01, file: keys/KLOCALEDGE01.pub.pem}]}
origins:
  - {id: tours, kind: s3, bucket: my-media, endpoint: "` + store.URL + `", path_style: on, prefix: castle, anonymous: on}
  - {id: server, kind: http, url: "` + store.URL + `/my-media"}
behaviors:
  - {path: /audio/*, origin: tours, methods: [GET, HEAD, OPTIONS], cors: {origins: [https://app.example.org], methods: [GET]}}
  - {path: "*", origin: server}
`
	if err := os.WriteFile("edge.yaml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	below := startEdgeJSON(t, "--config", "edge.yaml")
	server := startEdgeJSON(t, "--origin", store.URL+"/my-media", "--public-key", edgeKey, "--free", "*")
	cookie := "Cookie: " + signedCookies(t, bucket.URL+"/castle/")
	for _, tt := range []struct {
		method, url, header string
		status              int
		body                string
	}{
		{"GET", bucket.URL + "/index.html", "X: y", 200, "HOME"},
		{"GET", bucket.URL + "/castle/audio/01.txt", "X: y", 403, ""},
		{"GET", bucket.URL + "/castle/audio/01.txt", cookie, 200, "SOUND"},
		{"GET", bucket.URL + "/castle/none.txt", cookie, 404, "NoSuchKey"},
		{"GET", below.URL + "/audio/01.txt", "Range: bytes=1-2", 206, "OU"},
		{"GET", below.URL + "/audio/01.txt", "Range: bytes=99-", 416, ""},
		{"GET", below.URL + "/audio/01.txt?acl", "If-None-Match: *", 304, ""},
		{"HEAD", below.URL + "/audio/01.txt", "X: y", 200, ""},
		{"OPTIONS", below.URL + "/audio/01.txt", "Access-Control-Request-Method: GET\nOrigin: https://app.example.org", 200, ""},
		{"GET", below.URL + "/index.html", "X: y", 200, "HOME"},
		{"GET", server.URL + "/index.html", "X: y", 200, "HOME"},
	} {
		resp, body := get(t, nil, tt.method, tt.url, strings.Split(tt.header, "\n")...)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) {
			t.Errorf("%s %s with %.30s = %d %.200q, want %d %q", tt.method, tt.url, tt.header, resp.StatusCode, body, tt.status, tt.body)
		}
		if tt.method == "OPTIONS" && resp.Header.Get("Access-Control-Allow-Methods") != "GET" {
			t.Errorf("a preflight got %v", resp.Header)
		}
	}
	// without the store nobody knows, and the log says so
	if code := store.stop(); code != exitDone {
		t.Errorf("the store ended with %d", code)
	}
	if resp, body := get(t, nil, "GET", bucket.URL+"/index.html"); resp.StatusCode != 503 || !strings.Contains(body, "ServiceUnavailable") {
		t.Errorf("without a store: %d %s, want 503", resp.StatusCode, body)
	}
	if code := bucket.stop(); code != exitDone || !strings.Contains(bucket.stderr.String(), "bucket failed") {
		t.Errorf("the edge ended with %d and\n%s", code, bucket.stderr.String())
	}
}
