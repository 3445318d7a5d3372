package gate

// A Reason says in one word why a viewer was refused. The set is closed:
// reasons label metrics and select texts in apps.
type Reason string

// The reasons of a Denial.
const (
	ReasonUnknown         Reason = "unknown"          // no source knows the ticket
	ReasonMalformed       Reason = "malformed"        // cannot be a ticket at all
	ReasonExpired         Reason = "expired"          // its validity is over
	ReasonNotYetValid     Reason = "not_yet_valid"    // its validity has not begun
	ReasonNotPaid         Reason = "not_paid"         // reserved or unpaid
	ReasonCancelled       Reason = "cancelled"        // refunded or cancelled
	ReasonBlocked         Reason = "blocked"          // stopped by its issuer
	ReasonReplaced        Reason = "replaced"         // a newer code exists
	ReasonWrongAttraction Reason = "wrong_attraction" // good, but for another place
	ReasonNotIncluded     Reason = "not_included"     // good, but does not buy any content
	ReasonSeatsTaken      Reason = "seats_taken"      // as many devices as it has seats
	ReasonRevoked         Reason = "revoked"          // taken back by the attraction
	ReasonSeeStaff        Reason = "see_staff"        // the issuer wants a person to look
	ReasonNoSession       Reason = "no_session"       // there is no living admission
)

// A Denial says that a viewer may not have access. It is a refusal by somebody
// who knows; any other error means that nobody knows.
type Denial struct {
	Reason Reason
	// Proven reports whether the viewer showed possession of a real ticket, by
	// a code too long to guess or by a matching factor. Only then may Reason be
	// shown; everybody else gets the same uniform answer.
	Proven bool
	// Err may name internals and is for the log only; nil if Reason says it all.
	Err error
}

// Deny returns a Denial for reason that tells the viewer nothing.
func Deny(reason Reason, err error) *Denial { return &Denial{Reason: reason, Err: err} }

func (d *Denial) Error() string {
	if d.Err == nil {
		return "denied: " + string(d.Reason)
	}
	return "denied: " + string(d.Reason) + ": " + d.Err.Error()
}

// Unwrap returns the internal cause, if any.
func (d *Denial) Unwrap() error { return d.Err }
