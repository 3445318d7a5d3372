package octo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

// A StatusError is an answer that says nothing about a booking.
type StatusError struct {
	Status int
	Code   string        // OCTO's, like FORBIDDEN; empty if there is none
	After  time.Duration // what the server asks for; 0 means nothing
}

// RetryAfter returns e.After.
func (e *StatusError) RetryAfter() time.Duration { return e.After }

// Summary returns what may be logged: nothing in it is from the answer's text.
func (e *StatusError) Summary() string {
	return fmt.Sprintf("the reservation system answers %d", e.Status)
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("ask for a booking: the reservation system answers %d %.40s", e.Status, e.Code)
	if e.Code == "FORBIDDEN" || e.Code == "UNAUTHORIZED" || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		text += " (hint: the API key is not accepted)"
	}
	return strings.TrimSpace(text)
}

// errNoBooking means that the reservation system does not know a UUID.
var errNoBooking = errors.New("no such booking")

// A failure is the body of an error.
type failure struct {
	Error string `json:"error"`
}

const invalidUUID = "INVALID_BOOKING_UUID"

// byUUID returns one booking, or errNoBooking.
func (s *Source) byUUID(ctx context.Context, uuid string) (*booking, error) {
	answer, err := s.ask(ctx, "/bookings/"+url.PathEscape(uuid), nil)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, refused(answer)
	}
	var b booking
	if err := decode(answer, &b); err != nil {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	if !strings.EqualFold(b.UUID, uuid) {
		return nil, errOther
	}
	return &b, nil
}

var errOther = errors.New("ask for a booking: the reservation system answers with another one than was asked for")

// byReference returns all bookings with a reference, perhaps none.
func (s *Source) byReference(ctx context.Context, field Reference, reference string) ([]booking, error) {
	path := "/bookings"
	if s.cfg.Slash {
		path += "/"
	}
	answer, err := s.ask(ctx, path, url.Values{string(field): {reference}})
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		if err := refused(answer); !errors.Is(err, errNoBooking) {
			return nil, err
		}
		return nil, &StatusError{Status: answer.Status, Code: invalidUUID} // nobody asked for one
	}
	var list *[]booking
	if err := decode(answer, &list); err != nil {
		return nil, err
	}
	if list == nil {
		return nil, errShape
	}
	for i := range *list {
		b := &(*list)[i]
		if err := b.check(); err != nil {
			return nil, err
		}
		if got := b.reference(field); got != reference && (s.cfg.MixedCase || !strings.EqualFold(got, reference)) {
			return nil, errOther
		}
	}
	return *list, nil
}

func (s *Source) ask(ctx context.Context, path string, query url.Values) (*outbound.Answer, error) {
	target := s.cfg.URL + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, errors.New("ask for a booking: the URL cannot be asked") // err quotes it
	}
	req.Header.Set("Authorization", "Bearer "+s.cfg.Token.Reveal())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Octo-Capabilities", strings.Join(s.cfg.Capabilities, ", "))
	if s.cfg.Env != "" {
		req.Header.Set("Octo-Env", s.cfg.Env)
	}
	answer, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for a booking: %w", err)
	}
	return answer, nil
}

// refused tells errors apart by their code: OCTO puts most of them under 400.
func refused(answer *outbound.Answer) error {
	var f failure
	if err := json.Unmarshal(answer.Body, &f); err != nil || !header.MatchString(f.Error) {
		f.Error = ""
	}
	if f.Error == invalidUUID && (answer.Status == http.StatusBadRequest || answer.Status == http.StatusNotFound) {
		return errNoBooking
	}
	return &StatusError{Status: answer.Status, Code: f.Error, After: answer.RetryAfter(time.Now())}
}

// decode quotes nothing of the answer, which has names in it.
func decode(answer *outbound.Answer, to any) error {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || json.Unmarshal(answer.Body, to) != nil {
		return errShape
	}
	return nil
}
