package keyring_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/keyring"
)

func TestCheckID(t *testing.T) {
	tests := []struct {
		id string
		ok bool
	}{
		{"K2JCJMDEHXQW5F", true},
		{"APKAEIBAERJR2EXAMPLE", true},
		{"KEXAMPLE0001", true},
		{"A2345678", true},
		{strings.Repeat("A", 32), true},
		{"A234567", false},
		{strings.Repeat("A", 33), false},
		{strings.Repeat("A", 256), false},
		{"", false},
		{"k2jcjmdehxqw5f", false},
		{"K2JCJMDEHXQW5f", false},
		{"K2JC;MDEHXQW5F", false},
		{"K2JC MDEHXQW5F", false},
		{" K2JCJMDEHXQW5F", false},
		{"K2JCJMDEHXQW5F\r\n", false},
		{"K2JCJMDEHXQW5F\x00", false},
		{"../K2JCJMDEHXQ", false},
		{"K2JCJMDEHXQW5F.", false},
		{"K2JCJMDEHXQW5É", false},
		{"Ｋ2JCJMDEHXQW", false},
	}
	for _, tt := range tests {
		err := keyring.CheckID(tt.id)
		if tt.ok && err != nil || !tt.ok && !errors.Is(err, keyring.ErrKeyPair) {
			t.Errorf("CheckID(%q) = %v, want ok %v", tt.id, err, tt.ok)
		}
		if err != nil && (strings.ContainsAny(err.Error(), "\r\n\x00") || len(err.Error()) > 200) {
			t.Errorf("CheckID(%q) = %q, want one short line", tt.id, err)
		}
	}
}

func key(id string, signer crypto.Signer) keyring.Key {
	return keyring.Key{ID: id, Public: signer.Public(), Private: signer}
}

func TestNew(t *testing.T) {
	keys := []keyring.Key{key("KBBBBBBB", ecKey()), key("KAAAAAAA", rsaKey()), {ID: "KCCCCCCC", Public: ecKey().Public()}}
	ring, err := keyring.New(keys, "KBBBBBBB")
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	id, signer, err := ring.Active()
	if err != nil || id != "KBBBBBBB" || signer != crypto.Signer(ecKey()) {
		t.Errorf("Active = %q, %T, %v, want KBBBBBBB and its key", id, signer, err)
	}
	keys[1].ID, ring.Keys()[0].ID = "KZZZZZZZ", "KYYYYYYY" // not the ring's
	var got []string
	for _, k := range ring.Keys() {
		got = append(got, k.ID+" "+k.Kind())
	}
	if want := "KAAAAAAA RSA-2048, KBBBBBBB ECDSA P-256, KCCCCCCC ECDSA P-256"; strings.Join(got, ", ") != want {
		t.Errorf("Keys = %v, want %s", got, want)
	}
}

func TestNewRefuses(t *testing.T) {
	a, b := key("KAAAAAAA", ecKey()), keyring.Key{ID: "KBBBBBBB", Public: ecKey().Public()}
	tests := []struct {
		name   string
		keys   []keyring.Key
		active string
		want   error
		text   string
	}{
		{"no keys", nil, "KAAAAAAA", keyring.ErrNoKey, `no such key: "KAAAAAAA" is not in the ring, which has no keys`},
		{"no active key", []keyring.Key{a, b}, "", keyring.ErrNoKey, `no such key: "" is not in the ring, which has KAAAAAAA, KBBBBBBB`},
		{"another active key", []keyring.Key{b, a}, "KCCCCCCC", keyring.ErrNoKey, `no such key: "KCCCCCCC" is not in the ring, which has KAAAAAAA, KBBBBBBB`},
		{"public half only", []keyring.Key{a, b}, "KBBBBBBB", keyring.ErrNoKey, `no such key: of "KBBBBBBB" only the public half is here, it cannot sign`},
		{"one ID for two keys", []keyring.Key{a, b, a}, "KAAAAAAA", keyring.ErrKeyPair, `not a key pair ID: "KAAAAAAA" stands for two keys`},
	}
	for _, tt := range tests {
		ring, err := keyring.New(tt.keys, tt.active)
		if ring != nil || !errors.Is(err, tt.want) || err.Error() != tt.text {
			t.Errorf("%s: New = %v, %v, want %s", tt.name, ring, err, tt.text)
		}
	}
}

// A holder of keys that is printed, logged or marshalled by mistake shows none.
func TestKeysDoNotPrint(t *testing.T) {
	keys := []keyring.Key{key("KAAAAAAA", rsaKey()), key("KBBBBBBB", ecKey())}
	ring, err := keyring.New(keys, "KAAAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	var secrets []string
	for _, k := range keys {
		secrets = append(secrets, numbers(k.Private)...)
		secrets = append(secrets, pieces(pkcs8DER(k.Private))...)
	}
	var log bytes.Buffer
	for name, v := range map[string]any{"ring": ring, "ring value": *ring, "key": keys[0], "key pointer": &keys[0], "keys": keys, "in a struct": struct{ K keyring.Key }{keys[1]}} {
		var said strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o"} {
			fmt.Fprintf(&said, verb+"\n", v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("json.Marshal(%s) = %v", name, err)
		}
		said.Write(text)
		slog.New(slog.NewTextHandler(&log, nil)).Info("found", "it", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("found", "it", v)
		said.WriteString(log.String())
		for _, secret := range secrets {
			if strings.Contains(said.String(), secret) {
				t.Errorf("a print of the %s shows %.12s...", name, secret)
				break
			}
		}
		log.Reset()
	}
	if got := fmt.Sprintf("%v %#v", keys[0], keys[1]); got != "KAAAAAAA (RSA-2048) KBBBBBBB (ECDSA P-256)" {
		t.Errorf("a key prints as %s", got)
	}
	if got := fmt.Sprintf("%v %#v", ring, ring); got != "ring of KAAAAAAA, KBBBBBBB; KAAAAAAA signs ring of KAAAAAAA, KBBBBBBB; KAAAAAAA signs" {
		t.Errorf("a ring prints as %s", got)
	}
	if got := keys[0].GoString(); got != "KAAAAAAA (RSA-2048)" {
		t.Errorf("GoString = %s", got)
	}
}
