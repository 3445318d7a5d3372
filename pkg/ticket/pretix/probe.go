package pretix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

// Probe asks pretix whether the configuration can work: whether the token may
// look tickets up on every list, whether lists to redeem on are made for it,
// whether signed events have keys. It changes nothing. The error joins all that
// was found.
func (s *Source) Probe(ctx context.Context) error {
	if s.cfg.Mode == ModeOffline {
		return s.probeKeys(ctx)
	}
	query := s.search()
	query.Set("search", "handstamp-probe")
	query.Set("secret", "handstamp-probe")
	var got page[position]
	problems := []error{s.api.get(ctx, "search the lists", "/checkinrpc/search/", query, &got)}
	for _, e := range s.cfg.Events {
		problems = append(problems, s.probeList(ctx, e, cmp.Or(e.Redeem, e.List)))
	}
	return errors.Join(problems...)
}

// A listing is what is read of a check-in list.
type listing struct {
	ID       int64 `json:"id"`
	Multiple *bool `json:"allow_multiple_entries"`
	Used     *bool `json:"consider_tickets_used"`
}

// probeList finds a list among those of its event.
func (s *Source) probeList(ctx context.Context, e Event, id int64) error {
	query := url.Values{"page_size": {"50"}}
	for number := 1; number <= 20; number++ {
		query.Set("page", strconv.Itoa(number))
		var got page[listing]
		if err := s.api.get(ctx, "read the lists of "+e.Slug, "/events/"+url.PathEscape(e.Slug)+"/checkinlists/", query, &got); err != nil {
			return err
		}
		for _, l := range got.Results {
			if l.ID == id {
				return s.suits(e, l)
			}
		}
		if got.Next == nil {
			break
		}
	}
	return fmt.Errorf("event %q has no check-in list %d", e.Slug, id)
}

func (s *Source) suits(e Event, l listing) (err error) {
	if s.cfg.Mode != ModeRedeem {
		return nil
	}
	if l.Multiple == nil || !*l.Multiple {
		err = fmt.Errorf("check-in list %d of %q lets a ticket in once (hint: allow multiple entries)", l.ID, e.Slug)
	}
	if l.Used == nil || *l.Used {
		err = errors.Join(err, fmt.Errorf("check-in list %d of %q makes tickets used, so that visitors cannot cancel them (hint: consider_tickets_used)", l.ID, e.Slug))
	}
	return err
}

func (s *Source) probeKeys(ctx context.Context) error {
	if err := s.office.refresh(ctx); err != nil {
		return err
	}
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	for _, e := range s.cfg.Events {
		if len(s.office.shelves[e.Slug].keys) == 0 {
			return fmt.Errorf("event %q has no key (hint: choose \"pretix signature scheme 1\" in its settings and sell a ticket)", e.Slug)
		}
	}
	return nil
}
