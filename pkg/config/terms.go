package config

import (
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// Terms are what all tickets of a source have in common, unless the source
// says something else of one.
type Terms struct {
	Days        int           `mapstructure:"days" default:"0" min:"0" max:"3660" doc:"business days that a ticket is good for, the first being that of its first use; 0 is no limit"`
	Hours       time.Duration `mapstructure:"hours" default:"0s" min:"0s" max:"87600h" doc:"hours that a ticket is good for from its first use, like 72h; 0s is no limit"`
	OneDay      Switch        `mapstructure:"one_day" default:"off" doc:"on ends a visit with its business day even where the attraction never closes, as for members, who come again"`
	SlotOnly    Switch        `mapstructure:"slot_only" default:"off" doc:"on ends the visit of a timed ticket with its slot and grace_late, not at closing"`
	EarlyAccess time.Duration `mapstructure:"early_access" default:"0s" min:"0s" max:"8760h" doc:"how long before the visit content may be fetched, for downloads at home; 0s is not at all"`
}

// Validity returns t as the part of a ticket's validity that it stands for. The
// zero Terms make the zero Validity, which has no limits.
func (t Terms) Validity() gate.Validity {
	return gate.Validity{
		Days: t.Days, Span: t.Hours, OneDay: bool(t.OneDay), SlotOnly: bool(t.SlotOnly), EarlyAccess: t.EarlyAccess,
	}
}
