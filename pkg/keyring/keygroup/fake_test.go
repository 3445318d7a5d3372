package keygroup_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
)

// fakeCloudFront has public keys and key groups. Lists come in pages of two.
type fakeCloudFront struct {
	keys   []types.PublicKey
	groups []types.KeyGroup
	calls  []string // changes, in order
	fail   string   // the change that fails, once
	etag   int
}

var errAway = errors.New("ServiceUnavailable")

func (f *fakeCloudFront) change(name string) error {
	f.calls = append(f.calls, name)
	if f.fail == name {
		f.fail = ""
		return errAway
	}
	f.etag++
	return nil
}

func page[T any](all []T, marker *string) (items []T, next *string) {
	from := 0
	if marker != nil {
		_, _ = fmt.Sscan(*marker, &from)
	}
	to := min(from+2, len(all))
	if to < len(all) {
		next = aws.String(fmt.Sprint(to))
	}
	return all[from:to], next
}

func (f *fakeCloudFront) ListPublicKeys(_ context.Context, in *cloudfront.ListPublicKeysInput, _ ...func(*cloudfront.Options)) (*cloudfront.ListPublicKeysOutput, error) {
	keys, next := page(f.keys, in.Marker)
	list := &types.PublicKeyList{NextMarker: next}
	for _, k := range keys {
		list.Items = append(list.Items, types.PublicKeySummary{Id: k.Id, Name: k.PublicKeyConfig.Name, EncodedKey: k.PublicKeyConfig.EncodedKey})
	}
	return &cloudfront.ListPublicKeysOutput{PublicKeyList: list}, nil
}

func (f *fakeCloudFront) CreatePublicKey(_ context.Context, in *cloudfront.CreatePublicKeyInput, _ ...func(*cloudfront.Options)) (*cloudfront.CreatePublicKeyOutput, error) {
	if err := f.change("create key"); err != nil {
		return nil, err
	}
	k := types.PublicKey{Id: aws.String(fmt.Sprintf("K%011d", f.etag)), PublicKeyConfig: in.PublicKeyConfig}
	f.keys = append(f.keys, k)
	return &cloudfront.CreatePublicKeyOutput{PublicKey: &k}, nil
}

func (f *fakeCloudFront) GetPublicKey(_ context.Context, in *cloudfront.GetPublicKeyInput, _ ...func(*cloudfront.Options)) (*cloudfront.GetPublicKeyOutput, error) {
	for _, k := range f.keys {
		if *k.Id == *in.Id {
			return &cloudfront.GetPublicKeyOutput{PublicKey: &k, ETag: aws.String("e-" + *k.Id)}, nil
		}
	}
	return nil, &types.NoSuchPublicKey{}
}

func (f *fakeCloudFront) DeletePublicKey(_ context.Context, in *cloudfront.DeletePublicKeyInput, _ ...func(*cloudfront.Options)) (*cloudfront.DeletePublicKeyOutput, error) {
	if aws.ToString(in.IfMatch) != "e-"+*in.Id {
		return nil, &types.PreconditionFailed{}
	}
	for _, g := range f.groups {
		if slices.Contains(g.KeyGroupConfig.Items, *in.Id) {
			return nil, &types.PublicKeyInUse{}
		}
	}
	if err := f.change("delete key"); err != nil {
		return nil, err
	}
	f.keys = slices.DeleteFunc(f.keys, func(k types.PublicKey) bool { return *k.Id == *in.Id })
	return &cloudfront.DeletePublicKeyOutput{}, nil
}

func (f *fakeCloudFront) ListKeyGroups(_ context.Context, in *cloudfront.ListKeyGroupsInput, _ ...func(*cloudfront.Options)) (*cloudfront.ListKeyGroupsOutput, error) {
	groups, next := page(f.groups, in.Marker)
	list := &types.KeyGroupList{NextMarker: next}
	for _, g := range groups {
		list.Items = append(list.Items, types.KeyGroupSummary{KeyGroup: &g})
	}
	return &cloudfront.ListKeyGroupsOutput{KeyGroupList: list}, nil
}

func (f *fakeCloudFront) GetKeyGroup(_ context.Context, in *cloudfront.GetKeyGroupInput, _ ...func(*cloudfront.Options)) (*cloudfront.GetKeyGroupOutput, error) {
	for _, g := range f.groups {
		if *g.Id == *in.Id {
			return &cloudfront.GetKeyGroupOutput{KeyGroup: &g, ETag: aws.String(fmt.Sprint(f.etag))}, nil
		}
	}
	return nil, &types.NoSuchResource{}
}

func (f *fakeCloudFront) CreateKeyGroup(_ context.Context, in *cloudfront.CreateKeyGroupInput, _ ...func(*cloudfront.Options)) (*cloudfront.CreateKeyGroupOutput, error) {
	if err := f.change("create group"); err != nil {
		return nil, err
	}
	f.groups = append(f.groups, types.KeyGroup{Id: aws.String(fmt.Sprintf("group-%d", f.etag)), KeyGroupConfig: in.KeyGroupConfig})
	return &cloudfront.CreateKeyGroupOutput{}, nil
}

func (f *fakeCloudFront) UpdateKeyGroup(_ context.Context, in *cloudfront.UpdateKeyGroupInput, _ ...func(*cloudfront.Options)) (*cloudfront.UpdateKeyGroupOutput, error) {
	if aws.ToString(in.IfMatch) != fmt.Sprint(f.etag) {
		return nil, &types.PreconditionFailed{}
	}
	if err := f.change("update group"); err != nil {
		return nil, err
	}
	for i, g := range f.groups {
		if *g.Id == *in.Id {
			f.groups[i].KeyGroupConfig = in.KeyGroupConfig
		}
	}
	return &cloudfront.UpdateKeyGroupOutput{}, nil
}
