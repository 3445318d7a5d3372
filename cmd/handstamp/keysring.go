package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
	"github.com/handstamp/handstamp/pkg/probe"
)

// A keyDesk is what commands about the life of keys work with.
type keyDesk struct {
	cfg     *config.Config
	store   keyring.Store
	openers keyring.Openers
	group   *keygroup.Group // nil means that CloudFront is looked after by hand
	rules   keyring.Rules
	now     func() time.Time
	asJSON  bool // print the key as JSON, and no words
}

func (f *configFlags) openKeys(cmd *cobra.Command) (*keyDesk, error) {
	cfg, err := f.load(cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	if cfg.Keys.Manifest == "" {
		return nil, usagef("%s has no keys.manifest, where the life of the keys is written down (hint: set it to folder, and \"handstamp keys adopt\" begins it)", f.file)
	}
	d := &keyDesk{cfg: cfg, rules: app.KeyRules(cfg), now: time.Now}
	if d.store, d.openers, err = app.Keys(cmd.Context(), cfg); err != nil {
		return nil, err
	}
	if cfg.Keys.Group != "" {
		d.group, err = app.KeyGroup(cmd.Context(), cfg)
	}
	return d, err
}

// keysCommand makes a command that works with the ring of a configuration.
func keysCommand(cmd *cobra.Command, do func(*cobra.Command, *keyDesk, []string) error) *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := flags.openKeys(cmd)
		if err != nil {
			return err
		}
		d.asJSON = asJSON
		return do(cmd, d, args)
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// say prints what was done to a key: words, or the key as it is now.
func (d *keyDesk) say(cmd *cobra.Command, name, format string, args ...any) error {
	if !d.asJSON {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), format, args...)
		return err
	}
	m, err := d.load(cmd.Context())
	if err != nil {
		return err
	}
	e, err := m.Entry(name)
	if err != nil {
		return err
	}
	return json.NewEncoder(cmd.OutOrStdout()).Encode(d.line(e))
}

// load returns the manifest.
func (d *keyDesk) load(ctx context.Context) (*keyring.Manifest, error) {
	m, err := d.store.Load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf(`%w (hint: "handstamp keys adopt" begins a manifest with the keys that are in use)`, err)
	}
	return m, err
}

// change changes the manifest and returns the entry that it was about.
func (d *keyDesk) change(ctx context.Context, name string, do func(*keyring.Manifest) error) (e keyring.Entry, err error) {
	err = keyring.Change(ctx, d.store, func(m *keyring.Manifest) error {
		found, err := m.Entry(name)
		if err != nil {
			return err
		}
		if err := do(m); err != nil {
			return err
		}
		e = *found
		return nil
	})
	return e, err
}

func newKeysAdopt() *cobra.Command {
	return keysCommand(&cobra.Command{
		Use:   "adopt",
		Short: "Begin a manifest for keys that are in use",
		Long: `Write the keys of keys.dir into a new manifest: keys.active as the one that signs,
the others as retiring ones. CloudFront has them all already.`,
		Example: `  handstamp keys adopt --config config.yaml`,
		Args:    onlyFlags,
	}, func(cmd *cobra.Command, d *keyDesk, _ []string) error {
		ring, err := keyring.Load(d.cfg.Keys.Dir, d.cfg.Keys.Active, keyring.Options{InsecureAllowExample: !d.cfg.Production(), AllowGroupRead: bool(d.cfg.Keys.GroupRead)})
		if err != nil {
			return &setupError{err}
		}
		if _, err := d.store.Load(cmd.Context()); err == nil {
			return errors.New(`there is a manifest already (hint: "handstamp keys list" shows it)`)
		}
		m := &keyring.Manifest{Revision: 1}
		now := d.now().UTC()
		for _, k := range ring.Keys() {
			e, err := keyring.NewEntry(k.ID, "file:"+k.ID+".pem", k.Public)
			if err != nil {
				return err
			}
			e.Made, e.Published, e.State, e.Relieved = now, now, keyring.StateRetiring, now
			if k.ID == d.cfg.Keys.Active {
				e.State, e.Activated, e.Relieved = keyring.StateActive, now, time.Time{}
			}
			m.Keys = append(m.Keys, e)
		}
		if err := d.store.Save(cmd.Context(), m, 0); err != nil {
			return err
		}
		return d.say(cmd, d.cfg.Keys.Active, "%d keys adopted, %s signs\n", len(m.Keys), d.cfg.Keys.Active)
	})
}

func newKeysActivate() *cobra.Command {
	var force bool
	cmd := keysCommand(&cobra.Command{
		Use:   "activate ID",
		Short: "Sign with another key from now on",
		Long: `Make a published key the one that signs. Every gateway follows within keys.interval
and 10 seconds. A key is refused before every edge location has it, keys.settle
after it was published: there, what it signs would be refused.`,
		Example: `  handstamp keys activate K2JCJMDEHXQW5F`,
		Args:    cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *keyDesk, args []string) error {
		e, err := d.change(cmd.Context(), args[0], func(m *keyring.Manifest) error { return m.Activate(args[0], d.rules, d.now(), force) })
		if err != nil {
			return err
		}
		return d.say(cmd, e.ID, "%s signs; every gateway follows within %s\n", e.ID, d.rules.Switch)
	})
	cmd.Flags().BoolVar(&force, "force", false, "do not wait for the edge locations; visitors there are refused until they have the key")
	return cmd
}

func newKeysRetire() *cobra.Command {
	var force, removed bool
	cmd := keysCommand(&cobra.Command{
		Use:   "retire ID",
		Short: "End the life of a key that signs no more",
		Long: `Retire a key and take its public half from CloudFront. It is refused while cookies
that it signed may be out. Without keys.group it says what to do at CloudFront by
hand; say --removed when that is done.`,
		Example: `  handstamp keys retire K2JCJMDEHXQW5F`,
		Args:    cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *keyDesk, args []string) error {
		e, err := d.change(cmd.Context(), args[0], func(m *keyring.Manifest) error { return m.Retire(args[0], d.rules, d.now(), force) })
		if err != nil {
			return err
		}
		if !d.asJSON {
			fmt.Fprintf(cmd.OutOrStdout(), "%s is retired\n", args[0])
		}
		return d.remove(cmd, &e, removed)
	})
	cmd.Flags().BoolVar(&force, "force", false, "do not wait for the last cookie; visitors who hold one are refused until they renew")
	cmd.Flags().BoolVar(&removed, "removed", false, "the public key is no longer at CloudFront")
	return cmd
}

// remove takes a key that is over from CloudFront, or says how to.
func (d *keyDesk) remove(cmd *cobra.Command, e *keyring.Entry, removed bool) error {
	if e.ID == "" || !e.Removed.IsZero() {
		return d.say(cmd, e.Name(), "")
	}
	if d.group == nil && !removed {
		return d.say(cmd, e.ID, "%s", removeByHand(e))
	}
	if d.group != nil && !removed {
		if err := d.group.Remove(cmd.Context(), e.ID); err != nil {
			return fmt.Errorf("%w (hint: do it again when that is mended)", err)
		}
	}
	_, err := d.change(cmd.Context(), e.ID, func(m *keyring.Manifest) error { return m.Remove(e.ID, d.now()) })
	if err != nil {
		return err
	}
	return d.say(cmd, e.ID, "%s is not at CloudFront any more; edge locations follow within minutes\n", e.ID)
}

func newKeysRevoke() *cobra.Command {
	return keysCommand(&cobra.Command{
		Use:   "revoke ID",
		Short: "The drill for a private key that somebody else may have",
		Long: `Stop signing with a key at once, take its public half from CloudFront, and say
what else to do. Whoever has the private key can make cookies that open
everything until every edge location has forgotten the public one. If it is the
key that signs, the published key that was made last takes over.`,
		Example: `  handstamp keys revoke K2JCJMDEHXQW5F`,
		Args:    cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *keyDesk, args []string) error {
		e, err := d.change(cmd.Context(), args[0], func(m *keyring.Manifest) error { return m.Revoke(args[0], d.now()) })
		if err != nil {
			return err
		}
		m, err := d.store.Load(cmd.Context())
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		signs := "nothing signs now"
		if active := m.Active(); active != nil {
			signs = active.ID + " signs within " + d.rules.Switch.String()
		}
		if !d.asJSON {
			fmt.Fprintf(out, "%s is revoked; %s\n", args[0], signs)
		}
		if err := d.remove(cmd, &e, false); err != nil || d.asJSON {
			return err
		}
		fmt.Fprintf(out, revokeHelp, args[0], e.From)
		return nil
	})
}

const revokeHelp = `
What else to do:
  1. Visitors who hold cookies by %[1]s are refused as soon as the edge forgets the
     key; their apps renew and go on. Nothing has to be done for them.
  2. See that it is gone: handstamp probe, check "retired".
  3. Delete the private key (%[2]s) and its copies: backups, images, CI secrets.
  4. Look into CloudFront's logs for requests with Key-Pair-Id %[1]s whose cookies
     no gateway gave out, and find out how the key got away.
  5. Make the next key, so that there is one in reserve: handstamp keys new, and
     handstamp keys publish.
`

func newKeysRotate() *cobra.Command {
	var plan bool
	var kind, from string
	cmd := keysCommand(&cobra.Command{
		Use:   "rotate",
		Short: "Replace the key that signs, step by step",
		Long: `Walk the whole procedure: make a key, publish it, wait until every edge location
has it, sign with it, wait for the last cookie of the old one, retire that. Most of
it is waiting, so it takes hours. It can be interrupted anywhere; the same command
goes on from there.`,
		Example: `  handstamp keys rotate --plan
  handstamp keys rotate --type ecdsa
  handstamp keys rotate --from kms:arn:aws:kms:eu-west-1:111122223333:key/1234`,
		Args: onlyFlags,
	}, func(cmd *cobra.Command, d *keyDesk, _ []string) error {
		if plan {
			return d.printPlan(cmd)
		}
		out := cmd.OutOrStdout()
		r := keyring.Rotation{Store: d.store, Distribution: d.distribution(), Now: d.now, Rules: d.rules,
			Make: func(ctx context.Context) (keyring.Entry, error) { return d.make(ctx, kind, from, "") },
			Wait: waitUntil(d.now),
			Tell: func(s keyring.Step) { d.tell(out, s) }}
		if err := r.Run(cmd.Context()); err != nil || d.asJSON {
			return err
		}
		fmt.Fprintln(out, "the rotation is complete")
		return nil
	})
	cmd.Flags().BoolVar(&plan, "plan", false, "only print the steps, with their times")
	addMakeFlags(cmd, &kind, &from)
	return cmd
}

// tell prints a step that is next.
func (d *keyDesk) tell(w io.Writer, s keyring.Step) {
	if d.asJSON {
		_ = json.NewEncoder(w).Encode(s)
		return
	}
	fmt.Fprintf(w, "%s  %s\n", s.At.Local().Format(time.DateTime), s)
}

func addMakeFlags(cmd *cobra.Command, kind, from *string) {
	cmd.Flags().StringVar(kind, "type", "rsa", "rsa (RSA-2048) or ecdsa (P-256, signs with SHA-256)")
	cmd.Flags().StringVar(from, "from", "", "a key that exists: file:NAME, env:NAME, secretsmanager:NAME, ssm:NAME or kms:ARN; empty makes one in keys.dir")
}

// waitUntil returns a function that waits until a time, or until ctx ends.
func waitUntil(now func() time.Time) func(context.Context, time.Time) error {
	return func(ctx context.Context, until time.Time) error {
		timer := time.NewTimer(until.Sub(now()))
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return errors.New("interrupted (hint: the same command goes on)")
		}
	}
}

func (d *keyDesk) printPlan(cmd *cobra.Command) error {
	m, err := d.load(cmd.Context())
	if err != nil {
		return err
	}
	steps := m.Plan(d.rules, d.now())
	if d.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"steps": steps})
	}
	for _, s := range steps {
		d.tell(cmd.OutOrStdout(), s)
	}
	return nil
}

// make makes a private key, or takes one that exists, and returns its entry.
func (d *keyDesk) make(ctx context.Context, kind, from, id string) (keyring.Entry, error) {
	if from != "" {
		key, err := d.openers.Open(ctx, from)
		if err != nil {
			return keyring.Entry{}, err
		}
		return keyring.NewEntry(id, from, key.Public())
	}
	key, err := keyring.Generate(keyring.Type(kind))
	if err != nil {
		return keyring.Entry{}, err
	}
	pair, err := keyring.Write(d.cfg.Keys.Dir, id, key)
	if err != nil {
		return keyring.Entry{}, err
	}
	return keyring.NewEntry(id, "file:"+filepath.Base(pair.PrivateFile), key.Public())
}

// distribution is CloudFront's side.
func (d *keyDesk) distribution() keyring.Distribution {
	if d.group != nil {
		return d.group
	}
	return byHand{}
}

// byHand is CloudFront where somebody else does what is to be done.
type byHand struct{}

func (byHand) Publish(_ context.Context, e *keyring.Entry) (string, error) {
	return "", fmt.Errorf("that is to be done by hand:\n\n%s\nThen: handstamp keys publish %s --id K..., and go on", publishByHand(e, "handstamp"), e.Name())
}

func (byHand) Remove(_ context.Context, id string) error {
	return fmt.Errorf("that is to be done by hand:\n\n%s\nThen: handstamp keys retire %s --removed, and go on", removeByHand(&keyring.Entry{ID: id}), id)
}

func newKeysPublish() *cobra.Command {
	var dryRun bool
	var id, wait string
	cmd := keysCommand(&cobra.Command{
		Use:   "publish NAME",
		Short: "Give the public half of a key to CloudFront",
		Long: `Create the public key at CloudFront, put it into the key group keys.group, which is
made if there is none, and read both back. --dry-run prints the same for the AWS
CLI and for CloudFormation. Where somebody else has done it, --id notes the key
pair ID that CloudFront gave; with keys.group it is refused unless the group has
this key under that ID.

With --wait it then asks the distribution (media.url) again and again, until a
cookie by the new key opens the first paid file of an attraction. That tells of the
edge location that answers here; the others follow, see keys.settle.`,
		Example: `  handstamp keys publish unpublished-1f9c2ab04d77
  handstamp keys publish unpublished-1f9c2ab04d77 --dry-run
  handstamp keys publish unpublished-1f9c2ab04d77 --id K2JCJMDEHXQW5F`,
		Args: cobra.ExactArgs(1),
	}, func(cmd *cobra.Command, d *keyDesk, args []string) error {
		published, err := d.publish(cmd, args[0], id, dryRun)
		if err != nil || wait == "" || dryRun {
			return err
		}
		return d.await(cmd, published, wait)
	})
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only print what would be done, for the AWS CLI and CloudFormation")
	cmd.Flags().StringVar(&id, "id", "", "the key pair ID, if the key is at CloudFront already")
	cmd.Flags().StringVar(&wait, "wait", "", "id of an attraction: wait until the distribution takes its cookies by the new key")
	return cmd
}

// publish returns the key pair ID that the key has at CloudFront.
func (d *keyDesk) publish(cmd *cobra.Command, name, id string, dryRun bool) (string, error) {
	m, err := d.load(cmd.Context())
	if err != nil {
		return "", err
	}
	e, err := m.Entry(name)
	if err != nil {
		return "", err
	}
	if dryRun {
		_, err := fmt.Fprint(cmd.OutOrStdout(), publishByHand(e, d.groupName()))
		return "", err
	}
	if id == "" && d.group == nil && !e.Published.IsZero() {
		id = e.ID // somebody has done it
	}
	if id == "" {
		id, err = d.distribution().Publish(cmd.Context(), e)
	} else {
		err = d.trusted(cmd.Context(), e, id)
	}
	if err != nil {
		return "", err
	}
	published, err := d.change(cmd.Context(), name, func(m *keyring.Manifest) error { return m.Publish(name, id, d.now()) })
	if err != nil {
		return "", err
	}
	return id, d.say(cmd, id, "%s is at CloudFront as %s; it can sign from %s\n", name, id, d.rules.Ready(&published).Local().Format(time.DateTime))
}

// trusted returns an error unless the key group has e under id: a gateway that
// signs with another key than CloudFront checks by opens nothing for anybody.
// Without keys.group nobody asks CloudFront.
func (d *keyDesk) trusted(ctx context.Context, e *keyring.Entry, id string) error {
	if d.group == nil {
		return nil
	}
	there, err := d.group.Keys(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(there, func(k keygroup.PublicKey) bool { return k.ID == id })
	switch {
	case i < 0:
		return fmt.Errorf(`%w: key group %q has no %s (hint: without --id this command puts the key there)`, keygroup.ErrNotThere, d.groupName(), id)
	case there[i].Fingerprint != e.Fingerprint:
		return fmt.Errorf("%w: %s has fingerprint %.12s, and %s, of %s, has %.12s (hint: was the private key of another pair put there?)",
			keygroup.ErrDiffers, id, there[i].Fingerprint, e.Name(), e.From, e.Fingerprint)
	}
	return nil
}

// awaitEvery is how often the distribution is asked whether it has a key.
const awaitEvery = 15 * time.Second

// await waits until the distribution takes cookies by a key.
func (d *keyDesk) await(cmd *cobra.Command, id, attraction string) error {
	for {
		target, err := app.ProbeTarget(cmd.Context(), d.cfg, "", attraction)
		if err != nil {
			return err
		}
		known, err := probe.Trusts(cmd.Context(), *target, id, probe.Options{})
		switch {
		case err != nil:
			return err
		case known:
			return d.say(cmd, id, "the distribution takes cookies by %s\n", id)
		}
		if err := waitUntil(d.now)(cmd.Context(), d.now().Add(awaitEvery)); err != nil {
			return err
		}
	}
}

func (d *keyDesk) groupName() string {
	if d.cfg.Keys.Group == "" {
		return "handstamp"
	}
	return d.cfg.Keys.Group
}

func newKeysList() *cobra.Command {
	var atCloudFront bool
	cmd := keysCommand(&cobra.Command{
		Use:     "list",
		Short:   "Show the ring and, side by side, what CloudFront has",
		Example: "  handstamp keys list\n  handstamp keys list --cloudfront --json",
		Args:    onlyFlags,
	}, func(cmd *cobra.Command, d *keyDesk, _ []string) error {
		lines, err := d.list(cmd.Context(), atCloudFront)
		if err != nil {
			return err
		}
		if d.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"keys": lines})
		}
		return printKeys(cmd.OutOrStdout(), lines, atCloudFront)
	})
	cmd.Flags().BoolVar(&atCloudFront, "cloudfront", false, "compare with the key group keys.group")
	return cmd
}

// A keyLine is one key, here and at CloudFront.
type keyLine struct {
	Name        string        `json:"name"`
	State       keyring.State `json:"state,omitempty"` // empty if only CloudFront has it
	Kind        string        `json:"kind,omitempty"`
	Fingerprint string        `json:"fingerprint"`
	From        string        `json:"from,omitempty"`
	Published   *time.Time    `json:"published,omitempty"`
	Activated   *time.Time    `json:"activated,omitempty"`
	Next        string        `json:"next,omitempty"`
	CloudFront  string        `json:"cloudfront,omitempty"` // there, missing, another key, still there, unknown here
	Differs     bool          `json:"differs,omitempty"`
}

func (d *keyDesk) list(ctx context.Context, atCloudFront bool) ([]keyLine, error) {
	m, err := d.load(ctx)
	if err != nil {
		return nil, err
	}
	var there []keygroup.PublicKey
	if atCloudFront {
		if d.group == nil {
			return nil, usagef("--cloudfront needs keys.group, the name of the key group")
		}
		if there, err = d.group.Keys(ctx); err != nil && !errors.Is(err, keygroup.ErrNotThere) {
			return nil, err
		}
	}
	var lines []keyLine
	for i := range m.Keys {
		e := &m.Keys[i]
		line := d.line(e)
		if atCloudFront {
			line.compare(e, there)
		}
		lines = append(lines, line)
	}
	for _, k := range there {
		if !slices.ContainsFunc(m.Keys, func(e keyring.Entry) bool { return e.ID == k.ID }) {
			lines = append(lines, keyLine{Name: k.ID, Fingerprint: k.Fingerprint, CloudFront: "unknown here", Differs: true})
		}
	}
	return lines, nil
}

func (d *keyDesk) line(e *keyring.Entry) keyLine {
	return keyLine{Name: e.Name(), State: e.State, Kind: e.Kind(), Fingerprint: e.Fingerprint, From: e.From,
		Published: optional(e.Published), Activated: optional(e.Activated), Next: d.next(e)}
}

// next says what a key waits for.
func (d *keyDesk) next(e *keyring.Entry) string {
	switch {
	case e.State == keyring.StateUpcoming && e.Published.IsZero():
		return "publish"
	case e.State == keyring.StateUpcoming:
		return "may sign from " + d.rules.Ready(e).Local().Format(time.DateTime)
	case e.State == keyring.StateRetiring:
		return "may retire from " + d.rules.Done(e).Local().Format(time.DateTime)
	case (e.State == keyring.StateRetired || e.State == keyring.StateRevoked) && !e.Published.IsZero() && e.Removed.IsZero():
		return "remove from CloudFront"
	}
	return ""
}

// compare says whether CloudFront has what it should.
func (l *keyLine) compare(e *keyring.Entry, there []keygroup.PublicKey) {
	i := slices.IndexFunc(there, func(k keygroup.PublicKey) bool { return k.ID == e.ID && e.ID != "" })
	over := e.State == keyring.StateRetired || e.State == keyring.StateRevoked
	switch {
	case i < 0 && (over || e.Published.IsZero()):
	case i < 0:
		l.CloudFront, l.Differs = "missing", true
	case there[i].Fingerprint != e.Fingerprint:
		l.CloudFront, l.Differs = "another key", true
	case over:
		l.CloudFront, l.Differs = "still there", true
	default:
		l.CloudFront = "there"
	}
}

func printKeys(w io.Writer, lines []keyLine, atCloudFront bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "KEY\tSTATE\tKIND\tFINGERPRINT\tNEXT"
	if atCloudFront {
		head += "\tCLOUDFRONT"
	}
	fmt.Fprintln(table, head)
	for _, l := range lines {
		cells := []string{l.Name, string(l.State), l.Kind, l.Fingerprint[:min(12, len(l.Fingerprint))], l.Next}
		if atCloudFront {
			mark := l.CloudFront
			if l.Differs {
				mark = "! " + mark
			}
			cells = append(cells, mark)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}
