package dynamodb

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// maxKeys is how many items one request may ask for.
const maxKeys = 100

// items are what was read, by key. One that is not there, or has expired, has no document.
type items map[key]*item

// get reads items consistently: every write that was answered before is seen.
func (b *Book) get(ctx context.Context, keys ...key) (items, error) {
	slices.SortFunc(keys, func(a, b key) int { return slices.Compare([]string{a.pk, a.sk}, []string{b.pk, b.sk}) })
	found := items{}
	for some := range slices.Chunk(slices.Compact(keys), maxKeys) {
		if err := b.getSome(ctx, some, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// getters is how many requests of one getMany are on their way at once.
const getters = 4

// getMany is get for more keys than fit into one request.
func (b *Book) getMany(ctx context.Context, keys []key) (items, error) {
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.pk, b.pk), cmp.Compare(a.sk, b.sk)) })
	var mu sync.Mutex
	all := items{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(getters)
	for some := range slices.Chunk(slices.Compact(keys), maxKeys) {
		group.Go(func() error {
			found, err := b.get(ctx, some...)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, found)
			return err
		})
	}
	return all, group.Wait()
}

func (b *Book) getSome(ctx context.Context, keys []key, found items) error {
	var left []attributes
	for _, k := range keys {
		found[k] = &item{key: k}
		left = append(left, k.encode())
	}
	for n := 1; len(left) > 0; n++ {
		out, err := ask(ctx, b, func(ctx context.Context) (*sdk.BatchGetItemOutput, error) {
			return b.client.BatchGetItem(ctx, &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				b.opts.Table: {Keys: left, ConsistentRead: aws.Bool(true)}}}, once)
		})
		if err != nil {
			return err
		}
		for _, a := range out.Responses[b.opts.Table] {
			if err := b.keep(a, found); err != nil {
				return err
			}
		}
		if left = out.UnprocessedKeys[b.opts.Table].Keys; len(left) == 0 {
			return nil
		}
		if err := pause(ctx, n); err != nil {
			return giveUp(err, errors.New("DynamoDB leaves reads undone"))
		}
	}
	return nil
}

// keep puts an item among those that were found. An expired one keeps its
// revision only: it can be written over.
func (b *Book) keep(a attributes, found items) error {
	it, err := decode(a)
	if err != nil {
		return err
	}
	if it.gone(b.opts.Now()) {
		it.doc, it.own = "", ""
	}
	found[it.key] = it
	return nil
}

// one reads one item.
func (b *Book) one(ctx context.Context, k key) (*item, error) {
	found, err := b.get(ctx, k)
	return found[k], err
}

// A query selects items of one partition, in order of their second key.
type query struct {
	index    bool   // of the lists, which may be a moment behind
	pk       string //
	op       string // how the second key compares with sk; empty means all
	sk       string
	backward bool
	limit    int // 0 means all
}

// find returns the items that q selects. Expired ones are left out.
func (b *Book) find(ctx context.Context, q query) (all []*item, err error) {
	in := q.input(b.opts.Table)
	for {
		out, err := ask(ctx, b, func(ctx context.Context) (*sdk.QueryOutput, error) { return b.client.Query(ctx, in, once) })
		if err != nil {
			return nil, err
		}
		for _, a := range out.Items {
			it := &item{key: keyOf(a), own: text(a, attrOwn), listPK: text(a, attrListPK), listSK: text(a, attrListSK)}
			if !q.index {
				if it, err = decode(a); err != nil {
					return nil, err
				}
			}
			if q.index || !it.gone(b.opts.Now()) {
				all = append(all, it)
			}
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil || q.limit > 0 && len(all) >= q.limit {
			return all, nil
		}
	}
}

func (q query) input(table string) *sdk.QueryInput {
	pk, sk := attrPK, attrSK
	in := &sdk.QueryInput{TableName: &table, ConsistentRead: aws.Bool(!q.index), ScanIndexForward: aws.Bool(!q.backward),
		ExpressionAttributeValues: attributes{":pk": str(q.pk)}}
	if q.index {
		in.IndexName, pk, sk = aws.String(indexName), attrListPK, attrListSK
	}
	in.KeyConditionExpression = aws.String(pk + " = :pk")
	if q.op != "" {
		in.KeyConditionExpression = aws.String(pk + " = :pk AND " + sk + " " + q.op + " :sk")
		in.ExpressionAttributeValues[":sk"] = str(q.sk)
	}
	if q.limit > 0 {
		in.Limit = aws.Int32(int32(min(q.limit, 1<<20))) // #nosec G115 -- capped
	}
	return in
}
