package mirror_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handstamp/handstamp/pkg/objects/mirror"
)

// A thinLine takes 32 KiB of each part in so much time, and stops after so many
// bytes; 0 means never.
type thinLine struct {
	slowStore
	pace time.Duration
	stop int64
}

func (s *thinLine) UploadPart(ctx context.Context, in *s3.UploadPartInput, _ ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	var taken int64
	for {
		n, err := io.CopyN(io.Discard, in.Body, 32<<10)
		if taken += n; err == io.EOF {
			return &s3.UploadPartOutput{}, nil
		}
		pace := s.pace
		if s.stop > 0 && taken >= s.stop {
			pace = 24 * time.Hour
		}
		select {
		case <-time.After(pace):
		case <-ctx.Done():
			return nil, errors.New("canceled") // as the SDK puts it
		}
	}
}

// However slow a line is, a part has the time that it needs, as long as something
// moves; and when nothing does, it ends.
func TestThinLine(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "film.mp4"), make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, stop := range []int64{0, 1 << 20} {
		synctest.Test(t, func(t *testing.T) {
			store := &thinLine{pace: 4 * time.Second, stop: stop} // eight parts share 64 KiB a second
			m := mirror.New(store, root, mirror.Target{Bucket: "media"}, mirror.Options{})
			p, err := m.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			r, err := m.Do(t.Context(), p)
			took := time.Since(begun)
			switch {
			case err != nil:
				t.Fatal(err)
			case stop == 0 && (r.Put != 1 || took < 30*time.Minute):
				t.Errorf("Do = %+v after %v, want the film sent after half an hour", r, took)
			case stop > 0 && (len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Err.Error(), "nothing moved for 5m0s") || took > 10*time.Minute):
				t.Errorf("Do = %+v after %v, want that nothing moves", r, took)
			}
		})
	}
}

// A file that is written to while it is sent is not reported as done.
func TestWrittenWhileSent(t *testing.T) {
	for name, change := range map[string]func(b *bench){
		"grows":    func(b *bench) { b.append("film.mp4", "more") },
		"is moved": func(b *bench) { b.rename("film.mp4", "other.mp4") },
		"is replaced": func(b *bench) {
			b.write("new.mp4", film(6<<20))
			b.rename("new.mp4", "film.mp4")
		},
	} {
		for _, part := range []int64{0, 5 << 20} { // whole and in parts
			b := newBench(t, map[string]string{"film.mp4": film(11 << 20), "guide.yaml": "g"})
			b.opts.PartSize = part
			var once sync.Once
			b.bucket.Fail = func(r *http.Request) (int, string) {
				if r.Method == http.MethodPut {
					once.Do(func() { change(b) })
				}
				return 0, ""
			}
			m := b.mirror()
			p, err := m.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r, err := m.Do(t.Context(), p)
			if err != nil || len(r.Failed) != 1 || !errors.Is(r.Failed[0].Err, mirror.ErrChanged) || len(r.Held) != 1 {
				t.Errorf("%s, parts of %d: Do = %+v, %v, want ErrChanged and the list held back", name, part, r, err)
			}
			if _, there := b.bucket.Objects()["site/castle/film.mp4"]; there && part > 0 {
				t.Errorf("%s: the film is published, want it to wait for the next run", name)
			}
			b.run()
			b.quiet()
		}
	}
}

// A file that grows before it is sent is not sent cut off.
func TestGrownSincePlan(t *testing.T) {
	b := newBench(t, map[string]string{"a.jpg": "a"})
	m := b.mirror()
	p, err := m.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.append("a.jpg", "b")
	r, err := m.Do(t.Context(), p)
	if err != nil || len(r.Failed) != 1 || !errors.Is(r.Failed[0].Err, mirror.ErrChanged) || len(b.bucket.Objects()) != 0 {
		t.Errorf("Do = %+v, %v with %v in the bucket, want ErrChanged and nothing", r, err, b.bucket.Objects())
	}
}

func (b *bench) append(name, text string) {
	b.t.Helper()
	f, err := os.OpenFile(filepath.Join(b.dir, name), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) rename(from, to string) {
	b.t.Helper()
	if err := os.Rename(filepath.Join(b.dir, from), filepath.Join(b.dir, to)); err != nil {
		b.t.Fatal(err)
	}
}
