package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"
)

const (
	smallFactor  = 1 << 12 // a modulus must have no factor below it
	fermatRounds = 128     // steps in which the factors must not be found from their middle
	lastPrint    = 167     // the largest prime that ROCA leaves its print on
)

// checkWeak returns ErrKey for an RSA key of the right size whose modulus others
// can factor.
func checkWeak(public crypto.PublicKey) error {
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil
	}
	switch n := key.N; {
	case hasSmallFactor(n):
		return fmt.Errorf("%w: its RSA modulus has a small factor", ErrKey)
	case isFermatClose(n):
		return fmt.Errorf("%w: the two primes of its RSA modulus are so close that it can be factored", ErrKey)
	case isROCA(n):
		return fmt.Errorf("%w: its RSA modulus is one of a library with weak primes (ROCA, CVE-2017-15361)", ErrKey)
	}
	return nil
}

func hasSmallFactor(n *big.Int) bool {
	var factor, rest big.Int
	if n.Bit(0) == 0 {
		return true
	}
	for f := int64(3); f < smallFactor; f += 2 {
		if rest.Rem(n, factor.SetInt64(f)).Sign() == 0 {
			return true
		}
	}
	return false
}

// isFermatClose looks for a and b with n = a² - b² = (a+b)(a-b), from the
// smallest a on. Primes chosen at random are never that close.
func isFermatClose(n *big.Int) bool {
	one := big.NewInt(1)
	a := new(big.Int).Sqrt(n)
	var rest, root big.Int
	for range fermatRounds {
		if rest.Sub(rest.Mul(a, a), n); rest.Sign() >= 0 {
			root.Sqrt(&rest)
			if root.Mul(&root, &root).Cmp(&rest) == 0 {
				return true
			}
		}
		a.Add(a, one)
	}
	return false
}

// isROCA reports whether n is a power of 65537 modulo every small prime, as only
// the moduli of one faulty library are (Nemec and others, "The Return of
// Coppersmith's Attack", 2017). Of others one in a hundred million would be.
func isROCA(n *big.Int) bool {
	var prime, rest big.Int
	for p := int64(3); p <= lastPrint; p += 2 {
		if prime.SetInt64(p).ProbablyPrime(0) && !isPower(rest.Rem(n, &prime).Int64(), 65537%p, p) {
			return false
		}
	}
	return true
}

// isPower reports whether x is a power of base modulo p.
func isPower(x, base, p int64) bool {
	power := base
	for range p {
		if power == x {
			return true
		}
		power = power * base % p
	}
	return false
}

// selfTest signs something and checks the signature: a key that was damaged on
// its way, one whose factors are no primes, or a processor that computes wrong
// shows here and not at the visitors' phones.
func selfTest(key crypto.Signer) error {
	digest := sha256.Sum256([]byte("handstamp self-test"))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil { // Go's message could name what it computed with
		return fmt.Errorf("%w: it failed the self-test, it does not sign", ErrKey)
	}
	good := false
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(public, digest[:], signature)
	}
	if !good {
		return fmt.Errorf("%w: it failed the self-test, its own public half does not accept what it signs", ErrKey)
	}
	return nil
}
