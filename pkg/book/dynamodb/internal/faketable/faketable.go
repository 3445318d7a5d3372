// Package faketable is a table of DynamoDB in memory, for tests: as much of it
// as the book uses. Every request sees the writes before it, transactions are
// all or nothing, conditions and tokens count; what DynamoDB would refuse to
// read is an error here too.
package faketable

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// An Item is one of the table.
type Item = map[string]types.AttributeValue

// A Table is one with the keys "pk" and "sk", and an index with "lpk" and "lsk".
type Table struct {
	Lag           int  // how many writes a read that is not consistent is behind
	TTL, Recovery bool // whether they were switched on

	mu     sync.Mutex
	writes int
	items  map[string][]version       // by pk and sk, the last version last
	parts  map[string]map[string]bool // ids that ever were in a partition, by its attribute and name
	tokens map[string]bool
	exists bool
}

// A version is an item from a write on; nil means that it was deleted.
type version struct {
	from int
	item Item
}

// New returns a table that is there already.
func New() *Table {
	return &Table{exists: true, items: map[string][]version{}, parts: map[string]map[string]bool{}, tokens: map[string]bool{}}
}

// Missing returns a table that has still to be made.
func Missing() *Table {
	t := New()
	t.exists = false
	return t
}

func id(k Item) string { return Text(k["pk"]) + "\x00" + Text(k["sk"]) }

// Text returns a text or a number as text, or "".
func Text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}

// at returns the item as it was after a number of writes.
func (t *Table) at(id string, writes int) Item {
	for _, v := range slices.Backward(t.items[id]) {
		if v.from <= writes {
			return v.item
		}
	}
	return nil
}

// now returns after how many writes a reader looks.
func (t *Table) now(consistent *bool) int {
	if aws.ToBool(consistent) {
		return t.writes
	}
	return t.writes - t.Lag
}

func (t *Table) put(id string, i Item) {
	t.writes++
	t.items[id] = append(t.items[id], version{t.writes, i})
	for _, name := range []string{"pk", "lpk"} {
		part := name + "\x00" + Text(i[name])
		if t.parts[part] == nil {
			t.parts[part] = map[string]bool{}
		}
		t.parts[part][id] = true
	}
	if n := len(t.items[id]); n > t.Lag+8 {
		t.items[id] = slices.Clone(t.items[id][n-t.Lag-8:])
	}
}

// All returns a copy of all items.
func (t *Table) All() (all []Item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.items {
		if i := t.at(id, t.writes); i != nil {
			all = append(all, i)
		}
	}
	return all
}

// Change lets f change an item behind everybody's back; f returns nil to delete it.
func (t *Table) Change(pk, sk string, f func(Item) Item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := pk + "\x00" + sk
	changed := Item{}
	for name, v := range t.at(id, t.writes) {
		changed[name] = v
	}
	t.put(id, f(changed))
}

// BatchGetItem implements dynamodb.Client.
func (t *Table) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}}
	for table, ask := range in.RequestItems {
		seen := map[string]bool{}
		for _, k := range ask.Keys {
			if len(k) != 2 || len(ask.Keys) > 100 || seen[id(k)] || Text(k["pk"]) == "" || Text(k["sk"]) == "" || !fits(k) {
				return nil, invalid("keys %v of %d", k, len(ask.Keys))
			}
			seen[id(k)] = true
			if i := t.at(id(k), t.now(ask.ConsistentRead)); i != nil {
				out.Responses[table] = append(out.Responses[table], i)
			}
		}
	}
	return out, nil
}

// TransactWriteItems implements dynamodb.Client.
func (t *Table) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	token := aws.ToString(in.ClientRequestToken)
	if token == "" || len(token) > 36 || len(in.TransactItems) > 100 {
		return nil, invalid("token %q, %d items", token, len(in.TransactItems))
	}
	if t.tokens[token] {
		return &dynamodb.TransactWriteItemsOutput{}, nil
	}
	if err := t.check(in.TransactItems); err != nil {
		return nil, err
	}
	for _, w := range in.TransactItems {
		if w.Delete != nil {
			t.put(id(w.Delete.Key), nil)
		} else {
			t.put(id(w.Put.Item), w.Put.Item)
		}
	}
	t.tokens[token] = true
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

// check returns why a transaction is cancelled, or nil.
func (t *Table) check(items []types.TransactWriteItem) error {
	cancelled := &types.TransactionCanceledException{Message: aws.String("cancelled")}
	seen, failed := map[string]bool{}, false
	for _, w := range items {
		p := w.Put
		if d := w.Delete; d != nil && p == nil { // without a condition
			p = &types.Put{Item: d.Key}
		}
		if p == nil || seen[id(p.Item)] || size(p.Item) > 400<<10 || !fits(p.Item) {
			return invalid("write %+v", w)
		}
		seen[id(p.Item)] = true
		old := t.at(id(p.Item), t.writes)
		ok, err := holds(aws.ToString(p.ConditionExpression), p.ExpressionAttributeValues, old)
		if err != nil {
			return err
		}
		reason := types.CancellationReason{Code: aws.String("None")}
		if !ok {
			failed, reason.Code = true, aws.String("ConditionalCheckFailed")
			if p.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
				reason.Item = old
			}
		}
		cancelled.CancellationReasons = append(cancelled.CancellationReasons, reason)
	}
	if failed {
		return cancelled
	}
	return nil
}

// fits reports whether DynamoDB takes the keys of an item. What is not UTF-8
// would not come there as it was.
func fits(i Item) bool {
	pk, sk := Text(i["pk"]), Text(i["sk"])
	return len(pk) <= 2048 && len(sk) <= 1024 && utf8.ValidString(pk+sk)
}

func size(i Item) (n int) {
	for name, v := range i {
		n += len(name) + len(Text(v))
	}
	return n
}

// PutItem implements dynamodb.Client.
func (t *Table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	ok, err := holds(aws.ToString(in.ConditionExpression), in.ExpressionAttributeValues, t.at(id(in.Item), t.writes))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &types.ConditionalCheckFailedException{Message: aws.String("no")}
	}
	t.put(id(in.Item), in.Item)
	return &dynamodb.PutItemOutput{}, nil
}

func invalid(format string, args ...any) error {
	return &Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}
