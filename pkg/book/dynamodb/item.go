package dynamodb

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The attributes of every item. What an item is about stands in doc, as JSON;
// the others are there for DynamoDB.
const (
	attrPK      = "pk"
	attrSK      = "sk"
	attrRev     = "rev"        // counts the writes of this item, for conditions
	attrBy      = "by"         // the request that wrote it last, to recognise it
	attrOwn     = "own"        // whose it is: the part of pk that its ticket has
	attrExpires = "expires_at" // when it may be collected; seconds since 1970
	attrListPK  = "lpk"        // partition in the index of lists
	attrListSK  = "lsk"        // place in the list
	attrDoc     = "doc"
)

// attributes are those of an item.
type attributes = map[string]types.AttributeValue

// A key is where an item is.
type key struct{ pk, sk string }

// An item is one as it was read, or as it shall be. The zero rev means that it
// is not there.
type item struct {
	key
	rev     int64
	by      string
	own     string
	expires time.Time // zero means never
	listPK  string    // list and shard; empty means that it is in none
	listSK  string
	doc     string
}

// decode reads an item's attributes.
func decode(a attributes) (*item, error) {
	it := &item{key: keyOf(a), by: text(a, attrBy), own: text(a, attrOwn), listPK: text(a, attrListPK),
		listSK: text(a, attrListSK), doc: text(a, attrDoc)}
	rev, err := number(a, attrRev)
	if err != nil {
		return nil, fmt.Errorf("item %s %s: %w", it.pk, it.sk, err)
	}
	it.rev = rev
	if _, ok := a[attrExpires]; ok {
		seconds, err := number(a, attrExpires)
		if err != nil {
			return nil, fmt.Errorf("item %s %s: %w", it.pk, it.sk, err)
		}
		it.expires = time.Unix(seconds, 0)
	}
	return it, nil
}

// encode returns the attributes of an item that is to be written.
func (it *item) encode() attributes {
	a := attributes{attrPK: str(it.pk), attrSK: str(it.sk), attrRev: num(it.rev), attrBy: str(it.by), attrDoc: str(it.doc)}
	if it.own != "" {
		a[attrOwn] = str(it.own)
	}
	if !it.expires.IsZero() {
		a[attrExpires] = num(it.expires.Unix())
	}
	if it.listPK != "" {
		a[attrListPK], a[attrListSK] = str(it.listPK), str(it.listSK)
	}
	return a
}

// gone reports whether the item is not there, or has expired: DynamoDB may take
// days to collect it.
func (it *item) gone(now time.Time) bool {
	return it == nil || it.rev == 0 || !it.expires.IsZero() && !now.Before(it.expires)
}

// read puts the document into v.
func (it *item) read(v any) error {
	if err := json.Unmarshal([]byte(it.doc), v); err != nil {
		return fmt.Errorf("item %s %s: %w", it.pk, it.sk, err)
	}
	return nil
}

// write makes v the document.
func (it *item) write(v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("item %s %s: %w", it.pk, it.sk, err)
	}
	it.doc = string(doc)
	return nil
}

func keyOf(a attributes) key { return key{text(a, attrPK), text(a, attrSK)} }

func (k key) encode() attributes { return attributes{attrPK: str(k.pk), attrSK: str(k.sk)} }

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func text(a attributes, name string) string {
	if s, ok := a[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func number(a attributes, name string) (int64, error) {
	n, ok := a[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("no number %q", name)
	}
	return strconv.ParseInt(n.Value, 10, 64)
}
