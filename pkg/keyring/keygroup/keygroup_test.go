package keygroup_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"go.uber.org/goleak"

	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func entry(t *testing.T) *keyring.Entry {
	t.Helper()
	key, err := keyring.Generate(keyring.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	e, err := keyring.NewEntry("", "file:x.pem", key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return &e
}

func TestPublishMakesWhatIsMissing(t *testing.T) {
	fake := &fakeCloudFront{}
	group := keygroup.New(fake, "visitors")
	if _, err := group.Keys(t.Context()); !errors.Is(err, keygroup.ErrNotThere) {
		t.Errorf("Keys of no group = %v, want ErrNotThere", err)
	}
	first, second := entry(t), entry(t)
	var ids []string
	for _, e := range []*keyring.Entry{first, second, first} { // again changes nothing
		id, err := group.Publish(t.Context(), e)
		if err != nil {
			t.Fatalf("Publish: %v", err)
		}
		ids = append(ids, id)
	}
	if ids[0] != ids[2] || ids[0] == ids[1] {
		t.Errorf("key pair IDs = %v, want the first and the last alike", ids)
	}
	if want := []string{"create key", "create group", "create key", "update group"}; !slices.Equal(fake.calls, want) {
		t.Errorf("changes = %v, want %v", fake.calls, want)
	}
	keys, err := group.Keys(t.Context())
	if err != nil || len(keys) != 2 || keys[0].Fingerprint != first.Fingerprint || keys[1].ID != ids[1] {
		t.Errorf("Keys = %+v, %v, want both", keys, err)
	}
}

// Wherever it breaks off, doing it again ends well and makes nothing twice.
func TestPublishAgainAfterFailure(t *testing.T) {
	for _, fail := range []string{"create key", "create group", "update group"} {
		fake := &fakeCloudFront{}
		group := keygroup.New(fake, "visitors")
		if fail == "update group" {
			if _, err := group.Publish(t.Context(), entry(t)); err != nil {
				t.Fatal(err)
			}
		}
		before, e := len(fake.keys), entry(t)
		fake.fail = fail
		if _, err := group.Publish(t.Context(), e); !errors.Is(err, errAway) {
			t.Errorf("Publish while %q fails = %v, want its error", fail, err)
		}
		if _, err := group.Publish(t.Context(), e); err != nil || len(fake.keys) != before+1 || len(fake.groups) != 1 {
			t.Errorf("Publish after %q failed = %v, %d new keys, %d groups, want 1 and 1", fail, err, len(fake.keys)-before, len(fake.groups))
		}
	}
}

func TestPublishIntoAFullGroup(t *testing.T) {
	fake := &fakeCloudFront{}
	group := keygroup.New(fake, "visitors")
	for range keygroup.MaxKeys {
		if _, err := group.Publish(t.Context(), entry(t)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := group.Publish(t.Context(), entry(t)); !errors.Is(err, keygroup.ErrFull) {
		t.Errorf("Publish of a sixth key = %v, want ErrFull", err)
	}
}

// The name and ID say one thing, the key another: the fingerprint decides.
func TestPublishNoticesAnotherKey(t *testing.T) {
	fake := &fakeCloudFront{}
	group := keygroup.New(fake, "visitors")
	mine, other := entry(t), entry(t)
	fake.keys = append(fake.keys, types.PublicKey{Id: aws.String("KMINE0000001"), PublicKeyConfig: &types.PublicKeyConfig{EncodedKey: &other.Public, Name: aws.String("x")}})
	mine.ID = "KMINE0000001"
	if _, err := group.Publish(t.Context(), mine); !errors.Is(err, keygroup.ErrDiffers) {
		t.Errorf("Publish = %v, want ErrDiffers", err)
	}
	if len(fake.groups) != 0 {
		t.Error("the other key got into the group")
	}
}

func TestRemove(t *testing.T) {
	fake := &fakeCloudFront{}
	group := keygroup.New(fake, "visitors")
	first, err := group.Publish(t.Context(), entry(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := group.Remove(t.Context(), first); !errors.Is(err, keygroup.ErrOnly) {
		t.Errorf("Remove of the only key = %v, want ErrOnly: CloudFront has no empty groups", err)
	}
	second, err := group.Publish(t.Context(), entry(t))
	if err != nil {
		t.Fatal(err)
	}
	fake.fail = "delete key"
	if err := group.Remove(t.Context(), first); !errors.Is(err, errAway) {
		t.Errorf("Remove while deleting fails = %v", err)
	}
	for range 2 {
		if err := group.Remove(t.Context(), first); err != nil {
			t.Errorf("Remove = %v", err)
		}
	}
	if keys, err := group.Keys(t.Context()); err != nil || len(keys) != 1 || keys[0].ID != second || len(fake.keys) != 1 {
		t.Errorf("after Remove: %+v, %v, %d public keys, want the second only", keys, err, len(fake.keys))
	}
}

// A key that another group trusts stays at CloudFront.
func TestRemoveFromOneOfTwoGroups(t *testing.T) {
	fake := &fakeCloudFront{}
	e := entry(t)
	for _, name := range []string{"visitors", "staff"} {
		if _, err := keygroup.New(fake, name).Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	group := keygroup.New(fake, "visitors")
	if _, err := group.Publish(t.Context(), entry(t)); err != nil {
		t.Fatal(err)
	}
	if err := group.Remove(t.Context(), *fake.keys[0].Id); err != nil || len(fake.keys) != 2 {
		t.Errorf("Remove = %v, %d public keys, want no error and both", err, len(fake.keys))
	}
}
