package denylist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	kvs "github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore/types"
)

const (
	pageSize = 50               // keys, the most that CloudFront lists at a time
	slowest  = 10 * time.Second // that a call may be, with what the SDK tries again
)

// A KeyValueStore is a Store at CloudFront. It needs a client with credentials
// that allow cloudfront-keyvaluestore:DescribeKeyValueStore, ListKeys and
// UpdateKeys on it. Requests are signed with SigV4A, so credentials of the AWS
// Security Token Service must come from a regional endpoint, as the SDK's do
// (CloudFront Developer Guide, Restrictions on CloudFront Functions). It is safe
// for concurrent use.
type KeyValueStore struct {
	client *kvs.Client
	arn    string
}

// NewKeyValueStore returns the store with an ARN. It returns an error for text
// that is not the ARN of a store, and asks nobody.
func NewKeyValueStore(client *kvs.Client, storeARN string) (*KeyValueStore, error) {
	const want = `want "arn:aws:cloudfront::ACCOUNT:key-value-store/ID"`
	a, err := arn.Parse(storeARN)
	if err != nil {
		return nil, fmt.Errorf("key value store %q: %w, %s", storeARN, err, want)
	}
	const kind = "key-value-store/"
	if a.Service != "cloudfront" || a.AccountID == "" || len(a.Resource) <= len(kind) || a.Resource[:len(kind)] != kind {
		return nil, fmt.Errorf("key value store %q: %s", storeARN, want)
	}
	return &KeyValueStore{client, storeARN}, nil
}

// Read returns all keys with their values. The version is that from before, so
// that a write after a change in between is refused.
func (s *KeyValueStore) Read(ctx context.Context) (values map[string]string, version string, err error) {
	described, err := s.describe(ctx)
	if err != nil {
		return nil, "", err
	}
	values = map[string]string{}
	pages := kvs.NewListKeysPaginator(s.client, &kvs.ListKeysInput{KvsARN: &s.arn, MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		if err := readPage(ctx, pages, values); err != nil {
			return nil, "", err
		}
	}
	return values, aws.ToString(described.ETag), nil
}

func (s *KeyValueStore) describe(ctx context.Context) (*kvs.DescribeKeyValueStoreOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	return s.client.DescribeKeyValueStore(ctx, &kvs.DescribeKeyValueStoreInput{KvsARN: &s.arn})
}

// readPage adds the next page to values.
func readPage(ctx context.Context, pages *kvs.ListKeysPaginator, values map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	page, err := pages.NextPage(ctx)
	if err != nil {
		return err
	}
	for _, item := range page.Items {
		values[aws.ToString(item.Key)] = aws.ToString(item.Value)
	}
	return nil
}

// Write makes the edits in one UpdateKeys.
func (s *KeyValueStore) Write(ctx context.Context, version string, edits []Edit) (next string, err error) {
	update := &kvs.UpdateKeysInput{KvsARN: &s.arn, IfMatch: &version}
	for _, e := range edits {
		if e.Value == "" {
			update.Deletes = append(update.Deletes, types.DeleteKeyRequestListItem{Key: aws.String(e.Key)})
		} else {
			update.Puts = append(update.Puts, types.PutKeyRequestListItem{Key: aws.String(e.Key), Value: aws.String(e.Value)})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	updated, err := s.client.UpdateKeys(ctx, update)
	var conflict *types.ConflictException
	switch {
	case errors.As(err, &conflict):
		return "", fmt.Errorf("%w: %w", ErrChanged, err)
	case err != nil:
		return "", err
	}
	return aws.ToString(updated.ETag), nil
}
