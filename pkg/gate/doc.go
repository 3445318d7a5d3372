// Package gate is the domain of handstamp: a viewer shows a ticket, whoever
// issued it is asked, the visit is recorded, and the viewer gets stamps that
// open what the ticket buys and nothing else.
//
// [Keeper] joins the four steps. It asks a [Verifier] whether the ticket is
// good, works out the [Entitlement]s with the [Rules], records an [Admission]
// in a [Book] and has a [Stamper] turn every [Grant] into a [Stamp]. Everything
// outside the process stands behind one of these interfaces; this package
// imports nothing but the standard library and does no I/O of its own.
//
// A refusal is a [*Denial]. Any other error means that nobody knows, and the
// viewer must be turned away without blaming the ticket.
package gate
