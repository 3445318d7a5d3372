package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// A refusal is an answer that is given without or instead of the handler.
type refusal struct {
	status int
	code   string
	detail string        // for the viewer
	wait   time.Duration // Retry-After; 0 means none
	err    error         // for the log
}

func (r *refusal) Error() string {
	if r.err != nil {
		return r.code + ": " + r.err.Error()
	}
	return r.code + ": " + r.detail
}

func (r *refusal) Unwrap() error { return r.err }

var (
	errPanic    = &refusal{status: http.StatusInternalServerError, code: "internal", detail: "Something went wrong on our side."}
	errTooLate  = &refusal{status: http.StatusServiceUnavailable, code: "unavailable", detail: "This took too long. Please try again.", wait: 5 * time.Second}
	errTooLarge = &refusal{status: http.StatusInternalServerError, code: "reply_too_large",
		detail: "The reply is larger than AWS Lambda can send. Ask for a presigned URL (POST /v1/objects/urls) and fetch the file from there."}
	errOneCookie = &refusal{status: http.StatusInternalServerError, code: "single_value_headers",
		detail: "The load balancer would keep one cookie of each answer only. Switch on lambda.multi_value_headers.enabled for the target group."}
)

// malformed refuses an event that cannot be read; err is for the log and quotes
// nothing of it that could be secret.
func malformed(err error) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "bad_request", detail: "The request cannot be read.", err: err}
}

// refuse returns the reply for err, in the form of e.
func (a *Adapter) refuse(ctx context.Context, e *event, err error) []byte {
	var r *refusal
	if !errors.As(err, &r) {
		r = malformed(err)
	}
	level := slog.LevelInfo
	if r.status >= 500 {
		level = slog.LevelError
	}
	a.opts.Log.LogAttrs(ctx, level, "event refused", slog.Int("status", r.status), slog.String("code", r.code), slog.Any("err", err))
	text, _ := r.recorder().encode(e.form) // no text of ours is too large
	return text
}

// recorder returns the answer that r stands for, in the form of RFC 9457.
func (r *refusal) recorder() *recorder {
	w := newRecorder(http.MethodGet, 1<<20)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	if r.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(r.wait/time.Second)))
	}
	body, _ := json.Marshal(map[string]any{ // these can all be marshalled
		"type": "urn:handstamp:problem:" + r.code, "title": http.StatusText(r.status), "status": r.status, "code": r.code, "detail": r.detail,
	})
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
	w.finish()
	return w
}
