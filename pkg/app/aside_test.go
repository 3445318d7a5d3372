package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/ticket/tickettest/boxoffice"
)

// However many wait for a ticketing system that hangs, the visitors of another
// attraction get in.
func TestSlowOfficeKeepsNobodyElseOut(t *testing.T) {
	open := make(chan struct{})
	slow := boxoffice.New(t, func(w http.ResponseWriter, r *http.Request) {
		<-open
		sell(w, r)
	})
	fast := atOffice(boxoffice.New(t, sell), 3*time.Second)
	fast.ID = "other"
	fast.settings = strings.Replace(fast.settings, "attraction: castle", "attraction: zoo", 1)
	a := gateway(t, func(c *config.Config) { c.Throttle.Enabled = false }, atOffice(slow, 20*time.Second), fast)
	var crowd sync.WaitGroup
	for n := range 1300 { // more than work and wait at a time
		crowd.Go(func() {
			if got := shownAt(a, fmt.Sprintf("GOOD%012d", n), "castle", nil); got.status != 200 && got.status != 503 {
				t.Errorf("verify at the slow office = %v, want 200 or 503", got)
			}
		})
	}
	for slow.Asked() < 8 {
		time.Sleep(time.Millisecond)
	}
	for n := range 20 {
		if got := shownAt(a, fmt.Sprintf("GOOD%012d", n), "zoo", nil); got.status != 200 {
			t.Errorf("verify at the other office = %v, want 200", got)
		}
	}
	close(open)
	crowd.Wait()
}
