package dynamodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handstamp/handstamp/pkg/gate"
)

// The conditions of all writes: that an item is not there, that it is still as
// it was read, or that it is nobody's or its ticket's.
const (
	isNew  = "attribute_not_exists(pk)"
	isSame = "rev = :rev"
	isOurs = "attribute_not_exists(pk) OR own = :own"
)

// maxWrites is how many items one transaction may write.
const maxWrites = 100

// A work is one change to the book: what was read decides what is written, all
// of it or nothing, and only if nobody has changed any of it in between.
type work struct {
	*Book
	ctx    context.Context
	puts   []types.TransactWriteItem
	token  string         // of the request, in every item that it writes
	owners map[key]string // whose an item is that is to be taken over
	after  error          // what the caller is told once the change is made
	lane   func()         // gives the lane back; nil if it has none
}

// change does f, and again when somebody else was faster, until the budget is
// spent: then nobody knows, and the viewer has not been refused.
func (b *Book) change(ctx context.Context, what string, f func(w *work) error) error {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	w := &work{Book: b, ctx: ctx, owners: map[key]string{}}
	defer w.leaveLane()
	for n := 1; ; n++ {
		w.puts, w.token, w.after = nil, rand.Text(), nil
		err := f(w)
		if err == nil {
			err = w.commit()
		}
		var other *strange
		if errors.As(err, &other) {
			err = w.takeOver(other.item)
		}
		if !errors.Is(err, errConflict) {
			return b.explain(what, err)
		}
		if over := pause(ctx, n); over != nil {
			return b.explain(what, giveUp(over, err))
		}
	}
}

// put writes an item if it is still as it was read, or not there if it was not.
func (w *work) put(it *item) {
	next, condition, values := *it, isSame, attributes{":rev": num(it.rev)}
	if it.rev == 0 {
		condition, values = isNew, nil
	}
	next.rev, next.by = it.rev+1, w.token
	w.write(&next, condition, values)
}

// claim writes an item if it is not there or belongs to the same ticket.
func (w *work) claim(it *item) {
	next, own := *it, it.own
	if other, ok := w.owners[it.key]; ok {
		own = other
	}
	next.rev, next.by = 1, w.token
	w.write(&next, isOurs, attributes{":own": str(own)})
}

func (w *work) write(it *item, condition string, values attributes) {
	w.puts = append(w.puts, types.TransactWriteItem{Put: &types.Put{TableName: &w.opts.Table, Item: it.encode(),
		ConditionExpression: &condition, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}})
}

// lay writes an item that says nothing but where it is, whatever is there. It is
// for what comes and goes with another item, which is put in the same change.
func (w *work) lay(k key) {
	it := &item{key: k, rev: 1, by: w.token, doc: "{}"}
	w.puts = append(w.puts, types.TransactWriteItem{Put: &types.Put{TableName: &w.opts.Table, Item: it.encode()}})
}

// erase deletes what lay has written.
func (w *work) erase(k key) {
	w.puts = append(w.puts, types.TransactWriteItem{Delete: &types.Delete{TableName: &w.opts.Table, Key: k.encode()}})
}

// putDoc makes v the document of an item, and puts it.
func (w *work) putDoc(it *item, v any) error {
	if err := it.write(v); err != nil {
		return err
	}
	w.put(it)
	return nil
}

// claimDoc makes v the document of an item, and claims it.
func (w *work) claimDoc(it *item, v any) error {
	if err := it.write(v); err != nil {
		return err
	}
	w.claim(it)
	return nil
}

// commit makes all writes, or none and returns errConflict. After every other
// error but gate.ErrReadOnly nobody knows.
func (w *work) commit() error {
	switch {
	case len(w.puts) == 0:
		return w.after
	case len(w.puts) > maxWrites:
		return fmt.Errorf("%d items at once, and DynamoDB takes %d", len(w.puts), maxWrites)
	}
	in := &sdk.TransactWriteItemsInput{TransactItems: w.puts, ClientRequestToken: aws.String(w.token)}
	uncertain := false
	for n := 1; ; n++ {
		_, err := timed(w.ctx, w.Book, func(ctx context.Context) (*sdk.TransactWriteItemsOutput, error) {
			return w.client.TransactWriteItems(ctx, in, once)
		})
		switch v := judge(err); {
		case err == nil, v == lost && mine(err, w.token):
			return w.after
		case v == lost:
			return w.conflict(err)
		case v == final, v == refused:
			return certain(err, v, uncertain)
		default:
			uncertain = uncertain || v == unknown
			if over := pause(w.ctx, n); over != nil {
				return giveUp(over, certain(err, v, uncertain))
			}
		}
	}
}

// certain says of an error that nothing was written, if that is so and storage
// is why.
func certain(err error, v verdict, uncertain bool) error {
	if !uncertain && (v == throttled || v == refused) {
		return fmt.Errorf("%w: %w", gate.ErrReadOnly, err)
	}
	return err
}

// conflict returns errConflict, or a *strange error for an item that belongs to
// another ticket.
func (w *work) conflict(err error) error {
	for _, a := range standing(err) {
		it, err := decode(a)
		if err != nil {
			return err
		}
		for _, p := range w.puts {
			if p.Put != nil && keyOf(p.Put.Item) == it.key && aws.ToString(p.Put.ConditionExpression) == isOurs && text(p.Put.Item, attrOwn) != it.own {
				return &strange{it}
			}
		}
	}
	return errConflict
}

// A strange item is one that belongs to another ticket.
type strange struct{ *item }

func (s *strange) Error() string { return "another ticket has item " + s.pk }

// takeOver returns errTaken for a session that a device of another ticket has.
// One that it had once is free: the next attempt takes it over.
func (w *work) takeOver(it *item) error {
	t, err := (&work{Book: w.Book, ctx: w.ctx}).load(it.own, closed{}, nil)
	if err != nil {
		return err
	}
	if t.Visit != nil && slices.ContainsFunc(t.Visit.Devices, func(d device) bool {
		return sessionKey(gate.SessionHash(d.Session)) == it.key
	}) {
		return errTaken
	}
	w.owners[it.key] = it.own
	return errConflict
}

// lanes let the changes of one process to one ticket pass one after the other,
// so that they do not meet in DynamoDB. They are for speed only.
type lanes [1 << 10]chan struct{}

func newLanes() *lanes {
	var l lanes
	for i := range l {
		l[i] = make(chan struct{}, 1)
	}
	return &l
}

// enterLane waits for the ticket's lane, unless the work has one.
func (w *work) enterLane(t gate.Fingerprint) error {
	if w.lane != nil {
		return nil
	}
	lane := w.lanes[(int(t[0])<<8|int(t[1]))%len(w.lanes)]
	select {
	case lane <- struct{}{}:
		w.lane = func() { <-lane }
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

func (w *work) leaveLane() {
	if w.lane != nil {
		w.lane()
	}
}
