package roll

import (
	"errors"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// The most that a row may say.
const (
	maxSeats = 1000
	maxDays  = 3660
	maxHours = 24 * maxDays
)

// A row is one ticket of a list, whatever its format.
type row struct {
	Code        string    `json:"code"`
	Attractions []string  `json:"attraction"`
	Packages    []string  `json:"packages"`
	Seats       int       `json:"seats"`
	ValidFrom   time.Time `json:"valid_from"`
	ValidUntil  time.Time `json:"valid_until"`
	Note        string    `json:"note"`
	Day         string    `json:"day"`
	SlotFrom    time.Time `json:"slot_from"`
	SlotUntil   time.Time `json:"slot_until"`
	Days        int       `json:"days"`
	Hours       int       `json:"hours"`
	Factor      string    `json:"factor"`
	FactorHash  string    `json:"factor_hash"`
	Change      string    `json:"change"` // of a delta
}

// check returns an error for a row that cannot be a ticket.
func (r row) check() error {
	switch {
	case r.Code == "":
		return errors.New("code: missing")
	case len(r.Attractions) == 0:
		return errors.New("attraction: missing")
	case r.Seats < 0 || r.Seats > maxSeats:
		return fmt.Errorf("seats: %d, want 1 to %d", r.Seats, maxSeats)
	case !r.ValidUntil.IsZero() && !r.ValidFrom.Before(r.ValidUntil):
		return fmt.Errorf("valid_until: %s is not after valid_from", r.ValidUntil.Format(time.RFC3339))
	}
	return nil
}

// terms returns what the row says of time beside its validity; where it says
// nothing the terms of the list hold.
func (r row) terms(list gate.Validity) (gate.Validity, error) {
	if err := r.checkTerms(); err != nil {
		return list, err
	}
	terms := list
	if r.Day != "" {
		day, err := gate.ParseDate(r.Day)
		if err != nil {
			return list, fmt.Errorf("day: %.40q is not a day like 2026-07-01", r.Day)
		}
		terms.Day = day
	}
	if !r.SlotFrom.IsZero() {
		terms.Slot = gate.Interval{From: r.SlotFrom, Until: r.SlotUntil}
	}
	if r.Days > 0 {
		terms.Days = r.Days
	}
	if r.Hours > 0 {
		terms.Span = time.Duration(r.Hours) * time.Hour
	}
	if terms.SlotOnly && (terms.Slot.From.IsZero() || terms.Slot.Until.IsZero()) {
		return list, errors.New("slot_from, slot_until: missing, a visit of this list ends with its slot")
	}
	return terms, nil
}

func (r row) checkTerms() error {
	switch {
	case r.SlotFrom.IsZero() && !r.SlotUntil.IsZero():
		return errors.New("slot_from: missing beside slot_until")
	case !r.SlotUntil.IsZero() && !r.SlotFrom.Before(r.SlotUntil):
		return fmt.Errorf("slot_until: %s is not after slot_from", r.SlotUntil.Format(time.RFC3339))
	case r.Days < 0 || r.Days > maxDays:
		return fmt.Errorf("days: %d, want 1 to %d", r.Days, maxDays)
	case r.Hours < 0 || r.Hours > maxHours:
		return fmt.Errorf("hours: %d, want 1 to %d", r.Hours, maxHours)
	}
	return nil
}
