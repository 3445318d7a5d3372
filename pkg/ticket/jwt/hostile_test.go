package jwt_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
)

// hs256 signs with what the attacker takes for the shared secret.
func hs256(header, claims string, secret []byte) string {
	text := encode(header) + "." + encode(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + encode(string(mac.Sum(nil)))
}

// spki is the public RSA key, which everybody has.
func spki() []byte {
	der, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	if err != nil {
		panic(err)
	}
	return der
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// signed512 is an RSA signature by another hash or padding.
func signed512(header string, pss bool) string {
	text := encode(header) + "." + encode(claims())
	sum, sum256 := sha512.Sum512([]byte(text)), sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, rsaKey(), crypto.SHA512, sum[:])
	if pss {
		sig, err = rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, sum256[:], nil)
	}
	if err != nil {
		panic(err)
	}
	return text + "." + encode(string(sig))
}

// jwk is a key that the token brings with it.
func jwk() string {
	return `{"kty":"OKP","crv":"Ed25519","x":"` + encode(string(otherEd()[32:])) + `"}`
}

// hostile returns tokens that nobody gets in with, by what is wrong. url is
// where an attacker would like keys to be fetched from.
func hostile(url string) map[string]string {
	none := func(alg string) string {
		return encode(`{"alg":"`+alg+`","kid":"ed"}`) + "." + encode(claims()) + "."
	}
	bad := map[string]string{
		// no signature
		"none": none("none"), "None": none("None"), "nOnE": none("nOnE"), "NONE": none("NONE"),
		"none with a signature": token(`{"alg":"none","kid":"ed"}`, claims(), edKey()),
		"no alg":                token(`{"kid":"ed"}`, claims(), edKey()),
		"empty alg":             token(`{"alg":"","kid":"ed"}`, claims(), edKey()),
		"alg is a number":       token(`{"alg":1,"kid":"ed"}`, claims(), edKey()),
		"alg is a list":         token(`{"alg":["EdDSA"],"kid":"ed"}`, claims(), edKey()),
		"alg is null":           token(`{"alg":null,"kid":"ed"}`, claims(), edKey()),
		"signature cut off":     good()[:strings.LastIndexByte(good(), '.')],
		"empty signature":       good()[:strings.LastIndexByte(good(), '.')+1],

		// algorithm confusion
		"HS256 by the public key, DER": hs256(`{"alg":"HS256","kid":"rsa"}`, claims(), spki()),
		"HS256 by the public key, PEM": hs256(`{"alg":"HS256","kid":"rsa"}`, claims(), pemOf(spki())),
		"HS256 by the Ed25519 key":     hs256(`{"alg":"HS256","kid":"ed"}`, claims(), edKey()[32:]),
		"HS256 by the audience":        hs256(`{"alg":"HS256"}`, claims(), []byte(audience)),
		"HS256 by nothing":             hs256(`{"alg":"HS256"}`, claims(), nil),
		"HMAC called RS256":            hs256(`{"alg":"RS256","kid":"rsa"}`, claims(), pemOf(spki())),
		"HMAC called ES256":            hs256(`{"alg":"ES256","kid":"ec"}`, claims(), spki()),
		"RS256 for the EC key":         token(`{"alg":"RS256","kid":"ec"}`, claims(), rsaKey()),
		"EdDSA for the RSA key":        token(`{"alg":"EdDSA","kid":"rsa"}`, claims(), edKey()),
		"ES256 for the Ed25519 key":    token(`{"alg":"ES256","kid":"ed"}`, claims(), ecKey()),
		"RS512":                        signed512(`{"alg":"RS512","kid":"rsa"}`, false),
		"RS512 called RS256":           signed512(`{"alg":"RS256","kid":"rsa"}`, false),
		"PS256":                        signed512(`{"alg":"PS256","kid":"rsa"}`, true),
		"PS256 called RS256":           signed512(`{"alg":"RS256","kid":"rsa"}`, true),
		"alg in lower case":            token(`{"alg":"eddsa","kid":"ed"}`, claims(), edKey()),
		"alg with a space":             token(`{"alg":"EdDSA ","kid":"ed"}`, claims(), edKey()),

		// keys of the attacker's choice
		"another's key":     token(edHeader, claims(), otherEd()),
		"another's RSA key": token(`{"alg":"RS256","kid":"rsa"}`, claims(), otherRSA()),
		"jwk":               token(`{"alg":"EdDSA","jwk":`+jwk()+`}`, claims(), otherEd()),
		"jwk, our key":      token(`{"alg":"EdDSA","kid":"ed","jwk":`+jwk()+`}`, claims(), edKey()),
		"jku":               token(`{"alg":"EdDSA","kid":"x","jku":"`+url+`"}`, claims(), otherEd()),
		"jku, our key":      token(`{"alg":"EdDSA","kid":"ed","jku":"`+url+`"}`, claims(), edKey()),
		"x5u":               token(`{"alg":"RS256","x5u":"`+url+`"}`, claims(), otherRSA()),
		"x5c":               token(`{"alg":"RS256","kid":"rsa","x5c":["AAAA"]}`, claims(), rsaKey()),
		"kid is a path":     token(`{"alg":"EdDSA","kid":"../../../../dev/null"}`, claims(), edKey()),
		"kid is SQL":        token(`{"alg":"EdDSA","kid":"x' UNION SELECT 'key' --"}`, claims(), edKey()),
		"kid is a URL":      token(`{"alg":"EdDSA","kid":"`+url+`"}`, claims(), edKey()),
		"kid is a command":  token(`{"alg":"EdDSA","kid":"ed|id"}`, claims(), edKey()),
		"kid in upper case": token(`{"alg":"EdDSA","kid":"ED"}`, claims(), edKey()),
		"kid with NUL":      token(`{"alg":"EdDSA","kid":"ed\u0000"}`, claims(), edKey()),
		"kid is a number":   token(`{"alg":"EdDSA","kid":0}`, claims(), edKey()),
		"kid is empty":      token(`{"alg":"EdDSA","kid":""}`, claims(), edKey()),
		"kid is an object":  token(`{"alg":"EdDSA","kid":{"ed":1}}`, claims(), edKey()),
		"kid is long":       token(`{"alg":"EdDSA","kid":"`+strings.Repeat("e", 300)+`"}`, claims(), edKey()),

		// what changes how a token is read
		"crit":             token(`{"alg":"EdDSA","kid":"ed","crit":["exp"],"exp":1}`, claims(), edKey()),
		"crit, empty":      token(`{"alg":"EdDSA","kid":"ed","crit":[]}`, claims(), edKey()),
		"b64":              token(`{"alg":"EdDSA","kid":"ed","b64":false}`, claims(), edKey()),
		"zip":              token(`{"alg":"EdDSA","kid":"ed","zip":"DEF"}`, claims(), edKey()),
		"enc":              token(`{"alg":"EdDSA","kid":"ed","enc":"A256GCM"}`, claims(), edKey()),
		"wrong typ":        token(`{"alg":"EdDSA","kid":"ed","typ":"at+jwt"}`, claims(), edKey()),
		"typ is a number":  token(`{"alg":"EdDSA","kid":"ed","typ":1}`, claims(), edKey()),
		"alg twice":        token(`{"alg":"none","alg":"EdDSA","kid":"ed"}`, claims(), edKey()),
		"alg twice, coded": token(`{"alg":"EdDSA","\u0061lg":"EdDSA","kid":"ed"}`, claims(), edKey()),
		"header is a list": token(`["EdDSA"]`, claims(), edKey()),
		"header is null":   token(`null`, claims(), edKey()),
		"header, and more": token(edHeader+`{}`, claims(), edKey()),

		// claims
		"no iss":              token(edHeader, without("iss"), edKey()),
		"iss is a list":       good(`"iss":["` + issuer + `"]`),
		"iss with a slash":    good(`"iss":"` + issuer + `/"`),
		"iss in another case": good(`"iss":"` + strings.ToUpper(issuer) + `"`),
		"ISS":                 token(edHeader, strings.Replace(claims(), `"iss"`, `"ISS"`, 1), edKey()),
		"no aud":              token(edHeader, without("aud"), edKey()),
		"aud is empty":        good(`"aud":""`),
		"aud is null":         good(`"aud":null`),
		"aud is no one":       good(`"aud":[]`),
		"aud is a crowd":      good(`"aud":["` + audience + `","other"]`),
		"aud is others":       good(`"aud":["other"]`),
		"aud is an object":    good(`"aud":{"` + audience + `":1}`),
		"aud is a number":     good(`"aud":[1]`),
		"aud is a prefix":     good(`"aud":"guide.example.org.evil.test"`),
		"no exp":              token(edHeader, without("exp"), edKey()),
		"exp is null":         good(`"exp":null`),
		"exp is 0":            good(`"exp":0`),
		"exp is negative":     good(`"exp":-1`),
		"exp is huge":         good(`"exp":99999999999999999999`),
		"exp is huger":        good(`"exp":1e400`),
		"exp overflows":       good(`"exp":9223372036854775808`),
		"exp in milliseconds": good(fmt.Sprintf(`"exp":%d`, noon.UnixMilli())),
		"exp in year 9999":    good(`"exp":253402300799`),
		"exp is text":         good(`"exp":"1782910800"`),
		"exp is a list":       good(`"exp":[1782910800]`),
		"exp is true":         good(`"exp":true`),
		"expired":             good(`"exp":1782900000`),
		"nbf is text":         good(`"nbf":"now"`),
		"nbf is huge":         good(`"nbf":1e300`),
		"iat is text":         good(`"iat":"now"`),
		"jti is a number":     good(`"jti":1`),
		"jti is empty":        good(`"jti":""`),
		"jti is null":         good(`"jti":null`),
		"jti has two lines":   good(`"jti":"a\nb"`),
		"exp twice":           token(edHeader, strings.Replace(claims(), "{", `{"exp":1,`, 1), edKey()),
		"deep, a claim twice": good(`"x":{"y":[{"z":1,"z":2}]}`),
		"claims are a list":   token(edHeader, `[]`, edKey()),
		"claims are null":     token(edHeader, `null`, edKey()),
		"claims are text":     token(edHeader, `"x"`, edKey()),
		"claims are empty":    token(edHeader, `{}`, edKey()),
		"claims, and more":    token(edHeader, claims()+` {}`, edKey()),
		"claims not closed":   token(edHeader, strings.TrimSuffix(claims(), "}"), edKey()),
		"claims no UTF-8":     good("\"x\":\"\xff\""),
		"claims in UTF-16":    token(edHeader, "\xfe\xff\x00{\x00}", edKey()),
		"claims with a BOM":   token(edHeader, "\ufeff"+claims(), edKey()),
		"claims 100 deep":     good(`"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100)),

		// the form
		"4 KiB and a byte": pad(4097), "10 MB": good() + strings.Repeat("A", 10<<20), "a million dots": strings.Repeat(".", 1<<20),
		"5 parts (JWE)": good() + ".A.A", "two parts": "A.A", "nothing": "..", "JSON form": `{"payload":"A","signatures":[]}`,
		"padding": good() + "=", "padded header": strings.Replace(good(), ".", "=.", 1), "standard base64": strings.ReplaceAll(token(`{"alg":"EdDSA","kid":"ed","x":"???>>>"}`, claims(), edKey()), "_", "/"),
		"line break inside": good()[:20] + "\n" + good()[20:], "line break in the signature": good()[:len(good())-4] + "\r\n" + good()[len(good())-4:],
		"percent signs": strings.ReplaceAll(good(), ".", "%2E"), "Bearer": "Bearer " + good(), "in quotes": `"` + good() + `"`, "in upper case": strings.ToUpper(good()),
		"full-width dots": strings.ReplaceAll(good(), ".", "．"), "NUL at the end": good() + "\x00", "NUL": "\x00", "no UTF-8": "\xff\xfe",
		"a signature of 63 bytes": good()[:len(good())-2], "one more letter": good() + "A",
	}
	for name, pair := range map[string][2]byte{"r=s=0": {0, 0}, "r=s=n-ish": {255, 255}, "r=0": {0, 1}, "s=0": {1, 0}} {
		sig := append(fill(pair[0]), fill(pair[1])...)
		bad["ES256 "+name] = encode(`{"alg":"ES256","kid":"ec"}`) + "." + encode(claims()) + "." + encode(string(sig))
	}
	ec := token(`{"alg":"ES256","kid":"ec"}`, claims(), ecKey())
	bad["ES256 in DER"] = ec[:strings.LastIndexByte(ec, '.')+1] + encode("\x30\x06\x02\x01\x01\x02\x01\x01")
	bad["claims of another token"] = swap(good(), good(`"seats":1000`), 1)
	bad["header of another token"] = swap(good(), token(`{"alg":"EdDSA","kid":"ed"}`, claims(), edKey()), 0)
	return bad
}

func fill(b byte) []byte { return []byte(strings.Repeat(string([]byte{b}), 32)) }

// swap returns a with one part of b.
func swap(a, b string, part int) string {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	x[part] = y[part]
	return strings.Join(x, ".")
}

// pad returns a good token of n bytes.
func pad(n int) string {
	for i := 0; ; i++ {
		header := `{"alg":"EdDSA","kid":"ed","x":"` + strings.Repeat("x", i%3) + `"}`
		if text := token(header, claims(`"x":"`+strings.Repeat("x", 2600+i/3)+`"`), edKey()); len(text) == n {
			return text
		}
	}
}

func TestHostileTokens(t *testing.T) {
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer srv.Close()
	s := open(t, config(t), options())
	bad := hostile(srv.URL)
	for name, text := range bad {
		t.Run(name, func(t *testing.T) {
			got, err := s.Verify(t.Context(), credential(text))
			var denial *gate.Denial
			if got != nil || !errors.As(err, &denial) {
				t.Fatalf("Verify = %+v, %v, want a denial", got, err)
			}
			if denial.Proven && denial.Reason != gate.ReasonExpired {
				t.Errorf("Verify = %v, proven", err)
			}
			if len(err.Error()) > 400 || len(text) > 60 && strings.Contains(err.Error(), text) {
				t.Errorf("Verify = %d bytes of error: %.400q", len(err.Error()), err)
			}
		})
	}
	if len(bad) < 100 {
		t.Errorf("%d hostile tokens, want 100", len(bad))
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests to an address that a token named", asked.Load())
	}
}

// What the tests above change is what they are refused for: without the change
// they are taken.
func TestHonestTokens(t *testing.T) {
	s := open(t, config(t), options())
	for name, text := range map[string]string{
		"as it is": good(), "with a jti": good(`"jti":"A"`), "4 KiB": pad(4096), "no kid": token(`{"alg":"EdDSA"}`, claims(), edKey()),
		"typ JWT": token(`{"alg":"EdDSA","kid":"ed","typ":"application/jwt"}`, claims(), edKey()), "a header that says nothing": token(`{"alg":"EdDSA","kid":"ed","cty":"x","x5t":"y"}`, claims(), edKey()),
		"aud is a list of one": good(`"aud":["` + audience + `"]`), "exp with a fraction": good(`"exp":1782910800.25`), "exp as 1.7e9": good(`"exp":1.7829108e9`),
		"RS256": token(`{"alg":"RS256"}`, claims(), rsaKey()), "ES256": token(`{"alg":"ES256"}`, claims(), ecKey()), "spaces": "\r\n\t " + good() + " \n",
	} {
		if _, err := s.Verify(t.Context(), credential(text)); err != nil {
			t.Errorf("%s: Verify = %v, want a ticket", name, err)
		}
	}
}

func TestType(t *testing.T) {
	cfg := config(t)
	cfg.Type = "ticket+jwt"
	s := open(t, cfg, options())
	for typ, want := range map[string]bool{`,"typ":"ticket+jwt"`: true, `,"typ":"application/Ticket+JWT"`: true, ``: false, `,"typ":"JWT"`: false, `,"typ":"application/x/ticket+jwt"`: false} {
		_, err := s.Verify(t.Context(), credential(token(`{"alg":"EdDSA"`+typ+`}`, claims(), edKey())))
		if (err == nil) != want {
			t.Errorf("Verify with %s = %v, want good %v", typ, err, want)
		}
	}
}

// A key is known by the name that the configuration gives it, or its
// thumbprint; RFC 8037, appendix A, has an example of one.
func TestKeyNames(t *testing.T) {
	const set = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	const d = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	seed, err := base64.RawURLEncoding.DecodeString(d)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t)
	cfg.Keys = []jwt.KeyFile{{File: file(t, set)}}
	s := open(t, cfg, options())
	for kid, want := range map[string]bool{"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": true, "KPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": false, "ed": false} {
		_, err := s.Verify(t.Context(), credential(token(`{"alg":"EdDSA","kid":"`+kid+`"}`, claims(), ed25519.NewKeyFromSeed(seed))))
		if (err == nil) != want {
			t.Errorf("Verify with kid %q = %v, want good %v", kid, err, want)
		}
	}
}

// The token of RFC 8037, appendix A.4, is no JWT, but its signature is good:
// the refusal is about the claims.
func TestForeignSignature(t *testing.T) {
	const text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	cfg := config(t)
	cfg.Keys = []jwt.KeyFile{{File: file(t, `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)}}
	got, err := open(t, cfg, options()).Verify(t.Context(), credential(text))
	wantDenied(t, "Verify", got, err, gate.ReasonMalformed, false)
}

func TestKeyFiles(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024) // #nosec G403 -- it is to be refused
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(small.Public())
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(edKey())
	if err != nil {
		t.Fatal(err)
	}
	cubic := rsaKey().PublicKey
	cubic.E = 3
	cubicDER, err := x509.MarshalPKIXPublicKey(&cubic)
	if err != nil {
		t.Fatal(err)
	}
	n := base64.RawURLEncoding.EncodeToString(rsaKey().N.Bytes())
	one := `{"kty":"RSA","n":"` + n + `","e":"AQAB"}`
	tests := map[string]struct {
		text string
		good bool
	}{
		"PEM":                   {string(pemOf(spki())), true},
		"text around it":        {"# the shop's key\n" + string(pemOf(spki())), true},
		"two of them":           {string(pemOf(spki())) + string(pemOf(spki())), false},
		"empty":                 {"", false},
		"no key":                {"CANARY", false},
		"1024 bits":             {string(pemOf(der)), false},
		"exponent 3":            {string(pemOf(cubicDER)), false},
		"private":               {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), false},
		"certificate":           {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), false},
		"PEM of nothing":        {string(pemOf([]byte("CANARY"))), false},
		"JWK set":               {`{"keys":[` + one + `]}`, true},
		"JWK set, others in it": {`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"new"},{},null,` + one + `]}`, true},
		"JWK set, only others":  {`{"keys":[{"kty":"oct","k":"AAAA"}]}`, false},
		"JWK set, none":         {`{"keys":[]}`, false},
		"JWK set, no keys":      {`{}`, false},
		"JWK set, not closed":   {`{"keys":[` + one, false},
		"JWK for encryption":    {`{"keys":[` + strings.Replace(one, "{", `{"use":"enc",`, 1) + `]}`, false},
		"JWK for RS512":         {`{"keys":[` + strings.Replace(one, "{", `{"alg":"RS512",`, 1) + `]}`, false},
		"JWK for HS256":         {`{"keys":[` + strings.Replace(one, "{", `{"alg":"HS256",`, 1) + `]}`, false},
		"JWK, exponent 1":       {`{"keys":[` + strings.Replace(one, "AQAB", "AQ", 1) + `]}`, false},
		"JWK, private":          {`{"keys":[` + one + `,{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`, false},
		"JWK, P-384":            {`{"keys":[{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}]}`, false},
		"JWK, not on the curve": {`{"keys":[{"kty":"EC","crv":"P-256","x":"` + encode(string(fill(1))) + `","y":"` + encode(string(fill(1))) + `"}]}`, false},
		"33 keys":               {`{"keys":[` + strings.Repeat(one+",", 32) + one + `]}`, false},
		"100 KiB":               {`{"keys":[` + one + `]}` + strings.Repeat(" ", 100<<10), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			cfg.Keys = []jwt.KeyFile{{File: file(t, tt.text)}}
			s, err := jwt.New(cfg, options())
			if (err == nil) != tt.good || err != nil && (s != nil || !errors.Is(err, jwt.ErrKey) || strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), n[:20])) {
				t.Errorf("New = %v, %v, want good %v, else ErrKey", s, err, tt.good)
			}
		})
	}
	cfg := config(t)
	cfg.Keys = []jwt.KeyFile{{ID: "a", File: file(t, `{"keys":[`+one+`]}`)}}
	if _, err := jwt.New(cfg, options()); !errors.Is(err, jwt.ErrKey) {
		t.Errorf("New with an id for a set = %v, want ErrKey", err)
	}
}

func FuzzVerify(f *testing.F) {
	for name, text := range hostile("http://127.0.0.1:1/") {
		if len(name) > 0 && len(text) < 5000 {
			f.Add(text)
		}
	}
	honest := []string{good(), good(`"jti":"A"`), token(`{"alg":"ES256"}`, claims(), ecKey())}
	for _, text := range honest {
		f.Add(text)
	}
	s := open(f, config(f), options())
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.Verify(t.Context(), credential(text))
		var denial *gate.Denial
		switch {
		case err != nil && (got != nil || !errors.As(err, &denial) || len(err.Error()) > 500):
			t.Errorf("Verify(%q) = %v, %v, want a short denial", text, got, err)
		case err == nil: // nobody signs but we: header and claims are those of a token above
			i := strings.LastIndexByte(strings.TrimSpace(text), '.')
			for _, h := range honest {
				if strings.HasPrefix(h, strings.TrimSpace(text)[:i+1]) {
					return
				}
			}
			t.Errorf("Verify(%q) = %+v", text, got)
		}
	})
}

// FuzzClaims is about what a shop signs.
func FuzzClaims(f *testing.F) {
	for _, c := range []string{claims(), claims(`"jti":"A"`, `"seats":3`, `"valid_from":"2026-07-01T09:00:00Z"`), claims(`"packages":["audio"]`, `"attraction":"zoo"`), `{}`, without("exp"), claims(`"valid_until":1782907200`)} {
		f.Add(c)
	}
	s := open(f, config(f), options())
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.Verify(t.Context(), credential(token(edHeader, text, edKey())))
		var denial *gate.Denial
		if err != nil {
			if got != nil || !errors.As(err, &denial) {
				t.Errorf("Verify(%q) = %v, %v, want a denial", text, got, err)
			}
			return
		}
		if !json.Valid([]byte(text)) || len(got.Buys) == 0 || got.Seats < 0 || got.Seats > 1000 || got.Normal == "" || !got.ValidFrom.Before(got.ValidUntil) {
			t.Errorf("Verify(%q) = %+v", text, got)
		}
		for _, p := range got.Buys {
			if gate.CheckSlug(p.Attraction) != nil || p.Package != "" && gate.CheckSlug(p.Package) != nil {
				t.Errorf("Verify(%q) buys %q", text, p)
			}
		}
		again, err := s.Recheck(t.Context(), "", got.Ref)
		if err != nil || fmt.Sprint(again.Buys, again.ValidUntil, again.Seats) != fmt.Sprint(got.Buys, got.ValidUntil, got.Seats) {
			t.Errorf("Recheck of %q = %+v, %v", text, again, err)
		}
	})
}
