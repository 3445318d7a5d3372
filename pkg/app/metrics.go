package app

import (
	"context"
	"errors"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/telemetry"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
)

// watching reports whether somebody wants numbers or traces.
func (o Options) watching() bool { return o.Meter != nil || o.Tracer != nil }

// A kept is a part that keeps numbers of its own.
type kept struct {
	part any
	read telemetry.Read
}

// keeps notes that a part has numbers to be read.
func (a *App) keeps(part any, read telemetry.Read) { a.parts = append(a.parts, kept{part, read}) }

// show has the numbers of all parts read until the gateway closes, and begins
// the counters whose labels are known: a rate needs to have seen a zero.
func (a *App) show() {
	meter := a.opts.Meter
	for _, k := range append(a.parts, kept{a, a.read}) {
		detach := meter.Attach(k.part, k.read)
		a.closers = append(a.closers, func() error { detach(); return nil })
	}
	for _, place := range a.places {
		meter.Add(telemetry.Admissions, 0, place.ID)
		meter.Add(telemetry.Seats, 0, place.ID)
	}
	for _, outcome := range []string{"ok", "degraded"} {
		meter.Add(telemetry.Renewals, 0, outcome)
	}
	for _, outcome := range []string{"ok", "failed"} {
		meter.Add(telemetry.Reloads, 0, outcome)
	}
	for _, act := range []gate.Act{gate.ActAdmit, gate.ActRenew} {
		meter.Add(telemetry.Failures, 0, string(act), unavailable)
	}
}

// count counts what became of an act at the gate.
func (a *App) count(e gate.Event) {
	meter := a.opts.Meter
	var denial *gate.Denial
	switch {
	case e.Act == gate.ActRevoke && e.Err == nil:
		meter.Add(telemetry.Revocations, 1, target(e.Target))
		meter.Add(telemetry.Revoked, float64(e.Affected))
	case e.Act == gate.ActRevoke && errors.Is(e.Err, gate.ErrNoTarget):
	case e.Err == nil:
		a.countDone(e)
	case !errors.As(e.Err, &denial):
		meter.Add(telemetry.Failures, 1, string(e.Act), cause(e.Err))
	case e.Act == gate.ActAdmit:
		meter.Add(telemetry.Refusals, 1, a.placeOf(e), string(denial.Reason))
	case e.Act == gate.ActRenew:
		meter.Add(telemetry.RenewalRefusals, 1, string(denial.Reason))
	}
}

// countDone counts an act of a viewer that was done.
func (a *App) countDone(e gate.Event) {
	meter := a.opts.Meter
	switch e.Act {
	case gate.ActAdmit:
		place := a.placeOf(e)
		meter.Add(telemetry.Admissions, 1, place)
		if e.Seated {
			meter.Add(telemetry.Seats, 1, place)
		}
	case gate.ActRenew:
		outcome := "ok"
		if e.Degraded {
			outcome = "degraded"
		}
		meter.Add(telemetry.Renewals, 1, outcome)
	case gate.ActLeave:
		meter.Add(telemetry.Leaves, 1)
	}
}

// other stands for every attraction that is not configured, and for those who
// did not say where they are and may be anywhere.
const other = "other"

// placeOf returns the attraction that an event counts for. What a viewer says
// becomes a label only if it is configured.
func (a *App) placeOf(e gate.Event) string {
	place := e.Attraction
	switch {
	case place == "" && e.Admission != nil:
		place = only(e.Admission)
	case place == "" && len(a.places) == 1:
		return a.places[0].ID
	}
	if _, ok := a.rules.Attraction(place); !ok {
		return other
	}
	return place
}

// only returns the one attraction that an admission is for, or nothing.
func only(a *gate.Admission) (place string) {
	for _, e := range a.Entitlements {
		if place != "" && place != e.Attraction {
			return ""
		}
		place = e.Attraction
	}
	return place
}

// target returns the label for what was revoked.
func target(kind gate.TargetKind) string {
	switch kind {
	case gate.TargetTicket, gate.TargetAdmission, gate.TargetDevice, gate.TargetAttraction:
		return string(kind)
	}
	return other
}

// The causes of failures. A viewer who went away is nobody's fault.
const (
	unavailable = "unavailable"
	gone        = "gone"
)

// cause returns the label for an error that is no denial.
func cause(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return gone
	case errors.Is(err, gate.ErrReadOnly):
		return "read_only"
	case errors.Is(err, gate.ErrOtherRequest):
		return "reused_key"
	case errors.Is(err, cloudfront.ErrBusy), errors.Is(err, calm.ErrBusy), errors.Is(err, httpapi.ErrBusy):
		return "busy"
	}
	return unavailable
}

// meter returns what takes the numbers of a Live.
func (l *Live) meter() telemetry.Meter {
	if l.opts.App.Meter == nil {
		return telemetry.None
	}
	return l.opts.App.Meter
}
