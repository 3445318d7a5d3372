package dynamodb

import (
	"context"

	aws "github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// A Client is the part of the SDK's *dynamodb.Client that a Book uses. The book
// tries again by itself and counts on seeing every failure, so it switches the
// SDK's own attempts off, request by request.
type Client interface {
	BatchGetItem(context.Context, *aws.BatchGetItemInput, ...func(*aws.Options)) (*aws.BatchGetItemOutput, error)
	Query(context.Context, *aws.QueryInput, ...func(*aws.Options)) (*aws.QueryOutput, error)
	TransactWriteItems(context.Context, *aws.TransactWriteItemsInput, ...func(*aws.Options)) (*aws.TransactWriteItemsOutput, error)
	PutItem(context.Context, *aws.PutItemInput, ...func(*aws.Options)) (*aws.PutItemOutput, error)
	DescribeTable(context.Context, *aws.DescribeTableInput, ...func(*aws.Options)) (*aws.DescribeTableOutput, error)
}

// An Owner may also make the table, see Create.
type Owner interface {
	Client
	CreateTable(context.Context, *aws.CreateTableInput, ...func(*aws.Options)) (*aws.CreateTableOutput, error)
	UpdateTimeToLive(context.Context, *aws.UpdateTimeToLiveInput, ...func(*aws.Options)) (*aws.UpdateTimeToLiveOutput, error)
	UpdateContinuousBackups(context.Context, *aws.UpdateContinuousBackupsInput, ...func(*aws.Options)) (*aws.UpdateContinuousBackupsOutput, error)
}

var _ Owner = (*aws.Client)(nil)
