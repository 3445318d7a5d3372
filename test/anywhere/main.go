// Command anywhere is the crowd of test/anywhere.sh: visitors with a good
// ticket, and connections that do nothing, at a gateway that has little of
// everything.
//
//	anywhere -url http://127.0.0.1:8080 -tickets CODE-%05d -visitors 200 -idle 300
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	base := flag.String("url", "http://127.0.0.1:8080", "the gateway")
	tickets := flag.String("tickets", "", "good tickets, with a verb for their numbers from 1")
	visitors := flag.Int("visitors", 200, "how many are shown, 16 at once")
	idle := flag.Int("idle", 0, "connections that are open meanwhile and ask nothing")
	flag.Parse()
	if err := run(visit{base: *base, tickets: *tickets, n: *visitors}, *idle); err != nil {
		fmt.Fprintln(os.Stderr, "anywhere:", err)
		os.Exit(1)
	}
}

// A visit is what a crowd does.
type visit struct {
	base, tickets string
	n             int
}

// run has the crowd come: first among idle connections, when some may be turned
// away, and once those are gone, when everybody has to get in.
func run(v visit, idle int) error {
	at, err := url.Parse(v.base)
	if err != nil {
		return err
	}
	if idle > 0 {
		conns := open(at.Host, idle)
		good := crowd(v, 0)
		fmt.Printf("%d idle connections: %d of %d visitors in\n", len(conns), good, v.n)
		for _, c := range conns {
			_ = c.Close()
		}
		if err := wait(v.base); err != nil {
			return err
		}
	}
	good := crowd(v, v.n)
	fmt.Printf("%d of %d visitors in\n", good, v.n)
	if good < int64(v.n) {
		return errors.New("good tickets were not let in")
	}
	return nil
}

// open opens up to n connections.
func open(host string, n int) []net.Conn {
	var conns []net.Conn
	for range n {
		c, err := net.DialTimeout("tcp", host, time.Second)
		if err != nil {
			break
		}
		conns = append(conns, c)
	}
	return conns
}

// wait returns once the gateway is ready, or an error after 20 seconds.
func wait(base string) error {
	var last error
	for range 100 {
		resp, err := http.Get(base + "/readyz") // #nosec G107 -- the caller's own
		if err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK {
			return nil
		}
		last = err
		time.Sleep(200 * time.Millisecond)
	}
	return errors.Join(errors.New("not ready again after 20 seconds"), last)
}

// crowd shows tickets, numbered from the one after skip, and returns how many
// got in.
func crowd(v visit, skip int) int64 {
	var in atomic.Int64
	var all sync.WaitGroup
	turns := make(chan struct{}, 16)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	for i := range v.n {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			if show(client, v.base, fmt.Sprintf(v.tickets, skip+i+1)) {
				in.Add(1)
			}
		})
	}
	all.Wait()
	return in.Load()
}

// show reports whether ticket was let in.
func show(client *http.Client, base, ticket string) bool {
	body := strings.NewReader(fmt.Sprintf(`{"ticket":%q}`, ticket))
	resp, err := client.Post(base+"/v1/tickets/verify", "application/json", body) // #nosec G107 -- the caller's own
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}
