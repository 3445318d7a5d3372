package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

// Limits of a list that is fetched.
const (
	maxList      = 256 << 20        // bytes: a million tickets and then some
	listTimeout  = 5 * time.Minute  // for a whole one
	firstTimeout = 20 * time.Second // for the one before the gateway serves; what takes longer comes later
	minInterval  = time.Second
)

// listSettings are a settings file of kind roll: a list that is fetched.
type listSettings struct {
	URL       string                 // of the whole list; required
	Delta     string                 // URL of what has changed, with {sequence}; empty means that there are no deltas
	Header    map[string]gate.Secret // sent along, such as Authorization
	JSON      bool                   // JSON lines, whatever the name ends in; false means that the name tells
	Network   networkSettings
	FactorKey gate.Secret   // see roll.Options.FactorKey; empty means salted hashes only
	Interval  time.Duration // between two questions for changes, 1s or more; 0 means roll.DefaultURLPoll
}

// A fetchedList can be probed.
type fetchedList struct{ *roll.URL }

// Probe returns why the list could not be fetched the last time.
func (l fetchedList) Probe(context.Context) error { return l.Status().Err }

// listByURL opens a list that is fetched. One that cannot be fetched now is no
// error: until it can, nobody knows its tickets. It is not waited for once ctx ends.
func (a *App) listByURL(ctx context.Context, s config.Source) (gate.Verifier, error) {
	var in listSettings
	if err := a.settings(s, &in); err != nil {
		return nil, err
	}
	address, err := in.address()
	if err != nil {
		return nil, err
	}
	client, err := a.listClient(s, in)
	if err != nil {
		return nil, err
	}
	opts := a.listOptions(s)
	opts.FactorKey, opts.Poll = []byte(in.FactorKey.Reveal()), in.Interval
	ctx, cancel := context.WithTimeout(ctx, firstTimeout)
	defer cancel()
	list, err := roll.OpenURL(ctx, client, address, opts)
	if err != nil {
		client.Close()
		return nil, err
	}
	a.closers = append(a.closers, func() error { defer client.Close(); return list.Close() })
	return fetchedList{list}, nil
}

// listOptions are what a list in a file and one that is fetched have in common,
// so that one can take the place of the other.
func (a *App) listOptions(s config.Source) roll.Options {
	return roll.Options{Check: a.checkProduct, Secret: a.secret("list " + s.ID), Terms: s.Terms.Validity(), Log: a.opts.Log}
}

func (in listSettings) address() (roll.Address, error) {
	at := roll.Address{Full: in.URL, Delta: in.Delta, JSON: in.JSON, Header: http.Header{}}
	if in.URL == "" {
		return at, errors.New("url: missing, want that of the list")
	}
	if in.Interval != 0 && in.Interval < minInterval {
		return at, fmt.Errorf("interval: %v, want %v or more", in.Interval, minInterval)
	}
	for name, value := range in.Header {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value.Reveal()) {
			return at, fmt.Errorf("header: %q is no name of a header, or its value has what none may have", name)
		}
		at.Header.Set(name, value.Reveal())
	}
	return at, nil
}

func (a *App) listClient(s config.Source, in listSettings) (*outbound.Client, error) {
	o, err := a.reach(s, in.Network)
	if err != nil {
		return nil, err
	}
	o.MaxBody, o.Timeout = maxList, listTimeout
	return outbound.New(o)
}
