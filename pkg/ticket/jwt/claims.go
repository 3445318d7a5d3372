package jwt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/handstamp/handstamp/pkg/gate"
)

// latest is the last second that RFC 3339 can write, 9999-12-31T23:59:59Z.
const latest = 253402300799

// decode reads the claims, with numbers as they were written.
func decode(body []byte) (jwt.MapClaims, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var claims jwt.MapClaims
	if err := dec.Decode(&claims); err != nil || claims == nil {
		return nil, errors.New("claims: not a JSON object")
	}
	return claims, nil
}

// check returns a denial unless the registered claims (RFC 7519, section 4.1)
// are good now.
func (s *Source) check(claims jwt.MapClaims) error {
	if err := s.checkForm(claims); err != nil {
		return gate.Deny(gate.ReasonMalformed, err)
	}
	err := s.claims.Validate(claims)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrTokenInvalidIssuer), errors.Is(err, jwt.ErrTokenInvalidAudience):
		return gate.Deny(gate.ReasonUnknown, err)
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing), errors.Is(err, jwt.ErrInvalidType):
		return gate.Deny(gate.ReasonMalformed, err)
	case errors.Is(err, jwt.ErrTokenExpired):
		return &gate.Denial{Reason: gate.ReasonExpired, Proven: true, Err: err}
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return &gate.Denial{Reason: gate.ReasonNotYetValid, Proven: true, Err: err}
	}
	return gate.Deny(gate.ReasonMalformed, err)
}

// checkForm returns an error for claims that the validator would read too
// kindly.
func (s *Source) checkForm(claims jwt.MapClaims) error {
	for _, name := range []string{"exp", "nbf", "iat"} {
		v, ok := claims[name]
		if _, err := seconds(v); ok && err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if exp, err := seconds(claims["exp"]); err == nil && exp.After(s.opts.Now().Add(s.cfg.MaxLife)) {
		return fmt.Errorf("exp: %s is more than %s ahead", exp.Format(time.RFC3339), s.cfg.MaxLife)
	}
	if list, ok := claims["aud"].([]any); ok && len(list) != 1 {
		return fmt.Errorf("aud: for %d audiences, each of which could show it here, want one", len(list))
	}
	return nil
}

// name returns what kind of token the claims are of, and its id.
func name(claims jwt.MapClaims, hash string) (kind, id string, err error) {
	v, ok := claims["jti"]
	if !ok {
		return KindUnnamed, hash, nil
	}
	id, _ = v.(string)
	if id == "" || len(id) > maxName || strings.ContainsAny(id, "\r\n") {
		return "", "", fmt.Errorf("jti: no text of 1 to %d bytes in one line", maxName)
	}
	return Kind, id, nil
}

// seconds reads seconds since 1970, as a number, from 1970 to 9999.
func seconds(v any) (time.Time, error) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, errors.New("not a number")
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || f < 0 || f > latest {
		return time.Time{}, errors.New("not in the years 1970 to 9999")
	}
	whole, rest := math.Modf(f)
	return time.Unix(int64(whole), int64(rest*1e9)).UTC(), nil
}

// instant reads RFC 3339, or seconds since 1970. Nothing is the zero time.
func instant(v any) (time.Time, error) {
	text, ok := v.(string)
	if v == nil {
		return time.Time{}, nil
	}
	if !ok {
		return seconds(v)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Unix() < 0 || t.Unix() > latest {
		return time.Time{}, fmt.Errorf("%.40q is not an RFC 3339 time", text)
	}
	return t.UTC(), nil
}
