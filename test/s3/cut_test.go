package s3_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// A line is a TCP connection to the server that can be stopped or cut.
type line struct {
	address string // as "http://127.0.0.1:1234"
	to      string
	mu      sync.Mutex
	fault   fault
	after   int64 // bytes of an answer until the fault
}

type fault int

const (
	sound   fault = iota
	cut           // both ends are closed
	reset         // both ends are reset
	stalled       // nothing comes any more, and nothing is closed
)

// newLine listens until the test ends.
func newLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &line{address: "http://" + l.Addr().String(), to: mustParse(t, to).Host}
	var open sync.WaitGroup
	over := make(chan struct{})
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { n.carry(conn.(*net.TCPConn), over) })
		}
	})
	t.Cleanup(func() { close(over); _ = l.Close(); open.Wait() })
	return n
}

// breaks sets what happens to answers after so many bytes.
func (n *line) breaks(f fault, after int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault, n.after = f, after
}

// carry joins a connection with the server until one of them ends it.
func (n *line) carry(near *net.TCPConn, over <-chan struct{}) {
	defer near.Close()
	conn, err := net.Dial("tcp", n.to)
	if err != nil {
		return
	}
	far := conn.(*net.TCPConn)
	defer far.Close()
	ended := make(chan struct{}, 2)
	var both sync.WaitGroup
	defer both.Wait()
	defer func() { _ = near.Close(); _ = far.Close() }()
	both.Go(func() { _, _ = io.Copy(far, near); ended <- struct{}{} })
	both.Go(func() { n.answer(near, far, over); ended <- struct{}{} })
	select {
	case <-ended:
	case <-over:
	}
}

// answer copies what the server says, until the fault.
func (n *line) answer(near, far *net.TCPConn, over <-chan struct{}) {
	n.mu.Lock()
	f, after := n.fault, n.after
	n.mu.Unlock()
	if f == sound {
		_, _ = io.Copy(near, far)
		return
	}
	_, _ = io.CopyN(near, far, after)
	switch f {
	case reset:
		_, _ = near.SetLinger(0), far.SetLinger(0)
	case stalled:
		_ = far.SetReadBuffer(4 << 10)
		<-over
	}
}

// A body that the server does not finish never ends cleanly for a viewer.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault fault
		path  string
		spans string // of the request; empty is all
	}{
		{"cut", cut, "staff/film.mp4", ""},
		{"reset", reset, "staff/film.mp4", ""},
		{"cut in a range", cut, "staff/film.mp4", "bytes=1048576-"},
		{"cut in several ranges", cut, "staff/film.mp4", "bytes=0-2097151,3145728-6291455"},
		{"stalled", stalled, "staff/film.mp4", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			content := make([]byte, 8<<20)
			_, _ = (&counting{size: int64(len(content))}).Read(content)
			s.put(t, tt.path, "video/mp4", content)
			l := newLine(t, s.endpoint)
			g := s.newGateway(t, setup{endpoint: l.address})
			watch := func() *reply {
				headers := []string{"Authorization: Bearer " + g.desk}
				if tt.spans != "" {
					headers = append(headers, "Range: "+tt.spans)
				}
				return ask(t, g.http, http.MethodGet, g.address+"/v1/objects/"+tt.path, nil, headers...)
			}
			whole := watch()
			if whole.status >= 300 || whole.broken != nil {
				t.Fatalf("GET before = %d, %d bytes, %v, want all of it", whole.status, len(whole.body), whole.broken)
			}

			l.breaks(tt.fault, 1<<20) // of any answer, also those that asked for a part
			began := time.Now()
			r := watch()
			t.Logf("the body ended after %d of %d bytes and %v: %v", len(r.body), len(whole.body), time.Since(began).Round(time.Millisecond), r.broken)
			if r.status != whole.status || len(r.body) == 0 || len(r.body) >= len(whole.body) {
				t.Errorf("GET while it is %s = %d with %d bytes, want %d and some of %d", tt.name, r.status, len(r.body), whole.status, len(whole.body))
			}
			var network net.Error
			if !errors.Is(r.broken, io.ErrUnexpectedEOF) && !(errors.As(r.broken, &network) && !network.Timeout()) {
				t.Errorf("the body ended with %v, want an aborted connection", r.broken)
			}
			g.log.wait(t, g.ended, `"object cut off"`)

			l.breaks(sound, 0)
			if r := watch(); r.broken != nil || len(r.body) != len(whole.body) {
				t.Errorf("GET after it = %d bytes, %v, want all of it", len(r.body), r.broken)
			}
		})
	}
}
