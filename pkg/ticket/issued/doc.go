// Package issued verifies tickets that are on record in the gateway's own
// book: those that the operator issued, and those that were imported from
// another system.
//
// There are two kinds of codes, and the shape of a code alone says which of
// them it is, see Normalise:
//
//   - Issued: 27 characters of Crockford's base32, made by New or Derive. What
//     people confuse is one: i and l are 1, o is 0.
//   - Imported: every other code that ticket.Normalise takes. Its characters
//     are compared as they are, as those of a list.
//
// A code of 27 such characters whose check character is wrong is malformed: it
// was mistyped, and no book has to be asked. The price is that a code of
// another system that happens to have this shape cannot be imported; Normalise
// and Fingerprint refuse it.
package issued
