package denylist_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	kvs "github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"

	"github.com/handstamp/handstamp/pkg/denylist"
)

const (
	account   = "111122223333"
	storeARN  = "arn:aws:cloudfront::" + account + ":key-value-store/8562g61f-caba-2845-9d99-b97diwae5d3c"
	accessKey = "AKIDEXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" // from AWS's documentation, opens nothing
)

// A cloud is the part of the KeyValueStore API that we use, as the API
// reference has it: signed requests, ETags, pages and batches of at most 50.
type cloud struct {
	server *httptest.Server

	mu       sync.Mutex
	values   map[string]string
	version  int
	status   int // that all requests get; 0 means that they are handled
	requests int
	unsigned int
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{values: map[string]string{}, version: 1}
	c.server = httptest.NewServer(c)
	t.Cleanup(c.server.Close)
	return c
}

func (c *cloud) open(t *testing.T) *denylist.KeyValueStore { return c.openAs(t, accessKey, secretKey) }

// openAs returns a store whose requests go to c, whatever account's host they
// are for.
func (c *cloud) openAs(t *testing.T, id, secret string) *denylist.KeyValueStore {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, c.server.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	client := kvs.New(kvs.Options{
		Region:           "us-east-1",
		BaseEndpoint:     aws.String("http://cloudfront-kvs.global.api.aws"),
		HTTPClient:       &http.Client{Transport: transport},
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, nil
		}),
	})
	store, err := denylist.NewKeyValueStore(client, storeARN)
	if err != nil {
		t.Fatalf("NewKeyValueStore(%q) = %v, want nil", storeARN, err)
	}
	return store
}

func (c *cloud) etag() string { return "E" + strconv.Itoa(c.version) }

func (c *cloud) meddle(key, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key] = value
	c.version++
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		fault(w, http.StatusBadRequest, "ValidationException")
		return
	}
	path := "/key-value-stores/" + url.QueryEscape(storeARN) // one segment, whose slash is escaped
	switch at := r.Method + " " + r.URL.EscapedPath(); {
	case c.status == http.StatusForbidden:
		fault(w, c.status, "AccessDeniedException")
	case c.status != 0:
		fault(w, c.status, "InternalServerException")
	case r.Host != account+".cloudfront-kvs.global.api.aws":
		fault(w, http.StatusNotFound, "ResourceNotFoundException")
	case !signed(r, body, accessKey, secretKey):
		c.unsigned++
		fault(w, http.StatusForbidden, "AccessDeniedException")
	case at == "GET "+path:
		c.describe(w)
	case at == "GET "+path+"/keys":
		c.list(w, r.URL.Query())
	case at == "POST "+path+"/keys":
		c.update(w, r.Header.Get("If-Match"), body)
	default:
		fault(w, http.StatusNotFound, "ResourceNotFoundException")
	}
}

func fault(w http.ResponseWriter, status int, kind string) {
	w.Header().Set("X-Amzn-Errortype", kind)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"Message":"no"}`)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func (c *cloud) describe(w http.ResponseWriter) {
	w.Header().Set("ETag", c.etag())
	answer(w, map[string]any{"ItemCount": len(c.values), "TotalSizeInBytes": 1, "KvsARN": storeARN, "Created": 1.7e9, "Status": "READY"})
}

type item struct{ Key, Value string }

// list pages through the keys; the token is the last key of the page before.
func (c *cloud) list(w http.ResponseWriter, query url.Values) {
	size := 10
	if text := query.Get("MaxResults"); text != "" {
		size, _ = strconv.Atoi(text)
	}
	if size < 1 || size > 50 {
		fault(w, http.StatusBadRequest, "ValidationException")
		return
	}
	var page struct {
		Items     []item
		NextToken string `json:",omitempty"`
	}
	for _, key := range slices.Sorted(maps.Keys(c.values)) {
		if key <= query.Get("NextToken") {
			continue
		}
		if len(page.Items) == size {
			page.NextToken = page.Items[size-1].Key
			break
		}
		page.Items = append(page.Items, item{key, c.values[key]})
	}
	answer(w, page)
}

func (c *cloud) update(w http.ResponseWriter, version string, body []byte) {
	var edits struct{ Puts, Deletes []item }
	err := json.Unmarshal(body, &edits)
	switch n := len(edits.Puts) + len(edits.Deletes); {
	case err != nil || n == 0 || n > 50:
		fault(w, http.StatusBadRequest, "ValidationException")
		return
	case version != c.etag():
		fault(w, http.StatusConflict, "ConflictException")
		return
	}
	for _, e := range edits.Puts {
		c.values[e.Key] = e.Value
	}
	for _, e := range edits.Deletes {
		delete(c.values, e.Key)
	}
	c.version++
	w.Header().Set("ETag", c.etag())
	answer(w, map[string]any{"ItemCount": len(c.values), "TotalSizeInBytes": 1})
}
