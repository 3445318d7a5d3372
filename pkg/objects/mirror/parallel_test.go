package mirror_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/objects/mirror"
)

// slowStore is an empty bucket that takes a second for each request, and counts
// how many there are at a time.
type slowStore struct {
	mirror.Client
	mu        sync.Mutex
	now, most int
}

func (s *slowStore) wait() {
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	time.Sleep(time.Second)
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
}

func (s *slowStore) ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	s.wait()
	return &s3.ListObjectsV2Output{}, nil
}

func (s *slowStore) PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	s.wait()
	return &s3.PutObjectOutput{}, nil
}

func (s *slowStore) ListMultipartUploads(context.Context, *s3.ListMultipartUploadsInput, ...func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error) {
	s.wait()
	return &s3.ListMultipartUploadsOutput{}, nil
}

func (s *slowStore) CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	s.wait()
	return &s3.CreateMultipartUploadOutput{UploadId: aws.String("1")}, nil
}

func (s *slowStore) UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	s.wait()
	return &s3.UploadPartOutput{}, nil
}

func (s *slowStore) CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	s.wait()
	return &s3.CompleteMultipartUploadOutput{}, nil
}

// As many requests as Parallel are on their way and no more, parts of several
// files included.
func TestParallel(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		for name, size := range map[string]int{"film%d.mp4": 11 << 20, "hall%d.jpg": 1} {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf(name, i)), make([]byte, size), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{}
		m := mirror.New(store, root, mirror.Target{Bucket: "media"}, mirror.Options{PartSize: 5 << 20, Parallel: 3})
		p, err := m.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r, err := m.Do(t.Context(), p); err != nil || r.Put != 4 {
			t.Errorf("Do = %+v, %v, want 4 files put", r, err)
		}
		if store.most != 3 {
			t.Errorf("%d requests at a time, want 3", store.most)
		}
	})
}
