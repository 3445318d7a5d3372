// Package throttle limits guessing at tickets without getting into the way of
// those who have one. It counts failures only, on four axes, each with a limit
// in [Options]:
//
//   - the credential, or the reference that factors such as a surname go with;
//   - the network of the client: an IPv4 address, an IPv6 /64 and its /48;
//   - the device cookie;
//   - the attraction and the kind of credential, which go into a guarded mode
//     when most of what is asked there is refused.
//
// A caller asks for a turn before it asks the source of the ticket, and says
// how it went:
//
//	turn := t.Allow(attempt)
//	defer turn.Cancel() // nobody knows; does nothing after Fail or Succeed
//	if !turn.OK {
//		return tooManyRequests(turn.RetryAfter, turn.Guarded)
//	}
//	ticket, err := verifier.Verify(ctx, credential)
//	switch {
//	case err == nil:
//		turn.Succeed()
//	case refusedWithoutReason(err):
//		turn.Fail(throttle.Refused)
//	}
//
// A turn holds room for one failure until it ends, so a thousand guesses sent
// at once are no more than a thousand sent in a row: the failures of a network
// or a device never exceed its limit and what decays meanwhile (NIST SP 800-63B,
// section 5.2.2; OWASP ASVS 6.6.3). A success gives the room back and leaves no
// trace. When every place is held and nothing has failed, the wait is a second.
//
// # A good ticket behind a bad neighbour
//
// Visitors share addresses: the museum's Wi-Fi, a phone carrier. When a sprayer
// has used up such a network, a good code that was never seen looks like one
// more guess. These get in all the same:
//
//   - A credential that was good on the same device passes every limit. The
//     device is part of it: were the code enough, a sprayer could try the codes
//     of everybody who is inside without any limit, and some would be right.
//   - A strong code, and an attempt that passed a challenge, have a lane of
//     their own, ten times as wide: they cannot be guessed, and what is limited
//     is only the load on the source.
//   - A session, which renews what a ticket opened, has another lane as wide, so
//     that made-up sessions are not in the way of tickets.
//   - A device with a cookie and next to no failures has a lane of its own too.
//     A script that throws its cookies away cannot use it up.
//   - In every lane the last fifth is for codes that were turned away before
//     and come back when told to. That is what a visitor does, and what a
//     guesser has no use for: he goes on to the next code. He fills four fifths
//     of the lane, again and again; the visitor is in at the second try, after
//     Options.ComeBack and a little. Failures only use up the rest, and
//     visitors do not fail.
//
// So a sprayer has to become more and more like the visitors: keep a cookie for
// every guess, come back with every code. Each step costs him requests and
// gains him none, as the limit of the lane stays what it is. Who goes all the
// way, behind the same address, cannot be told from a visitor any more by
// anything but a challenge; visitors with a short code then share with him, by
// chance, what decays. With Options.Challenge set, Turn.Guarded says when one
// would let the attempt in.
//
// # The holder of the ticket
//
// Nobody can fail with a code that exists, so nobody can lock its holder out.
// Where somebody can, with a wrong surname to a right reference or a code that
// the source learns of later, the wait is at most a minute. Only after a
// hundred wrong factors in a row does the reference want a challenge, or an
// hour each, until one succeeds; the device that it was good on stays exempt.
//
// # What is not promised
//
// Without a challenge, the guarded mode only makes short codes come back, and a
// botnet that does so guesses at the sum of its networks' limits: sell codes of
// 64 bits, or set a challenge. Counters are kept in memory and bounded: who has
// more networks than Options.Entries makes the throttle forget some, and a
// restart makes it forget all.
package throttle
