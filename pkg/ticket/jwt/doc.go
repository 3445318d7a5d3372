// Package jwt verifies tickets that carry their own proof: JSON Web Tokens (RFC
// 7519) that a shop signs and mails as a link, and that nobody has to be asked
// about.
//
// A token is a JWS in compact form (RFC 7515) of at most 4 KiB, signed with
// EdDSA (Ed25519), ES256 or RS256. It is taken exactly as it is, but for spaces
// around it: upper and lower case differ. Its header may have "alg", "kid",
// "typ" and what changes nothing; one that brings its own key or the address of
// one (jwk, jku, x5u, x5c) or extends the format (crit, b64, zip) is refused,
// and no such address is ever asked. A name that comes twice, in header or
// claims, is refused. See RFC 8725 for the attacks behind these rules.
//
// Every key has one algorithm, which follows from what kind of key it is. A
// token that names a key ("kid") is checked with the keys of that name or RFC
// 7638 thumbprint; any other with all keys of its algorithm.
//
// The claims "iss", "aud" and "exp" are required, "nbf" counts if it is there.
// "aud" is a text, or a list of one. What a ticket buys comes from the claims
// that Claims names.
//
// "jti" is the ticket: however a token is signed or signed again, it is one
// ticket as long as issuer and jti are the same, so a shop must not give one jti
// to two tickets. A token without jti is known by a hash of what was signed,
// header and claims; the signature is no part of it, as an ECDSA signature has
// two spellings.
//
// Minter makes such tokens.
package jwt
