package apikey_test

import (
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/apikey"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestCheckSecret(t *testing.T) {
	tests := []struct {
		name   string
		secret gate.Secret
		want   string // in the error; empty means none
	}{
		{"random", "9f86d081884c7d659a2feaa0c55ad015", ""},
		{"empty", "", "empty"},
		{"short", "9f86d081884c7d659a2feaa0c55ad01", "31 characters"},
		{"space", "9f86d081884c7d65 9a2feaa0c55ad015", "a space"},
		{"not ASCII", "9f86d081884c7d659a2feaa0c55ad01é", "not ASCII"},
		{"a default", "handstamp-9f86d081884c7d659a2feaa0c", "a default or a pattern"},
		{"one character", gate.Secret(strings.Repeat("x", 40)), "a default or a pattern"},
		{"an alphabet", "abcdefghijklmnopqrstuvwxyz0123456789", "a default or a pattern"},
		{"again and again", gate.Secret(strings.Repeat("9f86d081884c7d65", 2)), "a default or a pattern"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := apikey.CheckSecret(tt.secret)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("CheckSecret() = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestCheckID(t *testing.T) {
	for id, ok := range map[string]bool{"desk": true, "Anna.B@desk-2": true, "": false, "-desk": false, "the desk": false, strings.Repeat("a", 65): false} {
		if err := apikey.CheckID(id); (err == nil) != ok {
			t.Errorf("CheckID(%q) = %v, want good: %v", id, err, ok)
		}
	}
}

func TestFind(t *testing.T) {
	known := []apikey.Hash{apikey.HashOf("one"), apikey.HashOf("two")}
	for shown, want := range map[gate.Secret]int{"one": 0, "two": 1, "three": -1, "": -1} {
		if got := apikey.Find(known, shown); got != want {
			t.Errorf("Find(%q) = %d, want %d", shown.Reveal(), got, want)
		}
	}
}
