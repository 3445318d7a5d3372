package s3_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// The sample tour goes into the bucket, and the edge serves it from there to who
// has signed cookies.
func TestEdge(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	sample, err := filepath.Abs("../../pkg/guide/sample/castle")
	if err != nil {
		t.Fatal(err)
	}
	m := s.mirror(t, sample, "media/castle")
	m.sync(t, s.endpoint)
	m.equals(t)
	keys, err := filepath.Abs("../../keys.example")
	if err != nil {
		t.Fatal(err)
	}
	reader := newUser(t, policy{"2012-10-17", []statement{{"Read", "Allow", []string{"s3:GetObject"}, []string{"arn:aws:s3:::" + s.bucket + "/media/*"}}}}.String())
	edge := start(t, t.TempDir(), environment(reader), "edge", "--origin", "s3://"+s.bucket+"/media", "--s3-endpoint", s.endpoint,
		"--public-key", "KEXAMPLE0001="+keys+"/KEXAMPLE0001.pub.pem", "--free", "/castle/free/*", "--paid", "/castle/*", "--json", "--addr", "127.0.0.1:0")
	var ready struct{ URL string }
	if err := json.Unmarshal([]byte(edge.log.wait(t, edge.ended, `"url"`)), &ready); err != nil {
		t.Fatal(err)
	}
	cookies := strings.TrimSpace(run(t, t.TempDir(), environment(keyPair{}), "sign", "cookies", "--private-key", keys+"/KEXAMPLE0001.pem",
		"--key-pair-id", "KEXAMPLE0001", "--resource", ready.URL+"/castle/*", "--expires", "15m"))
	stamp := "Cookie: " + strings.Join(strings.Split(cookies, "\n"), "; ")
	client := newHTTP(t)
	for name, want := range m.files(t) {
		address := ready.URL + "/castle/" + name
		kind, cache := shipped(name)
		r := ask(t, client, http.MethodGet, address, nil, stamp)
		if r.status != 200 || !bytes.Equal(r.body, want) || r.header.Get("Content-Type") != kind || r.header.Get("Cache-Control") != cache {
			t.Errorf("GET %s = %d, %d bytes, %q, %q; want 200, the %d of the file, %q, %q", name, r.status, len(r.body), r.header.Get("Content-Type"), r.header.Get("Cache-Control"), len(want), kind, cache)
		}
		r = ask(t, client, http.MethodGet, address, nil, stamp, "Range: bytes=10-19")
		if r.status != 206 || !bytes.Equal(r.body, want[10:20]) || r.header.Get("Content-Range") != fmt.Sprintf("bytes 10-19/%d", len(want)) {
			t.Errorf("GET ten bytes of %s = %v, %q", name, r, r.header.Get("Content-Range"))
		}
		status := 403
		if strings.HasPrefix(name, "free/") {
			status = 200
		}
		if r := ask(t, client, http.MethodGet, address, nil); r.status != status {
			t.Errorf("GET %s without cookies = %v, want %d", name, r, status)
		}
	}
	if r := ask(t, client, http.MethodGet, ready.URL+"/castle/audio/none.m4a", nil, stamp); r.status != 404 {
		t.Errorf("GET what is not there = %v, want 404", r)
	}
}
