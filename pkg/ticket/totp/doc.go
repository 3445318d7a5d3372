// Package totp verifies passes with a rotating barcode, which the attraction
// issues itself: a code is good for half a minute, so that a picture of it is
// worth nothing soon.
//
// A code is PASSID.DIGITS: the id of the pass, a point, and a time-based
// one-time password (RFC 6238) of 6 to 8 digits with a step of 30 seconds.
// Upper and lower case, spaces and hyphens do not matter. The password of the
// step before and of the step after count too, for clocks that are off and
// people who are slow. What a wallet has to be told to show such codes is in
// docs/sources/totp.md.
//
// Every pass has a secret of its own, made from one master key and the id by
// Derive, or taken from a list. What a pass buys is on record in the book, under
// Fingerprint; a pass that is revoked there is refused.
//
// A code is taken once: shown again within its time it is refused as replaced,
// since the wallet has a newer one by then or in a moment. So nothing may keep
// the answers of a Source, or share one among two viewers.
package totp
