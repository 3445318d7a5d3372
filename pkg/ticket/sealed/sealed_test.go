package sealed_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/ticket/sealed"
)

var key = []byte("0123456789abcdef")

func TestSeal(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{"", "a", "b", "CODE-4711\x00surname", strings.Repeat("x", 5000)} {
		got := sealed.Seal(key, text)
		if back, err := sealed.Open(key, got); back != text || err != nil {
			t.Errorf("Open(Seal(%.20q)) = %.20q, %v", text, back, err)
		}
		if again := sealed.Seal(key, text); again != got {
			t.Errorf("Seal(%.20q) = %q, then %q", text, got, again)
		}
		if other, ok := seen[got]; ok || text != "" && strings.Contains(got, text) && len(text) > 1 {
			t.Errorf("Seal(%.20q) = %q, that of %.20q or the text itself", text, got, other)
		}
		seen[got] = text
		if other := sealed.Seal([]byte("0123456789abcdeg"), text); other == got {
			t.Errorf("Seal(%.20q) is the same with another key", text)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	good := sealed.Seal(key, "CODE-4711")
	bad := map[string]string{
		"nothing": "", "short": good[:15], "cut": good[:len(good)-1], "padded": good + "=", "longer": good + "AAAA",
		"with a line break": good[:4] + "\n" + good[4:], "no base64": strings.Repeat("!", 40), "the text": "CODE-4711",
	}
	for i := range len(good) - 1 {
		c := byte('A')
		if good[i] == c {
			c = 'B'
		}
		bad["changed at "+good[:i]] = good[:i] + string(c) + good[i+1:]
	}
	for name, text := range bad {
		if got, err := sealed.Open(key, text); got != "" || !errors.Is(err, sealed.ErrSealed) {
			t.Errorf("%s: Open(%q) = %q, %v, want ErrSealed", name, text, got, err)
		}
	}
	if got, err := sealed.Open([]byte("0123456789abcdeg"), good); got != "" || !errors.Is(err, sealed.ErrSealed) {
		t.Errorf("Open with another key = %q, %v, want ErrSealed", got, err)
	}
}
