package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A Config says where a bucket is. Name is required; the zero value of
// everything else works where the environment of AWS tools says the rest.
type Config struct {
	Name      string
	Region    string // empty means that of the environment; a store with an Endpoint may have none
	Endpoint  string // scheme and host of another store than AWS, such as "http://127.0.0.1:9000"; empty means AWS
	PathStyle bool   // the bucket is the first segment of the path and not part of the host
	Anonymous bool   // ask without credentials, for a bucket that is public
	Options
}

// attempts is how often a call is made that fails in passing.
const attempts = 3

var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)

// Open returns the bucket that c describes, with a client that finds
// credentials as all AWS tools do. It returns an error for what cannot be an
// address, and asks the store nothing. Checksums beyond those of TLS are not
// asked for, as many stores do not know them. Close the bucket in the end.
func Open(ctx context.Context, c Config) (*Bucket, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	cfg, err := c.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("bucket %q: %w", c.Name, err)
	}
	b := New(nil, c.Name, c.Options)
	b.transport = newTransport(cfg.HTTPClient, b.opts.CallTimeout)
	b.client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.Credentials = &wallet{provider: cfg.Credentials, log: b.opts.Log}
		o.HTTPClient = &http.Client{Transport: b.transport, CheckRedirect: stay}
		o.UsePathStyle = c.PathStyle
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = attempts, 2*time.Second })
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
	})
	return b, nil
}

func (c *Config) check() error {
	if !bucketName.MatchString(c.Name) {
		return fmt.Errorf("bucket %q: not the name of a bucket, want 3 to 255 letters, digits, dots and hyphens", c.Name)
	}
	if p, ok := strings.CutSuffix(c.Prefix, "/"); c.Prefix != "" && (!ok || !fs.ValidPath(p) || p == ".") {
		return fmt.Errorf("bucket %q: prefix %q, want segments that end with a slash, like media/", c.Name, c.Prefix)
	}
	if c.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(c.Endpoint)
	switch {
	case err != nil:
		return fmt.Errorf("bucket %q: endpoint: not a URL", c.Name) // url.Error would quote a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.TrimPrefix(u.Path, "/") != "":
		return fmt.Errorf("bucket %q: endpoint: found %q, want http or https and a host", c.Name, u.Redacted())
	}
	return nil
}

// load finds region and credentials.
func (c *Config) load(ctx context.Context) (aws.Config, error) {
	var opts []func(*awsconfig.LoadOptions) error
	if c.Region != "" {
		opts = append(opts, awsconfig.WithRegion(c.Region))
	}
	if c.Anonymous {
		opts = append(opts, awsconfig.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return cfg, err
	}
	if cfg.Region == "" && c.Endpoint != "" {
		cfg.Region = "us-east-1" // what stores without regions expect in a signature
	}
	if cfg.Region == "" {
		return cfg, errors.New("no region (hint: the variable AWS_REGION says one)")
	}
	return cfg, nil
}

// newTransport returns that of the SDK's own client, which may know a CA of the
// operator, with limits for many viewers of one host.
func newTransport(client aws.HTTPClient, answer time.Duration) *http.Transport {
	own, ok := client.(*awshttp.BuildableClient)
	if !ok {
		own = awshttp.NewBuildableClient()
	}
	t := own.GetTransport()
	t.TLSHandshakeTimeout = 5 * time.Second
	t.ResponseHeaderTimeout = answer
	t.IdleConnTimeout = 30 * time.Second
	t.MaxIdleConnsPerHost = 64
	t.MaxResponseHeaderBytes = 64 << 10
	t.DisableCompression = true // objects come as they are stored
	return t
}

// stay follows no redirect: a signed request is for one host.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
