package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/ticket/calm"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
	"github.com/handstamp/handstamp/pkg/ticket/octo"
	"github.com/handstamp/handstamp/pkg/ticket/outbound"
	"github.com/handstamp/handstamp/pkg/ticket/pretix"
	"github.com/handstamp/handstamp/pkg/ticket/totp"
)

// networkSettings say how a source is reached: the section "network" of settings
// files. Relative paths begin at the folder of the file.
type networkSettings struct {
	Allow       []netip.Prefix // networks that may be asked though they are not public
	CA          string         // PEM file of who may vouch for the server; empty means the system's authorities
	Certificate string         // PEM file of a client certificate; empty means none
	Key         string         // PEM file of its private key
}

// beside returns path as it is seen from the folder of file, unless it is empty.
func beside(file, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// reach returns how source s is reached, as n says.
func (a *App) reach(s config.Source, n networkSettings) (o outbound.Options, err error) {
	o = outbound.Options{Allow: n.Allow, Timeout: s.Timeout}
	ca, certificate, key := beside(s.Settings, n.CA), beside(s.Settings, n.Certificate), beside(s.Settings, n.Key)
	a.notes(ca, certificate, key)
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return o, err
		}
		o.CA = x509.NewCertPool()
		if !o.CA.AppendCertsFromPEM(text) {
			return o, fmt.Errorf("network.ca: %s has no certificate", n.CA)
		}
	}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return o, fmt.Errorf("network.certificate: %w", err)
		}
		o.Certificate = &pair
	}
	return o, nil
}

// calmed puts what a crowd needs around a source that asks somebody else.
func (a *App) calmed(s config.Source, v gate.Verifier) (gate.Verifier, error) {
	a.bare[s.ID] = v
	opts := calm.Options{Rate: float64(s.Rate), Burst: max(1, s.Rate), Deadline: s.Timeout + s.Timeout/4, Log: a.opts.Log}
	if speller, ok := v.(interface {
		Normalise(gate.Secret) (gate.Secret, error)
	}); ok {
		opts.Normalise = speller.Normalise // two spellings are one question, and what cannot be a code is none
	}
	source, err := calm.Wrap(s.ID, a.asked(s.ID, v), opts)
	if err != nil {
		return nil, err
	}
	a.keeps(source, readCalm(s.ID, source))
	return source, nil
}

// pretixSettings are a settings file of kind pretix.
type pretixSettings struct {
	Network       networkSettings
	Webhook       gate.Secret // last segment of the path of webhooks, 16 characters or more; empty means no webhooks
	pretix.Config `mapstructure:",squash"`
}

func (in *pretixSettings) network() networkSettings { return in.Network }

func (in *pretixSettings) buys() (all []gate.Product) {
	for _, p := range in.Products {
		all = append(all, p.Buys...)
	}
	return all
}

func (a *App) pretixSource(s config.Source) (gate.Verifier, error) {
	var in pretixSettings
	client, err := a.asker(s, &in)
	if err != nil {
		return nil, err
	}
	var asked *calm.Source
	source, err := pretix.New(in.Config, pretix.Options{Client: client, Secret: a.secret("source " + s.ID), Terms: s.Terms.Validity(),
		Changed: func(pretix.Change) {
			if asked != nil {
				asked.PurgeAll() // a hint, no verdict: the next question is asked anew
			}
		}, Now: a.opts.Now, Log: a.opts.Log})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, source.Close)
	if in.Webhook != "" {
		hook, err := source.Webhook(in.Webhook)
		if err != nil {
			return nil, err
		}
		a.hooks = append(a.hooks, webhook{"/v1/webhooks/" + s.ID + "/", a.via("/v1/webhooks/{source}/", hook)})
	}
	if in.Mode == pretix.ModeOffline {
		return source, nil
	}
	wrapped, err := a.calmed(s, source)
	if err == nil {
		asked, _ = wrapped.(*calm.Source)
	}
	return wrapped, err
}

// A webhook is where a ticketing system reports changes.
type webhook struct {
	path    string // its prefix; a secret follows
	handler http.Handler
}

// askerSettings are settings of a source that asks another system what tickets buy.
type askerSettings interface {
	network() networkSettings
	buys() []gate.Product
}

// asker reads the settings of a source, and returns what it asks with.
func (a *App) asker(s config.Source, in askerSettings) (*outbound.Client, error) {
	if err := a.settings(s, in); err != nil {
		return nil, err
	}
	if err := a.checkProducts(in.buys()); err != nil {
		return nil, err
	}
	o, err := a.reach(s, in.network())
	if err != nil {
		return nil, err
	}
	return outbound.New(o)
}

// checkProducts returns an error for products that no configured attraction has.
func (a *App) checkProducts(all []gate.Product) error {
	var problems []error
	for _, p := range all {
		problems = append(problems, a.checkProduct(p))
	}
	return errors.Join(problems...)
}

// octoSettings are a settings file of kind octo.
type octoSettings struct {
	Zone        *time.Location
	Network     networkSettings
	octo.Config `mapstructure:",squash"`
}

func (in *octoSettings) network() networkSettings { return in.Network }

func (in *octoSettings) buys() (all []gate.Product) {
	for _, p := range in.Products {
		all = append(all, p.Buys...)
	}
	return all
}

func (a *App) octoSource(s config.Source) (gate.Verifier, error) {
	var in octoSettings
	client, err := a.asker(s, &in)
	if err != nil {
		return nil, err
	}
	source, err := octo.New(in.Config, octo.Options{Client: client, Secret: a.secret("source " + s.ID), Terms: s.Terms.Validity(), Zone: in.Zone})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, source.Close)
	return a.calmed(s, source)
}

// jwtSettings are a settings file of kind jwt.
type jwtSettings struct {
	CA         string // PEM file of who may vouch for the server of the key set
	jwt.Config `mapstructure:",squash"`
}

func (a *App) jwtSource(s config.Source) (gate.Verifier, error) {
	var in jwtSettings
	if err := a.settings(s, &in); err != nil {
		return nil, err
	}
	for i := range in.Keys {
		in.Keys[i].File = beside(s.Settings, in.Keys[i].File)
		a.notes(in.Keys[i].File)
	}
	in.DeniedFile = beside(s.Settings, in.DeniedFile)
	out, err := a.reach(s, networkSettings{CA: in.CA})
	if err != nil {
		return nil, err
	}
	source, err := jwt.New(in.Config, jwt.Options{Check: a.checkProduct, Secret: a.secret("source " + s.ID), Terms: s.Terms.Validity(),
		CA: out.CA, Now: a.opts.Now, Log: a.opts.Log})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, source.Close)
	return source, nil
}

func (a *App) totpSource(s config.Source) (gate.Verifier, error) {
	var in totp.Config
	if err := a.settings(s, &in); err != nil {
		return nil, err
	}
	in.ID = s.ID
	book, ok := a.book.(totp.Records)
	if !ok {
		return nil, fmt.Errorf("kind totp needs a book that keeps passes, book.kind %q does not", a.cfg.Book.Kind)
	}
	return totp.New(in, a.pepper, book, totp.Options{Terms: s.Terms.Validity(), Now: a.opts.Now})
}

// settings reads the settings file of a source. Relative paths in it begin at
// its folder.
func (a *App) settings(s config.Source, into any) error {
	return readSettings(s.Settings, a.cfg.Production(), a.notes, into)
}
