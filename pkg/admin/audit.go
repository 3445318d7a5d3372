package admin

import (
	"encoding/hex"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/book"
)

// An eventReply is an event of the audit.
type eventReply struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Target  string    `json:"target"`
	Request string    `json:"request"`
	Before  string    `json:"before,omitempty"`
	After   string    `json:"after,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Hash    string    `json:"hash"`
}

func newEventReply(e *book.AuditEvent) eventReply {
	return eventReply{e.Seq, e.At.UTC(), e.Actor, e.Action, e.Target, e.Request, e.Before, e.After, e.Detail, hex.EncodeToString(e.Hash[:])}
}

type auditReply struct {
	Events []eventReply `json:"events"`
}

// handleAudit serves GET /admin/v1/audit: events with numbers above after.
func (s *Server) handleAudit(w http.ResponseWriter, r *http.Request) error {
	if err := s.wholeAudit(r); err != nil {
		return err
	}
	q := readQuery(r, "after", "limit")
	after, limit := q.whole("after", 0, 0, math.MaxInt64), q.limit()
	if err := q.err(); err != nil {
		return err
	}
	events, err := s.office.Book.Audit(r.Context(), after, limit)
	if err != nil {
		return err
	}
	reply := auditReply{Events: make([]eventReply, len(events))}
	for i := range events {
		reply.Events[i] = newEventReply(&events[i])
	}
	writeJSON(w, http.StatusOK, reply)
	return nil
}

// wholeAudit refuses keys that are limited to attractions: the audit is about
// all of them.
func (s *Server) wholeAudit(r *http.Request) error {
	if !by(r.Context()).limited() {
		return nil
	}
	return &requestError{status: http.StatusForbidden, code: "forbidden", detail: "The audit is not for keys that are limited to attractions."}
}

type auditVerdict struct {
	Intact bool      `json:"intact"`
	Seq    int64     `json:"seq"` // of the last event that is as it was written
	Hash   string    `json:"hash"`
	At     time.Time `json:"at,omitzero"`
}

// handleVerifyAudit serves GET /admin/v1/audit/verify: it reads all of the
// audit. That something is wrong with it is an answer, and is logged.
func (s *Server) handleVerifyAudit(w http.ResponseWriter, r *http.Request) error {
	if err := s.wholeAudit(r); err != nil {
		return err
	}
	if err := readQuery(r).err(); err != nil {
		return err
	}
	last, err := s.office.Book.VerifyAudit(r.Context())
	if err != nil && !errors.Is(err, book.ErrAudit) {
		return err
	}
	if err != nil {
		s.log.LogAttrs(r.Context(), slog.LevelError, "audit was tampered with", slog.String("request_id", requestID(r.Context())), slog.Any("err", err))
	}
	writeJSON(w, http.StatusOK, auditVerdict{Intact: err == nil, Seq: last.Seq, Hash: hex.EncodeToString(last.Hash[:]), At: last.At.UTC()})
	return nil
}
