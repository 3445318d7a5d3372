package keygroup_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
)

// atMoto returns a client of moto instead of AWS, as test/moto.sh starts it:
// with UpdateKeyGroup, If-Match and the errors of keys that are missing or in
// use, which moto itself lacks (test/moto/server.py).
func atMoto(t *testing.T) *cloudfront.Client {
	t.Helper()
	url := os.Getenv("HANDSTAMP_MOTO")
	if url == "" {
		t.Skip("HANDSTAMP_MOTO is empty; test/moto.sh sets it")
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return cloudfront.NewFromConfig(aws.Config{Region: "eu-west-1", BaseEndpoint: &url, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", "")})
}

func TestMotoKeyGroup(t *testing.T) {
	client := atMoto(t)
	group := keygroup.New(client, "visitors-"+rand.Text())
	if _, err := group.Keys(t.Context()); !errors.Is(err, keygroup.ErrNotThere) {
		t.Errorf("Keys of no group = %v, want ErrNotThere", err)
	}
	var ids []string
	var published []*keyring.Entry
	for _, kind := range []keyring.Type{keyring.RSA, keyring.ECDSA, keyring.RSA} {
		e := entryOf(t, kind)
		for range 2 { // again changes nothing
			id, err := group.Publish(t.Context(), e)
			if err != nil || e.ID != "" && id != e.ID || keyring.CheckID(id) != nil {
				t.Fatalf("Publish = %q, %v, want a key pair ID", id, err)
			}
			e.ID = id
		}
		ids, published = append(ids, e.ID), append(published, e)
	}
	keys, err := group.Keys(t.Context())
	if err != nil || len(keys) != 3 {
		t.Fatalf("Keys = %+v, %v, want three", keys, err)
	}
	for i, k := range keys {
		if k.ID != ids[i] || k.Fingerprint != published[i].Fingerprint || k.Created.IsZero() {
			t.Errorf("key %d = %+v, want %s of %s", i, k, ids[i], published[i].Fingerprint)
		}
	}
	for range 2 {
		if err := group.Remove(t.Context(), ids[0]); err != nil {
			t.Errorf("Remove = %v", err)
		}
	}
	var gone *types.NoSuchPublicKey
	if _, err := client.GetPublicKey(t.Context(), &cloudfront.GetPublicKeyInput{Id: &ids[0]}); !errors.As(err, &gone) {
		t.Errorf("the public key after Remove = %v, want NoSuchPublicKey", err)
	}
	if keys, err := group.Keys(t.Context()); err != nil || len(keys) != 2 || keys[0].ID != ids[1] {
		t.Errorf("Keys after Remove = %+v, %v, want the other two", keys, err)
	}
}

func entryOf(t *testing.T, kind keyring.Type) *keyring.Entry {
	t.Helper()
	key, err := keyring.Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	e, err := keyring.NewEntry("", "file:x.pem", key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return &e
}

func TestMotoFullGroup(t *testing.T) {
	group := keygroup.New(atMoto(t), "visitors-"+rand.Text())
	var last string
	for range keygroup.MaxKeys {
		id, err := group.Publish(t.Context(), entry(t))
		if err != nil {
			t.Fatal(err)
		}
		last = id
	}
	if _, err := group.Publish(t.Context(), entry(t)); !errors.Is(err, keygroup.ErrFull) {
		t.Errorf("Publish of a sixth key = %v, want ErrFull", err)
	}
	if err := group.Remove(t.Context(), last); err != nil {
		t.Errorf("Remove = %v", err)
	}
	if _, err := group.Publish(t.Context(), entry(t)); err != nil {
		t.Errorf("Publish after Remove = %v", err)
	}
}

// A key that another group trusts stays at CloudFront.
func TestMotoKeyInTwoGroups(t *testing.T) {
	client := atMoto(t)
	visitors, staff := keygroup.New(client, "visitors-"+rand.Text()), keygroup.New(client, "staff-"+rand.Text())
	e := entry(t)
	for _, g := range []*keygroup.Group{visitors, staff} {
		id, err := g.Publish(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		e.ID = id
		if _, err := g.Publish(t.Context(), entry(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := visitors.Remove(t.Context(), e.ID); err != nil {
		t.Errorf("Remove = %v", err)
	}
	if _, err := client.GetPublicKey(t.Context(), &cloudfront.GetPublicKeyInput{Id: &e.ID}); err != nil {
		t.Errorf("the public key that the staff's group has = %v, want it there", err)
	}
}

// between is CloudFront where somebody else changes the group before we do.
type between struct {
	*cloudfront.Client
	before func()
}

func (b *between) UpdateKeyGroup(ctx context.Context, in *cloudfront.UpdateKeyGroupInput, o ...func(*cloudfront.Options)) (*cloudfront.UpdateKeyGroupOutput, error) {
	if before := b.before; before != nil {
		b.before = nil
		before()
	}
	return b.Client.UpdateKeyGroup(ctx, in, o...)
}

// Two operators at once: nobody's key is lost, one of them has to try again.
func TestMotoTwoWriters(t *testing.T) {
	client := atMoto(t)
	name := "visitors-" + rand.Text()
	theirs := keygroup.New(client, name)
	if _, err := theirs.Publish(t.Context(), entry(t)); err != nil {
		t.Fatal(err)
	}
	ours := keygroup.New(&between{client, func() {
		if _, err := theirs.Publish(t.Context(), entry(t)); err != nil {
			t.Errorf("their Publish: %v", err)
		}
	}}, name)
	e := entry(t)
	var moved *types.PreconditionFailed
	if _, err := ours.Publish(t.Context(), e); !errors.As(err, &moved) {
		t.Errorf("our Publish = %v, want PreconditionFailed", err)
	}
	if _, err := ours.Publish(t.Context(), e); err != nil {
		t.Errorf("our Publish again = %v", err)
	}
	if keys, err := theirs.Keys(t.Context()); err != nil || len(keys) != 3 {
		t.Errorf("Keys = %v, %v, want all three", keys, err)
	}
}
