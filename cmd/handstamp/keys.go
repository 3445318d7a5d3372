package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/keyring"
)

func newKeys() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make and look after signing keys",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysNew(), newKeysAdopt(), newKeysList(), newKeysPublish(), newKeysActivate(), newKeysRetire(), newKeysRevoke(), newKeysRotate())
	return cmd
}

func newKeysNew() *cobra.Command {
	var kind, dir, id, from string
	var asJSON bool
	var ring configFlags
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a key pair",
		Long: `Make a key pair that CloudFront accepts: the private half in a file that only
you can read, the public half beside it and on the screen, with what to do with
it at CloudFront.

CloudFront gives the public key its ID when it is uploaded. Until then the files
are called unpublished-...; name them after the ID afterwards. With --id the
name is yours from the start, for "handstamp edge" and tests.

With --config the key joins the ring of a configuration that has a keys.manifest,
as an upcoming one; --from names a key that exists, such as one in KMS.`,
		Example: `  handstamp keys new
  handstamp keys new --type ecdsa --dir /etc/handstamp/keys
  handstamp keys new --id KLOCALEDGE01 --json
  handstamp keys new --config config.yaml --type ecdsa`,
		Args: onlyFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if kind != string(keyring.RSA) && kind != string(keyring.ECDSA) {
				return usagef("--type %q, want rsa or ecdsa", kind)
			}
			if id != "" && keyring.CheckID(id) != nil {
				return usagef("--id %v", keyring.CheckID(id))
			}
			if ring.file != "" {
				return joinRing(cmd, &ring, kind, from, id)
			}
			if from != "" {
				return usagef("--from goes with --config: it names a key for the ring of a configuration")
			}
			return makeKey(cmd.OutOrStdout(), keyring.Type(kind), dir, id, asJSON)
		},
	}
	addMakeFlags(cmd, &kind, &from)
	cmd.Flags().StringVar(&dir, "dir", "keys", "folder of the key ring; made if it is not there; with --config it is keys.dir")
	cmd.Flags().StringVar(&ring.file, "config", "", "configuration whose ring the key joins; empty only makes the files")
	cmd.Flags().StringVar(&id, "id", "", "key pair ID, if you know it already")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// joinRing makes a key and writes it into the manifest of a configuration.
func joinRing(cmd *cobra.Command, flags *configFlags, kind, from, id string) error {
	d, err := flags.openKeys(cmd)
	if err != nil {
		return err
	}
	e, err := d.make(cmd.Context(), kind, from, id)
	if err != nil {
		return err
	}
	if err := keyring.Change(cmd.Context(), d.store, func(m *keyring.Manifest) error { return m.Add(e, d.now()) }); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s (%s, %s) is upcoming (hint: handstamp keys publish %[1]s)\n", e.Name(), e.Kind(), e.From)
	return nil
}

func makeKey(out io.Writer, kind keyring.Type, dir, id string, asJSON bool) error {
	key, err := keyring.Generate(kind)
	if err != nil {
		return err
	}
	pair, err := keyring.Write(dir, id, key)
	if os.IsExist(err) {
		return fmt.Errorf("%w (hint: keys are never overwritten; choose another --id or --dir)", err)
	}
	if err != nil {
		return err
	}
	public, err := keyring.PublicPEM(key.Public())
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]string{
			"name": pair.Name, "private_file": pair.PrivateFile, "public_file": pair.PublicFile,
			"fingerprint": pair.Fingerprint, "public_key": string(public)})
	}
	fmt.Fprintf(out, "private key  %s  (mode 0600; whoever has it can open everything)\npublic key   %s\nfingerprint  sha256:%s\n\n%s\n",
		pair.PrivateFile, pair.PublicFile, pair.Fingerprint, public)
	if id == "" {
		return explainPublishing(out, dir, pair, string(public))
	}
	return nil
}

// explainPublishing says what to do with the public key at CloudFront.
func explainPublishing(out io.Writer, dir string, pair *keyring.Pair, public string) error {
	config, err := json.Marshal(struct{ CallerReference, Name, EncodedKey string }{pair.Fingerprint, "handstamp-" + pair.Fingerprint[:12], public})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, publishHelp, config, filepath.Join(dir, pair.Name), dir, filepath.Join(dir, pair.Name), dir)
	return nil
}

const publishHelp = `Next, at CloudFront (console: Key management > Public keys > Create public key):

  aws cloudfront create-public-key --public-key-config '%s'

It answers with the ID of the public key, such as K2JCJMDEHXQW5F. Put that ID into
the key group that the paid cache behaviors trust, name the files after it, and
set keys.active in config.yaml:

  mv %s.pem %s/K2JCJMDEHXQW5F.pem
  mv %s.pub.pem %s/K2JCJMDEHXQW5F.pub.pem
`
