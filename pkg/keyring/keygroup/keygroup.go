// Package keygroup is CloudFront's side of a key ring: public keys and the key
// group that cache behaviors trust, through CloudFront's API.
//
//	group := keygroup.New(cloudfront.NewFromConfig(cfg), "handstamp")
//	id, err := group.Publish(ctx, entry)
//
// A change reaches the edge locations within minutes; until then they go on
// with what they had.
package keygroup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/handstamp/handstamp/pkg/keyring"
)

// MaxKeys is how many public keys a key group may have (CloudFront quotas).
const MaxKeys = 5

// Errors of a key group.
var (
	ErrOnly     = errors.New("a key group must not be empty")
	ErrFull     = errors.New("the key group is full")
	ErrDiffers  = errors.New("CloudFront has another public key under this name")
	ErrNotThere = errors.New("not at CloudFront")
)

// A Client is the part of *cloudfront.Client that is used.
type Client interface {
	ListPublicKeys(context.Context, *cloudfront.ListPublicKeysInput, ...func(*cloudfront.Options)) (*cloudfront.ListPublicKeysOutput, error)
	CreatePublicKey(context.Context, *cloudfront.CreatePublicKeyInput, ...func(*cloudfront.Options)) (*cloudfront.CreatePublicKeyOutput, error)
	GetPublicKey(context.Context, *cloudfront.GetPublicKeyInput, ...func(*cloudfront.Options)) (*cloudfront.GetPublicKeyOutput, error)
	DeletePublicKey(context.Context, *cloudfront.DeletePublicKeyInput, ...func(*cloudfront.Options)) (*cloudfront.DeletePublicKeyOutput, error)
	ListKeyGroups(context.Context, *cloudfront.ListKeyGroupsInput, ...func(*cloudfront.Options)) (*cloudfront.ListKeyGroupsOutput, error)
	GetKeyGroup(context.Context, *cloudfront.GetKeyGroupInput, ...func(*cloudfront.Options)) (*cloudfront.GetKeyGroupOutput, error)
	CreateKeyGroup(context.Context, *cloudfront.CreateKeyGroupInput, ...func(*cloudfront.Options)) (*cloudfront.CreateKeyGroupOutput, error)
	UpdateKeyGroup(context.Context, *cloudfront.UpdateKeyGroupInput, ...func(*cloudfront.Options)) (*cloudfront.UpdateKeyGroupOutput, error)
}

// Timeout is how long one change may take, with all its requests.
const Timeout = time.Minute

// A Group is one key group, by its name or its ID. It implements
// keyring.Distribution.
type Group struct {
	client Client
	name   string
}

// New returns the key group called name, which Publish makes if there is none.
func New(client Client, name string) *Group { return &Group{client: client, name: name} }

// KeyName is what the public key with a fingerprint is called at CloudFront.
func KeyName(fingerprint string) string {
	return "handstamp-" + fingerprint[:min(12, len(fingerprint))]
}

// Publish implements keyring.Distribution: it makes the public key unless it is
// there, puts it into the group, and reads both back. It returns ErrFull if the
// group has MaxKeys others.
func (g *Group) Publish(ctx context.Context, e *keyring.Entry) (keyPairID string, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	id, err := g.find(ctx, e)
	if err == nil && id == "" {
		id, err = g.create(ctx, e)
	}
	if err != nil {
		return "", err
	}
	if err := g.verify(ctx, id, e.Fingerprint); err != nil {
		return "", err
	}
	err = g.update(ctx, func(items []string) ([]string, error) {
		if slices.Contains(items, id) {
			return items, nil
		}
		if len(items) >= MaxKeys {
			return nil, fmt.Errorf(`%w: %q has %d keys, at most %d (hint: "handstamp keys retire" removes one)`, ErrFull, g.name, len(items), MaxKeys)
		}
		return append(items, id), nil
	})
	if err != nil {
		return "", err
	}
	group, err := g.Keys(ctx)
	if err == nil && !slices.ContainsFunc(group, func(k PublicKey) bool { return k.ID == id && k.Fingerprint == e.Fingerprint }) {
		err = fmt.Errorf("%w: public key %s in key group %q, just after it was put there", ErrNotThere, id, g.name)
	}
	return id, err
}

// find returns the ID of the public key if it is at CloudFront already.
func (g *Group) find(ctx context.Context, e *keyring.Entry) (string, error) {
	if e.ID != "" {
		return e.ID, nil
	}
	in := &cloudfront.ListPublicKeysInput{}
	for {
		out, err := g.client.ListPublicKeys(ctx, in)
		if err != nil {
			return "", fmt.Errorf("list public keys: %w", err)
		}
		for _, k := range out.PublicKeyList.Items {
			if fingerprint(aws.ToString(k.EncodedKey)) == e.Fingerprint {
				return aws.ToString(k.Id), nil
			}
		}
		if in.Marker = out.PublicKeyList.NextMarker; aws.ToString(in.Marker) == "" {
			return "", nil
		}
	}
}

func (g *Group) create(ctx context.Context, e *keyring.Entry) (string, error) {
	name := KeyName(e.Fingerprint)
	out, err := g.client.CreatePublicKey(ctx, &cloudfront.CreatePublicKeyInput{PublicKeyConfig: &types.PublicKeyConfig{
		CallerReference: &e.Fingerprint, Name: &name, EncodedKey: &e.Public, Comment: aws.String("made by handstamp")}})
	if err != nil {
		return "", fmt.Errorf("create public key %s: %w", name, err)
	}
	return aws.ToString(out.PublicKey.Id), nil
}

// verify returns an error unless CloudFront has the right key under id.
func (g *Group) verify(ctx context.Context, id, want string) error {
	out, err := g.client.GetPublicKey(ctx, &cloudfront.GetPublicKeyInput{Id: &id})
	if err != nil {
		return fmt.Errorf("read public key %s: %w", id, err)
	}
	if found := fingerprint(aws.ToString(out.PublicKey.PublicKeyConfig.EncodedKey)); found != want {
		return fmt.Errorf("%w: %s has fingerprint %.12s, want %.12s", ErrDiffers, id, found, want)
	}
	return nil
}

// update changes what is in the group, or makes the group.
func (g *Group) update(ctx context.Context, change func([]string) ([]string, error)) error {
	id, err := g.id(ctx)
	if err != nil {
		return err
	}
	if id == "" {
		items, err := change(nil)
		if err != nil || len(items) == 0 {
			return err
		}
		_, err = g.client.CreateKeyGroup(ctx, &cloudfront.CreateKeyGroupInput{KeyGroupConfig: &types.KeyGroupConfig{Name: &g.name, Items: items,
			Comment: aws.String("made by handstamp")}})
		if err != nil {
			return fmt.Errorf("create key group %q: %w", g.name, err)
		}
		return nil
	}
	out, err := g.client.GetKeyGroup(ctx, &cloudfront.GetKeyGroupInput{Id: &id})
	if err != nil {
		return fmt.Errorf("read key group %q: %w", g.name, err)
	}
	config := *out.KeyGroup.KeyGroupConfig
	items, err := change(slices.Clone(config.Items))
	if err != nil || slices.Equal(items, config.Items) {
		return err
	}
	config.Items = items
	if _, err = g.client.UpdateKeyGroup(ctx, &cloudfront.UpdateKeyGroupInput{Id: &id, IfMatch: out.ETag, KeyGroupConfig: &config}); err != nil {
		return fmt.Errorf("update key group %q: %w", g.name, err)
	}
	return nil
}

// id returns the ID of the group, empty if there is none.
func (g *Group) id(ctx context.Context) (string, error) {
	in := &cloudfront.ListKeyGroupsInput{}
	for {
		out, err := g.client.ListKeyGroups(ctx, in)
		if err != nil {
			return "", fmt.Errorf("list key groups: %w", err)
		}
		for _, s := range out.KeyGroupList.Items {
			if s.KeyGroup != nil && (aws.ToString(s.KeyGroup.KeyGroupConfig.Name) == g.name || aws.ToString(s.KeyGroup.Id) == g.name) {
				return aws.ToString(s.KeyGroup.Id), nil
			}
		}
		if in.Marker = out.KeyGroupList.NextMarker; aws.ToString(in.Marker) == "" {
			return "", nil
		}
	}
}

// Remove implements keyring.Distribution: it takes the public key out of the
// group and deletes it, unless another group still has it.
func (g *Group) Remove(ctx context.Context, keyPairID string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	err := g.update(ctx, func(items []string) ([]string, error) {
		if len(items) == 1 && items[0] == keyPairID {
			return nil, fmt.Errorf("%w: %s is the only key of %q (hint: publish another key first)", ErrOnly, keyPairID, g.name)
		}
		return slices.DeleteFunc(items, func(id string) bool { return id == keyPairID }), nil
	})
	if err != nil {
		return err
	}
	out, err := g.client.GetPublicKey(ctx, &cloudfront.GetPublicKeyInput{Id: &keyPairID})
	var gone *types.NoSuchPublicKey
	switch {
	case errors.As(err, &gone):
		return nil
	case err != nil:
		return fmt.Errorf("read public key %s: %w", keyPairID, err)
	}
	_, err = g.client.DeletePublicKey(ctx, &cloudfront.DeletePublicKeyInput{Id: &keyPairID, IfMatch: out.ETag})
	var used *types.PublicKeyInUse
	if err != nil && !errors.As(err, &gone) && !errors.As(err, &used) {
		return fmt.Errorf("delete public key %s: %w", keyPairID, err)
	}
	return nil
}

// A PublicKey is one that the group has at CloudFront.
type PublicKey struct {
	ID          string
	Fingerprint string // see keyring.Fingerprint; empty if it cannot be read
	Created     time.Time
}

// Keys returns the public keys that the group has at CloudFront. A group that
// is not there has none, and the error is ErrNotThere.
func (g *Group) Keys(ctx context.Context) ([]PublicKey, error) {
	id, err := g.id(ctx)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, fmt.Errorf("key group %q: %w", g.name, ErrNotThere)
	}
	out, err := g.client.GetKeyGroup(ctx, &cloudfront.GetKeyGroupInput{Id: &id})
	if err != nil {
		return nil, fmt.Errorf("read key group %q: %w", g.name, err)
	}
	var keys []PublicKey
	for _, item := range out.KeyGroup.KeyGroupConfig.Items {
		k, err := g.client.GetPublicKey(ctx, &cloudfront.GetPublicKeyInput{Id: &item})
		if err != nil {
			return nil, fmt.Errorf("read public key %s: %w", item, err)
		}
		keys = append(keys, PublicKey{ID: item, Created: aws.ToTime(k.PublicKey.CreatedTime),
			Fingerprint: fingerprint(aws.ToString(k.PublicKey.PublicKeyConfig.EncodedKey))})
	}
	return keys, nil
}

// fingerprint returns the fingerprint of a public key in PEM, empty if it is none.
func fingerprint(text string) string {
	public, err := keyring.ParsePublic([]byte(strings.TrimSpace(text) + "\n"))
	if err != nil {
		return ""
	}
	print, err := keyring.Fingerprint(public)
	if err != nil {
		return ""
	}
	return print
}
