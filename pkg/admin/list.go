package admin

import (
	"context"
	"net/http"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

type ticketsReply struct {
	Tickets []ticketReply `json:"tickets"`
	Next    string        `json:"next,omitempty"`
}

// handleTickets serves GET /admin/v1/tickets: a page of tickets, in the order
// in which they came.
func (s *Server) handleTickets(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "attraction", "batch", "cursor", "limit")
	who, limit, name := by(r.Context()), q.limit(), q.values.Get("batch")
	place, err := q.place(who)
	if err != nil {
		return err
	}
	list := pages[book.Record]{who: who, cursors: s.cursors, query: []string{"tickets", who.id, place, name},
		fetch: func(ctx context.Context, after string, limit int) ([]book.Record, string, error) {
			return s.office.Book.Records(ctx, book.Query{Attraction: place, Batch: name, After: after, Limit: limit})
		},
		places: func(_ context.Context, r *book.Record) ([]string, error) { return placesIn(r), nil }}
	found, next, err := list.page(r.Context(), q.values.Get("cursor"), limit)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, ticketsReply{Tickets: newTicketReplies(found), Next: next})
	return nil
}

// place returns the attraction that a list is limited to, or an error if
// anything is wrong with the query. Somebody whose key is for one attraction
// gets that one; with several, they have to say which.
func (q *query) place(who *actor) (string, error) {
	place := q.values.Get("attraction")
	if place != "" && gate.CheckSlug(place) != nil {
		q.fault("attraction", "want the id of an attraction")
	}
	if place == "" && len(who.attractions) == 1 {
		place = who.attractions[0]
	}
	if place == "" && who.limited() && !q.values.Has("attraction") {
		q.fault("attraction", "is missing: the key is for several, name one")
	}
	if err := q.err(); err != nil {
		return "", err
	}
	if place != "" && !who.sees([]string{place}) {
		return "", errNotFound()
	}
	return place, nil
}

// maxFetches is how many pages of the book one page of a list may take.
const maxFetches = 20

// pages are a list of which who asks may see a part.
type pages[T any] struct {
	who     *actor
	cursors *cursors
	query   []string // what its cursors are good for
	fetch   func(ctx context.Context, after string, limit int) (items []T, next string, err error)
	places  func(ctx context.Context, item *T) ([]string, error) // the attractions that one belongs to
}

// page returns what may be seen from cursor on and the cursor of the next page,
// empty at the end. What may not be seen leaves no gap, unless there is so much
// of it that the page comes out short.
func (p *pages[T]) page(ctx context.Context, cursor string, limit int) (seen []T, next string, err error) {
	after, err := p.cursors.open(cursor, p.query...)
	if err != nil {
		return nil, "", err
	}
	for range maxFetches {
		items, more, err := p.fetch(ctx, after, limit-len(seen))
		if err != nil {
			return nil, "", err
		}
		for i := range items {
			ok, err := p.visible(ctx, &items[i])
			if err != nil {
				return nil, "", err
			}
			if ok {
				seen = append(seen, items[i])
			}
		}
		if after = more; after == "" || len(seen) == limit {
			break
		}
	}
	return seen, p.cursors.seal(after, p.query...), nil
}

func (p *pages[T]) visible(ctx context.Context, item *T) (bool, error) {
	if !p.who.limited() {
		return true, nil
	}
	places, err := p.places(ctx, item)
	return err == nil && p.who.sees(places), err
}
