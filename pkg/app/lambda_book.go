package app

import (
	"context"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/memory"
)

// buildFunctionBook is buildBook with the client of a function. There is no task
// that prunes: the table's time to live does, see dynamodb.Book.Prune.
func (a *App) buildFunctionBook(ctx context.Context) error {
	a.shelf = &shelf{book: memory.New()}
	if a.cfg.Book.Kind == "dynamodb" {
		client := a.functionTable()
		b, err := dynamodb.Open(ctx, client, dynamodb.Options{Table: a.cfg.Book.Table, Now: a.opts.Now})
		if err != nil {
			return err
		}
		a.shelf = &shelf{book: b, counters: dynamodb.NewCounters(client, dynamodb.CounterOptions{Table: a.cfg.Book.Table})}
	}
	a.shelf.users.Add(1)
	a.book, a.counters = a.shelf.book, a.shelf.counters
	return nil
}

// functionTable is Table with the few calls that are made.
func (a *App) functionTable() tableClient {
	c := awsdynamodb.NewFromConfig(functionAWS(a.cfg.Book.Region), func(o *awsdynamodb.Options) {
		if a.cfg.Book.Endpoint != "" {
			o.BaseEndpoint = &a.cfg.Book.Endpoint
		}
	})
	return tableClient{c.BatchGetItem, c.Query, c.TransactWriteItems, c.PutItem, c.UpdateItem, c.DescribeTable}
}
