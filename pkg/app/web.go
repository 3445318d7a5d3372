//go:build !lambda.noweb

package app

import (
	"context"
	"fmt"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/web"
)

// webSettings are a settings file of kind web.
type webSettings struct {
	Preset     string // a known API to begin with; empty means none
	Zone       *time.Location
	Network    networkSettings
	web.Config `mapstructure:",squash"`
}

func (a *App) webSource(s config.Source) (gate.Verifier, error) {
	var first struct {
		Preset string
		Rest   map[string]any `mapstructure:",remain"`
	}
	if err := a.settings(s, &first); err != nil {
		return nil, err
	}
	var in webSettings
	if first.Preset != "" {
		preset, err := web.Preset(first.Preset)
		if err != nil {
			return nil, fmt.Errorf("preset: %w", err)
		}
		in.Config = preset
	}
	if err := a.settings(s, &in); err != nil {
		return nil, err
	}
	out, err := a.reach(s, in.Network)
	if err != nil {
		return nil, err
	}
	source, err := web.New(in.Config, web.Options{Secret: a.secret("source " + s.ID), Zone: in.Zone, Terms: s.Terms.Validity(),
		Check: a.checkProduct, Outbound: out, Now: a.opts.Now})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func() error { source.Close(); return nil })
	return a.calmed(s, source)
}

// A Trace is one exchange with a source of kind web.
type Trace = web.Trace

// trace shows c to a source of kind web; ok reports whether it is one.
func trace(ctx context.Context, source gate.Verifier, c gate.Credential) (_ *Trace, ok bool, err error) {
	asked, ok := source.(*web.Source)
	if !ok {
		return nil, false, nil
	}
	t, err := asked.Trace(ctx, c)
	return t, true, err
}
