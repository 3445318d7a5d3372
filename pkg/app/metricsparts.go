package app

import (
	"time"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/denylist"
	"github.com/handstamp/handstamp/pkg/httpapi"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/telemetry"
	"github.com/handstamp/handstamp/pkg/throttle"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// read shows what belongs to the gateway as a whole.
func (a *App) read(emit telemetry.Emit) {
	emit(telemetry.ConfigBuilt, seconds(a.built))
	a.readKeys(emit)
	for id, source := range a.bare {
		if list, ok := source.(interface{ Status() roll.Status }); ok {
			status := list.Status()
			emit(telemetry.ListTickets, float64(status.Tickets), id)
			emit(telemetry.ListFresh, seconds(status.Fresh), id)
		}
	}
}

// seconds returns t in seconds since 1970, and 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// breakers are the states of a breaker.
var breakers = []string{"closed", "half-open", "open"}

func readCalm(id string, source *calm.Source) telemetry.Read {
	return func(emit telemetry.Emit) {
		s := source.Stats()
		emit(telemetry.SourceHits, float64(s.Hits), id, "ticket")
		emit(telemetry.SourceHits, float64(s.Refusals), id, "refusal")
		for event, n := range map[string]uint64{"asked": s.Asked, "joined": s.Joined, "busy": s.Busy, "spared": s.Spared,
			"failed": s.Failures, "late": s.Late, "panic": s.Panics} {
			emit(telemetry.SourceQuestions, float64(n), id, event)
		}
		emit(telemetry.SourceWaiting, float64(s.Waiting), id)
		emit(telemetry.SourceAnswering, float64(s.Answering), id)
		emit(telemetry.SourceKept, float64(s.Remembered), id)
		for _, state := range breakers {
			emit(telemetry.SourceBreaker, one(state == s.Breaker), id, state)
		}
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func readSignatures(purpose string, stats func() cloudfront.Stats) telemetry.Read {
	return func(emit telemetry.Emit) {
		s := stats()
		for outcome, n := range map[string]uint64{"made": s.Made, "shared": s.Shared, "older": s.Older, "busy": s.Busy, "failed": s.Failed} {
			emit(telemetry.Signatures, float64(n), purpose, outcome)
		}
		emit(telemetry.SignWaiting, float64(s.Waiting), purpose)
	}
}

func readLines(api *httpapi.Server) telemetry.Read {
	return func(emit telemetry.Emit) {
		for _, l := range api.Lines() {
			emit(telemetry.LineAnswering, float64(l.Working), l.Name)
			emit(telemetry.LineWaiting, float64(l.Waiting), l.Name)
			emit(telemetry.LineRefused, float64(l.Refused), l.Name)
		}
	}
}

func readThrottle(guard *throttle.Throttle) telemetry.Read {
	return func(emit telemetry.Emit) {
		s := guard.Snapshot()
		for outcome, n := range map[string]uint64{"allowed": s.Allowed, "failed": s.Failed, "succeeded": s.Succeeded, "cancelled": s.Cancelled} {
			emit(telemetry.ThrottleTurns, float64(n), outcome)
		}
		emit(telemetry.ThrottleGuards, float64(s.Guards))
		for i := range s.Refused {
			axis := throttle.Axis(i).String()
			emit(telemetry.ThrottleRefused, float64(s.Refused[i]), axis)
			emit(telemetry.ThrottleCounters, float64(s.Entries[i]), axis)
			emit(telemetry.ThrottleForgotten, float64(s.Forgotten[i]), axis)
		}
	}
}

func readDenylist(exporter *denylist.Exporter) telemetry.Read {
	return func(emit telemetry.Emit) {
		s := exporter.Snapshot()
		emit(telemetry.DenylistExported, seconds(s.Exported))
		emit(telemetry.DenylistFailures, float64(s.Failed))
		emit(telemetry.DenylistConflicts, float64(s.Conflicts))
		emit(telemetry.DenylistEdits, float64(s.Put), "put")
		emit(telemetry.DenylistEdits, float64(s.Deleted), "deleted")
		emit(telemetry.DenylistEntries, float64(s.Entries))
		emit(telemetry.DenylistLeft, float64(s.Left))
	}
}

func readAdmin(server *admin.Server) telemetry.Read {
	return func(emit telemetry.Emit) {
		s := server.Stats()
		emit(telemetry.AdminWrongKeys, float64(s.WrongKeys))
		emit(telemetry.AdminLockouts, float64(s.Lockouts))
		emit(telemetry.AdminRefused, float64(s.Refused))
		emit(telemetry.AdminMisses, float64(s.Misses))
		emit(telemetry.AdminAddresses, float64(s.Addresses))
	}
}

func readFollower(follower *keyring.Follower) telemetry.Read {
	return func(emit telemetry.Emit) { emit(telemetry.KeyFailures, float64(follower.Failures())) }
}
