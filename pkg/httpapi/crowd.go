package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"time"
)

// How many requests of a sort are answered at a time. There are enough to keep any
// machine at work while some wait for the book. Verifying and renewing together are
// as many as may wait for a signature (cloudfront.StamperOptions), and what signs
// URLs as many as may wait for those (cloudfront.LinkerOptions): who had a turn is
// not turned away there.
const (
	DefaultVerifying = 128
	DefaultRenewing  = 128
	DefaultFiling    = 64
)

// DefaultAside is how many requests wait for the same ticketing system: as many as
// stand in the line before it.
const DefaultAside = 1000

// A Crowd says how many requests are answered at a time and how many wait. Those
// in excess are turned away at once, with 503, the code busy and a Retry-After
// that spreads them. Each sort has a line of its own: however many show tickets,
// visitors who are in renew. The zero value is ready for use.
//
// Whoever waits for a ticketing system, or until all refusals have taken the same
// time, is in no line meanwhile.
type Crowd struct {
	Verify Line // tickets that are shown; Working is DefaultVerifying
	Renew  Line // visitors who are in: renewing, leaving; Working is DefaultRenewing
	Files  Line // signed URLs and private files; Working is DefaultFiling
	Aside  int  // requests that wait for the same ticketing system; 0 means DefaultAside
}

// lines are where requests wait.
type lines struct {
	verify, renew, files *line
	aside                *asides
}

func newLines(c Crowd) lines {
	return lines{
		verify: newLine("verify", maxBody, c.Verify.withDefault(DefaultVerifying)),
		renew:  newLine("renew", maxBody, c.Renew.withDefault(DefaultRenewing)),
		files:  newLine("files", maxBatch, c.Files.withDefault(DefaultFiling)),
		aside:  &asides{most: cmp.Or(c.Aside, DefaultAside), waiting: map[string]int{}},
	}
}

// inLine has requests wait for their turn in l. Their bodies are read before, as
// whoever sends one slowly must not hold a place.
func (s *Server) inLine(l *line, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		fetchBody(r, l.body)
		came := time.Now()
		switch err := l.enter(r.Context()); {
		case errors.Is(err, ErrBusy):
			s.turnAway(w, r, l)
			return
		case err != nil:
			s.fail(w, r, err)
			return
		}
		runtime.Gosched() // behind those who came meanwhile: to turn them away takes less time than to answer this one
		p := &place{line: l, aside: s.lines.aside, came: came}
		defer p.end()
		next(w, r.WithContext(context.WithValue(r.Context(), placeKey{}, p)))
	}
}

// urlsInLine is inLine for what is at hand unless signed URLs are wanted.
func (s *Server) urlsInLine(next http.HandlerFunc) http.HandlerFunc {
	crowded := s.inLine(s.lines.files, next)
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			next(w, r)
			return
		}
		crowded(w, r)
	}
}

// fetchBody reads as much of a body as handlers look at, up to most bytes, and
// nothing of one that promises more. What is wrong with it is found by the handler,
// which reads the same again.
func fetchBody(r *http.Request, most int64) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength > most {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	var rest io.Reader = r.Body
	if err != nil {
		rest = broken{err}
	}
	r.Body = fetched{io.MultiReader(bytes.NewReader(body), rest), r.Body}
}

// A fetched body is closed with the one that it was read from.
type fetched struct {
	io.Reader
	io.Closer
}

// A broken reader has nothing but an error.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// began returns from when the time of a refusal counts: from when it had been
// read, so that the floor also hides what those before it in the line took. After
// a longer wait, which nobody can tell from noise, it counts from its turn, so that
// the floor still hides its own.
func (s *Server) began(ctx context.Context) time.Time {
	now := time.Now()
	if p := placeOf(ctx); p != nil && now.Sub(p.came) < s.opts.Floor/2 {
		return p.came
	}
	return now
}

// turnAway answers a request that finds its line full. There may be thousands of
// them, so they are logged together.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, l *line) {
	if n := l.complain(time.Now()); n > 0 {
		s.log.LogAttrs(r.Context(), slog.LevelWarn, "requests turned away", slog.String("line", l.name), slog.Int("count", n))
	}
	p := busy()
	p.Type, p.RequestID = "urn:handstamp:problem:"+p.Code, requestID(r.Context())
	writeProblem(w, p)
}

// The times within which those come back who were turned away.
const (
	soonest = time.Second
	latest  = 5 * time.Second
)

// busy is the answer to a request for which there is no room now.
func busy() problem {
	return problem{Status: http.StatusServiceUnavailable, Code: "busy", Title: "Please try again in a moment",
		Detail: "Too many ask at once. Nothing was decided about what was shown; try again after the wait.",
		wait:   soonest + rand.N(latest-soonest+1)} // #nosec G404 -- spreads a crowd, keeps no secret
}

// A complaint is made once a second at most.
type complaint struct {
	count int
	next  time.Time
}

// complain counts a request that was turned away, and returns how many there were
// since that was last said, or 0 if it is too soon to say it again.
func (l *line) complain(now time.Time) (count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away.count++
	l.refused++
	if now.Before(l.away.next) {
		return 0
	}
	count = l.away.count
	l.away = complaint{next: now.Add(time.Second)}
	return count
}
