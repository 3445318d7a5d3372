package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
	"github.com/handstamp/handstamp/pkg/probe"
)

// signing returns the key that signs now.
func (c *checker) signing() (keyring.Key, error) {
	id, _, err := c.app.ring.Active()
	if err != nil {
		return keyring.Key{}, err
	}
	keys := c.app.ring.Keys()
	i := slices.IndexFunc(keys, func(k keyring.Key) bool { return k.ID == id })
	if i < 0 {
		return keyring.Key{}, fmt.Errorf("key %s is not in the ring", id)
	}
	return keys[i], nil
}

func (c *checker) keys(context.Context) {
	const id, says = "key", "there is a key to sign with, and its halves match" // or loading it had failed
	key, err := c.signing()
	if err != nil {
		c.add(id, says, probe.Failed, err.Error(), `"handstamp keys list" shows what there is`)
		return
	}
	c.add(id, says, probe.Passed, fmt.Sprintf("signing with %s (%s)", key.ID, key.Kind()), "")
}

// keyGroup compares the key with what CloudFront has under its ID.
func (c *checker) keyGroup(ctx context.Context) {
	const id, says = "key_group", "CloudFront's key group has the same public key"
	switch {
	case c.cfg.Keys.Group == "":
		c.add(id, says, probe.Skipped, "keys.group is empty", "")
		return
	case c.opts.Offline:
		c.add(id, says, probe.Skipped, "offline", "")
		return
	}
	found, err := c.inGroup(ctx)
	c.need(id, says, err, found, `"handstamp keys list --cloudfront" compares all keys, "handstamp keys publish" adds one`)
}

// inGroup returns what says that the key which signs is in the group.
func (c *checker) inGroup(ctx context.Context) (string, error) {
	key, err := c.signing()
	if err != nil {
		return "", err
	}
	want, err := keyring.Fingerprint(key.Public)
	if err != nil {
		return "", err
	}
	group, err := KeyGroup(ctx, c.cfg)
	if err != nil {
		return "", err
	}
	there, err := group.Keys(ctx)
	if err != nil {
		return "", err
	}
	return compareKeys(key.ID, want, there)
}

func compareKeys(id, fingerprint string, there []keygroup.PublicKey) (string, error) {
	i := slices.IndexFunc(there, func(k keygroup.PublicKey) bool { return k.ID == id })
	switch {
	case i < 0:
		return "", fmt.Errorf("key %s is not among the %d of the group", id, len(there))
	case there[i].Fingerprint != fingerprint:
		return "", fmt.Errorf("CloudFront has another public key under %s", id)
	}
	return "fingerprint " + fingerprint, nil
}
