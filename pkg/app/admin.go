package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/sheet"
	"github.com/handstamp/handstamp/pkg/ticket/issued"
)

// Errors of the administration.
var (
	ErrNoLedger = errors.New(`book.kind "memory" keeps no tickets (hint: use sqlite or dynamodb)`)
	ErrNoSource = errors.New(`no source of kind "issued" (hint: add one to sources, and to the sources of attractions)`)
)

func (a *App) buildAdmin(context.Context) error {
	keys := slices.Clone(a.opts.AdminKeys)
	for _, k := range a.cfg.Admin.Keys {
		text, err := k.Key.Resolve()
		if err != nil {
			return fmt.Errorf("admin key %q: %w", k.ID, err)
		}
		key := admin.Key{ID: k.ID, Secret: gate.Secret(text), Attractions: k.Attractions}
		for _, s := range k.Scopes {
			key.Scopes = append(key.Scopes, admin.Scope(s))
		}
		keys = append(keys, key)
	}
	if a.cfg.Admin.Listen == "" && len(a.opts.AdminKeys) == 0 {
		return nil
	}
	book, ok := a.book.(admin.Book)
	if !ok {
		return fmt.Errorf("admin: %w", ErrNoLedger)
	}
	issuer, err := NewIssuer(a.cfg, a.pepper)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	office := admin.Office{Book: a.staffed(book), Gate: a.keeper, Issuer: issuer, Attractions: a.places}
	client, err := a.client()
	if err != nil {
		return err
	}
	if err := a.loadCertificate(); err != nil {
		return fmt.Errorf("admin.tls_cert: %w", err)
	}
	opts := admin.Options{Hosts: a.cfg.Admin.Hosts, Client: client, Print: a.printers(), CursorKey: a.secret("admin cursors"), Log: a.opts.Log, Now: a.opts.Now}
	if a.objects != nil {
		opts.FileOwner = func(f gate.Fingerprint) string { return fileOwner(a.pepper, f) }
	}
	server, err := admin.New(office, keys, opts)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	a.keeps(server, readAdmin(server))
	a.Admin = server
	return nil
}

// loadCertificate reads what the administration shows to those who call it over
// TLS, if it does.
func (a *App) loadCertificate() error {
	c := a.cfg.Admin
	if c.TLSCert == "" {
		return nil
	}
	a.notes(c.TLSCert, c.TLSKey)
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	a.certificate = &pair
	return err
}

// printers make sheets of new tickets, by media type.
func (a *App) printers() map[string]admin.Printer {
	return map[string]admin.Printer{
		"application/pdf": func(w io.Writer, tickets []admin.Ticket) error { return sheet.PDF(w, a.sheet(tickets)) },
		"image/svg+xml":   a.printPage,
	}
}

// printPage prints one page, or refuses what needs more: tickets that are left
// out would be lost.
func (a *App) printPage(w io.Writer, tickets []admin.Ticket) error {
	s := a.sheet(tickets)
	pages, err := s.Pages()
	if err == nil && pages > 1 {
		err = fmt.Errorf("%w: %d tickets need %d pages, and an SVG is one (hint: application/pdf)", admin.ErrUnprintable, len(tickets), pages)
	}
	if err != nil {
		return err
	}
	return sheet.SVG(w, s, 1)
}

func (a *App) sheet(tickets []admin.Ticket) sheet.Sheet {
	s := sheet.Sheet{Foot: tickets[0].Batch, Made: a.opts.Now()}
	s.ValidFrom, s.ValidUntil = tickets[0].ValidFrom, tickets[0].ValidUntil
	if place, ok := a.rules.Attraction(tickets[0].Attraction); ok {
		s.Attraction, s.Zone, s.Packages = place.Name, place.Zone, PackageNames(place, tickets[0].Packages)
	}
	for _, t := range tickets {
		s.Tickets = append(s.Tickets, sheet.Ticket{Code: t.Code, Content: TicketLink(origin(a.cfg.HTTP.PublicURL), t.Code)})
	}
	return s
}

// PackageNames returns what packages are called on a sheet of tickets.
func PackageNames(place *gate.Attraction, ids []string) []string {
	var names []string
	for _, id := range ids {
		if p, ok := place.Package(id); ok {
			names = append(names, p.Name)
		}
	}
	return names
}

// TicketLink returns the address that a QR code leads to: the visitor app, with
// the code behind "#", where no server and no log sees it.
func TicketLink(publicURL string, code gate.Secret) gate.Secret {
	return gate.Secret(publicURL + "/#ticket=" + code.Reveal())
}

// An Issuer makes codes for the source of kind "issued". It implements
// admin.Issuer.
type Issuer struct {
	Source string // id of the source
	pepper []byte
}

// NewIssuer returns the Issuer for the one source of kind "issued" that cfg has,
// or ErrNoSource.
func NewIssuer(cfg *config.Config, pepper []byte) (*Issuer, error) {
	var found []string
	for _, s := range cfg.Sources {
		if s.Kind == "issued" {
			found = append(found, s.ID)
		}
	}
	switch len(found) {
	case 0:
		return nil, ErrNoSource
	case 1:
		return &Issuer{Source: found[0], pepper: pepper}, nil
	}
	return nil, fmt.Errorf("sources %q are all of kind issued, want one: a ticket is issued for one of them", found)
}

// New implements admin.Issuer.
func (i *Issuer) New() (gate.Secret, error) { return issued.New(nil) }

// Derive implements admin.Issuer.
func (i *Issuer) Derive(request string, n int) (gate.Secret, error) {
	return issued.Derive(derived(i.pepper, "issued codes"), request, n)
}

// Show implements admin.Issuer.
func (i *Issuer) Show(code gate.Secret) gate.Secret { return issued.Grouped(code) }

// FileOwner returns as whom the ticket with a code owns private files.
func (i *Issuer) FileOwner(code gate.Fingerprint) string { return fileOwner(i.pepper, code) }

// Fingerprint implements admin.Issuer.
func (i *Issuer) Fingerprint(code gate.Secret) (gate.Fingerprint, error) {
	return issued.Fingerprint(i.pepper, i.Source, code)
}
