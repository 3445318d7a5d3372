// Package authorizer is a Lambda authorizer for API Gateway: routes of other APIs
// of an attraction open to whoever is on a visit, or holds a ticket. It changes
// nothing: a session is looked up, a ticket is verified, and nobody takes a seat.
//
//	a, err := authorizer.New(guard, authorizer.Options{From: "bearer"})
//	lambda.Start(a) // of github.com/aws/aws-lambda-go/lambda
//
// It answers HTTP APIs (payload format 2.0, simple or with a policy, and 1.0)
// and REST APIs (TOKEN and REQUEST). See "Control access to HTTP APIs with AWS
// Lambda authorizers" and "Use API Gateway Lambda authorizers" in the API Gateway
// Developer Guide.
//
// API Gateway remembers an answer for whoever shows the same identity sources.
// So exactly one credential is read, that of Options.From, and a policy names
// the one method that was called; docs/lambda.md says what a template has to
// configure.
package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Visitor is somebody who was recognised.
type Visitor struct {
	ID           string             // for logs and limits of the API: of the admission, or another for a ticket; never secret
	Admission    string             // id; empty for a ticket
	Entitlements []gate.Entitlement // what the visitor may open
}

// A Guard recognises visitors. A refusal is a *gate.Denial; any other error
// means that nobody knows.
type Guard interface {
	// Session looks a session up and changes nothing.
	Session(ctx context.Context, s gate.Session) (*Visitor, error)
	// Ticket verifies a ticket and lets nobody in with it.
	Ticket(ctx context.Context, code gate.Secret) (*Visitor, error)
}

// Options tunes an Authorizer. The zero value is ready for use.
type Options struct {
	// From is the one credential that is read: "bearer" (a session in
	// Authorization), "cookie:NAME" (sessions in a cookie), "header:NAME" or
	// "query:NAME" (a ticket). Empty means bearer.
	From string
	// Attraction is the one that visitors need something of. Empty means any.
	Attraction string
	// Policy has HTTP APIs with payload format 2.0 answered with a policy. False
	// means the simple answer, which has to be switched on at the authorizer.
	Policy bool
	Log    *slog.Logger     // nil means no log
	Now    func() time.Time // nil means time.Now
}

// The errors of Invoke. API Gateway answers the first with 401, if it is a REST
// API, and the second with 500.
var (
	// API Gateway compares this text, capital letter included.
	ErrUnauthorized = errors.New("Unauthorized")
	ErrUnavailable  = errors.New("unavailable")
)

// An Authorizer answers the events of API Gateway. It is safe for concurrent use.
type Authorizer struct {
	guard Guard
	from  origin
	opts  Options
}

// New returns an Authorizer that asks guard, or an error for an Options.From
// that is none.
func New(guard Guard, opts Options) (*Authorizer, error) {
	from, err := parseOrigin(opts.From)
	if err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Authorizer{guard: guard, from: from, opts: opts}, nil
}

// Invoke answers one event. It returns ErrUnauthorized to REST APIs for whoever
// shows nothing or nothing that is alive, and ErrUnavailable where nobody knows,
// which API Gateway does not remember.
func (a *Authorizer) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil || e.arn() == "" {
		a.opts.Log.ErrorContext(ctx, "authorizer called with what is no event of API Gateway")
		return nil, ErrUnavailable
	}
	v, err := a.recognise(ctx, &e)
	var denial *gate.Denial
	switch {
	case err == nil:
		return json.Marshal(a.answer(&e, v))
	case !errors.As(err, &denial):
		a.opts.Log.ErrorContext(ctx, "nobody knows whether to authorize", "err", err)
		return nil, ErrUnavailable
	}
	a.opts.Log.InfoContext(ctx, "not authorized", "reason", string(denial.Reason), "err", denial.Err)
	if denial.Reason == gate.ReasonNoSession && e.rest() {
		return nil, ErrUnauthorized
	}
	return json.Marshal(a.answer(&e, nil))
}

// isPattern reports whether a policy would take arn for more than itself. A "$"
// alone stands for itself: every HTTP API has one whose stage is "$default" (IAM
// User Guide, IAM policy elements: Variables and tags).
func isPattern(arn string) bool { return strings.ContainsAny(arn, "*?") || strings.Contains(arn, "${") }

// recognise returns who sent e.
func (a *Authorizer) recognise(ctx context.Context, e *event) (*Visitor, error) {
	if isPattern(e.arn()) {
		return nil, gate.Deny(gate.ReasonMalformed, errors.New("the path would be a pattern in a policy"))
	}
	shown, err := a.from.read(e)
	if err != nil {
		return nil, err
	}
	var v *Visitor
	if a.from.ticket() {
		v, err = a.guard.Ticket(ctx, gate.Secret(shown))
	} else {
		v, err = a.sessions(ctx, shown)
	}
	if err != nil {
		return nil, err
	}
	return a.admitted(v)
}

// maxSessions is how many sessions a device has at most, maxSession how long one
// is, in characters.
const (
	maxSessions = 4
	maxSession  = 128
)

// sessions looks up the sessions of one device, which are joined by dots. The
// visitor is that of the first which is alive, with what all of them open.
func (a *Authorizer) sessions(ctx context.Context, shown string) (*Visitor, error) {
	var all *Visitor
	last := error(gate.Deny(gate.ReasonNoSession, nil))
	parts := strings.Split(shown, ".")
	for _, part := range parts[:min(len(parts), maxSessions)] {
		if part == "" || len(part) > maxSession {
			continue
		}
		v, err := a.guard.Session(ctx, gate.Session(part))
		var denial *gate.Denial
		switch {
		case errors.As(err, &denial):
			last = gate.Deny(gate.ReasonNoSession, err)
		case err != nil:
			return nil, err
		case all == nil:
			all = v
		default:
			all.Entitlements = gate.Merge(all.Entitlements, v.Entitlements)
		}
	}
	if all == nil {
		return nil, last
	}
	return all, nil
}

// admitted leaves v what is open now, and denies one who may open nothing that
// is wanted.
func (a *Authorizer) admitted(v *Visitor) (*Visitor, error) {
	now := a.opts.Now()
	open := slices.DeleteFunc(slices.Clone(v.Entitlements), func(e gate.Entitlement) bool {
		return a.opts.Attraction != "" && e.Attraction != a.opts.Attraction || e.From.After(now) || !e.Until.After(now)
	})
	if len(open) == 0 {
		return nil, gate.Deny(gate.ReasonWrongAttraction, fmt.Errorf("visitor %s may open nothing that is wanted now", v.ID))
	}
	return &Visitor{ID: v.ID, Admission: v.Admission, Entitlements: open}, nil
}
