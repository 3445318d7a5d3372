package faketable

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// most is how many items an answer has: few, so that readers meet the next page.
const most = 50

// Query implements dynamodb.Client.
func (t *Table) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	pk, sk := "pk", "sk"
	if in.IndexName != nil {
		pk, sk = "lpk", "lsk"
		if aws.ToBool(in.ConsistentRead) {
			return nil, invalid("an index cannot be read consistently")
		}
	}
	all, err := t.match(in, pk)
	if err != nil {
		return nil, err
	}
	order := func(a, b Item) int {
		n := cmp.Or(strings.Compare(Text(a[sk]), Text(b[sk])), strings.Compare(id(a), id(b)))
		if !aws.ToBool(in.ScanIndexForward) {
			return -n
		}
		return n
	}
	slices.SortFunc(all, order)
	if start := in.ExclusiveStartKey; start != nil {
		all = slices.DeleteFunc(all, func(i Item) bool { return order(i, start) <= 0 })
	}
	out := &dynamodb.QueryOutput{Items: all}
	if limit := min(most, int(cmpLimit(in.Limit))); len(all) > limit {
		out.Items, out.LastEvaluatedKey = all[:limit], all[limit-1]
	}
	return out, nil
}

func cmpLimit(n *int32) int32 {
	if n == nil {
		return most
	}
	return *n
}

// match returns the items that a key condition selects.
func (t *Table) match(in *dynamodb.QueryInput, pk string) (all []Item, err error) {
	first, second, both := strings.Cut(aws.ToString(in.KeyConditionExpression), " AND ")
	if first != pk+" = :pk" {
		return nil, invalid("%q", first)
	}
	for id := range t.parts[pk+"\x00"+Text(in.ExpressionAttributeValues[":pk"])] {
		i := t.at(id, t.now(in.ConsistentRead))
		if i == nil || i[pk] == nil || Text(i[pk]) != Text(in.ExpressionAttributeValues[":pk"]) {
			continue
		}
		ok := true
		if both {
			if ok, err = compare(second, in.ExpressionAttributeValues, i, map[string]bool{}); err != nil {
				return nil, err
			}
		}
		if ok {
			all = append(all, project(i, in.IndexName))
		}
	}
	return all, nil
}

// project returns what an index has of an item.
func project(i Item, index *string) Item {
	if index == nil {
		return i
	}
	some := Item{}
	for _, name := range []string{"pk", "sk", "lpk", "lsk", "own"} {
		if i[name] != nil {
			some[name] = i[name]
		}
	}
	return some
}

// DescribeTable implements dynamodb.Client.
func (t *Table) DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.exists {
		return nil, &types.ResourceNotFoundException{Message: aws.String("no table")}
	}
	keys := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange}}
	}
	return &dynamodb.DescribeTableOutput{Table: &types.TableDescription{TableStatus: types.TableStatusActive, KeySchema: keys("pk", "sk"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndexDescription{{IndexName: aws.String("lists"), KeySchema: keys("lpk", "lsk")}}}}, nil
}

// CreateTable implements dynamodb.Owner.
func (t *Table) CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.exists {
		return nil, &types.ResourceInUseException{Message: aws.String("exists")}
	}
	t.exists = true
	return &dynamodb.CreateTableOutput{}, nil
}

// UpdateTimeToLive implements dynamodb.Owner.
func (t *Table) UpdateTimeToLive(_ context.Context, in *dynamodb.UpdateTimeToLiveInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	if t.TTL {
		return nil, invalid("time to live is on already")
	}
	t.TTL = aws.ToString(in.TimeToLiveSpecification.AttributeName) == "expires_at" && aws.ToBool(in.TimeToLiveSpecification.Enabled)
	return &dynamodb.UpdateTimeToLiveOutput{}, nil
}

// UpdateContinuousBackups implements dynamodb.Owner.
func (t *Table) UpdateContinuousBackups(_ context.Context, in *dynamodb.UpdateContinuousBackupsInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateContinuousBackupsOutput, error) {
	t.Recovery = aws.ToBool(in.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled)
	return &dynamodb.UpdateContinuousBackupsOutput{}, nil
}
