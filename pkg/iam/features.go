package iam

import (
	"errors"
	"fmt"
	"strings"
)

// Features are what handstamp uses at AWS. The zero value uses nothing.
type Features struct {
	Table   Table
	Keys    Keys
	Store   string // ARN of the KeyValueStore that gets what was revoked; empty means none
	Objects Objects
	Content Content
}

// A Table is the book in DynamoDB.
type Table struct {
	Name   string // or ARN; empty means none
	Region string // empty means that of the account
}

// Keys are where signing keys are, and what is known about them.
type Keys struct {
	Manifest string   // name or ARN of the secret with the manifest; empty means that it is a file
	From     []string // of the keys: "kms:ID", "secretsmanager:NAME#member", "ssm:NAME"; "file:" and "env:" need no permission
	Group    bool     // commands look after a key group at CloudFront
	Region   string   // empty means that of the account
}

// Objects are private files in a bucket.
type Objects struct {
	Bucket string // empty means none
	Areas  []Area
}

// An Area is keys of one shape, see objects.Rule.
type Area struct {
	Keys   string // "photos/{ticket}/*"
	Read   bool   // somebody may read
	Write  bool   // somebody may upload and delete
	Public bool   // uploads may have an ACL
}

// Content is where a folder is put.
type Content struct {
	Bucket string // empty means nowhere
	Prefix string // of the keys, without outer slashes; empty means the whole bucket
	Delete bool   // what is not in the folder is deleted
}

// ErrKeySource is returned, wrapped, for a key that is nowhere we know.
var ErrKeySource = errors.New("want kms:ID, secretsmanager:NAME, ssm:NAME, file:NAME or env:NAME")

// split returns the ARNs of all keys, by kind.
func (k Keys) split(a Account) (secrets, parameters, kms []string, err error) {
	for _, from := range k.From {
		kind, ref, _ := strings.Cut(from, ":")
		switch kind {
		case "kms":
			kms = append(kms, a.arn("kms", k.Region, "key/", ref))
		case "secretsmanager":
			name, _, _ := strings.Cut(ref, "#")
			secrets = append(secrets, k.secret(a, name))
		case "ssm":
			parameters = append(parameters, a.arn("ssm", k.Region, "parameter/", strings.TrimPrefix(ref, "/")))
		case "file", "env":
		default:
			return nil, nil, nil, fmt.Errorf("key %.60q: %w", from, ErrKeySource)
		}
	}
	return secrets, parameters, kms, nil
}

// secret returns the ARN of a secret. Secrets Manager puts a hyphen and six
// characters behind its name.
func (k Keys) secret(a Account, name string) string {
	if isARN(name) {
		return name
	}
	return a.arn("secretsmanager", k.Region, "secret:", name+"-??????")
}

// arns returns the ARN of the keys in the areas that pick chooses. A
// placeholder may stand for anything.
func (o Objects) arns(a Account, pick func(Area) bool) (all []string) {
	for _, area := range o.Areas {
		if pick(area) {
			all = append(all, a.bucket(o.Bucket, shape(area.Keys)))
		}
	}
	return all
}

func shape(keys string) string {
	segments := strings.Split(keys, "/")
	for i, s := range segments {
		switch {
		case strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}"), s == "*" && i == len(segments)-1:
			segments[i] = "*"
		default:
			segments[i] = literal.Replace(s)
		}
	}
	return strings.Join(segments, "/")
}
