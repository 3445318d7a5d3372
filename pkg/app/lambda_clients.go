package app

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// The clients below have the few calls that are made, and not the hundreds that
// a client of the SDK has: of a type that is used behind an interface the linker
// keeps every method, as expressions of ticket sources may call any. In a
// function that is 4 MB of the binary.

// A call is one operation of a service.
type call[In, Out, Options any] func(context.Context, *In, ...func(*Options)) (*Out, error)

// secretsClient implements awskeys.SecretsClient.
type secretsClient struct {
	get    call[secretsmanager.GetSecretValueInput, secretsmanager.GetSecretValueOutput, secretsmanager.Options]
	put    call[secretsmanager.PutSecretValueInput, secretsmanager.PutSecretValueOutput, secretsmanager.Options]
	update call[secretsmanager.UpdateSecretVersionStageInput, secretsmanager.UpdateSecretVersionStageOutput, secretsmanager.Options]
}

func newSecretsClient(c aws.Config) secretsClient {
	client := secretsmanager.NewFromConfig(c)
	return secretsClient{client.GetSecretValue, client.PutSecretValue, client.UpdateSecretVersionStage}
}

func (c secretsClient) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	return c.get(ctx, in, opts...)
}

func (c secretsClient) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	return c.put(ctx, in, opts...)
}

func (c secretsClient) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	return c.update(ctx, in, opts...)
}

// parametersClient implements awskeys.ParametersClient.
type parametersClient call[ssm.GetParameterInput, ssm.GetParameterOutput, ssm.Options]

func newParametersClient(c aws.Config) parametersClient {
	return ssm.NewFromConfig(c).GetParameter
}

func (c parametersClient) GetParameter(ctx context.Context, in *ssm.GetParameterInput, opts ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	return c(ctx, in, opts...)
}

// kmsClient implements awskeys.KMSClient.
type kmsClient struct {
	public call[kms.GetPublicKeyInput, kms.GetPublicKeyOutput, kms.Options]
	sign   call[kms.SignInput, kms.SignOutput, kms.Options]
}

func newKMSClient(c aws.Config) kmsClient {
	client := kms.NewFromConfig(c)
	return kmsClient{client.GetPublicKey, client.Sign}
}

func (c kmsClient) GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput, opts ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	return c.public(ctx, in, opts...)
}

func (c kmsClient) Sign(ctx context.Context, in *kms.SignInput, opts ...func(*kms.Options)) (*kms.SignOutput, error) {
	return c.sign(ctx, in, opts...)
}

// tableClient implements dynamodb.Client and what its counters need.
type tableClient struct {
	batch    call[awsdynamodb.BatchGetItemInput, awsdynamodb.BatchGetItemOutput, awsdynamodb.Options]
	query    call[awsdynamodb.QueryInput, awsdynamodb.QueryOutput, awsdynamodb.Options]
	transact call[awsdynamodb.TransactWriteItemsInput, awsdynamodb.TransactWriteItemsOutput, awsdynamodb.Options]
	put      call[awsdynamodb.PutItemInput, awsdynamodb.PutItemOutput, awsdynamodb.Options]
	update   call[awsdynamodb.UpdateItemInput, awsdynamodb.UpdateItemOutput, awsdynamodb.Options]
	describe call[awsdynamodb.DescribeTableInput, awsdynamodb.DescribeTableOutput, awsdynamodb.Options]
}

func (c tableClient) BatchGetItem(ctx context.Context, in *awsdynamodb.BatchGetItemInput, opts ...func(*awsdynamodb.Options)) (*awsdynamodb.BatchGetItemOutput, error) {
	return c.batch(ctx, in, opts...)
}

func (c tableClient) Query(ctx context.Context, in *awsdynamodb.QueryInput, opts ...func(*awsdynamodb.Options)) (*awsdynamodb.QueryOutput, error) {
	return c.query(ctx, in, opts...)
}

func (c tableClient) TransactWriteItems(ctx context.Context, in *awsdynamodb.TransactWriteItemsInput, opts ...func(*awsdynamodb.Options)) (*awsdynamodb.TransactWriteItemsOutput, error) {
	return c.transact(ctx, in, opts...)
}

func (c tableClient) PutItem(ctx context.Context, in *awsdynamodb.PutItemInput, opts ...func(*awsdynamodb.Options)) (*awsdynamodb.PutItemOutput, error) {
	return c.put(ctx, in, opts...)
}

func (c tableClient) UpdateItem(ctx context.Context, in *awsdynamodb.UpdateItemInput, opts ...func(*awsdynamodb.Options)) (*awsdynamodb.UpdateItemOutput, error) {
	return c.update(ctx, in, opts...)
}

func (c tableClient) DescribeTable(ctx context.Context, in *awsdynamodb.DescribeTableInput, opts ...func(*awsdynamodb.Options)) (*awsdynamodb.DescribeTableOutput, error) {
	return c.describe(ctx, in, opts...)
}
