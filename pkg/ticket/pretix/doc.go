// Package pretix verifies tickets with pretix, on the seller's own server or as
// pretix Hosted. A version whose check-in search does not say the status of an
// order is too old, and refused with an error.
//
// A Source works in one of three ways:
//
//   - ModeLookup asks for the position whose secret is the code that was shown.
//     Nothing changes at pretix. Check-in rules are not evaluated.
//   - ModeRedeem looks the ticket up and then redeems it on a check-in list that
//     should serve nothing else. Rules are evaluated, and an entry is on record
//     at pretix. It must be allowed, see Config.AllowConsume.
//   - ModeOffline checks the signature of a "pretix_sig1" code by itself, with
//     keys and lists of revoked and blocked codes that it fetches now and then.
//     What the signature covers is all it knows: product and times.
//
// The secret is always compared here, as pretix's own search is fuzzy: it finds
// names, order codes and beginnings of secrets.
//
// A "used" ticket is good: visitors open the guide after the gate has scanned
// them. What is read of a ticket is listed in position and addons; names and
// addresses are not among it.
//
// See docs.pretix.eu, REST API: check-in, orders, events, webhooks. Where the
// documentation and the program differ, pretix 2026.8.0 was followed.
package pretix
