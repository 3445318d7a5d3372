package roll_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest"
)

const factorKey = "0123456789abcdef0123456789abcdef"

// Made with printf '%s\n%s\n%s' WEAK4711 surname muller | openssl dgst -sha256 -hmac KEY,
// the second with the salt f00dfeedf00dfeed for a key.
const (
	mullerHash   = "hmac:dbc35f9091e48aeef5721ffae4916a39a911a91f10a9d390a0b420e8144f357f"
	mullerSalted = "salted:f00dfeedf00dfeed:427bc1b802b6c45343141b54766cc00f2ae202786f38b4d61ef9ddab97d5ea48"
)

func withSurname(code, surname string) gate.Credential {
	return gate.Credential{Code: gate.Secret(code), Factors: map[string]gate.Secret{"surname": gate.Secret(surname)}}
}

func TestFactorVerifier(t *testing.T) {
	for name, hash := range map[string]string{"keyed": mullerHash, "salted": mullerSalted} {
		t.Run(name, func(t *testing.T) {
			tickettest.Run(t, func(t *testing.T) tickettest.Fixture {
				r, err := roll.Parse("t.csv", []byte("code,attraction,factor,factor_hash\nWEAK-4711,castle,surname,"+hash+"\nOPEN-4712,castle,,\n"),
					roll.Options{FactorKey: []byte(factorKey), Secret: secret})
				if err != nil {
					t.Fatal(err)
				}
				castle := []gate.Product{{Attraction: "castle"}}
				return tickettest.Fixture{
					Verifier: r,
					Good: []tickettest.Good{
						{Spellings: []gate.Credential{withSurname("weak-4711", "Müller"), withSurname("WEAK 4711", " MU\u0308LLER"), withSurname("WEAK4711", "mul-ler.")}, Buys: castle, Proven: true},
						{Spellings: []gate.Credential{credential("open4712"), withSurname("OPEN-4712", "whoever")}, Buys: castle},
					},
					Unknown: []gate.Credential{
						credential("WEAK-4711"), withSurname("WEAK-4711", ""), withSurname("WEAK-4711", "Mueller"), withSurname("WEAK-4711", "mulle"),
						withSurname("WEAK-4711", strings.Repeat("muller", 100)), withSurname("WEAK-4712", "Müller"),
						{Code: "WEAK-4711", Factors: map[string]gate.Secret{"Surname": "Müller", "email": "Müller"}},
					},
				}
			})
		})
	}
}

// A ticket that was shown with its factor can be asked about again without it.
func TestFactorRecheck(t *testing.T) {
	r, err := roll.Parse("t.csv", []byte("code,attraction,factor,factor_hash\nWEAK-4711,castle,surname,"+mullerSalted+"\n"), roll.Options{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := r.Verify(t.Context(), withSurname("WEAK4711", "Müller"))
	if err != nil {
		t.Fatalf("Verify = %v", err)
	}
	if again, err := r.Recheck(t.Context(), "", ticket.Ref); err != nil || again.Ref != ticket.Ref {
		t.Errorf("Recheck = %+v, %v, want the ticket", again, err)
	}
}

func TestHashFactor(t *testing.T) {
	tests := []struct{ one, other string }{
		{"Müller", "muller"}, {"MÜLLER", "mu\u0308ller"}, {"Groß", "GROSS"}, {"O'Brien", "obrien"}, {"de la Cruz", "DeLaCruz"},
		{"Ana.B@Example.org", "anabexampleorg"}, {"Ｍｕｌｌｅｒ", "Muller"}, {"Ελένη", "ελενη"}, {"12 345", "12345"},
	}
	for _, tt := range tests {
		a, err1 := roll.HashFactor([]byte(factorKey), "WEAK-4711", "surname", gate.Secret(tt.one))
		b, err2 := roll.HashFactor([]byte(factorKey), "weak4711", "surname", gate.Secret(tt.other))
		if err1 != nil || err2 != nil || a != b {
			t.Errorf("HashFactor(%s) = %s, %v, of %s %s, %v, want one hash", tt.one, a, err1, tt.other, b, err2)
		}
	}
	if got, err := roll.HashFactor([]byte(factorKey), "weak-4711", "surname", "Müller"); err != nil || got != mullerHash {
		t.Errorf("HashFactor = %s, %v, want that of openssl, %s", got, err, mullerHash)
	}
	for _, other := range []struct{ code, name, value string }{{"WEAK4712", "surname", "Müller"}, {"WEAK4711", "name", "Müller"}, {"WEAK4711", "surname", "Miller"}} {
		if got, err := roll.HashFactor([]byte(factorKey), gate.Secret(other.code), other.name, gate.Secret(other.value)); err != nil || got == mullerHash {
			t.Errorf("HashFactor(%v) = %s, %v, want another hash", other, got, err)
		}
	}
	for _, nothing := range []gate.Secret{"", " -", "\xf4H", gate.Secret(strings.Repeat("a", 257))} {
		if got, err := roll.HashFactor([]byte(factorKey), "WEAK4711", "surname", nothing); err == nil {
			t.Errorf("HashFactor(%q) = %s, want an error", nothing.Reveal(), got)
		}
	}
}

func TestFactorProblems(t *testing.T) {
	sum := strings.Repeat("0", 64)
	tests := []struct{ name, cells, key, want string }{
		{"no hash", "surname,", factorKey, "factor_hash: missing beside factor"},
		{"no name", "," + mullerHash, factorKey, "factor: missing beside factor_hash"},
		{"no key", "surname," + mullerHash, "", "factor_hash: hmac, but the list has no key for factors"},
		{"plain", "surname,CANARYNAME", factorKey, "factor_hash: want hmac:HASH or salted:SALT:HASH"},
		{"plain hash", "surname," + sum, factorKey, "factor_hash: want hmac:HASH or salted:SALT:HASH"},
		{"short salt", "surname,salted:CANARY:" + sum, factorKey, "factor_hash: a salt of 6 characters, want 16 to 64"},
		{"no salt", "surname,salted:" + sum, factorKey, "factor_hash: a hash of 0 characters, want 64 hexadecimal digits"},
		{"short hash", "surname,hmac:CANARY", factorKey, "factor_hash: a hash of 6 characters, want 64 hexadecimal digits"},
		{"long name", strings.Repeat("n", 41) + "," + mullerHash, factorKey, "factor: 41 bytes, want at most 40"},
	}
	for _, tt := range tests {
		_, err := roll.Parse("t.csv", []byte("code,attraction,factor,factor_hash\nCANARY4711,castle,"+tt.cells+"\n"), roll.Options{FactorKey: []byte(tt.key)})
		var problems *roll.Error
		if !errors.As(err, &problems) || err.Error() != "t.csv:2: "+tt.want {
			t.Errorf("Parse of %s = %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := roll.Parse("t.csv", []byte("code,attraction\n"), roll.Options{FactorKey: []byte("short")}); err == nil {
		t.Error("Parse with a short key for factors = nil, want an error")
	}
}

// A list with factors cannot go on record, where the code alone would do.
func TestEachRefusesFactors(t *testing.T) {
	_, problems, err := stream("t.csv", strings.NewReader("code,attraction,factor,factor_hash\nA-1,castle,surname,"+mullerHash+"\nB-2,castle,,x\n"))
	if len(problems) != 2 || err != nil || !strings.HasPrefix(problems[0], "2: factor: a ticket on record has none") {
		t.Errorf("Each = %q, %v, want both lines refused", problems, err)
	}
}

// However a factor is typed, it is either refused or has one normal form.
func FuzzHashFactor(f *testing.F) {
	f.Add("Müller")
	f.Add("\xf4Ĥ") // not UTF-8
	f.Add("ﬀ\u0308Ⅷ\x00")
	f.Fuzz(func(t *testing.T, typed string) {
		hash, err := roll.HashFactor([]byte(factorKey), "A1", "surname", gate.Secret(typed))
		if err != nil {
			return
		}
		for _, spelling := range []string{" " + typed, typed + ".", "-" + typed} {
			if again, err := roll.HashFactor([]byte(factorKey), "A1", "surname", gate.Secret(spelling)); err == nil && again != hash {
				t.Errorf("HashFactor(%q) = %s, of %q %s", spelling, again, typed, hash)
			}
		}
		if sum, err := hex.DecodeString(strings.TrimPrefix(hash, "hmac:")); err != nil || len(sum) != 32 {
			t.Errorf("HashFactor(%q) = %s", typed, hash)
		}
	})
}
