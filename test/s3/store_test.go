package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A store is one bucket of the server, as root sees it.
type store struct {
	endpoint string // of the server, without a slash at the end
	bucket   string
	root     *s3.Client
}

// A keyPair is what somebody signs with.
type keyPair struct{ id, secret string }

const region = "us-east-1"

// endpoint returns where the server is, or skips the test.
func endpoint(t *testing.T) string {
	t.Helper()
	address := os.Getenv("HANDSTAMP_S3")
	if address == "" {
		t.Skip("no S3 server: see test/s3.sh")
	}
	return address
}

func rootKey() keyPair {
	return keyPair{os.Getenv("HANDSTAMP_S3_KEY"), os.Getenv("HANDSTAMP_S3_SECRET")}
}

// newStore returns a new empty bucket.
func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{endpoint: endpoint(t), bucket: "castle-" + strings.ToLower(text(8))}
	s.root = s.client(t, rootKey())
	if _, err := s.root.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &s.bucket}); err != nil {
		t.Fatalf("CreateBucket(%s): %v", s.bucket, err)
	}
	return s
}

// client returns one for whoever has the key.
func (s *store) client(t *testing.T, k keyPair) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &s.endpoint, UsePathStyle: true, Region: region, HTTPClient: newHTTP(t),
		Credentials: credentials.NewStaticCredentialsProvider(k.id, k.secret, ""),
	})
}

// newHTTP returns a client that follows no redirect and keeps no connection.
func newHTTP(t *testing.T) *http.Client {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 3 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// put writes an object past all rules.
func (s *store) put(t *testing.T, key, kind string, body []byte) {
	t.Helper()
	_, err := s.root.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, ContentType: &kind, Body: bytes.NewReader(body)})
	if err != nil {
		t.Fatalf("PutObject(%s): %v", key, err)
	}
}

// get returns an object, and reports false if there is none.
func (s *store) get(t *testing.T, key string) ([]byte, *s3.GetObjectOutput, bool) {
	t.Helper()
	out, err := s.root.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotFound {
		return nil, nil, false
	}
	if err != nil {
		t.Fatalf("GetObject(%s): %v", key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("GetObject(%s): %v", key, err)
	}
	return body, out, true
}

// list returns the sizes of all objects by key.
func (s *store) list(t *testing.T) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	pages := s3.NewListObjectsV2Paginator(s.root, &s3.ListObjectsV2Input{Bucket: &s.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatalf("ListObjectsV2: %v", err)
		}
		for _, o := range page.Contents {
			sizes[aws.ToString(o.Key)] = aws.ToInt64(o.Size)
		}
	}
	return sizes
}

// A reply is an answer with its whole body.
type reply struct {
	status int
	header http.Header
	body   []byte
	broken error // of a body that did not end well
}

func (r *reply) String() string {
	return fmt.Sprintf("%d, %d bytes: %.300q", r.status, len(r.body), r.body)
}

// ask sends a request with headers given as "Name: value".
func ask(t *testing.T, client *http.Client, method, address string, body io.Reader, headers ...string) *reply {
	t.Helper()
	return askWithin(t.Context(), t, client, method, address, body, headers...)
}

func askWithin(ctx context.Context, t *testing.T, client *http.Client, method, address string, body io.Reader, headers ...string) *reply {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if req.Header.Add(name, value); name == "Host" {
			req.Host = value
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, short(address), err)
	}
	defer resp.Body.Close()
	r := &reply{status: resp.StatusCode, header: resp.Header}
	r.body, r.broken = io.ReadAll(resp.Body)
	return r
}

// short is a URL without its query.
func short(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func sum(b []byte) string {
	hash := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(hash[:])
}
