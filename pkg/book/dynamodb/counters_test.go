package dynamodb_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
	"github.com/handstamp/handstamp/pkg/throttle"
)

var network = throttle.Key{Axis: throttle.Network, Part: 3, ID: [16]byte{1, 2, 3}}

func TestCounters(t *testing.T) {
	t.Parallel()
	counters(t, faketable.New(), "")
}

func counters(t *testing.T, client dynamodb.Client, table string) {
	t.Helper()
	opts := dynamodb.CounterOptions{Table: table, Patience: 10 * time.Second, Now: func() time.Time { return noon }}
	a, b := dynamodb.NewCounters(client, opts), dynamodb.NewCounters(client, opts)
	zero, one := throttle.Counter{}, throttle.Counter{Empty: noon.Add(time.Hour).UnixNano(), Until: -1, Failed: 1, Passed: 1 << 31, Held: 2}
	steps := []struct {
		by        *dynamodb.Counters
		old, next throttle.Counter
		want      bool
	}{
		{a, one, zero, false}, {a, zero, one, true}, {b, zero, one, false}, {b, one, zero, true}, {a, one, one, false}, {a, zero, one, true},
	}
	for i, s := range steps {
		if got := s.by.Swap(network, s.old, s.next); got != s.want {
			t.Errorf("step %d: Swap(%+v, %+v) = %v, want %v", i, s.old, s.next, got, s.want)
		}
	}
	for _, c := range []*dynamodb.Counters{a, b} {
		if got := c.Load(network); got != one {
			t.Errorf("Load = %+v, want %+v", got, one)
		}
	}
	if got := a.Load(throttle.Key{Axis: throttle.Device}); got != zero {
		t.Errorf("Load of nothing = %+v, want zero", got)
	}
	opts.Now = func() time.Time { return noon.Add(26 * time.Hour) }
	later := dynamodb.NewCounters(client, opts)
	if got := later.Load(network); got != zero {
		t.Errorf("Load after it has expired = %+v, want zero", got)
	}
	if !later.Swap(network, zero, one) {
		t.Error("Swap after it has expired = false, want true")
	}
}

// TestCountersTogether: no step is lost, whoever makes them.
func TestCountersTogether(t *testing.T) {
	t.Parallel()
	table := faketable.New()
	var done sync.WaitGroup
	for range 8 {
		c := dynamodb.NewCounters(table, dynamodb.CounterOptions{Patience: 10 * time.Second})
		done.Go(func() {
			for n := 0; n < 50; {
				old := c.Load(network)
				next := old
				next.Failed++
				if c.Swap(network, old, next) {
					n++
				}
			}
		})
	}
	done.Wait()
	if got := dynamodb.NewCounters(table, dynamodb.CounterOptions{}).Load(network); got.Failed != 400 {
		t.Errorf("counted %d, want 400", got.Failed)
	}
}

// A silent client does not answer while it is off.
type silent struct {
	dynamodb.Client
	off   bool
	asked int
	err   error
}

func (s *silent) BatchGetItem(ctx context.Context, in *sdk.BatchGetItemInput, o ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error) {
	if s.asked++; s.off {
		return nil, s.err
	}
	return s.Client.BatchGetItem(ctx, in, o...)
}

func (s *silent) PutItem(ctx context.Context, in *sdk.PutItemInput, o ...func(*sdk.Options)) (*sdk.PutItemOutput, error) {
	if s.asked++; s.off {
		return nil, s.err
	}
	return s.Client.PutItem(ctx, in, o...)
}

func TestCountersGoOnAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err   error
		asked int // requests while DynamoDB is off
	}{{errors.New("no route to host"), 1}, {context.DeadlineExceeded, 1}, {errThrottled, 5}} {
		now := noon
		client := &silent{Client: faketable.New(), err: tt.err}
		c := dynamodb.NewCounters(client, dynamodb.CounterOptions{Now: func() time.Time { return now }})
		one, two := throttle.Counter{Failed: 1}, throttle.Counter{Failed: 2}
		if !c.Swap(network, throttle.Counter{}, one) {
			t.Fatal("Swap = false, want true")
		}
		client.off, client.asked = true, 0
		if got := c.Load(network); got != one {
			t.Errorf("%v: Load = %+v, want what was seen last, %+v", tt.err, got, one)
		}
		if c.Swap(network, two, one) || !c.Swap(network, one, two) {
			t.Errorf("%v: Swap does not compare with what was seen last", tt.err)
		}
		if got := c.Load(network); got != two {
			t.Errorf("%v: Load = %+v, want %+v", tt.err, got, two)
		}
		if got := c.Load(throttle.Key{}); got != (throttle.Counter{}) {
			t.Errorf("%v: Load of what was never seen = %+v, want zero", tt.err, got)
		}
		if client.asked != tt.asked {
			t.Errorf("%v: DynamoDB was asked %d times, want %d", tt.err, client.asked, tt.asked)
		}
		now, client.off = now.Add(2*time.Second), false
		if got := c.Load(network); got != one {
			t.Errorf("%v: Load when it answers again = %+v, want %+v", tt.err, got, one)
		}
	}
}

// TestCountersForget: only so many are remembered.
func TestCountersForget(t *testing.T) {
	t.Parallel()
	client := &silent{Client: faketable.New(), err: errThrottled}
	c := dynamodb.NewCounters(client, dynamodb.CounterOptions{Entries: 4})
	keys := make([]throttle.Key, 6)
	for i := range keys {
		keys[i].ID[0] = byte(i)
		c.Swap(keys[i], throttle.Counter{}, throttle.Counter{Failed: 1})
	}
	client.off = true
	known := 0
	for _, k := range keys {
		known += int(c.Load(k).Failed)
	}
	if known > 4 || c.Load(keys[5]).Failed != 1 {
		t.Errorf("%d counters are remembered, want at most 4 and the last one", known)
	}
}
