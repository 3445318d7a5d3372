package telemetry

import (
	"slices"
	"strings"
)

// The buckets of histograms, in seconds.
var (
	requestBuckets = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	workBuckets    = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}
	askBuckets     = []float64{0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
)

// The door: who was let in.
var (
	Admissions      = counter("handstamp_admissions_total", "Tickets that were traded for cookies, by attraction.", "attraction")
	Refusals        = counter("handstamp_refusals_total", "Tickets that were refused, by attraction and reason.", "attraction", "reason")
	Seats           = counter("handstamp_seats_taken_total", "Admissions that took a seat, by attraction: those of a device that did not have one.", "attraction")
	Renewals        = counter("handstamp_renewals_total", "Visits that were renewed, by outcome: ok, or degraded for want of a source or a book.", "outcome")
	RenewalRefusals = counter("handstamp_renewal_refusals_total", "Visits that were not renewed, by reason.", "reason")
	Leaves          = counter("handstamp_leaves_total", "Sessions that were left.")
	Revocations     = counter("handstamp_revocations_total", "Revocations by this process, by target.", "target")
	Revoked         = counter("handstamp_revoked_total", "Living admissions and devices that revocations by this process have ended.")
	Failures        = counter("handstamp_failures_total", "Acts at the door that came to nothing because nobody knew, by act and cause.", "act", "cause")
)

// Requests over HTTP.
var (
	Requests       = counter("handstamp_http_requests_total", "Requests that were answered, by route template, method and class of the status.", "route", "method", "status")
	RequestSeconds = histogram("handstamp_http_request_duration_seconds", "Time to answer a request, in seconds, by route template.", requestBuckets, "route")
	InFlight       = &Metric{Name: "handstamp_http_requests_in_flight", Help: "Requests that are being answered.", Kind: Gauge}
	LineAnswering  = readGauge("handstamp_line_answering", "Requests that have their turn, by line: verify, renew, files.", "line")
	LineRefused    = readCounter("handstamp_line_turned_away_total", "Requests that were turned away because their line was full, by line.", "line")
	LineWaiting    = readGauge("handstamp_line_waiting", "Requests that wait for their turn, by line.", "line")
)

// Ticket sources.
var (
	SourceSeconds   = histogram("handstamp_source_duration_seconds", "Time of a source for one question, in seconds, by source and outcome: answered, refused, failed, gone (the viewer went away).", askBuckets, "source", "outcome")
	SourceHits      = readCounter("handstamp_source_cache_hits_total", "Viewers whose answer was remembered, by source and verdict: ticket, refusal.", "source", "verdict")
	SourceQuestions = readCounter("handstamp_source_questions_total", "What became of questions to a source: asked, joined, busy, spared, failed, late, panic.", "source", "event")
	SourceWaiting   = readGauge("handstamp_source_waiting", "Questions that wait for their turn, by source.", "source")
	SourceAnswering = readGauge("handstamp_source_answering", "Questions that a source is answering, or will next.", "source")
	SourceKept      = readGauge("handstamp_source_remembered", "Verdicts of a source that are remembered.", "source")
	SourceBreaker   = readGauge("handstamp_source_breaker_state", "1 for the state that the breaker of a source is in, 0 for the others: closed, half-open, open.", "source", "state")
	ListTickets     = readGauge("handstamp_list_tickets", "Tickets of a list that is fetched, by source.", "source")
	ListFresh       = readGauge("handstamp_list_fresh_timestamp_seconds", "When the server of a list last said what it is, in seconds since 1970; 0 means never.", "source")
)

// Signing and keys.
var (
	SignSeconds  = histogram("handstamp_sign_duration_seconds", "Time to make one signature with its check, in seconds, by purpose and outcome: made, failed.", workBuckets, "purpose", "outcome")
	Signatures   = readCounter("handstamp_signatures_total", "Signatures by purpose (cookies, links) and outcome: made, shared, older, busy, failed.", "purpose", "outcome")
	SignWaiting  = readGauge("handstamp_signatures_waiting", "Signatures that are being made or wait for a processor, by purpose.", "purpose")
	KeyActive    = readGauge("handstamp_key_active", "1 for the key pair ID that signs, 0 for the others of the ring.", "key")
	KeyState     = readGauge("handstamp_key_state", "1 for the state of a key, by key pair ID: upcoming, active, retiring, retired, revoked; standby without a manifest.", "key", "state")
	KeyMade      = readGauge("handstamp_key_made_timestamp_seconds", "When a key was made, in seconds since 1970.", "key")
	KeyActivated = readGauge("handstamp_key_activated_timestamp_seconds", "When a key last began to sign, in seconds since 1970.", "key")
	KeyRotation  = readGauge("handstamp_key_rotation_began_timestamp_seconds", "When the rotation that is under way began, in seconds since 1970; 0 means that there is none.")
	KeyFailures  = readCounter("handstamp_key_manifest_failures_total", "Looks at the manifest of the keys that failed.")
)

// The book.
var (
	BookSeconds  = histogram("handstamp_book_duration_seconds", "Time of the book for one operation, in seconds, by operation and outcome: ok, denied, read_only, failed, gone (the viewer went away).", workBuckets, "operation", "outcome")
	BookCommits  = readCounter("handstamp_book_commits_total", "Transactions of the SQLite book, each with one sync.")
	BookWrites   = readCounter("handstamp_book_writes_total", "Writes of the SQLite book, refusals included.")
	BookFailures = readCounter("handstamp_book_commit_failures_total", "Transactions of the SQLite book that failed.")
	BookWaiting  = readGauge("handstamp_book_waiting", "Writes that wait for the SQLite book.")
)

// What holds back guessers.
var (
	ThrottleTurns     = readCounter("handstamp_throttle_turns_total", "Turns of the throttle by outcome: allowed, and of these failed, succeeded, cancelled.", "outcome")
	ThrottleRefused   = readCounter("handstamp_throttle_refused_total", "Turns that were not given, by the axis that said no.", "axis")
	ThrottleGuards    = readCounter("handstamp_throttle_guards_total", "Times that an attraction went into guarded mode.")
	ThrottleCounters  = readGauge("handstamp_throttle_counters", "Counters that the throttle holds in memory, by axis.", "axis")
	ThrottleForgotten = readCounter("handstamp_throttle_forgotten_total", "Counters that were given up for others, by axis.", "axis")
)

// Revocations at CloudFront.
var (
	DenylistExported  = readGauge("handstamp_denylist_exported_timestamp_seconds", "When the denylist at CloudFront was last up to date, in seconds since 1970; 0 means never.")
	DenylistFailures  = readCounter("handstamp_denylist_failures_total", "Exports of the denylist that failed.")
	DenylistConflicts = readCounter("handstamp_denylist_conflicts_total", "Times that somebody else had changed the denylist.")
	DenylistEdits     = readCounter("handstamp_denylist_edits_total", "Entries of the denylist that were put or deleted.", "edit")
	DenylistEntries   = readGauge("handstamp_denylist_entries", "Entries of ours in the denylist when it was last up to date.")
	DenylistLeft      = readGauge("handstamp_denylist_left", "Revocations that cannot be exported.")
)

// The administration.
var (
	AdminWrongKeys = readCounter("handstamp_admin_wrong_keys_total", "Requests to the administration with something that is no key.")
	AdminLockouts  = readCounter("handstamp_admin_lockouts_total", "Times that an address was locked out of the administration.")
	AdminRefused   = readCounter("handstamp_admin_refused_total", "Requests to the administration from addresses that were locked out.")
	AdminMisses    = readCounter("handstamp_admin_misses_total", "Codes that staff looked for and that are not there.")
	AdminAddresses = readGauge("handstamp_admin_addresses", "Addresses that the administration remembers.")
)

// The local edge.
var EdgeDecisions = counter("handstamp_edge_decisions_total", "Decisions of the local edge: allowed, public, CloudFront's code of a refusal, or what else it refused for.", "code")

// The process.
var (
	Reloads     = counter("handstamp_config_reloads_total", "Times that a changed configuration was taken on or refused, by outcome: ok, failed.", "outcome")
	ConfigBuilt = readGauge("handstamp_config_loaded_timestamp_seconds", "When the configuration that serves was taken on, in seconds since 1970.")
	Build       = &Metric{Name: "handstamp_build_info", Help: "1, with the version of handstamp and of Go.", Kind: Gauge, Labels: []string{"version", "go"}}
	LogDropped  = readCounter("handstamp_log_lines_dropped_total", "Lines of the log that were dropped because nobody read it.")
	TraceErrors = counter("handstamp_trace_export_failures_total", "Batches of traces that the collector did not take.")
)

// Metrics returns all metrics, in the order of their names.
func Metrics() []*Metric {
	all := []*Metric{
		Admissions, Refusals, Seats, Renewals, RenewalRefusals, Leaves, Revocations, Revoked, Failures,
		Requests, RequestSeconds, InFlight, LineAnswering, LineRefused, LineWaiting,
		SourceSeconds, SourceHits, SourceQuestions, SourceWaiting, SourceAnswering, SourceKept, SourceBreaker, ListTickets, ListFresh,
		SignSeconds, Signatures, SignWaiting, KeyActive, KeyState, KeyMade, KeyActivated, KeyRotation, KeyFailures,
		BookSeconds, BookCommits, BookWrites, BookFailures, BookWaiting,
		ThrottleTurns, ThrottleRefused, ThrottleGuards, ThrottleCounters, ThrottleForgotten,
		DenylistExported, DenylistFailures, DenylistConflicts, DenylistEdits, DenylistEntries, DenylistLeft,
		AdminWrongKeys, AdminLockouts, AdminRefused, AdminMisses, AdminAddresses,
		EdgeDecisions, Reloads, ConfigBuilt, Build, LogDropped, TraceErrors,
	}
	slices.SortFunc(all, func(a, b *Metric) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func counter(name, help string, labels ...string) *Metric {
	return &Metric{Name: name, Help: help, Kind: Counter, Labels: labels}
}

func histogram(name, help string, buckets []float64, labels ...string) *Metric {
	return &Metric{Name: name, Help: help, Kind: Histogram, Labels: labels, Buckets: buckets}
}

func readCounter(name, help string, labels ...string) *Metric {
	return &Metric{Name: name, Help: help, Kind: Counter, Labels: labels, Read: true}
}

func readGauge(name, help string, labels ...string) *Metric {
	return &Metric{Name: name, Help: help, Kind: Gauge, Labels: labels, Read: true}
}
