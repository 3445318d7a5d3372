package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/jwt"
)

// A mint is what "tickets mint" is asked for.
type mint struct {
	key, issuer, audience, kind string
	attraction                  string
	packages                    []string
	seats, count                int
	from, until, link           string
	asJSON, public              bool
}

func newTicketsMint() *cobra.Command {
	var m mint
	cmd := &cobra.Command{
		Use:   "mint",
		Short: "Sign tickets that carry their own proof",
		Long: `Sign tickets as JSON Web Tokens, for a source of kind "jwt": no book keeps them,
and nobody has to be asked about them. A shop that sells tickets does the same
in its own language; this is for trying out, and for small batches.

The private key is Ed25519, ECDSA on P-256, or RSA with 2048 bits or more, in a
PEM file that only you can read. It belongs to whoever sells and never to the
gateway, which gets the public half that --public prints.

With --link each ticket is printed as an address to mail. The ticket is behind
the "#", which browsers send to nobody, so that it is in no log on the way.`,
		Example: `  openssl genpkey -algorithm ed25519 -out shop.pem
  handstamp tickets mint --key shop.pem --public > shop.jwks
  handstamp tickets mint --key shop.pem --issuer https://shop.example.org --audience guide.example.org \
    --attraction castle --packages audio --seats 2 --valid-until 2026-07-31T18:00:00+02:00 \
    --link 'https://guide.example.org/#ticket='`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return m.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	}
	m.add(cmd)
	return cmd
}

func (m *mint) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.key, "key", "", "PEM file with the private key; required")
	f.BoolVar(&m.public, "public", false, "only print the public key, as a JWK set")
	f.StringVar(&m.issuer, "issuer", "", "who sells, as the source is configured; required")
	f.StringVar(&m.audience, "audience", "", "for whom, as the source is configured; required")
	f.StringVar(&m.kind, "type", "JWT", `type in the header, as the source is configured`)
	f.StringVar(&m.attraction, "attraction", "", "id of the attraction; required")
	f.StringSliceVar(&m.packages, "packages", nil, "ids of the packages; none means all of them")
	f.IntVar(&m.seats, "seats", 0, "devices at a time; 0 means as configured")
	f.StringVar(&m.from, "valid-from", "", "RFC 3339 time; empty means at once")
	f.StringVar(&m.until, "valid-until", "", "RFC 3339 time, exclusive; required")
	f.IntVar(&m.count, "count", 1, "how many tickets, at most 10000")
	f.StringVar(&m.link, "link", "", `print addresses: this one, with the ticket as its fragment or at the end of it ("#ticket=")`)
	f.BoolVar(&m.asJSON, "json", false, "print JSON")
}

func (m *mint) run(out, stderr io.Writer) error {
	if m.key == "" {
		return usagef(`--key is missing (hint: "openssl genpkey -algorithm ed25519 -out shop.pem" makes one)`)
	}
	link, err := magicLink(m.link)
	if err != nil {
		return err
	}
	order, err := m.order()
	if err != nil {
		return err
	}
	key, err := loadMintKey(m.key)
	if err != nil {
		return err
	}
	minter, err := jwt.NewMinter(key, m.issuer, m.audience, nil)
	if err != nil {
		return err
	}
	minter.Type = m.kind
	if m.public {
		return printPublic(out, minter)
	}
	tickets, err := mintAll(minter, order, m.count)
	if err != nil {
		return err
	}
	if time.Until(order.ValidUntil) > jwt.DefaultMaxLife {
		fmt.Fprintf(stderr, "handstamp: warning: --valid-until is more than %d days ahead, which a source refuses unless its max_life is longer\n", jwt.DefaultMaxLife/(24*time.Hour))
	}
	return m.print(out, tickets, link)
}

// loadMintKey reads the private key. Keys of the kinds that CloudFront takes
// are held to all that is asked of those, so that the example key signs nothing.
func loadMintKey(file string) (crypto.Signer, error) {
	key, err := jwt.LoadPrivate(file)
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		return keyring.LoadPrivate(file, keyring.Options{})
	case *rsa.PrivateKey:
		if k.N.BitLen() == 2048 {
			return keyring.LoadPrivate(file, keyring.Options{})
		}
	}
	return key, nil
}

func printPublic(out io.Writer, minter *jwt.Minter) error {
	set, err := minter.Public()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", set)
	return err
}

// order reads what the tickets are good for. With --public there are none.
func (m *mint) order() (o jwt.Order, err error) {
	if m.public {
		return o, nil
	}
	for flag, value := range map[string]string{"--issuer": m.issuer, "--audience": m.audience, "--attraction": m.attraction, "--valid-until": m.until} {
		if value == "" {
			return o, usagef("%s is missing", flag)
		}
	}
	if m.count < 1 || m.count > maxIssue {
		return o, usagef("--count %d, want 1 to %d", m.count, maxIssue)
	}
	o.Seats = m.seats
	if o.ValidFrom, err = optionalTime("--valid-from", m.from); err != nil {
		return o, err
	}
	if o.ValidUntil, err = optionalTime("--valid-until", m.until); err != nil {
		return o, err
	}
	for _, p := range m.packages {
		if p == "" {
			return o, usagef("--packages: one of them is empty")
		}
		o.Products = append(o.Products, gate.Product{Attraction: m.attraction, Package: p})
	}
	if len(m.packages) == 0 {
		o.Products = []gate.Product{{Attraction: m.attraction}}
	}
	return o, nil
}

func mintAll(minter *jwt.Minter, order jwt.Order, count int) (tickets []*jwt.Minted, err error) {
	for range count {
		t, err := minter.Mint(order)
		switch {
		case errors.Is(err, jwt.ErrOrder), errors.Is(err, jwt.ErrPast):
			return nil, usagef("%v", err)
		case err != nil:
			return nil, err
		}
		tickets = append(tickets, t)
	}
	return tickets, nil
}

// magicLink returns what comes before a ticket in an address; empty means that
// there are no addresses. A ticket goes behind the "#" and nowhere else.
func magicLink(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return "", usagef("--link %q is not an address like https://guide.example.org/#ticket=", text)
	case u.RawQuery != "" || u.ForceQuery:
		return "", usagef("--link %q has a query, want the ticket behind a # only", text)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return "", usagef("--link %q is not https, so that others could read the page that reads the ticket", text)
	}
	if strings.Contains(text, "#") {
		return text, nil
	}
	return text + "#", nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (m *mint) print(out io.Writer, tickets []*jwt.Minted, link string) error {
	type minted struct {
		ID     string `json:"id"` // for a denylist
		Ticket string `json:"ticket"`
		Link   string `json:"link,omitempty"`
	}
	var list []minted
	for _, t := range tickets {
		one := minted{ID: t.ID, Ticket: t.Token.Reveal()}
		if link != "" {
			one.Link = link + one.Ticket
		}
		list = append(list, one)
	}
	if m.asJSON {
		return json.NewEncoder(out).Encode(map[string]any{"tickets": list})
	}
	for _, one := range list {
		text := one.Ticket
		if one.Link != "" {
			text = one.Link
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
	}
	return nil
}
