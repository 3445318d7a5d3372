package edge

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// firstByteTimeout is how long a viewer may take to show its protocol.
const firstByteTimeout = 5 * time.Second

// handshake is the first byte of a viewer that speaks TLS (RFC 8446, section 5.1).
const handshake = 0x16

// HTTPAndHTTPS returns a listener that takes both protocols from l, told apart by
// their first byte, so that a redirect to https leads to the same port. Closing
// it closes l and the connections that have not shown their protocol.
func HTTPAndHTTPS(l net.Listener, c *tls.Config) net.Listener {
	b := &bothListener{Listener: l, config: c, ready: make(chan accepted), closed: make(chan struct{}), silent: map[net.Conn]bool{}}
	b.running.Go(b.run)
	return b
}

type bothListener struct {
	net.Listener
	config  *tls.Config
	ready   chan accepted
	closed  chan struct{}
	closing sync.Once
	running sync.WaitGroup

	mu     sync.Mutex
	silent map[net.Conn]bool // so far
}

type accepted struct {
	conn net.Conn
	err  error
}

// Accept returns a connection that has shown its protocol: a *tls.Conn, or a
// plain one.
func (b *bothListener) Accept() (net.Conn, error) {
	select {
	case a := <-b.ready:
		return a.conn, a.err
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

// Close returns when nothing of the listener is left.
func (b *bothListener) Close() error {
	err := net.ErrClosed
	b.closing.Do(func() {
		close(b.closed)
		err = b.Listener.Close()
		b.mu.Lock()
		for conn := range b.silent {
			conn.Close()
		}
		b.mu.Unlock()
		b.running.Wait()
	})
	return err
}

// run takes connections; what one shows is looked at beside it, so that a silent
// one keeps nobody waiting.
func (b *bothListener) run() {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			b.hand(accepted{err: err})
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		if b.listen(conn) {
			b.running.Go(func() { b.look(conn) })
		}
	}
}

// listen notes a connection that is silent so far.
func (b *bothListener) listen(conn net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.closed:
		conn.Close()
		return false
	default:
		b.silent[conn] = true
		return true
	}
}

func (b *bothListener) look(conn net.Conn) {
	first := make([]byte, 1)
	_ = conn.SetReadDeadline(time.Now().Add(firstByteTimeout))
	_, err := conn.Read(first)
	_ = conn.SetReadDeadline(time.Time{})
	b.mu.Lock()
	delete(b.silent, conn)
	b.mu.Unlock()
	if err != nil {
		conn.Close()
		return
	}
	var shown net.Conn = &unread{Conn: conn, first: first}
	if first[0] == handshake {
		shown = tls.Server(shown, b.config)
	}
	b.hand(accepted{conn: shown})
}

func (b *bothListener) hand(a accepted) {
	select {
	case b.ready <- a:
	case <-b.closed:
		if a.conn != nil {
			a.conn.Close()
		}
	}
}

// An unread connection gives its first byte again.
type unread struct {
	net.Conn
	first []byte
}

func (u *unread) Read(p []byte) (int, error) {
	if len(u.first) == 0 || len(p) == 0 {
		return u.Conn.Read(p)
	}
	n := copy(p, u.first)
	u.first = u.first[n:]
	return n, nil
}
