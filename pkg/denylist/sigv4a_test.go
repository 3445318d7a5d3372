package denylist_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const algorithm = "AWS4-ECDSA-P256-SHA256"

// signed checks a request's AWS Signature Version 4A for all regions (IAM User
// Guide, AWS Signature Version 4 for API requests) with the public half of the
// key that the account's secret gives.
func signed(r *http.Request, body []byte, id, secret string) bool {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" ")
	fields := map[string]string{}
	for field := range strings.SplitSeq(rest, ", ") {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	date := r.Header.Get("X-Amz-Date")
	if !ok || len(date) < 8 || r.Header.Get("X-Amz-Region-Set") != "*" {
		return false
	}
	scope := date[:8] + "/cloudfront-keyvaluestore/aws4_request"
	headers := strings.Split(fields["SignedHeaders"], ";")
	if fields["Credential"] != id+"/"+scope || !slices.Contains(headers, "x-amz-region-set") || !slices.Contains(headers, "host") {
		return false
	}
	text := strings.Join([]string{algorithm, date, scope, hash(canonical(r, headers, body))}, "\n")
	signature, err := hex.DecodeString(fields["Signature"])
	digest := sha256.Sum256([]byte(text))
	return err == nil && ecdsa.VerifyASN1(publicKey(id, secret), digest[:], signature)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// canonical returns the request as it is signed.
func canonical(r *http.Request, headers []string, body []byte) string {
	path := strings.Split(r.URL.EscapedPath(), "/")
	for i, segment := range path {
		path[i] = strings.ReplaceAll(url.QueryEscape(segment), "+", "%20")
	}
	lines := []string{r.Method, strings.Join(path, "/"), strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")}
	for _, name := range headers {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = r.Header.Get("Content-Length")
		}
		lines = append(lines, name+":"+value)
	}
	return strings.Join(append(lines, "", strings.Join(headers, ";"), hash(string(body))), "\n")
}

// publicKey derives the key pair of a secret (NIST SP 800-108, counter mode
// with HMAC-SHA-256) and returns its public half.
func publicKey(id, secret string) *ecdsa.PublicKey {
	curve := elliptic.P256()
	limit := new(big.Int).Sub(curve.Params().N, big.NewInt(2))
	for counter := byte(1); ; counter++ {
		mac := hmac.New(sha256.New, []byte("AWS4A"+secret))
		mac.Write([]byte("\x00\x00\x00\x01" + algorithm + "\x00" + id + string([]byte{counter}) + "\x00\x00\x01\x00"))
		if d := new(big.Int).SetBytes(mac.Sum(nil)); d.Cmp(limit) <= 0 {
			private := d.Add(d, big.NewInt(1)).FillBytes(make([]byte, 32))
			key, err := ecdsa.ParseRawPrivateKey(curve, private)
			if err != nil {
				panic(err)
			}
			return &key.PublicKey
		}
	}
}
