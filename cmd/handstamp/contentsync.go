package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/spf13/cobra"

	"github.com/handstamp/handstamp/pkg/objects/mirror"
)

// syncFlags are those of "content sync".
type syncFlags struct {
	region, endpoint       string
	pathStyle              bool
	dryRun, delete, asJSON bool
	force                  bool
	parallel               int
	cache                  []string
}

func newContentSync() *cobra.Command {
	var f syncFlags
	cmd := &cobra.Command{
		Use:   "sync DIR s3://BUCKET/PREFIX",
		Short: "Put a folder of media into a bucket",
		Long: `Make a place in a bucket the same as a folder, such as that of one attraction. A
file is sent if the bucket has none of its size and SHA-256, or has another
content type or Cache-Control for it; the bucket checks what arrives. What was
interrupted goes on when it is done again, large files with the parts that are
missing.

Before, the folder is checked as "handstamp content check" does, and nothing is
sent while that finds problems, unless --force says so. Media go first, then
playlists, and each guide.yaml last, or not at all while a file beside it could
not be sent. Hidden files and what systems and editors leave are left out.

With --delete, what is below the prefix and not in the folder is deleted in the
end. Exit status 1 means that something is not in the bucket as it should be.`,
		Example: `  handstamp content sync media/castle s3://castle-media/castle --dry-run
  handstamp content sync media/castle s3://castle-media/castle --delete
  handstamp content sync media s3://media --endpoint http://127.0.0.1:9000 --path-style
  handstamp content sync media/castle s3://castle-media/castle --cache-control '*.jpg: max-age=86400'`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], args[1]) },
	}
	cmd.Flags().StringVar(&f.region, "region", "", "AWS region of the bucket; empty is that of the environment")
	cmd.Flags().StringVar(&f.endpoint, "endpoint", "", "scheme://host:port of another S3-compatible store; empty is Amazon S3")
	cmd.Flags().BoolVar(&f.pathStyle, "path-style", false, "put the bucket's name into the path, as most other stores want it")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and do nothing")
	cmd.Flags().BoolVar(&f.delete, "delete", false, "delete what is below the prefix and not in the folder")
	cmd.Flags().BoolVar(&f.force, "force", false, "send the folder though its catalogues and files do not agree")
	cmd.Flags().IntVar(&f.parallel, "parallel", mirror.DefaultParallel, "requests at a time, 1 to 64")
	cmd.Flags().StringArrayVar(&f.cache, "cache-control", nil, "Cache-Control of all but lists, like max-age=600, or of some files, like '*.jpg: max-age=86400' (may be repeated, the first that fits counts)")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func (f *syncFlags) run(cmd *cobra.Command, dir, target string) error {
	to, opts, err := f.options(target)
	if err != nil {
		return err
	}
	folder, err := openContent(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := f.agree(cmd, folder); err != nil {
		return err
	}
	client, err := f.client(cmd.Context())
	if err != nil {
		return err
	}
	s := &syncing{flags: f, to: to, began: time.Now()}
	opts.Sent = s.sent
	err = s.run(cmd, mirror.New(client, folder.root, to, opts))
	return f.hint(err, to)
}

// options checks the flags.
func (f *syncFlags) options(target string) (to mirror.Target, opts mirror.Options, err error) {
	if to, err = mirror.ParseTarget(target); err != nil {
		return to, opts, usagef("%v", err)
	}
	if f.parallel < 1 || f.parallel > 64 {
		return to, opts, usagef("--parallel %d, want 1 to 64", f.parallel)
	}
	if f.delete && to.Prefix == "" {
		return to, opts, usagef("--delete with all of %s: want a prefix, so that nothing else in the bucket is deleted", to)
	}
	opts = mirror.Options{Parallel: f.parallel, Delete: f.delete}
	for _, text := range f.cache {
		rule, err := mirror.ParseCacheRule(text)
		if err != nil {
			return to, opts, usagef("--cache-control: %v", err)
		}
		opts.Cache = append(opts.Cache, rule)
	}
	return to, opts, nil
}

// agree returns an error if the catalogues of a folder promise what it has not.
func (f *syncFlags) agree(cmd *cobra.Command, folder *contentFolder) error {
	r := folder.check()
	if len(r.Catalogues) == 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "handstamp: warning: %s has no guide.yaml, so nothing says what belongs to it\n", folder.dir)
		return nil
	}
	if len(r.Problems) == 0 {
		return nil
	}
	r.printProblems(cmd.ErrOrStderr())
	if f.force {
		return nil
	}
	return fmt.Errorf("%s has %s, so nothing was sent (hint: --force sends it as it is)", folder.dir, count(len(r.Problems), "problem"))
}

// client returns that of the store. Credentials are found as AWS tools do.
func (f *syncFlags) client(ctx context.Context) (*s3.Client, error) {
	opts := []func(*awsconfig.LoadOptions) error{awsconfig.WithLogger(logging.Nop{})} // errors say it all
	if f.region != "" {
		opts = append(opts, awsconfig.WithRegion(f.region))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Region == "" && f.endpoint == "":
		return nil, usagef("no region is known (hint: --region, or the variable AWS_REGION)")
	case cfg.Region == "":
		cfg.Region = "us-east-1" // what stores without regions expect in a signature
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("no credentials for the bucket: %w (hint: they are found as all AWS tools do, in AWS_PROFILE for example)", err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = f.pathStyle
		if f.endpoint != "" {
			o.BaseEndpoint = aws.String(f.endpoint)
		}
	}), nil
}

// hint adds to an error of the store what is likely to help.
func (f *syncFlags) hint(err error, to mirror.Target) error {
	var failure smithy.APIError
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.ErrorCode() {
	case "AccessDenied", "Forbidden":
		return fmt.Errorf(`%w (hint: "handstamp check --iam=content --to %s" prints the policy that it takes)`, err, to)
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "MovedPermanently":
		return fmt.Errorf("%w (hint: the bucket may be in another --region)", err)
	}
	return err
}
