package pretix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A position is a ticket at pretix: what is read of it, and nothing else.
// Pointers tell what is missing from what is zero.
type position struct {
	ID            int64           `json:"id"`
	Order         string          `json:"order"`
	Item          int64           `json:"item"`
	Variation     *int64          `json:"variation"`
	Secret        gate.Secret     `json:"secret"`
	AddOnTo       *int64          `json:"addon_to"`
	Subevent      json.RawMessage `json:"subevent"` // null, an id, or the whole of it if that was asked for
	Checkins      []checkin       `json:"checkins"`
	ValidFrom     *time.Time      `json:"valid_from"`
	ValidUntil    *time.Time      `json:"valid_until"`
	Blocked       json.RawMessage `json:"blocked"` // null or a list of reasons
	Status        *string         `json:"order__status"`
	ValidPending  *bool           `json:"order__valid_if_pending"`
	NeedsApproval *bool           `json:"order__require_approval"`
}

type checkin struct {
	List     int64     `json:"list"`
	Type     string    `json:"type"`
	Datetime time.Time `json:"datetime"`
}

// A date is one of an event series.
type date struct {
	ID        int64      `json:"id"`
	From      time.Time  `json:"date_from"`
	To        *time.Time `json:"date_to"`
	Admission *time.Time `json:"date_admission"`
}

var errShape = errors.New("pretix answers with a position that lacks what it must have")

// check returns an error for a position that nothing can be concluded from.
func (p *position) check() error {
	switch {
	case p.ID <= 0 || p.Item <= 0 || p.Secret == "" || p.Order == "":
		return errShape
	case p.Status == nil || p.ValidPending == nil || p.NeedsApproval == nil || p.Blocked == nil || p.Subevent == nil:
		return fmt.Errorf("%w (hint: this pretix may be too old)", errShape)
	}
	return nil
}

// Statuses of an order.
const (
	statusPending  = "n"
	statusPaid     = "p"
	statusExpired  = "e"
	statusCanceled = "c"
)

// standing returns the reason to refuse p whatever the time is, or none. An
// error means that the position does not say.
func (p *position) standing() (gate.Reason, error) {
	switch *p.Status {
	case statusCanceled:
		return gate.ReasonCancelled, nil
	case statusExpired:
		return gate.ReasonNotPaid, nil
	case statusPending:
		if *p.NeedsApproval || !*p.ValidPending {
			return gate.ReasonNotPaid, nil
		}
	case statusPaid:
	default:
		return "", fmt.Errorf("pretix answers with an order of status %.20q", *p.Status)
	}
	if !isNull(p.Blocked) {
		return gate.ReasonBlocked, nil
	}
	return "", nil
}

func isNull(text json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(text), []byte("null")) }

// firstUse is the first entry on one of the lists; zero means none.
func (p *position) firstUse(events []Event) (first time.Time) {
	for _, c := range p.Checkins {
		if c.Type == "entry" && slices.ContainsFunc(events, func(e Event) bool { return e.List == c.List }) {
			first = gate.EarlierUse(first, c.Datetime)
		}
	}
	return first
}

// date returns the date of a series that p is for; nil means none.
func (p *position) date() (*date, error) {
	if isNull(p.Subevent) {
		return nil, nil
	}
	var d date
	if err := json.Unmarshal(p.Subevent, &d); err != nil || d.From.IsZero() {
		return nil, fmt.Errorf("%w: the date of its series", errShape)
	}
	return &d, nil
}

func (p *position) variation() int64 {
	if p.Variation == nil {
		return 0
	}
	return *p.Variation
}

// opens reports whether an add-on counts at a time.
func (p *position) opens(at time.Time) bool {
	return (p.ValidFrom == nil || !at.Before(*p.ValidFrom)) && (p.ValidUntil == nil || at.Before(*p.ValidUntil))
}

func deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
