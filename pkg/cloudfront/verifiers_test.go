//go:build witness

package cloudfront_test

import (
	"bufio"
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// A foreignSignature is one line for the verifiers in test/witness.
type foreignSignature struct {
	Policy    string `json:"policy"` // base64 of the bytes
	Signature string `json:"signature"`
	Hash      string `json:"hash"`
	PublicPEM string `json:"public_pem"`
}

// TestForeignVerifiers has other people's cryptography check what we sign: the
// programs that HANDSTAMP_VERIFIERS names, separated by semicolons (C-14).
func TestForeignVerifiers(t *testing.T) {
	verifiers := os.Getenv("HANDSTAMP_VERIFIERS")
	if verifiers == "" {
		t.Fatal("HANDSTAMP_VERIFIERS is not set; test/all.sh sets it")
	}
	lines, want := someSignatures(t, 3000)
	for command := range strings.SplitSeq(verifiers, ";") {
		words := strings.Fields(command)
		cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
		cmd.Stdin, cmd.Stderr = bytes.NewReader(lines), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		n := 0
		for answers := bufio.NewScanner(bytes.NewReader(out)); answers.Scan(); n++ {
			var answer struct{ OK bool }
			if err := json.Unmarshal(answers.Bytes(), &answer); err != nil || n >= len(want) {
				t.Fatalf("%s: line %d: %v", command, n+1, err)
			}
			if answer.OK != want[n] {
				t.Errorf("%s: signature %d: ok %t, want %t", command, n+1, answer.OK, want[n])
			}
		}
		if n != len(want) {
			t.Errorf("%s answered %d lines, want %d", command, n, len(want))
		}
		t.Logf("%s: %d signatures", command, n)
	}
}

// someSignatures signs random policies in every combination that we issue, and
// spoils one in ten.
func someSignatures(t *testing.T, n int) (lines []byte, ok []bool) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	signers := []struct {
		key  crypto.Signer
		hash cloudfront.Hash
	}{{rsaKey(), cloudfront.SHA1}, {rsaKey(), cloudfront.SHA256}, {ecKey(), cloudfront.SHA256}}
	site := parseSite(t, "https://media.example.org")
	for i := range n {
		s := signers[i%len(signers)]
		resource, err := site.Prefix(fmt.Sprintf("attraction-%d/package-%d", random.IntN(50), random.IntN(5)))
		if err != nil {
			t.Fatal(err)
		}
		policy := cloudfront.Policy{Resource: resource, DateLessThan: noon.Add(time.Duration(random.IntN(1e6)) * time.Second)}
		if random.IntN(3) == 0 {
			policy.DateGreaterThan = noon.Add(-time.Hour)
		}
		if random.IntN(3) == 0 {
			policy.IPAddress = netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 8+random.IntN(25))
		}
		signed, err := newSigner(t, "K2JCJMDEHXQW5F", s.key, s.hash).Sign(policy)
		if err != nil {
			t.Fatal(err)
		}
		text, good := signed.Text(), random.IntN(10) > 0
		if !good {
			text = append(bytes.Clone(text), ' ')
		}
		line, err := json.Marshal(foreignSignature{base64.StdEncoding.EncodeToString(text), cloudfront.Encode(signed.Signature()),
			string(s.hash), string(publicPEM(t, s.key.Public()))})
		if err != nil {
			t.Fatal(err)
		}
		lines, ok = append(append(lines, line...), '\n'), append(ok, good)
	}
	return lines, ok
}
