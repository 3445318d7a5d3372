package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// indexName is that of the index over all lists.
const indexName = "lists"

// Create makes the table, paid by the request, with time to live and
// point-in-time recovery, and waits until it can be used. A table that exists
// already is left as it is, but for those two. DynamoDB Local has no recovery.
func Create(ctx context.Context, client Owner, opts Options) error {
	opts = opts.withDefaults()
	b := &Book{client: client, opts: opts}
	if err := b.make(ctx, client); err != nil {
		return b.explain("create", err)
	}
	return nil
}

func (b *Book) make(ctx context.Context, client Owner) error {
	_, err := client.CreateTable(ctx, schema(b.opts.Table))
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return err
	}
	if err := b.ready(ctx); err != nil {
		return err
	}
	_, err = client.UpdateTimeToLive(ctx, &sdk.UpdateTimeToLiveInput{TableName: &b.opts.Table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attrExpires), Enabled: aws.Bool(true)}})
	if err != nil && !says(err, "ValidationException") { // it is on already
		return fmt.Errorf("time to live: %w", err)
	}
	_, err = client.UpdateContinuousBackups(ctx, &sdk.UpdateContinuousBackupsInput{TableName: &b.opts.Table,
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
	if err != nil && !says(err, "UnknownOperationException") { // DynamoDB Local
		return fmt.Errorf("point-in-time recovery: %w", err)
	}
	return nil
}

// creation is how long DynamoDB may take to make a table.
const creation = 5 * time.Minute

// ready waits until the table and its index are active.
func (b *Book) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, creation)
	defer cancel()
	for {
		err := b.inspect(ctx)
		var missing *types.ResourceNotFoundException
		if !errors.Is(err, errNotReady) && !errors.As(err, &missing) {
			return err
		}
		select {
		case <-ctx.Done():
			return giveUp(ctx.Err(), err)
		case <-time.After(time.Second):
		}
	}
}

func schema(table string) *sdk.CreateTableInput {
	var names []types.AttributeDefinition
	for _, name := range []string{attrPK, attrSK, attrListPK, attrListSK} {
		names = append(names, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
	}
	keys := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange}}
	}
	return &sdk.CreateTableInput{TableName: &table, AttributeDefinitions: names, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keys(attrPK, attrSK), GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String(indexName),
			KeySchema:  keys(attrListPK, attrListSK),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{attrOwn}}}}}
}

// says reports whether err is DynamoDB's, with this code.
func says(err error, code string) bool {
	var failure smithy.APIError
	return errors.As(err, &failure) && failure.ErrorCode() == code
}
