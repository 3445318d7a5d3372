package mediatype_test

import (
	"mime"
	"testing"

	"github.com/handstamp/handstamp/pkg/mediatype"
)

func TestOf(t *testing.T) {
	tests := []struct {
		name, want string
		known      bool
	}{
		{"castle/audio/01.m4a", "audio/mp4", true},
		{"A.M4A", "audio/mp4", true},
		{"a.ts", "video/mp2t", true},
		{"guide.yaml", "application/yaml", true},
		{"a.txt", "text/plain; charset=utf-8", true},
		{"a.unknown", "", false},
		{"a", "", false},
		{"", "", false},
		{".m4a", "audio/mp4", true},
	}
	for _, tt := range tests {
		got, ok := mediatype.Of(tt.name)
		if got != tt.want || ok != tt.known {
			t.Errorf("Of(%q) = %q, %v, want %q, %v", tt.name, got, ok, tt.want, tt.known)
		}
		if _, _, err := mime.ParseMediaType(got); ok && err != nil {
			t.Errorf("Of(%q) = %q, which is no media type: %v", tt.name, got, err)
		}
	}
}
