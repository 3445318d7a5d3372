package objects

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A signer presigns requests for the objects of one bucket.
type signer struct {
	v4      *v4.Signer
	root    url.URL // of the bucket, a slash at the end of the path
	bucket  string
	service string
	region  string
}

// newSigner finds out where the bucket is, as client would.
func newSigner(client *s3.Client, bucket string) (*signer, error) {
	here := s3.New(client.Options(), func(o *s3.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "nobody", SecretAccessKey: "nothing"}, nil // nothing is signed
		})
	})
	s := &signer{bucket: bucket, v4: v4.NewSigner(func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = true // S3 signs the path as it is sent
		o.DisableHeaderHoisting = true  // a viewer has to send what an upload is bound to
	})}
	_, err := s3.NewPresignClient(here).PresignGetObject(context.Background(),
		&s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("k")},
		func(o *s3.PresignOptions) { o.Presigner = locator{s} })
	if err != nil {
		return nil, err
	}
	if s.service != "s3" || s.region == "" {
		return nil, fmt.Errorf("signed for service %q in region %q, want one that S3 signs for with a region", s.service, s.region)
	}
	return s, nil
}

// A locator notes what it is to sign, instead of signing it.
type locator struct{ signer *signer }

// PresignHTTP implements s3.HTTPPresignerV4.
func (l locator) PresignHTTP(_ context.Context, _ aws.Credentials, r *http.Request, _, service, region string, _ time.Time, _ ...func(*v4.SignerOptions)) (string, http.Header, error) {
	l.signer.root = url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: strings.TrimSuffix(r.URL.Path, "k")}
	l.signer.service, l.signer.region = service, region
	return "", nil, nil
}

// An order is a request to be presigned.
type order struct {
	method string
	key    string
	query  url.Values  // may be nil
	header http.Header // that the viewer has to send; may be nil
	length int64       // of the body, which is then part of the signature; 0 means that it is not
	at     time.Time   // of the signature, in whole seconds
	life   time.Duration
}

// presign returns the URL for o. It is a function of o and creds and nothing else.
func (s *signer) presign(ctx context.Context, creds aws.Credentials, o order) (string, error) {
	target := s.root
	target.RawPath = escapePath(s.root.Path + o.key)
	target.Path = s.root.Path + o.key
	query := o.query
	if query == nil {
		query = url.Values{}
	}
	query.Set("X-Amz-Expires", strconv.FormatInt(int64(o.life/time.Second), 10))
	target.RawQuery = query.Encode()
	header := o.header
	if header == nil {
		header = http.Header{}
	}
	r := &http.Request{Method: o.method, URL: &target, Host: target.Host, Header: header, ContentLength: o.length}
	signed, _, err := s.v4.PresignHTTP(ctx, creds, r, "UNSIGNED-PAYLOAD", s.service, s.region, o.at)
	if err != nil {
		return "", fmt.Errorf("presign: %w", err)
	}
	return signed, nil
}

// escapePath escapes all but unreserved characters and slashes, as S3 does when
// it checks a signature; net/url leaves some more as they are.
func escapePath(path string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(path) + 16)
	for i := range len(path) {
		switch c := path[i]; {
		case isUnreserved(c) || c == '/':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// isUnreserved is that of RFC 3986, section 2.3.
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
