package httpapi_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/throttle"
)

// A panic in the middle of a file ends the connection: an error behind the
// first bytes would look like the rest of the file.
func TestPanicInTheMiddle(t *testing.T) {
	a := newArchive(t, func(s *site) {
		s.stream = streamer(func(w http.ResponseWriter, _ *http.Request, _ string) error {
			w.Header().Set("Content-Type", "audio/mp4")
			_, _ = io.WriteString(w, "half of a file;")
			_ = http.NewResponseController(w).Flush()
			panic("CANARY")
		})
	})
	r, err := a.client.Get(a.url + objectsPath + "/press/film.mp4")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); r.StatusCode != http.StatusOK || string(body) != "half of a file;" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("GET = %d %q, %v, want half of the file and io.ErrUnexpectedEOF", r.StatusCode, body, err)
	}
	if log := a.log.String(); strings.Count(log, "panic in a handler") != 1 || strings.Contains(log, "CANARY") {
		t.Errorf("log %s, want the panic without its value", log)
	}
}

// An error that takes longer to come than a reply may take to be read still
// reaches the viewer.
func TestLateError(t *testing.T) {
	inHall(t, throttle.Options{}, func(t *testing.T, h *hall) {
		here, there := net.Pipe()
		conns := make(chan net.Conn, 1)
		conns <- there
		server := &http.Server{Handler: h.api, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(inMemory{conns}) }()
		defer func() { close(conns); _ = here.Close(); _ = server.Close() }()
		h.verify = func(gate.Credential) error {
			time.Sleep(time.Minute)
			return errors.New("no answer")
		}
		body := fmt.Sprintf(`{"ticket":%q}`, strongCode)
		if _, err := fmt.Fprintf(here, "POST %s HTTP/1.1\r\nHost: media.example.org\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", verifyPath, len(body), body); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReader(here), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := readReply(t, r)
		if p := got.problem(t); got.status != http.StatusServiceUnavailable || p.Code != "unavailable" {
			t.Errorf("POST = %d %s, want 503 unavailable", got.status, got.body)
		}
	})
}

// inMemory is the listener of the connections in a channel.
type inMemory struct{ conns chan net.Conn }

func (l inMemory) Accept() (net.Conn, error) {
	if conn, ok := <-l.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (l inMemory) Close() error   { return nil }
func (l inMemory) Addr() net.Addr { return &net.TCPAddr{} }
