package iam

import "slices"

// indexName is that of the table's index, see pkg/book/dynamodb.
const indexName = "lists"

// Gateway returns what "handstamp serve" needs, and the commands about tickets
// and the book. It returns ErrNothing, ErrAccount or ErrKeySource.
func Gateway(a Account, f Features) (*Policy, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	signing, err := f.Keys.signing(a)
	if err != nil {
		return nil, err
	}
	return policy(append(append(f.Table.statements(a), signing...), append(f.denylist(), f.Objects.statements(a)...)...)...)
}

// KeyCommands returns what the commands under "handstamp keys" need. The errors
// are those of Gateway.
func KeyCommands(a Account, f Features) (*Policy, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	signing, err := f.Keys.signing(a)
	if err != nil {
		return nil, err
	}
	manifest := Statement{Sid: "WriteManifest", Action: []string{"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"}}
	if f.Keys.Manifest != "" {
		manifest.Resource = []string{f.Keys.secret(a, f.Keys.Manifest)}
	}
	return policy(append(signing, manifest, f.Keys.group())...)
}

// BookInit returns what "handstamp book init" needs. The errors are ErrNothing
// and ErrAccount.
func BookInit(a Account, f Features) (*Policy, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	s := Statement{Sid: "MakeTable", Action: []string{"dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTimeToLive"}}
	if f.Table.Name != "" {
		s.Resource = []string{f.Table.arn(a)}
	}
	return policy(s)
}

// ContentSync returns what "handstamp content sync" needs. The errors are
// ErrNothing and ErrAccount.
func ContentSync(a Account, f Features) (*Policy, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	return policy(f.Content.statements(a)...)
}

// Checks returns what "handstamp check" looks at beside what the gateway does.
// The errors are ErrNothing and ErrAccount.
func Checks(a Account, f Features) (*Policy, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	table := Statement{Sid: "CheckTable", Action: []string{"dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive"}}
	if f.Table.Name != "" {
		table.Resource = []string{f.Table.arn(a)}
	}
	bucket := Statement{Sid: "CheckBucket", Action: []string{"s3:ListBucket"}}
	if f.Objects.Bucket != "" {
		bucket.Resource = []string{a.bucket(f.Objects.Bucket)}
	}
	group := Statement{Sid: "CheckKeyGroup", Action: []string{
		"cloudfront:GetKeyGroup", "cloudfront:GetPublicKey", "cloudfront:ListKeyGroups", "cloudfront:ListPublicKeys"}}
	if f.Keys.Group {
		group.Resource = []string{"*"}
	}
	return policy(table, bucket, group)
}

func (t Table) arn(a Account) string { return a.arn("dynamodb", t.Region, "table/", t.Name) }

func (t Table) statements(a Account) []Statement {
	if t.Name == "" {
		return nil
	}
	return []Statement{
		{Sid: "Book", Action: []string{"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:PutItem", "dynamodb:Query"}, Resource: []string{t.arn(a)}},
		{Sid: "BookLists", Action: []string{"dynamodb:Query"}, Resource: []string{t.arn(a) + "/index/" + indexName}},
	}
}

// signing allows to read the manifest and the keys in it, and to sign.
func (k Keys) signing(a Account) ([]Statement, error) {
	secrets, parameters, kms, err := k.split(a)
	if err != nil {
		return nil, err
	}
	if k.Manifest != "" {
		secrets = append(secrets, k.secret(a, k.Manifest))
	}
	return []Statement{
		{Sid: "KeySecrets", Action: []string{"secretsmanager:GetSecretValue"}, Resource: secrets},
		{Sid: "KeyParameters", Action: []string{"ssm:GetParameter"}, Resource: parameters},
		{Sid: "SignWithKeys", Action: []string{"kms:GetPublicKey", "kms:Sign"}, Resource: kms},
	}, nil
}

// group allows to look after public keys and key groups. Which these are is
// known by their IDs only, and those CloudFront gives, so it is all of them.
func (k Keys) group() Statement {
	s := Statement{Sid: "KeyGroup", Action: []string{
		"cloudfront:CreateKeyGroup", "cloudfront:GetKeyGroup", "cloudfront:ListKeyGroups", "cloudfront:UpdateKeyGroup",
		"cloudfront:CreatePublicKey", "cloudfront:DeletePublicKey", "cloudfront:GetPublicKey", "cloudfront:ListPublicKeys",
	}}
	if k.Group {
		s.Resource = []string{"*"}
	}
	return s
}

func (f Features) denylist() []Statement {
	if f.Store == "" {
		return nil
	}
	const service = "cloudfront-keyvaluestore:"
	return []Statement{{Sid: "Denylist", Resource: []string{f.Store},
		Action: []string{service + "DescribeKeyValueStore", service + "ListKeys", service + "UpdateKeys"}}}
}

// statements allows to read where somebody may read or write, as an upload is
// looked at when it has arrived, and to write where somebody may.
//
// An upload that has not arrived is only told from one that nobody may look at
// if the bucket may be listed (Amazon S3 API Reference, HeadObject). No prefix
// narrows that: a HeadObject has no s3:prefix, so a condition on it would fail.
func (o Objects) statements(a Account) []Statement {
	if o.Bucket == "" {
		return nil
	}
	writes := func(r Area) bool { return r.Write }
	missing := Statement{Sid: "TellWhatIsMissing", Action: []string{"s3:ListBucket"}}
	if slices.ContainsFunc(o.Areas, writes) {
		missing.Resource = []string{a.bucket(o.Bucket)}
	}
	return []Statement{
		missing,
		{Sid: "ReadObjects", Action: []string{"s3:GetObject"}, Resource: o.arns(a, func(r Area) bool { return r.Read || r.Write })},
		{Sid: "WriteObjects", Action: []string{"s3:DeleteObject", "s3:PutObject"}, Resource: o.arns(a, writes)},
		{Sid: "PublicObjects", Action: []string{"s3:PutObjectAcl"}, Resource: o.arns(a, func(r Area) bool { return r.Write && r.Public })},
	}
}

func (c Content) statements(a Account) []Statement {
	if c.Bucket == "" {
		return nil
	}
	below := ""
	if c.Prefix != "" {
		below = literal.Replace(c.Prefix) + "/"
	}
	list := Statement{Sid: "ListContent", Action: []string{"s3:ListBucket"}, Resource: []string{a.bucket(c.Bucket)}}
	if below != "" {
		list.Condition = Condition{"StringLike": {"s3:prefix": {below + "*"}}}
	}
	write := Statement{Sid: "PutContent", Resource: []string{a.bucket(c.Bucket, below+"*")},
		Action: []string{"s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"}}
	if c.Delete {
		write.Action = append(write.Action, "s3:DeleteObject")
	}
	return []Statement{list, {Sid: "ListBrokenUploads", Action: []string{"s3:ListBucketMultipartUploads"}, Resource: []string{a.bucket(c.Bucket)}}, write}
}
