package pretix

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
)

// A redemption asks pretix to check a ticket in.
type redemption struct {
	Secret     string  `json:"secret"`
	SourceType string  `json:"source_type"`
	Lists      []int64 `json:"lists"`
	Type       string  `json:"type"`
	Questions  bool    `json:"questions_supported"`
	Nonce      string  `json:"nonce"`
}

// A receipt is the answer.
type receipt struct {
	Status      string    `json:"status"`
	Reason      string    `json:"reason"`
	Explanation *string   `json:"reason_explanation"`
	Position    *position `json:"position"`
}

// reasons are those of pretix that say all. They come with status "error".
var reasons = map[string]gate.Reason{
	"invalid":           gate.ReasonUnknown,
	"unpaid":            gate.ReasonNotPaid,
	"unapproved":        gate.ReasonNotPaid,
	"canceled":          gate.ReasonCancelled,
	"revoked":           gate.ReasonReplaced,
	"blocked":           gate.ReasonBlocked,
	"product":           gate.ReasonNotIncluded,
	"rules":             gate.ReasonSeeStaff,
	"ambiguous":         gate.ReasonSeeStaff,
	"already_exchanged": gate.ReasonSeeStaff,
	"medium_invalid":    gate.ReasonSeeStaff,
	"medium_exists":     gate.ReasonSeeStaff,
}

// redeem checks a found ticket in, once a day however often it is asked: the
// nonce is the same then, and pretix keeps one entry.
func (s *Source) redeem(ctx context.Context, f *found) error {
	body, err := json.Marshal(s.redemption(f.position)) // #nosec G117 -- the request is for the secret, and goes to whoever issued it
	if err != nil {
		return err
	}
	answer, err := s.api.ask(ctx, http.MethodPost, "redeem a ticket", "/checkinrpc/redeem/", nil, body)
	if err != nil {
		return err
	}
	r, err := readReceipt(answer)
	if err != nil {
		return err
	}
	if r.Position != nil && !belongs(r.Position, f.position) {
		return errors.New("redeem a ticket: pretix answers with another ticket than was asked for")
	}
	if err := s.settle(ctx, f, r, answer.Status); err != nil {
		return err
	}
	if r.Position != nil { // its check-ins are those of the list to redeem on
		f.ticket.FirstUse = gate.EarlierUse(f.ticket.FirstUse, r.Position.firstUse(s.cfg.Events))
	}
	return nil
}

func (s *Source) redemption(p *position) redemption {
	r := redemption{Secret: p.Secret.Reveal(), SourceType: "barcode", Type: "entry", Nonce: s.nonce(p)}
	for _, e := range s.cfg.Events {
		r.Lists = append(r.Lists, cmp.Or(e.Redeem, e.List))
	}
	return r
}

func (s *Source) nonce(p *position) string {
	zone := s.zone(p)
	if zone == nil {
		zone = time.UTC
	}
	mac := hmac.New(sha256.New, s.opts.Secret)
	mac.Write([]byte("pretix nonce\x00" + gate.DateOf(s.opts.Now().In(zone)).String() + "\x00")) // the secret has other uses
	mac.Write([]byte(p.Secret.Reveal()))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// readReceipt reads verdicts. pretix sends refusals with 400 and 404, its
// documentation says 200 for some.
func readReceipt(answer *outbound.Answer) (*receipt, error) {
	switch answer.Status {
	case http.StatusOK, http.StatusCreated, http.StatusBadRequest, http.StatusNotFound:
	default:
		return nil, refused("redeem a ticket", answer)
	}
	var r receipt
	if err := decode("redeem a ticket", answer, &r); err != nil || r.Status == "" {
		return nil, refused("redeem a ticket", answer) // as of {"lists": [...]}: no such list
	}
	return &r, nil
}

// belongs reports whether pretix redeemed p or, with addon_match, an add-on of it.
func belongs(got, p *position) bool {
	if got.ID == p.ID {
		return equal(got.Secret, p.Secret)
	}
	return got.AddOnTo != nil && *got.AddOnTo == p.ID && got.Order == p.Order
}

// settle returns nil if the viewer may come in.
func (s *Source) settle(ctx context.Context, f *found, r *receipt, status int) error {
	deny := func(reason gate.Reason) error {
		return &gate.Denial{Reason: reason, Proven: f.ticket.Proven && reason != gate.ReasonUnknown, Err: fmt.Errorf("pretix says %.20q %.40q %.200q", r.Status, r.Reason, text(r.Explanation))}
	}
	switch {
	case r.Status == "ok" && status == http.StatusCreated && r.Position != nil:
		return nil
	case r.Status == "exchange":
		return deny(gate.ReasonSeeStaff)
	case r.Status != "error" || r.Reason == "error":
		return fmt.Errorf("redeem a ticket: pretix answers %d with status %.20q, reason %.20q", status, r.Status, r.Reason)
	case r.Reason == "already_redeemed":
		return s.again(r, deny)
	case r.Reason == "invalid_time":
		return deny(s.outOfTime(f.ticket))
	}
	if r.Reason == "ambiguous" {
		s.opts.Log.ErrorContext(ctx, "pretix cannot tell which ticket a code means; the check-in list needs other products", "position", f.position.ID)
	}
	reason, ok := reasons[r.Reason]
	if !ok {
		s.opts.Log.WarnContext(ctx, "pretix refused a ticket for a reason that is not known here", "reason", r.Reason)
		reason = gate.ReasonSeeStaff
	}
	return deny(reason)
}

// again lets in who has been let in a short while ago.
func (s *Source) again(r *receipt, deny func(gate.Reason) error) error {
	if r.Position == nil {
		return errors.New("redeem a ticket: pretix does not say when it was redeemed")
	}
	var last time.Time
	for _, c := range r.Position.Checkins {
		if c.Type == "entry" && c.Datetime.After(last) {
			last = c.Datetime
		}
	}
	if s.opts.Now().Sub(last) < s.opts.Reentry {
		return nil
	}
	return deny(gate.ReasonExpired)
}

func (s *Source) outOfTime(t *gate.Ticket) gate.Reason {
	if s.opts.Now().Before(t.ValidFrom) {
		return gate.ReasonNotYetValid
	}
	return gate.ReasonExpired
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
