package iam

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What stands in ARNs for what nobody said.
const (
	PlaceholderAccount = "ACCOUNT"
	PlaceholderRegion  = "REGION"
)

// An Account is where the resources are that are configured by name alone. The
// zero value leaves placeholders to be replaced.
type Account struct {
	Partition string // "aws", "aws-cn" or "aws-us-gov"; empty means "aws"
	ID        string // 12 digits, or a variable of a template like "${AWS::AccountId}"; empty means PlaceholderAccount
	Region    string // of what has no region of its own; empty means PlaceholderRegion
}

// ErrAccount is returned for an Account that cannot be one.
var ErrAccount = errors.New("not an account")

var (
	partitions = []string{"", "aws", "aws-cn", "aws-us-gov"}
	accountID  = regexp.MustCompile(`^([0-9]{12}|\$\{[A-Za-z:]+\})?$`)
	region     = regexp.MustCompile(`^([a-z]{2,}(-[a-z]+)+-[0-9]+|\$\{[A-Za-z:]+\})?$`)
)

// Check returns what is wrong with a, an error that wraps ErrAccount.
func (a Account) Check() error {
	switch {
	case !slices.Contains(partitions, a.Partition):
		return fmt.Errorf("%w: partition %q, want aws, aws-cn or aws-us-gov", ErrAccount, a.Partition)
	case !accountID.MatchString(a.ID):
		return fmt.Errorf("%w: %q, want 12 digits", ErrAccount, a.ID)
	case !region.MatchString(a.Region):
		return fmt.Errorf("%w: region %q, want one like eu-west-1", ErrAccount, a.Region)
	}
	return nil
}

// arn returns the ARN of a resource of an account in a region, or name itself if
// that is an ARN already.
func (a Account) arn(service, region, kind, name string) string {
	if isARN(name) {
		return name
	}
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s%s", cmp.Or(a.Partition, "aws"), service, cmp.Or(region, a.Region, PlaceholderRegion),
		cmp.Or(a.ID, PlaceholderAccount), kind, name)
}

// bucket returns the ARN of a bucket, or of the keys of a shape in it.
func (a Account) bucket(name string, keys ...string) string {
	return "arn:" + cmp.Or(a.Partition, "aws") + ":s3:::" + strings.Join(append([]string{name}, keys...), "/")
}

func isARN(name string) bool { return strings.HasPrefix(name, "arn:") }

// literal escapes what IAM would read as a wildcard or a variable (IAM User
// Guide, Policy variables and tags).
var literal = strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}")
