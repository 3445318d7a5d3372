// Package octo verifies bookings with a reservation system that speaks OCTO, the
// open connectivity standard of the attractions trade (docs.octo.travel).
//
// The core of OCTO cannot look a scanned ticket up: it finds bookings by their
// UUID and by the references of the supplier and the reseller, which also stand
// in the QR code of a voucher for a whole party. So that is what a visitor
// shows. A reference has about 30 bits and is printed on everything: it needs a
// factor, a surname, an e-mail address or a postcode that stands in the booking.
// A random UUID needs none.
//
// Nothing changes at the reservation system. Factors are compared and dropped;
// all that is read of a booking is listed in booking. A redeemed booking is
// good: visitors open the guide after the gate has scanned them.
//
// For suppliers at Ventrata, whose "octo/redemption" can look tickets up, see
// package web.
package octo
