package octo

import (
	"errors"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A booking is what is read of one, and nothing else.
type booking struct {
	UUID         string        `json:"uuid"`
	TestMode     bool          `json:"testMode"`
	Supplier     *string       `json:"supplierReference"`
	Reseller     *string       `json:"resellerReference"`
	Status       string        `json:"status"`
	Created      string        `json:"utcCreatedAt"`
	Confirmed    *string       `json:"utcConfirmedAt"`
	Redeemed     *string       `json:"utcRedeemedAt"`
	ProductID    string        `json:"productId"`
	OptionID     string        `json:"optionId"`
	Availability *availability `json:"availability"`
	Contact      contact       `json:"contact"`
	Units        []unit        `json:"unitItems"`
}

type availability struct {
	Start  string `json:"localDateTimeStart"`
	End    string `json:"localDateTimeEnd"`
	AllDay bool   `json:"allDay"`
}

type unit struct {
	UnitID   string  `json:"unitId"`
	Unit     kind    `json:"unit"`
	Status   string  `json:"status"`
	Redeemed *string `json:"utcRedeemedAt"`
	Contact  contact `json:"contact"`
}

type kind struct {
	Type string `json:"type"`
}

var errShape = errors.New("ask for a booking: the reservation system answers with something else than OCTO's bookings")

// check returns an error for a booking that nothing can be concluded from.
func (b *booking) check() error {
	if b.UUID == "" || b.Status == "" || b.ProductID == "" || b.Units == nil {
		return errShape
	}
	return nil
}

func (b *booking) reference(field Reference) string {
	value := b.Supplier
	if field == ResellerReference {
		value = b.Reseller
	}
	if value == nil {
		return ""
	}
	return *value
}

// standing returns the reason to refuse a booking, or one of its units, by its
// status; "" means that it is good. A status that is not known is an error.
func standing(status string) (gate.Reason, error) {
	switch status {
	case "CONFIRMED", "REDEEMED":
		return "", nil
	case "ON_HOLD", "PENDING":
		return gate.ReasonNotPaid, nil
	case "EXPIRED":
		return gate.ReasonExpired, nil
	case "CANCELLED", "REJECTED":
		return gate.ReasonCancelled, nil
	case "NO_SHOW": // Ventrata's
		return gate.ReasonSeeStaff, nil
	}
	return "", fmt.Errorf("ask for a booking: the reservation system answers with the status %.40q", status)
}

// live returns the units that are good.
func (b *booking) live() (units []unit, err error) {
	for _, u := range b.Units {
		reason, err := standing(u.Status)
		if err != nil {
			return nil, err
		}
		if reason == "" {
			units = append(units, u)
		}
	}
	return units, nil
}

// firstUse is when the booking or one of its units was first redeemed.
func (b *booking) firstUse() (first time.Time, err error) {
	stamps := []*string{b.Redeemed}
	for _, u := range b.Units {
		stamps = append(stamps, u.Redeemed)
	}
	for _, s := range stamps {
		at, err := instant(s)
		if err != nil {
			return time.Time{}, err
		}
		first = gate.EarlierUse(first, at)
	}
	return first, nil
}

// instant reads a time with an offset; null and nothing are zero.
func instant(text *string) (time.Time, error) {
	if text == nil || *text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return t, fmt.Errorf("%w: a time that is not RFC 3339", errShape)
	}
	return t, nil
}

// local reads a time that has an offset, or is in zone.
func local(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: a local time that cannot be read", errShape)
}

// confirmed is from when on a booking without a date is good.
func (b *booking) confirmed() (time.Time, error) {
	if at, err := instant(b.Confirmed); err != nil || !at.IsZero() {
		return at, err
	}
	at, err := instant(&b.Created)
	if err == nil && at.IsZero() {
		err = fmt.Errorf("%w: no time of confirmation", errShape)
	}
	return at, err
}
