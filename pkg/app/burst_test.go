package app_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
)

// A meter is an office that answers one question a second and 429 to all others.
// It is outside the bubble of synctest, so it takes the time from the question,
// which has it in whole seconds. Questions that are a second or more apart are in
// different ones.
type meter struct {
	mu    sync.Mutex
	asked map[string]int // by time
	codes map[string]int
	over  int // questions that got 429
}

func (m *meter) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.asked[r.Header.Get("X-Now")]++
	m.codes[r.URL.Path]++
	more := m.asked[r.Header.Get("X-Now")] > 1
	if more {
		m.over++
	}
	m.mu.Unlock()
	if more {
		w.Header().Set("Retry-After", "1")
		boxoffice.Write(w, http.StatusTooManyRequests, `{}`)
		return
	}
	sell(w, r)
}

// most returns how often the office was asked in the busiest second, and about
// the code that was asked about most.
func (m *meter) most() (second, code, total int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.asked {
		second, total = max(second, n), total+n
	}
	for _, n := range m.codes {
		code = max(code, n)
	}
	return second, code, total
}

// metered is a gateway in front of an office with a meter. It is made in the
// bubble, the office before.
func metered(t *testing.T, office *boxoffice.Office, change func(*config.Config)) *app.App {
	t.Helper()
	return gateway(t, change, counter{config.Source{ID: "office", Kind: "web", Rate: 1, Timeout: 3 * time.Second}, `
network: {allow: [127.0.0.0/8]}
request:
  url: "` + office.URL + `/tickets/{code}"
  header: {X-Now: "{now}"}
answer: {shape: "{code: string, state: string}"}
decide:
  echo: body.code
  valid: body.state == "sold"
  grants: [{attraction: castle, package: audio}]
`})
}

func newMeter(t *testing.T) (*meter, *boxoffice.Office) {
	m := &meter{asked: map[string]int{}, codes: map[string]int{}}
	return m, boxoffice.New(t, m.serve)
}

// A guest shows a ticket and comes back as told until he gets in or is sent away.
type guest struct {
	code  string
	times int           // that he showed it
	slow  int           // of them that he was told to slow down: 429
	took  time.Duration // until the last answer
	last  *answer
}

func (g *guest) come(a *app.App) {
	began := time.Now()
	for g.times < 50 {
		g.times++
		g.last = shown(a, g.code)
		if g.last.status == http.StatusTooManyRequests {
			g.slow++
		}
		wait, err := strconv.Atoi(g.last.header.Get("Retry-After"))
		if err != nil || g.last.status == http.StatusOK {
			break
		}
		time.Sleep(time.Duration(wait) * time.Second)
	}
	g.took = time.Since(began)
}

// come lets guests come at once and returns when all have their answer.
func come(a *app.App, guests []guest, code func(n int) string) {
	var crowd sync.WaitGroup
	for n := range guests {
		guests[n].code = code(n)
		crowd.Go(func() { guests[n].come(a) })
	}
	crowd.Wait()
}

// TestOpeningHour: four hundred visitors behind one address come at once, each
// with a ticket of his own, and the office answers one question a second. All of
// them get in when they come back as told, and neither the office nor we ever
// say 429, be the address known as the attraction's own or not.
func TestOpeningHour(t *testing.T) {
	for _, own := range []bool{true, false} {
		t.Run(fmt.Sprintf("own Wi-Fi %v", own), func(t *testing.T) {
			m, office := newMeter(t)
			synctest.Test(t, func(t *testing.T) {
				a := metered(t, office, func(c *config.Config) {
					if own {
						c.Attractions[0].VenueNetworks = []string{"192.0.2.1/32"}
					}
				})
				guests := make([]guest, 400)
				come(a, guests, func(n int) string { return fmt.Sprintf("GOOD-TICKET-OF-VISITOR-%04d", n) })
				allIn(t, guests)
			})
			second, code, total := m.most()
			if second != 1 || code != 1 || total != 400 || m.over != 0 {
				t.Errorf("the office was asked up to %d times a second, %d times about one code and %d times in all, and said 429 %d times; want 1, 1, 400 and 0", second, code, total, m.over)
			}
		})
	}
}

// allIn fails the test unless all guests are in, soon and without many tries.
func allIn(t *testing.T, guests []guest) {
	t.Helper()
	times, slow, took := 0, 0, time.Duration(0)
	for _, g := range guests {
		if g.last.status != http.StatusOK || g.slow > 0 {
			t.Errorf("%s, shown %d times in %v: %v after %d times 429, want 200", g.code, g.times, g.took, g.last, g.slow)
		}
		times, slow, took = max(times, g.times), slow+g.slow, max(took, g.took)
	}
	t.Logf("the last one got in after %v, the most patient one came %d times, 429 was said %d times", took, times, slow)
	if took > 10*time.Minute || times > 12 {
		t.Errorf("the last one got in after %v, and one came %d times; want 400 seconds and a little more, and 12 times at most", took, times)
	}
}

// TestOneTicketAtOnce: sixty devices of a party show their ticket at once, and
// the office is asked once.
func TestOneTicketAtOnce(t *testing.T) {
	m, office := newMeter(t)
	synctest.Test(t, func(t *testing.T) {
		a := metered(t, office, nil)
		guests := make([]guest, 60)
		come(a, guests, func(int) string { return good })
		for _, g := range guests {
			if g.last.status != http.StatusOK {
				t.Errorf("%s, shown %d times in %v: %v, want 200", g.code, g.times, g.took, g.last)
			}
		}
	})
	if _, _, total := m.most(); total != 1 {
		t.Errorf("the office was asked %d times about one ticket, want once", total)
	}
}
