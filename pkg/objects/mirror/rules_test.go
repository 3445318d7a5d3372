package mirror_test

import (
	"errors"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/objects/mirror"
)

var farAway = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

func TestParseTarget(t *testing.T) {
	tests := []struct {
		in   string
		want mirror.Target // zero means refused
	}{
		{"s3://media", mirror.Target{Bucket: "media"}},
		{"s3://media/", mirror.Target{Bucket: "media"}},
		{"s3://media/castle", mirror.Target{Bucket: "media", Prefix: "castle"}},
		{"s3://media/a/b c/", mirror.Target{Bucket: "media", Prefix: "a/b c"}},
		{"media/castle", mirror.Target{}},
		{"s3:/media", mirror.Target{}},
		{"s3://", mirror.Target{}},
		{"s3://M/castle", mirror.Target{}},
		{"s3://media//castle", mirror.Target{}},
		{"s3://media/castle//", mirror.Target{}},
		{"s3://media/../castle", mirror.Target{}},
		{"s3://media/.", mirror.Target{}},
		{"s3://media/a\nb", mirror.Target{}},
		{"s3://media/\xff", mirror.Target{}},
	}
	for _, tt := range tests {
		got, err := mirror.ParseTarget(tt.in)
		if got != tt.want || (err != nil) != (tt.want == mirror.Target{}) {
			t.Errorf("ParseTarget(%q) = %+v, %v, want %+v", tt.in, got, err, tt.want)
		}
	}
	if got := (mirror.Target{Bucket: "media", Prefix: "castle"}).String(); got != "s3://media/castle" {
		t.Errorf("String = %q", got)
	}
}

func TestCacheRules(t *testing.T) {
	rules := func(texts ...string) (rules []mirror.CacheRule) {
		for _, text := range texts {
			r, err := mirror.ParseCacheRule(text)
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, r)
		}
		return rules
	}
	tests := []struct {
		name  string
		rules []mirror.CacheRule
		want  string
	}{
		{"a.jpg", nil, mirror.CacheOther},
		{"castle/guide.yaml", nil, mirror.CacheLists},
		{"a.m3u8", nil, mirror.CacheLists},
		{"a.MPD", nil, mirror.CacheLists},
		{"app.3f2a9c1b.js", nil, mirror.CacheHashed},
		{"app-3f2a9c1b4d5e6f70.min.css", nil, mirror.CacheHashed},
		{"hall-20260701.jpg", nil, mirror.CacheOther},     // a date
		{"castle-facade01.jpg", nil, mirror.CacheOther},   // a word
		{"castle-facade0001.jpg", nil, mirror.CacheOther}, // a word
		{"3f2a9c1b.jpg", nil, mirror.CacheOther},          // perhaps an id
		{"app.3f2a9c1b", nil, mirror.CacheOther},
		{"a.jpg", rules("max-age=5"), "max-age=5"},
		{"app.3f2a9c1b.js", rules("max-age=5"), "max-age=5"},
		{"guide.yaml", rules("max-age=5"), mirror.CacheLists},
		{"guide.yaml", rules("guide.yaml: no-cache"), "no-cache"},
		{"x/a.jpg", rules("*.jpg: max-age=1", "max-age=5"), "max-age=1"},
		{"x/a.png", rules("*.jpg: max-age=1", "max-age=5"), "max-age=5"},
		{"x/y/a.jpg", rules("x/: max-age=2, immutable"), "max-age=2, immutable"},
		{"xy/a.jpg", rules("x/: max-age=2"), mirror.CacheOther},
		{"x/a.jpg", rules("x/*.jpg: max-age=3"), "max-age=3"},
		{"x/y/a.jpg", rules("x/*.jpg: max-age=3"), mirror.CacheOther},
	}
	for _, tt := range tests {
		if got := mirror.CacheControl(tt.name, tt.rules); got != tt.want {
			t.Errorf("cacheControl(%q, %v) = %q, want %q", tt.name, tt.rules, got, tt.want)
		}
	}
	for _, bad := range []string{"", "600", "*.jpg:", ": max-age=5", "[: max-age=5", "max-age=5\r\nx: y", "*.jpg: max-age=5\r\nx: y", "*.jpg: max age"} {
		if r, err := mirror.ParseCacheRule(bad); !errors.Is(err, mirror.ErrCacheRule) {
			t.Errorf("ParseCacheRule(%q) = %+v, %v, want ErrCacheRule", bad, r, err)
		}
	}
}

func TestPartSize(t *testing.T) {
	tests := []struct{ size, want int64 }{
		{17 << 20, 16 << 20},
		{10_000 * 16 << 20, 16 << 20},
		{10_000*16<<20 + 1, 17 << 20},
		{5 << 40, 525 << 20}, // the largest that S3 takes
	}
	for _, tt := range tests {
		got := mirror.PartSize(tt.size, mirror.DefaultPartSize)
		if got != tt.want || (tt.size+got-1)/got > 10_000 {
			t.Errorf("partSize(%d) = %d, want %d and at most 10,000 parts", tt.size, got, tt.want)
		}
	}
}
