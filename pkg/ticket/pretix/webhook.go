package pretix

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"slices"
	"time"

	"github.com/handstamp/handstamp/pkg/gate"
)

// A Change is an order that a webhook named and that pretix knows. What changed
// is not said: whoever remembers an answer asks again.
type Change struct {
	Order string // its code at pretix
}

const (
	minHookSecret = 16
	maxHookBody   = 16 << 10
	hookTime      = 20 * time.Second // pretix waits for 30
	hooksAtOnce   = 4
)

var orderCode = regexp.MustCompile(`\A[A-Z0-9]{1,16}\z`)

// Webhook returns the handler of pretix's webhooks, for a path whose last
// segment is secret, 16 characters or more. They are unsigned, so that a call
// causes a re-read and nothing else: of its body only the names of the event
// and of the order are looked at. An order that the re-read finds is told to
// Options.Changed.
//
// The answer is 204 when the re-read is done; 503 asks pretix to try again,
// which it does for three days.
func (s *Source) Webhook(secret gate.Secret) (http.Handler, error) {
	if len(secret.Reveal()) < minHookSecret {
		return nil, fmt.Errorf("pretix: webhook: a secret of %d characters, want at least %d", len(secret.Reveal()), minHookSecret)
	}
	return &hook{s: s, secret: sha256.Sum256([]byte(secret.Reveal())), slots: make(chan struct{}, hooksAtOnce)}, nil
}

type hook struct {
	s      *Source
	secret [sha256.Size]byte
	slots  chan struct{}
}

// A hint is what is read of a webhook's body.
type hint struct {
	Organizer string `json:"organizer"`
	Event     string `json:"event"`
	Code      string `json:"code"`
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(h.serve(w, r))
}

func (h *hook) serve(w http.ResponseWriter, r *http.Request) int {
	shown := sha256.Sum256([]byte(path.Base(r.URL.Path)))
	if subtle.ConstantTimeCompare(shown[:], h.secret[:]) != 1 {
		return http.StatusNotFound
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	}
	hint, err := readHint(http.MaxBytesReader(w, r.Body, maxHookBody))
	if err != nil {
		return http.StatusBadRequest
	}
	if !h.s.concerns(hint) {
		return http.StatusNoContent
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		w.Header().Set("Retry-After", "5")
		return http.StatusServiceUnavailable
	}
	return h.reread(r.Context(), hint)
}

func readHint(body io.Reader) (hint hint, err error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return hint, err
	}
	return hint, json.Unmarshal(text, &hint)
}

// concerns reports whether a hint is about an event of ours.
func (s *Source) concerns(h hint) bool {
	return h.Organizer == s.cfg.Organizer && slices.ContainsFunc(s.cfg.Events, func(e Event) bool { return e.Slug == h.Event })
}

func (h *hook) reread(ctx context.Context, hint hint) int {
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	if err := h.s.Reread(ctx, hint.Code); err != nil {
		h.s.opts.Log.ErrorContext(ctx, "re-read after a webhook failed, pretix will try again", "event", hint.Event, "err", err)
		return http.StatusServiceUnavailable
	}
	return http.StatusNoContent
}

// Reread asks pretix whether it knows an order, with one request, and if so tells
// Options.Changed once; offline it fetches keys and lists, and tells nobody. It
// changes nothing at pretix. An order code that cannot be one, like the empty
// one, is no error.
func (s *Source) Reread(ctx context.Context, order string) error {
	if s.cfg.Mode == ModeOffline {
		return s.office.refresh(ctx)
	}
	if !orderCode.MatchString(order) {
		return nil
	}
	known, err := s.knows(ctx, order)
	if err != nil {
		return err
	}
	if known && s.opts.Changed != nil {
		s.opts.Changed(Change{Order: order})
	}
	return nil
}

// knows reports whether pretix has tickets of an order. Those of others may be
// among the results, and an order may have more than are on the first page.
func (s *Source) knows(ctx context.Context, order string) (bool, error) {
	query := s.search()
	query.Set("order", order)
	query.Set("search", order)
	query.Set("page_size", "50")
	var got page[struct {
		Order string `json:"order"`
	}]
	if err := s.api.get(ctx, "re-read an order", "/checkinrpc/search/", query, &got); err != nil {
		return false, err
	}
	if got.Count == nil {
		return false, errors.New("re-read an order: pretix answers without a count")
	}
	for _, p := range got.Results {
		if p.Order == order {
			return true, nil
		}
	}
	if got.Next != nil {
		return false, fmt.Errorf("re-read an order: %d tickets of other orders", len(got.Results))
	}
	return false, nil
}
