package keyring_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// keyOf makes an RSA key of two factors, which need not be primes.
func keyOf(p, q *big.Int) *rsa.PrivateKey {
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	return &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537},
		D: new(big.Int).ModInverse(big.NewInt(65537), phi), Primes: []*big.Int{p, q}}
}

// byHand writes a key as PKCS #1, right or wrong.
func byHand(key *rsa.PrivateKey) []byte {
	return block("RSA PRIVATE KEY", must(asn1.Marshal(byHandNumbers(key))))
}

// numbersOf are the members of RSAPrivateKey (RFC 8017, A.1.2).
type numbersOf struct {
	Version             int
	N                   *big.Int
	E                   int
	D, P, Q, DP, DQ, QI *big.Int
}

// inverse is that of q modulo p, or 1 if there is none.
func inverse(q, p *big.Int) *big.Int {
	if i := new(big.Int).ModInverse(q, p); i != nil {
		return i
	}
	return big.NewInt(1)
}

// usable reports whether keyOf can make a key of 2048 bits of the two.
func usable(p, q *big.Int) bool {
	key := keyOf(p, q)
	return key.D != nil && key.N.BitLen() == 2048 && p.Cmp(q) != 0
}

// prime1024 is a prime whose two highest bits are set.
func prime1024() *big.Int { return must(rand.Prime(rand.Reader, 1024)) }

// closePrimes are two primes with little between them.
func closePrimes() (p, q *big.Int) {
	two := big.NewInt(2)
	for {
		p = prime1024()
		for q = new(big.Int).Add(p, two); !q.ProbablyPrime(0); {
			q.Add(q, two)
		}
		if usable(p, q) {
			return p, q
		}
	}
}

// rocaPrime is one as the faulty library made them: k*M + 65537^a mod M, where M
// is the product of the first 126 primes.
func rocaPrime() *big.Int {
	m := big.NewInt(1)
	for n, f := 0, big.NewInt(2); n < 126; f = new(big.Int).Add(f, big.NewInt(1)) {
		if f.ProbablyPrime(0) {
			m.Mul(m, f)
			n++
		}
	}
	least := new(big.Int).Lsh(big.NewInt(3), 1022) // so that two make 2048 bits
	for {
		a := must(rand.Int(rand.Reader, m))
		k := new(big.Int).Add(new(big.Int).Div(least, m), must(rand.Int(rand.Reader, big.NewInt(1<<50))))
		p := new(big.Int).Add(new(big.Int).Mul(k, m), new(big.Int).Exp(big.NewInt(65537), a, m))
		if p.BitLen() == 1024 && p.Cmp(least) > 0 && p.ProbablyPrime(0) {
			return p
		}
	}
}

// composite is the product of a small prime and a large one, 1024 bits.
func composite(small int64) *big.Int {
	f := big.NewInt(small)
	for i := 0; ; i++ {
		p := new(big.Int).Mul(f, must(rand.Prime(rand.Reader, 1024-f.BitLen()+i%2)))
		if p.BitLen() == 1024 {
			return p
		}
	}
}

// Keys of the right size that anybody could factor, each made as whoever made
// such keys did.
func TestWeakRSAKeys(t *testing.T) {
	allowsWeakKeys(t)
	const factored, close, roca = "its RSA modulus has a small factor", "are so close that it can be factored", "(ROCA, CVE-2017-15361)"
	p, q := closePrimes()
	tests := []struct {
		name string
		p, q func() *big.Int
		want string
	}{
		{"a small factor", func() *big.Int { return composite(3) }, prime1024, factored},
		{"a factor of twelve bits", func() *big.Int { return composite(4093) }, prime1024, factored},
		{"neighbours", func() *big.Int { return p }, func() *big.Int { return q }, close},
		{"neighbours, the other way round", func() *big.Int { return q }, func() *big.Int { return p }, close},
		{"ROCA", rocaPrime, rocaPrime, roca},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := keyOf(tt.p(), tt.q())
			for !usable(key.Primes[0], key.Primes[1]) {
				key = keyOf(tt.p(), tt.q())
			}
			for form, parse := range map[string]func() (any, error){
				"private": func() (any, error) { k, err := keyring.ParsePrivate(byHand(key)); return k, err },
				"public": func() (any, error) {
					k, err := keyring.ParsePublic(must(keyring.PublicPEM(&key.PublicKey)))
					return k, err
				},
			} {
				_, err := parse()
				if !errors.Is(err, keyring.ErrKey) || !strings.Contains(err.Error(), tt.want) && !strings.HasSuffix(err.Error(), "does not hold one") {
					t.Errorf("%s key: %v, want ErrKey, %s", form, err, tt.want)
				}
				if form == "public" && err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s key: %v, want %s", form, err, tt.want)
				}
				if err != nil {
					noKeyBytes(t, err.Error(), byHand(key))
				}
			}
		})
	}
}

// A factor that is no prime makes a key that others can factor, too.
func TestRSAKeyOfNoPrimes(t *testing.T) {
	allowsWeakKeys(t)
	key := keyOf(composite(104729), prime1024())
	for !usable(key.Primes[0], key.Primes[1]) {
		key = keyOf(composite(104729), prime1024())
	}
	if _, err := keyring.ParsePrivate(byHand(key)); !errors.Is(err, keyring.ErrKey) {
		t.Errorf("ParsePrivate of a key whose factor is no prime = %v, want ErrKey", err)
	}
}

// Good keys are not taken for weak ones.
func TestGoodRSAKeysAreGood(t *testing.T) {
	for range 3 {
		key := must(keyring.Generate(keyring.RSA))
		if _, err := keyring.ParsePrivate(pkcs8(key)); err != nil {
			t.Errorf("ParsePrivate of a new key = %v", err)
		}
		if _, err := keyring.ParsePublic(public(key)); err != nil {
			t.Errorf("ParsePublic of a new key = %v", err)
		}
	}
}

// A bit that flips in any number of a key file is noticed when it is loaded.
func TestBitFlipInAKeyFile(t *testing.T) {
	good := byHandNumbers(rsaKey())
	for name, at := range map[string]func(*numbersOf) **big.Int{
		"n": func(k *numbersOf) **big.Int { return &k.N }, "d": func(k *numbersOf) **big.Int { return &k.D },
		"p": func(k *numbersOf) **big.Int { return &k.P }, "q": func(k *numbersOf) **big.Int { return &k.Q },
		"dP": func(k *numbersOf) **big.Int { return &k.DP }, "dQ": func(k *numbersOf) **big.Int { return &k.DQ },
		"qInv": func(k *numbersOf) **big.Int { return &k.QI },
	} {
		for _, bit := range []int{0, 1, 7, 64, 500, 1000, 1022} {
			bad := good
			number := at(&bad)
			*number = new(big.Int).SetBit(*number, bit, 1-(*number).Bit(bit))
			text := block("RSA PRIVATE KEY", must(asn1.Marshal(bad)))
			if _, err := keyring.ParsePrivate(text); !errors.Is(err, keyring.ErrKey) {
				t.Errorf("ParsePrivate with bit %d of %s flipped = %v, want ErrKey", bit, name, err)
			}
		}
	}
	if _, err := keyring.ParsePrivate(block("RSA PRIVATE KEY", must(asn1.Marshal(good)))); err != nil {
		t.Errorf("ParsePrivate without a flip = %v", err)
	}
}

func byHandNumbers(key *rsa.PrivateKey) numbersOf {
	one := big.NewInt(1)
	p, q := key.Primes[0], key.Primes[1]
	return numbersOf{0, key.N, key.E, key.D, p, q, new(big.Int).Mod(key.D, new(big.Int).Sub(p, one)), new(big.Int).Mod(key.D, new(big.Int).Sub(q, one)), inverse(q, p)}
}

// A faulty key signs with a bit that is wrong, or not at all.
type faulty struct {
	crypto.Signer
	err error
}

func (f faulty) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := f.Signer.Sign(r, digest, opts)
	signature[len(signature)-1] ^= 1
	return signature, errors.Join(err, f.err)
}

func TestSelfTest(t *testing.T) {
	for _, key := range []crypto.Signer{rsaKey(), ecKey()} {
		if err := keyring.SelfTest(key); err != nil {
			t.Errorf("self-test of a good %T = %v", key, err)
		}
		for _, bad := range []crypto.Signer{faulty{key, nil}, faulty{key, errors.New("CANARY")}} {
			if err := keyring.SelfTest(bad); !errors.Is(err, keyring.ErrKey) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("self-test of a faulty %T = %v, want ErrKey and nothing of the key", key, err)
			}
		}
	}
}
