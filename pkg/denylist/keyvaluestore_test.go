package denylist_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	kvs "github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore/types"

	"github.com/handstamp/handstamp/pkg/book"
	"github.com/handstamp/handstamp/pkg/denylist"
	"github.com/handstamp/handstamp/pkg/gate"
)

func TestKeyValueStore(t *testing.T) {
	cloud := newCloud(t)
	for i := range 120 {
		cloud.values[fmt.Sprintf("theme%03d", i)] = "dark"
	}
	store := cloud.open(t)
	values, version, err := store.Read(t.Context())
	if err != nil || !maps.Equal(values, cloud.values) || version != cloud.etag() {
		t.Fatalf("Read() = %d values, %q, %v, want all 120, %q, nil", len(values), version, err, cloud.etag())
	}
	next, err := store.Write(t.Context(), version, []denylist.Edit{{"a/b c", "1"}, {"theme000", "light"}, {Key: "theme001"}})
	if err != nil || next != cloud.etag() || next == version {
		t.Fatalf("Write(%q) = %q, %v, want %q, nil", version, next, err, cloud.etag())
	}
	delete(values, "theme001")
	values["theme000"], values["a/b c"] = "light", "1"
	if !maps.Equal(values, cloud.values) {
		t.Errorf("after Write() CloudFront has %v, want %v", cloud.values, values)
	}
	if cloud.unsigned > 0 || cloud.requests != 1+3+1 {
		t.Errorf("%d of %d requests were not signed, want 5, all signed", cloud.unsigned, cloud.requests)
	}
}

func TestKeyValueStoreRefuses(t *testing.T) {
	many := make([]denylist.Edit, denylist.MaxEdits+1)
	for i := range many {
		many[i] = denylist.Edit{Key: fmt.Sprint(i), Value: "1"}
	}
	tests := []struct {
		name    string
		version string // empty means the right one
		edits   []denylist.Edit
		status  int // that all requests get; 0 means that they are handled
		want    func(error) bool
	}{
		{name: "as many as can be", edits: many[1:], want: func(err error) bool { return err == nil }},
		{name: "one more", edits: many, want: is[*types.ValidationException]},
		{name: "an old version", version: "E0", edits: many[:1], want: func(err error) bool { return errors.Is(err, denylist.ErrChanged) }},
		{name: "no permission", edits: many[:1], status: http.StatusForbidden, want: is[*types.AccessDeniedException]},
		{name: "CloudFront is away", edits: many[:1], status: http.StatusServiceUnavailable,
			want: func(err error) bool { return err != nil && !errors.Is(err, denylist.ErrChanged) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud := newCloud(t)
			cloud.status = tt.status
			version := tt.version
			if version == "" {
				version = cloud.etag()
			}
			if _, err := cloud.open(t).Write(t.Context(), version, tt.edits); !tt.want(err) {
				t.Errorf("Write(%q, %d edits) = %v, want %s", version, len(tt.edits), err, tt.name)
			}
			if tt.status == 0 {
				return
			}
			if _, _, err := cloud.open(t).Read(t.Context()); !tt.want(err) {
				t.Errorf("Read() = %v, want %s", err, tt.name)
			}
		})
	}
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// A request with other credentials than the account has does not get in, so
// that the fake is known to look.
func TestKeyValueStoreSigns(t *testing.T) {
	cloud := newCloud(t)
	store := cloud.openAs(t, accessKey, "another secret")
	if _, _, err := store.Read(t.Context()); !is[*types.AccessDeniedException](err) {
		t.Errorf("Read() with a wrong secret = %v, want access denied", err)
	}
	if cloud.unsigned != 1 {
		t.Errorf("%d requests were refused for their signature, want 1", cloud.unsigned)
	}
}

// The whole way from a revocation to the store and back out of it.
func TestExportToCloudFront(t *testing.T) {
	now := noon
	cloud := newCloud(t)
	cloud.values["theme"] = "dark"
	source := &register{revoked: []book.Revocation{castle(noon)}}
	for i := range 70 {
		source.revoked = append(source.revoked, device(noon, gate.Session(fmt.Sprint(i))))
	}
	e := denylist.NewExporter(source, rules, cloud.open(t), denylist.Options{Sessions: true, Now: func() time.Time { return now }})
	export(t, e)
	if got := len(cloud.values); got != 72 || cloud.values[castleKey] != unix(noon.Add(16*time.Minute)) {
		t.Errorf("CloudFront has %d values, %s = %q, want 72 and %s", got, castleKey, cloud.values[castleKey], unix(noon.Add(16*time.Minute)))
	}
	if cloud.requests != 2+2 {
		t.Errorf("%d requests, want one for the version, one for the keys and two writes", cloud.requests)
	}
	cloud.meddle("theme", "light")
	now = noon.Add(time.Hour)
	export(t, e)
	if want := map[string]string{"theme": "light"}; !maps.Equal(cloud.values, want) {
		t.Errorf("an hour later CloudFront has %v, want %v", cloud.values, want)
	}
}

func TestNewKeyValueStore(t *testing.T) {
	for _, arn := range []string{
		"", "handstamp", "arn:aws:s3:::bucket", "arn:aws:cloudfront::111122223333:function/deny",
		"arn:aws:cloudfront::111122223333:key-value-store/", "arn:aws:cloudfront:::key-value-store/1",
	} {
		_, err := denylist.NewKeyValueStore(kvs.New(kvs.Options{}), arn)
		if err == nil || !strings.Contains(err.Error(), `want "arn:aws:cloudfront::ACCOUNT:key-value-store/ID"`) {
			t.Errorf("NewKeyValueStore(%q) = %v, want an error that says how one looks", arn, err)
		}
	}
}
