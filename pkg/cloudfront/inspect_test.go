package cloudfront_test

import (
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

func TestWithoutParameters(t *testing.T) {
	for url, want := range map[string]string{
		"https://h/a":              "https://h/a",
		"https://h":                "https://h/",
		"https://h/a?":             "https://h/a",
		"https://h/a?x=1&y=%27&&z": "https://h/a?x=1&y=%27&&z",
		"https://h/a?Expires=1&x=1&Signature=s&y&Key-Pair-Id=k&Hash-Algorithm=SHA1": "https://h/a?x=1&y",
		"https://h/a?Policy=p&Signature=s&Key-Pair-Id=k":                            "https://h/a",
		"https://h/a?policy=p&xExpires=1#f":                                         "https://h/a?policy=p&xExpires=1",
	} {
		if got := cloudfront.WithoutParameters(url); got != want {
			t.Errorf("WithoutParameters(%q) = %q, want %q", url, got, want)
		}
	}
}

func TestCannedText(t *testing.T) {
	want := `{"Statement":[{"Resource":"https://h/a?x=1&y=2","Condition":{"DateLessThan":{"AWS:EpochTime":1795000600}}}]}`
	if got := string(cloudfront.CannedText("https://h/a?x=1&y=2", "1795000600")); got != want {
		t.Errorf("CannedText = %s, want %s", got, want)
	}
}
