package gate

// An Act is something that is asked of a Keeper.
type Act string

// The acts that an Event tells of.
const (
	ActAdmit  Act = "admit"
	ActRenew  Act = "renew"
	ActLeave  Act = "leave"
	ActRevoke Act = "revoke"
)

// An Event is what became of one act, for whoever counts.
type Event struct {
	Act        Act
	Attraction string     // where the viewer says to stand, as it came: nobody has looked at it
	Admission  *Admission // of a viewer who was admitted or renewed; else nil
	Seated     bool       // ActAdmit: the device took a seat; false if it had one
	Degraded   bool       // ActRenew: see Pass.Degraded
	Target     TargetKind // ActRevoke
	Affected   int        // ActRevoke: see Revocation
	Err        error      // nil if it was done
}

// tell tells of what became of an act.
func (k *Keeper) tell(e Event) {
	if k.opts.Watch != nil {
		k.opts.Watch(e)
	}
}

// tellPass tells of an act that ends with a pass, or with an error.
func (k *Keeper) tellPass(act Act, attraction string, pass *Pass, err error) {
	e := Event{Act: act, Attraction: attraction, Err: err}
	if err == nil {
		e.Admission, e.Seated, e.Degraded = pass.Admission, pass.Replaced == "", pass.Degraded
	}
	k.tell(e)
}
