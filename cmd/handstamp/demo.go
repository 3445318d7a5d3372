package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/handstamp/handstamp/pkg/admin"
	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
	"github.com/handstamp/handstamp/pkg/guide"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/ticket/roll"
)

type demoFlags struct {
	addr      string
	noBrowser bool
	json      bool
	verbose   bool
}

func newDemo() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play an audio guide on this machine, with no account at all",
		Long: `Run everything on one port of this machine: the visitor app, the gateway, a
local CloudFront and two attractions with sample audio. It prints tickets to try.
Nothing is written outside a temporary folder, and nothing is left behind.`,
		Example: `  handstamp demo
  handstamp demo --addr 127.0.0.1:0 --no-browser --json`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.Flags().StringVar(&f.addr, "addr", "127.0.0.1:8080", "address to answer on, of this machine only; port 0 takes any free one")
	cmd.Flags().BoolVar(&f.noBrowser, "no-browser", false, "do not open a browser")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one line of JSON when ready")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "log every refusal")
	return cmd
}

// A demoReady is the line that --json prints.
type demoReady struct {
	URL           string              `json:"url"`
	MediaURL      string              `json:"media_url"`
	AdminURL      string              `json:"admin_url"`
	AdminToken    string              `json:"admin_token"`
	Tickets       []demoTicket        `json:"tickets"`
	Free          []string            `json:"free"`
	Paid          map[string][]string `json:"paid"`
	KeyPairID     string              `json:"key_pair_id"`
	PublicKeyFile string              `json:"public_key_file"`
}

// A demoTicket is one ticket to try.
type demoTicket struct {
	Code       string   `json:"code"`
	Attraction string   `json:"attraction"`
	Packages   []string `json:"packages"`
	Note       string   `json:"note"`
}

// demoTickets are good from the first to the last, except those in refused.
func demoTickets() (good, refused []demoTicket) {
	return []demoTicket{
			{"CASTLE-7Q4M-2XKD-9PTR", "castle", []string{"audio", "premium"}, "the whole castle"},
			{"ZOO-5N8H-J3WC-6VYB", "zoo", []string{"audio"}, "the zoo"},
			{"CASTLE-4T9Z-B6GF-1RME", "castle", []string{"audio"}, "the castle without the tower at night"},
		}, []demoTicket{
			{"CASTLE-0LDD-AY5S-G0NE", "castle", []string{"audio"}, "expired yesterday: refused"},
		}
}

// demoKeyPairID names the key that the demo makes for itself.
const demoKeyPairID = "KDEMO0000001"

func (f *demoFlags) run(cmd *cobra.Command) error {
	listener, err := listen(f.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	host := listener.Addr().(*net.TCPAddr)
	if !host.IP.IsLoopback() {
		return usagef("--addr %s: the demo answers on this machine only (hint: --addr 127.0.0.1:8080)", f.addr)
	}
	folder, err := os.MkdirTemp("", "handstamp-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	staff, err := listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer staff.Close()
	ready, gateway, err := f.build(cmd.Context(), "http://"+host.String(), folder, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer gateway.Close()
	ready.AdminURL = "http://" + staff.Addr().String()
	log := f.log(cmd.ErrOrStderr())
	group, ctx := errgroup.WithContext(cmd.Context())
	group.Go(func() error {
		return app.Serve(ctx, listener, canonicalHost(ready.URL, gateway.Handler), gateway, 0, log)
	})
	group.Go(func() error { return app.Serve(ctx, staff, gateway.Admin, nobody{}, 0, log) })
	group.Go(func() error { gateway.Run(ctx); return nil })
	group.Go(func() error { return f.welcome(ctx, cmd.OutOrStdout(), ready) })
	return group.Wait()
}

// welcome says where the demo is, and shows it.
func (f *demoFlags) welcome(ctx context.Context, w io.Writer, ready *demoReady) error {
	if err := f.announce(w, ready); err != nil {
		return err
	}
	if !f.noBrowser && !f.json {
		openBrowser(ctx, ready.URL)
	}
	return nil
}

func (f *demoFlags) log(w io.Writer) *slog.Logger {
	if !f.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// build makes the gateway with keys, tickets and media of its own.
func (f *demoFlags) build(ctx context.Context, address, folder string, stderr io.Writer) (*demoReady, *app.App, error) {
	ring, publicFile, err := demoRing(folder)
	if err != nil {
		return nil, nil, err
	}
	good, refused := demoTickets()
	list, err := demoRoll(append(good, refused...), refused)
	if err != nil {
		return nil, nil, err
	}
	tickets, err := json.Marshal(map[string]any{"tickets": append(good, refused...)})
	if err != nil {
		return nil, nil, err
	}
	token := rand.Text() + rand.Text()
	gateway, err := app.New(ctx, demoConfig(address, folder), app.Options{
		Ring: ring, Media: guide.Sample(), Log: f.log(stderr),
		Sources:   map[string]gate.Verifier{"box-office": list},
		AdminKeys: []admin.Key{{ID: "demo", Secret: gate.Secret(token), Scopes: []admin.Scope{admin.Everything}}},
		Extra: map[string]http.Handler{"/app/demo.json": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(tickets)
		})},
	})
	if err != nil {
		return nil, nil, err
	}
	ready := &demoReady{URL: address, MediaURL: address, AdminToken: token, Tickets: good, KeyPairID: demoKeyPairID, PublicKeyFile: publicFile}
	ready.Free, ready.Paid = gateway.Content()
	return ready, gateway, nil
}

// demoConfig is the default, but that stamps fade within half a minute, so that
// everybody can watch them being renewed.
func demoConfig(address, folder string) *config.Config {
	cfg := config.Default()
	cfg.HTTP.PublicURL, cfg.Media.URL = address, address
	cfg.Cookies.Lifetime, cfg.Cookies.Window = 30*time.Second, 5*time.Second
	cfg.Book.Kind, cfg.Book.File = "sqlite", filepath.Join(folder, "book.db")
	cfg.Sources = []config.Source{{ID: "desk", Kind: "issued"}, {ID: "box-office", Kind: "roll"}}
	cfg.Attractions = []config.Attraction{
		{ID: "castle", Name: "Alderstone Castle", Prefix: "castle", Timezone: "Europe/Madrid", Free: []string{"free"}, Content: "castle/guide.yaml",
			Sources: []string{"desk", "box-office"}, Packages: []config.Package{{ID: "audio", Name: "Audio guide"}, {ID: "premium", Name: "The tower at night"}}},
		{ID: "zoo", Name: "Fernhollow Zoo", Prefix: "zoo", Timezone: "Europe/Madrid", Free: []string{"free"}, Content: "zoo/guide.yaml",
			Sources: []string{"desk", "box-office"}, Packages: []config.Package{{ID: "audio", Name: "Audio guide"}}},
	}
	return cfg
}

// demoRing makes a key for this run and leaves its public half in a file, for
// "handstamp explain".
func demoRing(folder string) (*keyring.Ring, string, error) {
	key, err := keyring.Generate(keyring.ECDSA) // at once; RSA takes up to a second
	if err != nil {
		return nil, "", err
	}
	ring, err := keyring.New([]keyring.Key{{ID: demoKeyPairID, Public: key.Public(), Private: key}}, demoKeyPairID)
	if err != nil {
		return nil, "", err
	}
	file, err := writePublic(folder, key)
	return ring, file, err
}

func writePublic(folder string, key crypto.Signer) (string, error) {
	text, err := keyring.PublicPEM(key.Public())
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, demoKeyPairID+".pub.pem")
	return file, os.WriteFile(file, text, 0o600)
}

func demoRoll(tickets, refused []demoTicket) (*roll.Roll, error) {
	var b strings.Builder
	b.WriteString("code,attraction,packages,valid_until\n")
	for i, t := range tickets {
		until := ""
		if i >= len(tickets)-len(refused) {
			until = time.Now().Add(-24 * time.Hour).Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "%s,%s,%s,%s\n", t.Code, t.Attraction, strings.Join(t.Packages, ";"), until)
	}
	return roll.Parse("demo.csv", []byte(b.String()), roll.Options{})
}

// announce prints where the demo is and what to try.
func (f *demoFlags) announce(w io.Writer, ready *demoReady) error {
	if f.json {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(ready)
	}
	colour := isTerminal(w)
	var blocks [][]string
	for _, t := range ready.Tickets[:2] {
		lines, err := qrLines(ready.URL+"/#ticket="+t.Code, colour)
		if err != nil {
			return err
		}
		blocks = append(blocks, lines)
	}
	_, refused := demoTickets()
	fmt.Fprintf(w, "\n  The audio guide is at  %s\n\n", ready.URL)
	fmt.Fprint(w, sideBySide(blocks, []string{ready.Tickets[0].Code, ready.Tickets[1].Code}))
	fmt.Fprintln(w, "\n  Tickets to try")
	for _, t := range append(ready.Tickets, refused...) {
		fmt.Fprintf(w, "    %-24s %s\n", t.Code, t.Note)
	}
	fmt.Fprintf(w, "\n  Cookies live for half a minute here and are renewed while you listen.\n  More tickets, and taking them back (see docs/admin.md):\n    curl -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \\\n      -d '{\"attraction\": \"castle\", \"packages\": [\"audio\"]}' %s/admin/v1/tickets\n", ready.AdminToken, ready.AdminURL)
	fmt.Fprintf(w, "\n  The public key that the local CloudFront trusts, for \"handstamp explain\":\n    --public-key %s=%s\n  and as a page:  %s/explain\n\n  Stop with Ctrl-C.\n", ready.KeyPairID, ready.PublicKeyFile, ready.URL)
	return nil
}

// canonicalHost sends people who typed "localhost" to the address that the
// cookies are for.
func canonicalHost(address string, next http.Handler) http.Handler {
	_, host, _ := strings.Cut(address, "://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != host && r.Method == http.MethodGet && r.URL.Path == "/" {
			http.Redirect(w, r, address+"/", http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// openBrowser tries to show the page; without a desktop nothing happens.
func openBrowser(ctx context.Context, address string) {
	name, args := "xdg-open", []string{address}
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case runtime.GOOS == "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return
	}
	cmd := exec.CommandContext(ctx, name, args...) // #nosec G204 -- one of three fixed programs
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}
