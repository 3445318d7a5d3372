package dynamodb_test

import (
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/book/dynamodb/internal/faketable"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	table := faketable.Missing()
	if _, err := dynamodb.Open(t.Context(), table, dynamodb.Options{}); err == nil || !strings.Contains(err.Error(), "book init") {
		t.Errorf("Open without a table = %v, want what makes one", err)
	}
	for range 2 { // and again
		if err := dynamodb.Create(t.Context(), table, dynamodb.Options{}); err != nil {
			t.Errorf("Create = %v", err)
		}
	}
	if !table.TTL || !table.Recovery {
		t.Errorf("time to live %v, point-in-time recovery %v, want both", table.TTL, table.Recovery)
	}
	enter(t, open(t, table), entry("1"))
}
