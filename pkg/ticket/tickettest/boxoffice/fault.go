package boxoffice

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Fault is a way to misbehave. Nobody may be admitted or refused because of
// one. The zero Fault is none.
type Fault struct {
	Name  string
	Slow  bool // no answer comes before the client has had enough
	serve func(*visit)
}

// A visit is one request to an office that misbehaves.
type visit struct {
	office *Office
	w      http.ResponseWriter
	r      *http.Request
	number int
}

// good is what the office would answer.
func (v *visit) good() answer { return v.office.answer(v.r) }

// gone waits until the client or the office has gone, or for d.
func (v *visit) gone(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-v.r.Context().Done():
		return true
	case <-v.office.closed:
		return true
	case <-timer.C:
		return false
	}
}

// raw takes the connection and writes text, and closes it.
func (v *visit) raw(text string) {
	conn, _, err := http.NewResponseController(v.w).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte(text))
	_ = conn.Close()
}

func (v *visit) text(status int, mediaType, text string) {
	v.w.Header().Set("Content-Type", mediaType)
	v.w.WriteHeader(status)
	_, _ = v.w.Write([]byte(text))
}

// Faults that take time.
var (
	Hang = Fault{Name: "hangs", Slow: true, serve: func(v *visit) { v.gone(time.Hour) }}

	Drip = Fault{Name: "sends a byte now and then", Slow: true, serve: func(v *visit) {
		a := v.good()
		v.w.Header().Set("Content-Type", a.Header().Get("Content-Type"))
		v.w.WriteHeader(a.Code)
		for _, b := range append(a.Body.Bytes(), bytes.Repeat([]byte(" "), 10_000)...) {
			if _, err := v.w.Write([]byte{b}); err != nil || http.NewResponseController(v.w).Flush() != nil || v.gone(50*time.Millisecond) {
				return
			}
		}
	}}

	Endless = Fault{Name: "sends a body without an end", serve: func(v *visit) {
		v.w.Header().Set("Content-Type", "application/json")
		for {
			if _, err := v.w.Write(bytes.Repeat([]byte(" "), 32<<10)); err != nil {
				return
			}
		}
	}}
)

// Faults of the connection and of HTTP.
var (
	Drop    = Fault{Name: "closes the connection", serve: func(v *visit) { v.raw("") }}
	NotHTTP = Fault{Name: "does not speak HTTP", serve: func(v *visit) { v.raw("220 secret-banner ESMTP\r\n") }}

	TooLong = Fault{Name: "announces more than it sends", serve: func(v *visit) {
		body := v.good().Body.String()
		v.raw(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body)+10, body))
	}}
	TooShort = Fault{Name: "announces less than it sends", serve: func(v *visit) {
		body := v.good().Body.String()
		v.raw(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", max(0, len(body)-5), body))
	}}
	BadChunk = Fault{Name: "breaks off in a chunk", serve: func(v *visit) {
		v.raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7f\r\n" + v.good().Body.String())
	}}
	Headers = Fault{Name: "sends headers without an end", serve: func(v *visit) {
		v.raw("HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", 200) + "\r\n")
	}}
)

// Faults of the body.
var (
	Huge = Fault{Name: "sends a good answer of a megabyte", serve: func(v *visit) {
		a := v.good()
		v.text(a.Code, a.Header().Get("Content-Type"), a.Body.String()+strings.Repeat(" ", 1<<20))
	}}
	Bomb = Fault{Name: "sends a gzip bomb", serve: func(v *visit) {
		v.w.Header().Set("Content-Encoding", "gzip")
		a := v.good()
		v.text(a.Code, a.Header().Get("Content-Type"), packed(a.Body.String()+strings.Repeat(" ", 2<<20)))
	}}
	NotPacked = Fault{Name: "says gzip and is none", serve: func(v *visit) {
		v.w.Header().Set("Content-Encoding", "gzip")
		v.good().write(v.w)
	}}
	Packing = Fault{Name: "packs in an unknown way", serve: func(v *visit) {
		v.w.Header().Set("Content-Encoding", "br")
		v.good().write(v.w)
	}}
	Cut     = body("cuts its answer", func(good string) string { return good[:max(0, len(good)-1)] })
	Twice   = body("answers twice", func(good string) string { return good + good })
	NoText  = body("sends bytes that are no text", func(good string) string { return "\xff\xfe" + good })
	Deep    = body("nests without an end", func(string) string { return strings.Repeat("[", 30_000) })
	Nothing = body("answers with nothing", func(string) string { return "" })
	Null    = body("answers null", func(string) string { return "null" })
	HTML    = Fault{Name: "answers with a page", serve: func(v *visit) {
		v.text(http.StatusOK, "text/html; charset=utf-8", "<!doctype html><title>Login</title><p>valid true")
	}}
	Untyped = Fault{Name: "does not say what it sends", serve: func(v *visit) {
		v.w.Header()["Content-Type"] = nil
		_, _ = v.w.Write(v.good().Body.Bytes())
	}}
	ScriptXML = Fault{Name: "answers in XML", serve: func(v *visit) {
		v.text(http.StatusOK, "application/xml", `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><valid>&b;</valid>`)
	}}
)

func body(name string, change func(good string) string) Fault {
	return Fault{Name: name, serve: func(v *visit) {
		a := v.good()
		v.text(http.StatusOK, a.Header().Get("Content-Type"), change(a.Body.String()))
	}}
}

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// Status answers with a status and, if there may be a body, with the good one.
func Status(status int) Fault {
	return Fault{Name: "answers with status " + strconv.Itoa(status), serve: func(v *visit) {
		a := v.good()
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			v.w.Header().Set("Retry-After", "7")
		}
		if status == http.StatusNoContent || status == http.StatusNotModified {
			v.w.WriteHeader(status)
			return
		}
		v.text(status, a.Header().Get("Content-Type"), a.Body.String())
	}}
}

// Redirect sends the client somewhere else.
func Redirect(to string) Fault {
	return Fault{Name: "sends the client somewhere else", serve: func(v *visit) {
		v.w.Header().Set("Location", to)
		v.text(http.StatusFound, "application/json", v.good().Body.String())
	}}
}

// Mixed gives the last good answer to everybody: one about another ticket, if
// another one was asked about before. It is not among Faults, as there has to be
// such an answer.
var Mixed = Fault{Name: "answers about another ticket", serve: func(v *visit) {
	v.office.mu.Lock()
	last := v.office.last
	v.office.mu.Unlock()
	if last == nil {
		v.text(http.StatusInternalServerError, "text/plain", "nobody asked before")
		return
	}
	answer{last}.write(v.w)
}}

// Flapping fails every second time. It is not among Faults, as it is good in
// between.
var Flapping = Fault{Name: "fails every second time", serve: func(v *visit) {
	if v.number%2 == 0 {
		v.text(http.StatusBadGateway, "text/html", "<h1>Bad Gateway</h1>")
		return
	}
	v.good().write(v.w)
}}

// Faults returns every way to misbehave at all requests, but for statuses that
// may mean something: 404, 410 and what a source is configured for.
func Faults() []Fault {
	faults := []Fault{
		Hang, Drip, Endless, Drop, NotHTTP, TooLong, TooShort, BadChunk, Headers, Huge, Bomb, NotPacked, Packing, Cut, Twice,
		NoText, Deep, Nothing, Null, HTML, Untyped, ScriptXML, Redirect("http://127.0.0.1:1/valid"),
	}
	for _, status := range []int{201, 202, 203, 204, 206, 300, 301, 304, 307, 308, 400, 401, 403, 405, 409, 418, 429, 451, 500, 501, 502, 503, 504, 520} {
		faults = append(faults, Status(status))
	}
	return faults
}
