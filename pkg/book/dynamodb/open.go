package dynamodb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/gate"
)

// Defaults of Options.
const (
	DefaultTable   = "handstamp"
	DefaultBudget  = 4 * time.Second
	DefaultTimeout = time.Second
)

// Options tunes a Book. The zero value is ready for use.
type Options struct {
	Table   string           // name; "" means DefaultTable
	Budget  time.Duration    // for one call, all attempts together; 0 means DefaultBudget. An import has it for each of its steps.
	Timeout time.Duration    // for one request to DynamoDB; 0 means DefaultTimeout
	Now     func() time.Time // for what carries no time of its own, and for what has expired; nil means time.Now
}

func (o Options) withDefaults() Options {
	o.Table = cmp.Or(o.Table, DefaultTable)
	o.Budget = cmp.Or(o.Budget, DefaultBudget)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// A Book implements gate.Book over one table. It is safe for concurrent use,
// and any number of them, in any number of processes, may share a table.
type Book struct {
	client Client
	opts   Options
	lanes  *lanes
	order  order
	done   sync.Map // imports that have ended: the last run, by name
}

var _ gate.Book = (*Book)(nil)

// Open returns the book in a table that exists. It refuses one that Create has
// not made, or that is not ready.
func Open(ctx context.Context, client Client, opts Options) (*Book, error) {
	b := &Book{client: client, opts: opts.withDefaults(), lanes: newLanes()}
	ctx, cancel := b.limit(ctx)
	defer cancel()
	if err := b.inspect(ctx); err != nil {
		var missing *types.ResourceNotFoundException
		if errors.As(err, &missing) {
			err = fmt.Errorf(`%w (hint: see that its name and region are right; "handstamp book init" makes the table)`, err)
		}
		return nil, b.explain("open", err)
	}
	return b, nil
}

// errNotReady is a table that is being made or deleted.
var errNotReady = errors.New("it cannot be used now")

// inspect makes sure that the table is one of ours.
func (b *Book) inspect(ctx context.Context) error {
	out, err := ask(ctx, b, func(ctx context.Context) (*sdk.DescribeTableOutput, error) {
		return b.client.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: &b.opts.Table}, once)
	})
	if err != nil {
		return err
	}
	switch t := out.Table; {
	case t.TableStatus != types.TableStatusActive && t.TableStatus != types.TableStatusUpdating:
		return fmt.Errorf("the table is %s: %w", t.TableStatus, errNotReady)
	case !keyed(t.KeySchema, attrPK, attrSK):
		return errors.New("the table has other keys than a book's")
	}
	for _, index := range out.Table.GlobalSecondaryIndexes {
		if aws.ToString(index.IndexName) == indexName && keyed(index.KeySchema, attrListPK, attrListSK) {
			return nil
		}
	}
	return fmt.Errorf("the table has no index %q", indexName)
}

func keyed(schema []types.KeySchemaElement, names ...string) bool {
	for i, name := range names {
		if i >= len(schema) || aws.ToString(schema[i].AttributeName) != name {
			return false
		}
	}
	return len(schema) == len(names)
}

// once makes a request only once: whether to try again is for the book to say,
// which has to know what may have happened.
func once(o *sdk.Options) { o.Retryer = aws.NopRetryer{} }

// explain says which book could not do what. What callers branch on is left as
// it is.
func (b *Book) explain(what string, err error) error {
	var denial *gate.Denial
	if err == nil || errors.As(err, &denial) || errors.Is(err, gate.ErrOtherRequest) || errors.Is(err, gate.ErrNoTarget) || errors.Is(err, book.ErrNoFile) {
		return err
	}
	return fmt.Errorf("book in table %s: %s: %w", b.opts.Table, what, err)
}
