package dynamodb

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handstamp/handstamp/pkg/throttle"
)

// Defaults of CounterOptions.
const (
	DefaultPatience = 150 * time.Millisecond
	DefaultRest     = time.Second
	DefaultEntries  = 100_000
)

// CounterOptions tunes Counters. The zero value is ready for use.
type CounterOptions struct {
	Table    string           // name; "" means DefaultTable
	Patience time.Duration    // for one request, which is made once; 0 means DefaultPatience
	Rest     time.Duration    // how long DynamoDB is left alone after it did not answer; 0 means DefaultRest
	Entries  int              // counters that are remembered for when it does not answer; 0 means DefaultEntries
	Now      func() time.Time // nil means time.Now
}

// Counters are a throttle.Store that all instances share, in the table of a
// book. When DynamoDB does not answer they go on from what this process saw
// last, as if it were alone. They are safe for concurrent use.
//
// A counter is one item. More than 1,000 attempts a second on one of them, such
// as that of an attraction, are more than DynamoDB writes to an item; the
// attempts beyond that are counted by each process for itself.
type Counters struct {
	client Client
	opts   CounterOptions

	mu          sync.Mutex
	rests       time.Time // until when DynamoDB is left alone
	young, last map[throttle.Key]throttle.Counter
}

var _ throttle.Store = (*Counters)(nil)

// NewCounters returns counters in a table that Create has made.
func NewCounters(client Client, opts CounterOptions) *Counters {
	opts.Table = cmp.Or(opts.Table, DefaultTable)
	opts.Patience, opts.Rest = cmp.Or(opts.Patience, DefaultPatience), cmp.Or(opts.Rest, DefaultRest)
	opts.Entries = cmp.Or(opts.Entries, DefaultEntries)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Counters{client: client, opts: opts, young: map[throttle.Key]throttle.Counter{}}
}

// Load implements throttle.Store.
func (c *Counters) Load(k throttle.Key) throttle.Counter {
	if c.resting() {
		return c.seen(k)
	}
	found, err := c.read(k)
	if err != nil {
		c.failed(err)
		return c.seen(k)
	}
	c.see(k, found)
	return found
}

// Swap implements throttle.Store.
func (c *Counters) Swap(k throttle.Key, old, next throttle.Counter) bool {
	if c.resting() {
		return c.swapSeen(k, old, next)
	}
	err := c.write(k, old, next)
	switch {
	case err == nil:
		c.see(k, next)
		return true
	case judge(err) == lost:
		return false
	}
	c.failed(err)
	return c.swapSeen(k, old, next)
}

func counterKey(k throttle.Key) key {
	return key{fmt.Sprintf("C#%d#%d#%s", k.Axis, k.Part, base64.RawURLEncoding.EncodeToString(k.ID[:])), "counter"}
}

// read returns what is in the table. A counter that has expired is not there.
func (c *Counters) read(k throttle.Key) (found throttle.Counter, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.Patience)
	defer cancel()
	consistent := true
	out, err := c.client.BatchGetItem(ctx, &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		c.opts.Table: {Keys: []attributes{counterKey(k).encode()}, ConsistentRead: &consistent}}}, once)
	if err != nil {
		return found, err
	}
	if len(out.UnprocessedKeys) > 0 {
		return found, &types.ThrottlingException{}
	}
	if len(out.Responses[c.opts.Table]) == 0 {
		return found, nil
	}
	it, err := decode(out.Responses[c.opts.Table][0])
	if err != nil || it.gone(c.opts.Now()) {
		return found, err
	}
	_, err = fmt.Sscanf(it.doc, counterFormat, &found.Empty, &found.Until, &found.Failed, &found.Passed, &found.Held)
	return found, err
}

// counterFormat spells a counter: each has one spelling, so that a condition
// can compare it.
const counterFormat = "%d %d %d %d %d"

func spellCounter(c throttle.Counter) string {
	return fmt.Sprintf(counterFormat, c.Empty, c.Until, c.Failed, c.Passed, c.Held)
}

// write puts next in the place of old.
func (c *Counters) write(k throttle.Key, old, next throttle.Counter) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.Patience)
	defer cancel()
	now := c.opts.Now()
	it := &item{key: counterKey(k), rev: 1, doc: spellCounter(next), expires: expiry(next, now)}
	condition, values := "doc = :old", attributes{":old": str(spellCounter(old))}
	if old == (throttle.Counter{}) {
		condition = "attribute_not_exists(pk) OR doc = :old OR expires_at <= :now"
		values[":now"] = num(now.Unix())
	}
	_, err := c.client.PutItem(ctx, &sdk.PutItemInput{TableName: &c.opts.Table, Item: it.encode(),
		ConditionExpression: &condition, ExpressionAttributeValues: values}, once)
	return err
}

// expiry returns when a counter may be collected: a day after it has nothing
// more to say, as clocks differ.
func expiry(c throttle.Counter, now time.Time) time.Time {
	last := now
	for _, at := range []int64{c.Empty, c.Until} {
		if t := time.Unix(0, at); t.After(last) {
			last = t
		}
	}
	return last.Add(day)
}

// resting reports whether DynamoDB is left alone for now.
func (c *Counters) resting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opts.Now().Before(c.rests)
}

// failed leaves DynamoDB alone for a while, unless it only said that it has too
// much to do: that may be about one counter.
func (c *Counters) failed(err error) {
	if judge(err) == throttled {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rests = c.opts.Now().Add(c.opts.Rest)
}

// seen returns the counter that this process saw last.
func (c *Counters) seen(k throttle.Key) throttle.Counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.look(k)
}

func (c *Counters) look(k throttle.Key) throttle.Counter {
	if found, ok := c.young[k]; ok {
		return found
	}
	return c.last[k]
}

// see remembers a counter. Those that were not seen for longest go, by halves.
func (c *Counters) see(k throttle.Key, found throttle.Counter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(k, found)
}

func (c *Counters) keep(k throttle.Key, found throttle.Counter) {
	if _, ok := c.young[k]; !ok && len(c.young) >= max(1, c.opts.Entries/2) {
		c.last, c.young = c.young, map[throttle.Key]throttle.Counter{}
	}
	c.young[k] = found
}

func (c *Counters) swapSeen(k throttle.Key, old, next throttle.Counter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.look(k) != old {
		return false
	}
	c.keep(k, next)
	return true
}
