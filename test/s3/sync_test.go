package s3_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// A sync that is killed in the middle goes on with what is missing, and with the
// missing parts of the large file. Then nothing is sent again, and --delete
// deletes what is gone here and nothing beside.
func TestSyncKilled(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dir := t.TempDir()
	generate(t, dir)
	m := s.mirror(t, dir, "castle")
	s.put(t, "castle-2/keep.m4a", "audio/mp4", []byte("of others"))
	s.put(t, "keep.m4a", "audio/mp4", []byte("of others"))

	watched := newGatekeeper(t, s.endpoint, 120, "/film.mp4 3")
	killed := start(t, t.TempDir(), environment(m.key), m.args(watched.address)...)
	select {
	case <-watched.full:
	case <-killed.ended:
		t.Fatalf("the sync ended by itself:\n%s", killed.log.tail(2000))
	case <-time.After(time.Minute):
		t.Fatal("the sync did not get that far within a minute")
	}
	killed.stop(syscall.SIGKILL)
	written := watched.writes()
	var parts []string
	for name := range written {
		if strings.Contains(name, "film.mp4 ") {
			parts = append(parts, name)
		}
	}
	if _, whole := s.list(t)["castle/film.mp4"]; whole || len(parts) == 0 || len(parts) == 4 {
		t.Fatalf("killed with %q of the film sent and %d files, want it in the middle of both", parts, len(s.list(t)))
	}

	watched = newGatekeeper(t, s.endpoint, 0, "")
	report := m.sync(t, watched.address)
	again := watched.writes()
	for name, times := range again {
		if written[name] > 0 || times != 1 {
			t.Errorf("%s was sent %d times after it was there", name, times)
		}
	}
	t.Logf("killed after %d writes, %q of them; then %d writes for %+v", len(written), parts, len(again), report)
	if all := len(written) + len(again); all != 299+4 {
		t.Errorf("%d writes before it was killed and %d after, want 299 files and 4 parts together", len(written), len(again))
	}
	if want := 300 - (len(written) - len(parts)); report.Put != want || report.Unchanged != 300-want || len(report.Failed)+len(report.Held) > 0 {
		t.Errorf("the second run says %+v, want %d put, %d unchanged", report, want, 300-want)
	}
	m.equals(t)
	m.nothingOpen(t)

	if report := m.sync(t, watched.address, "--delete"); report.Put+report.Deleted != 0 || len(watched.writes()) != 0 {
		t.Errorf("the third run says %+v, want that nothing is to be done", report)
	}
	for _, name := range []string{"film.mp4", "tours/00/001.jpg"} {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	if report := m.sync(t, watched.address); report.Deleted != 0 || len(s.list(t)) != 302 {
		t.Errorf("without --delete %+v, and %d objects, want 302", report, len(s.list(t)))
	}
	m.sync(t, watched.address, "--delete")
	want := map[string]int{"DELETE /" + s.bucket + "/castle/film.mp4": 1, "DELETE /" + s.bucket + "/castle/tours/00/001.jpg": 1}
	if got := watched.writes(); !maps.Equal(got, want) {
		t.Errorf("--delete writes %v, want %v", got, want)
	}
	m.equals(t)
	if got := len(s.list(t)); got != 300 {
		t.Errorf("%d objects, want 298 and the two of others", got)
	}
}

// nothingOpen fails the test if an upload in parts was left behind.
func (s *store) nothingOpen(t *testing.T) {
	t.Helper()
	out, err := s.root.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &s.bucket})
	if err != nil || len(out.Uploads) != 0 {
		t.Errorf("ListMultipartUploads: %v, %d, want none", err, len(out.Uploads))
	}
}

// The policy for content sync is enough, and each action of it is needed.
func TestSyncRights(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dir := t.TempDir()
	m := s.mirror(t, dir, "castle")
	printed := readPolicy(t, m.printed(t))
	try := func(p policy) string {
		for name, size := range map[string]int{"film.mp4": 17 << 16, "a.m4a": 1} {
			if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte(text(16)), size), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s.put(t, "castle/gone.m4a", "audio/mp4", []byte("gone"))
		s.begin(t, "castle/film.mp4")
		m.key = newUser(t, p.String())
		p1 := start(t, t.TempDir(), environment(m.key), m.args(s.endpoint, "--delete")...)
		<-p1.ended
		if p1.cmd.ProcessState.Success() {
			return ""
		}
		return p1.log.tail(300)
	}
	if said := try(printed); said != "" {
		t.Errorf("with the policy that is printed: %s\n%s", said, printed)
	}
	for _, action := range printed.actions() {
		said := try(printed.without(action))
		t.Logf("without %s: %s", action, said)
		if said == "" {
			t.Errorf("without %s all works as well: it is not needed", action)
		}
	}
}

// begin leaves an upload in parts behind, as one that was broken off.
func (s *store) begin(t *testing.T, key string) {
	t.Helper()
	_, err := s.root.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: &key,
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumType: types.ChecksumTypeComposite})
	if err != nil {
		t.Fatalf("CreateMultipartUpload: %v", err)
	}
}
