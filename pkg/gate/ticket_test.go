package gate_test

import (
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Made with: printf '\0\0\0\0\0\0\0\4list\0\0\0\0\0\0\0\4code\0\0\0\0\0\0\0\6ABC123' | openssl dgst -sha256 -hmac pepper
const fingerprint = "fff8d50abe1b5bed6f7670e56fba029dee917ae2a4583da1e5319a0204a2c7b6"

func TestFingerprintIsTheDocumentedHMAC(t *testing.T) {
	ticket := gate.Ticket{Source: "list", Kind: "code", Normal: "ABC123", Seats: 3, Proven: true}
	got := ticket.Fingerprint([]byte("pepper"))
	if hex.EncodeToString(got[:]) != fingerprint {
		t.Errorf("Fingerprint = %x, want %s", got, fingerprint)
	}
	if other := ticket.Fingerprint([]byte("Pepper")); other == got {
		t.Error("Fingerprint does not depend on the pepper")
	}
}

// Parts that run into each other must not make two tickets one.
func TestFingerprintsDiffer(t *testing.T) {
	tickets := []gate.Ticket{
		{Source: "ab", Kind: "c", Normal: "d"},
		{Source: "a", Kind: "bc", Normal: "d"},
		{Source: "a", Kind: "b", Normal: "cd"},
		{Source: "abcd"},
		{Kind: "abcd"},
		{Normal: "abcd"},
		{Source: "a\x00b", Kind: "c", Normal: "d"},
		{Source: "a", Kind: "\x00bc", Normal: "d"},
		{Source: "", Kind: "", Normal: "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{Source: "", Kind: "\x00\x00\x00\x00\x00\x00\x00\x00", Normal: ""},
		{},
	}
	seen := map[gate.Fingerprint]int{}
	for i, ticket := range tickets {
		f := ticket.Fingerprint(nil)
		if j, twice := seen[f]; twice {
			t.Errorf("tickets %d and %d share the fingerprint %x", i, j, f)
		}
		seen[f] = i
	}
}

func TestFingerprintIsInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringOfN(rapid.SampledFrom([]rune("ab\x00\x01")), 0, 4, -1)
		draw := func(label string) gate.Ticket {
			return gate.Ticket{Source: part.Draw(t, label+" source"), Kind: part.Draw(t, label+" kind"), Normal: gate.Secret(part.Draw(t, label+" normal"))}
		}
		a, b := draw("a"), draw("b")
		same := a.Source == b.Source && a.Kind == b.Kind && a.Normal == b.Normal
		if got := a.Fingerprint(nil) == b.Fingerprint(nil); got != same {
			t.Errorf("%q %q %q and %q %q %q: same fingerprint %v, want %v", a.Source, a.Kind, a.Normal.Reveal(), b.Source, b.Kind, b.Normal.Reveal(), got, same)
		}
	})
}
