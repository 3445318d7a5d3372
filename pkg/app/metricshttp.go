package app

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

// noRoute is the route of requests that take none, or were refused before.
const noRoute = "none"

// A passage is one request on its way through the gateway.
type passage struct{ route string }

type passageKey struct{}

// takes notes which route a request takes. Requests that nobody watches have
// nowhere to note it.
func takes(r *http.Request, route string) {
	if p, ok := r.Context().Value(passageKey{}).(*passage); ok {
		p.route = route
	}
}

// via returns h as a route of its own.
func (a *App) via(route string, h http.Handler) http.Handler {
	if !a.watched {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		takes(r, route)
		h.ServeHTTP(w, r)
	})
}

// decided counts a decision of the local edge. What it guards are the media.
func (a *App) decided(r *http.Request, what string) {
	if what != "public" {
		takes(r, "media")
	}
	a.opts.Meter.Add(telemetry.EdgeDecisions, 1, what)
}

// A turnstile counts, times and traces requests.
type turnstile struct {
	next    http.Handler
	meter   telemetry.Meter
	tracer  telemetry.Tracer
	trusted []netip.Prefix // who may say which trace a request belongs to
}

// through returns h with a turnstile in front of it.
func (a *App) through(h http.Handler) (http.Handler, error) {
	if !a.watched {
		return h, nil
	}
	trusted, err := a.proxies()
	return &turnstile{h, a.opts.Meter, a.opts.Tracer, trusted}, err
}

func (t *turnstile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	t.meter.Add(telemetry.InFlight, 1)
	p := &passage{route: noRoute}
	ctx, span := t.tracer.Request(r, t.trusts(r))
	watched, seen := watch(w)
	done := false
	defer func() { t.leave(r, p, span, seen.class(done), time.Since(began)) }() // after a panic too
	t.next.ServeHTTP(watched, r.WithContext(context.WithValue(ctx, passageKey{}, p)))
	done = true
}

func (t *turnstile) leave(r *http.Request, p *passage, span telemetry.Span, status string, took time.Duration) {
	method := methodOf(r)
	t.meter.Add(telemetry.InFlight, -1)
	t.meter.Add(telemetry.Requests, 1, p.route, method, status)
	t.meter.Observe(telemetry.RequestSeconds, took.Seconds(), p.route)
	span.Describe(method+" "+p.route, telemetry.Attr{Key: "http.route", Value: p.route},
		telemetry.Attr{Key: "http.request.method", Value: method}, telemetry.Attr{Key: "handstamp.status", Value: status})
	span.End(status == "5xx" || status == aborted)
}

// trusts reports whether a request comes from one of the trusted proxies.
func (t *turnstile) trusts(r *http.Request) bool {
	addr := peerOf(r)
	return slices.ContainsFunc(t.trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func peerOf(r *http.Request) netip.Addr {
	both, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return both.Addr().Unmap()
}

// methodOf returns the label for a method: one that HTTP knows.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "OTHER"
}

// A recorder sees the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int // 0 as long as there is none
}

// watch returns w as one that is seen. It can be given a file to copy if w can.
func watch(w http.ResponseWriter) (http.ResponseWriter, *recorder) {
	seen := &recorder{ResponseWriter: w}
	if from, ok := w.(io.ReaderFrom); ok {
		return copyRecorder{seen, from}, seen
	}
	return seen, seen
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(p)
}

func (w *recorder) begin() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// aborted is the class of an answer that broke off.
const aborted = "aborted"

// class returns the class of the status, "2xx". An answer that was not finished
// broke off.
func (w *recorder) class(finished bool) string {
	if !finished {
		return aborted
	}
	w.begin() // as the server does
	return strconv.Itoa(w.status/100) + "xx"
}

type copyRecorder struct {
	*recorder
	from io.ReaderFrom
}

// ReadFrom implements io.ReaderFrom, so that the kernel can still copy a file.
func (w copyRecorder) ReadFrom(src io.Reader) (int64, error) {
	w.begin()
	return w.from.ReadFrom(src)
}
