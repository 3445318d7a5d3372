package pretix

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// dates remembers dates of series for a while.
type dates struct {
	mu   sync.Mutex
	seen map[dateKey]dated
}

type dateKey struct {
	event string
	id    int64
}

type dated struct {
	date date
	at   time.Time
}

const (
	dateAge  = 10 * time.Minute
	maxDates = 10000
)

// date returns a date of a series, as pretix has it or had it a while ago.
func (o *office) date(ctx context.Context, e Event, id int64) (*date, error) {
	key := dateKey{e.Slug, id}
	now := o.s.opts.Now()
	if d, ok := o.dates.get(key, now); ok {
		return &d, nil
	}
	var d date
	err := o.s.api.get(ctx, "fetch a date", "/events/"+url.PathEscape(e.Slug)+"/subevents/"+strconv.FormatInt(id, 10)+"/", nil, &d)
	if err != nil {
		return nil, err
	}
	if d.ID != id || d.From.IsZero() {
		return nil, fmt.Errorf("fetch a date: pretix answers with another one")
	}
	o.dates.put(key, dated{d, now})
	return &d, nil
}

func (d *dates) get(key dateKey, now time.Time) (date, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	got, ok := d.seen[key]
	return got.date, ok && now.Sub(got.at) < dateAge
}

// put forgets everything when there is too much of it.
func (d *dates) put(key dateKey, value dated) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil || len(d.seen) >= maxDates {
		d.seen = map[dateKey]dated{}
	}
	d.seen[key] = value
}
