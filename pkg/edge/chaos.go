package edge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/handstamp/handstamp/pkg/cloudfront"
)

// MaxLatency is the longest that Chaos may delay a request.
const MaxLatency = 30 * time.Second

// Chaos makes an edge unreliable, so that players can be tested against
// refusals and delays that are rare at CloudFront. It is never for viewers who
// paid. The zero value does nothing.
type Chaos struct {
	// Refuse is the share, 0 to 1, of requests at restricted behaviors that are
	// refused with AccessDenied although their signature is good.
	Refuse float64

	// Every request that may reach an origin waits for a time between these two.
	LeastLatency, MostLatency time.Duration

	// Seed starts the dice. With the same seed the first, second, ... request
	// meets the same fate.
	Seed uint64
}

// ParseChaos reads "refuse=5%,latency=0s-2s,seed=7". Every part may be left out;
// one latency alone is always that.
func ParseChaos(text string) (Chaos, error) {
	var c Chaos
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		var err error
		switch {
		case !ok:
			err = errors.New("want name=value")
		case seen[name]:
			err = errors.New("it is there twice")
		case name == "refuse":
			c.Refuse, err = parseShare(value)
		case name == "latency":
			c.LeastLatency, c.MostLatency, err = parseLatency(value)
		case name == "seed":
			c.Seed, err = strconv.ParseUint(value, 10, 64)
		default:
			err = errors.New("want refuse, latency or seed")
		}
		if err != nil {
			return Chaos{}, fmt.Errorf("chaos: %.40q: %w (hint: refuse=5%%,latency=0s-2s)", part, err)
		}
		seen[name] = true
	}
	return c, nil
}

func parseShare(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || math.IsNaN(share) || share < 0 || share > 1 {
		return 0, errors.New("want a share from 0% to 100%")
	}
	return share, nil
}

func parseLatency(s string) (least, most time.Duration, err error) {
	low, high, ranged := strings.Cut(s, "-")
	if !ranged {
		high = low
	}
	least, err = time.ParseDuration(low)
	most, again := time.ParseDuration(high)
	if err != nil || again != nil || least < 0 || most < least || most > MaxLatency {
		return 0, 0, fmt.Errorf("want durations like 0s-2s, at most %v", MaxLatency)
	}
	return least, most, nil
}

// String returns c in the form that ParseChaos reads.
func (c Chaos) String() string {
	share := strconv.FormatFloat(c.Refuse*100, 'f', -1, 64)
	return fmt.Sprintf("refuse=%s%%,latency=%v-%v,seed=%d", share, c.LeastLatency, c.MostLatency, c.Seed)
}

func (c Chaos) check() error {
	if !(c.Refuse >= 0 && c.Refuse <= 1) || c.LeastLatency < 0 || c.MostLatency < c.LeastLatency || c.MostLatency > MaxLatency {
		return fmt.Errorf("chaos: %v, want a share from 0%% to 100%% and a latency up to %v", c, MaxLatency)
	}
	return nil
}

// chaos throws the dice and counts.
type chaos struct {
	Chaos
	thrown, refused, delayed atomic.Uint64
}

var refusedByChaos = &refusal{status: 403, code: cloudfront.AccessDenied, reason: "chaos"}

// disturb delays a request that would be let through, and refuses it if its
// number comes up and it needed a signature.
func (c *chaos) disturb(ctx context.Context, restricted bool) *refusal {
	if c.Refuse == 0 && c.MostLatency == 0 {
		return nil
	}
	dice := rand.NewPCG(c.Seed, c.thrown.Add(1))
	first, second := share(dice.Uint64()), share(dice.Uint64())
	if wait := c.LeastLatency + time.Duration(second*float64(c.MostLatency-c.LeastLatency)); wait > 0 {
		c.delayed.Add(1)
		sleep(ctx, wait)
	}
	if restricted && first < c.Refuse {
		c.refused.Add(1)
		return refusedByChaos
	}
	return nil
}

// share turns 64 random bits into a number of [0, 1).
func share(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }

// sleep waits, but not for a viewer who left.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
