package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/objects"
)

// An asker is whoever asks for private files, as far as that is known.
type asker struct {
	holder  objects.Holder
	failure error // the worst that was met with its sessions
}

// nobody reports whether the asker showed nothing that is known. Files may be
// there for everyone all the same.
func (a *asker) nobody() bool { return a.holder.Token == "" && len(a.holder.Admissions) == 0 }

// uncertain reports whether nobody knows about one of its admissions.
func (a *asker) uncertain() bool {
	var denial *gate.Denial
	return a.failure != nil && !errors.As(a.failure, &denial)
}

// name says in the log who it was.
func (a *asker) name() string {
	switch {
	case a.holder.Token != "":
		return "token " + a.holder.Token
	case len(a.holder.Admissions) > 0:
		return "admission " + a.holder.Admissions[0].ID
	}
	return "nobody"
}

// files returns a handler that finds out who asks. Without private files there
// is nothing at its path.
func (s *Server) files(next func(http.ResponseWriter, *http.Request, *asker)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.opts.Objects == nil {
			s.handleNotFound(w, r)
			return
		}
		who, err := s.asker(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next(w, r, who)
	}
}

// asker returns whoever has the token that was shown, or else a viewer with the
// living admissions of its sessions. What is neither counts as an unknown session.
// It returns an error for those who have to wait.
func (s *Server) asker(r *http.Request) (*asker, error) {
	shown, native := s.session.shown(r)
	if native {
		if holder, ok := s.opts.Tokens.Find(gate.Secret(shown)); ok {
			return &asker{holder: holder}, nil
		}
	}
	sessions := s.session.read(r)
	if shown != "" && len(sessions) == 0 { // too long for a session, as a wrong token can be
		sessions = wallet{gate.Session(shown)}
	}
	turn := s.allowSessions(r, sessions)
	defer turn.Cancel()
	if !turn.OK {
		return nil, tooMany(&turn)
	}
	who := &asker{}
	for _, session := range sessions {
		admission, _, err := s.keeper.Grants(r.Context(), session) // which asks the source again, if its word has aged
		if err != nil {
			who.failure = worse(who.failure, err)
			continue
		}
		who.holder.Admissions = append(who.holder.Admissions, admission)
	}
	settleSessions(&turn, !who.nobody(), who.failure)
	return who, nil
}

// failFile answers for a file. What is absent and what may not be had look the
// same; a viewer who showed nothing good is told to show a ticket, for both.
func (s *Server) failFile(w http.ResponseWriter, r *http.Request, who *asker, err error) {
	if errors.Is(err, objects.ErrNotFound) {
		switch {
		case who.uncertain(): // the admission that nobody knows about might open it
			err = who.failure
		case who.nobody():
			s.failSessions(w, r, who.failure)
			return
		}
	}
	s.fail(w, r, fileError(err))
}

// fileError words what a Desk says. What it does not know is the store's fault.
func fileError(err error) error {
	var request *objects.RequestError
	var denial *gate.Denial
	switch {
	case errors.Is(err, objects.ErrNotFound):
		absent := &requestError{status: http.StatusNotFound, code: "not_found", detail: "There is no such file."}
		if err != objects.ErrNotFound { // the store says more, for the log only
			absent.err = err
		}
		return absent
	case errors.Is(err, objects.ErrNotUploaded):
		return &requestError{status: http.StatusConflict, code: "not_uploaded", err: err,
			detail: "The file has not arrived in the bucket. Send it first, then confirm."}
	case errors.Is(err, objects.ErrMismatch):
		return &requestError{status: http.StatusConflict, code: "upload_mismatch", err: err,
			detail: "What arrived in the bucket is not what was announced. Ask for a new upload."}
	case errors.As(err, &request):
		return &requestError{status: http.StatusBadRequest, code: "bad_request", err: err, detail: request.Field + ": " + request.Detail}
	case errors.As(err, &denial), errors.Is(err, context.Canceled):
		return err
	}
	failed := &requestError{status: http.StatusServiceUnavailable, code: "unavailable", err: err,
		detail: "The store of the files gives no answer. Nothing was refused; try again."}
	var later interface{ RetryAfter() time.Duration }
	if errors.As(err, &later) {
		failed.wait = max(later.RetryAfter(), 0)
	}
	return failed
}
