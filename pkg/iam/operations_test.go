package iam_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// actionsOf are the IAM actions of every operation of AWS that the code calls,
// by service and operation (Service Authorization Reference, and for
// transactions the DynamoDB Developer Guide, Using IAM with DynamoDB
// transactions). No actions means that others cover it.
var actionsOf = map[string][]string{
	"dynamodb.BatchGetItem":            {"dynamodb:BatchGetItem"},
	"dynamodb.DescribeTable":           {"dynamodb:DescribeTable"},
	"dynamodb.PutItem":                 {"dynamodb:PutItem"},
	"dynamodb.Query":                   {"dynamodb:Query"},
	"dynamodb.TransactWriteItems":      {}, // see transacted
	"dynamodb.CreateTable":             {"dynamodb:CreateTable"},
	"dynamodb.UpdateContinuousBackups": {"dynamodb:UpdateContinuousBackups"},
	"dynamodb.UpdateTimeToLive":        {"dynamodb:UpdateTimeToLive"},

	"dynamodb.DescribeContinuousBackups": {"dynamodb:DescribeContinuousBackups"},
	"dynamodb.DescribeTimeToLive":        {"dynamodb:DescribeTimeToLive"},

	"kms.GetPublicKey": {"kms:GetPublicKey"},
	"kms.Sign":         {"kms:Sign"},

	"secretsmanager.GetSecretValue":           {"secretsmanager:GetSecretValue"},
	"secretsmanager.PutSecretValue":           {"secretsmanager:PutSecretValue"},
	"secretsmanager.UpdateSecretVersionStage": {"secretsmanager:UpdateSecretVersionStage"},

	"ssm.GetParameter": {"ssm:GetParameter"},

	"cloudfront.CreateKeyGroup":  {"cloudfront:CreateKeyGroup"},
	"cloudfront.CreatePublicKey": {"cloudfront:CreatePublicKey"},
	"cloudfront.DeletePublicKey": {"cloudfront:DeletePublicKey"},
	"cloudfront.GetKeyGroup":     {"cloudfront:GetKeyGroup"},
	"cloudfront.GetPublicKey":    {"cloudfront:GetPublicKey"},
	"cloudfront.ListKeyGroups":   {"cloudfront:ListKeyGroups"},
	"cloudfront.ListPublicKeys":  {"cloudfront:ListPublicKeys"},
	"cloudfront.UpdateKeyGroup":  {"cloudfront:UpdateKeyGroup"},

	"cloudfrontkeyvaluestore.DescribeKeyValueStore": {"cloudfront-keyvaluestore:DescribeKeyValueStore"},
	"cloudfrontkeyvaluestore.ListKeys":              {"cloudfront-keyvaluestore:ListKeys"},
	"cloudfrontkeyvaluestore.UpdateKeys":            {"cloudfront-keyvaluestore:UpdateKeys"},

	"s3.GetObject":               {"s3:GetObject"},
	"s3.HeadBucket":              {"s3:ListBucket"},
	"s3.HeadObject":              {"s3:GetObject"},
	"s3.PutObject":               {"s3:PutObject"},
	"s3.CreateMultipartUpload":   {"s3:PutObject"},
	"s3.UploadPart":              {"s3:PutObject"},
	"s3.CompleteMultipartUpload": {"s3:PutObject"},
	"s3.DeleteObject":            {"s3:DeleteObject"},
	"s3.ListObjectsV2":           {"s3:ListBucket"},
	"s3.ListMultipartUploads":    {"s3:ListBucketMultipartUploads"},
	"s3.ListParts":               {"s3:ListMultipartUploadParts"},
}

// transacted are the actions for the members of a dynamodb TransactWriteItem.
var transacted = map[string]string{
	"Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem", "ConditionCheck": "dynamodb:ConditionCheckItem",
}

// implied are actions of no operation: what a request needs beside its own.
var implied = []string{
	"s3:PutObjectAcl", // presigned uploads of public files that carry an ACL
}

const services = "github.com/aws/aws-sdk-go-v2/service/"

// imports returns the services of AWS that a file imports, by the name by which
// it calls them.
func imports(t *testing.T, name string, file *ast.File) map[string]string {
	found := map[string]string{}
	for _, spec := range file.Imports {
		from, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(from, "github.com/aws/aws-sdk-go-v2/feature/") && !strings.HasSuffix(from, "/cloudfront/sign") {
			t.Errorf("%s imports %s: look which operations that calls", name, from)
		}
		service, ok := strings.CutPrefix(from, services)
		if !ok {
			continue
		}
		local := path.Base(from)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		found[local] = service
	}
	return found
}

// called adds to found what a file needs. Nobody calls an operation without
// making its input: &s3.GetObjectInput{}, a variable of that type, or new.
func called(t *testing.T, name string, file *ast.File, found map[string]bool) {
	known := imports(t, name, file)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			note(known, n.Type, found)
			if kind, ok := n.Type.(*ast.SelectorExpr); ok && kind.Sel.Name == "TransactWriteItem" {
				noteMembers(t, name, n, found)
			}
		case *ast.ValueSpec:
			note(known, n.Type, found)
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "new" && len(n.Args) == 1 {
				note(known, n.Args[0], found)
			}
		}
		return true
	})
}

// note adds the operation whose input has this type.
func note(known map[string]string, kind ast.Expr, found map[string]bool) {
	selector, ok := kind.(*ast.SelectorExpr)
	if !ok {
		return
	}
	local, ok := selector.X.(*ast.Ident)
	operation, input := strings.CutSuffix(selector.Sel.Name, "Input")
	if !ok || !input {
		return
	}
	if service := known[local.Name]; service != "" && !strings.Contains(service, "/") {
		found[service+"."+operation] = true
	}
}

// noteMembers adds what one part of a transaction does.
func noteMembers(t *testing.T, name string, part *ast.CompositeLit, found map[string]bool) {
	for _, e := range part.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			t.Errorf("%s: a TransactWriteItem without names of members", name)
			continue
		}
		found["TransactWriteItem."+pair.Key.(*ast.Ident).Name] = true
	}
}

// TestEveryOperation reads the code of the repository: each operation that it
// calls is allowed by a policy, and nothing else is.
func TestEveryOperation(t *testing.T) {
	found := map[string]bool{}
	root := os.DirFS("../..")
	for _, dir := range []string{"cmd", "pkg"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == "faketable") { // a stand-in for tests
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), "../../"+name, nil, parser.SkipObjectResolution)
			if err == nil {
				called(t, name, file, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	compare(t, found)
}

func compare(t *testing.T, found map[string]bool) {
	allowed := map[string]bool{}
	for name, make := range makers {
		p, err := make(account, everything)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, action := range actions(p) {
			allowed[action] = true
		}
	}
	needed := map[string]string{}
	for _, action := range implied {
		needed[action] = "implied"
	}
	for operation := range found {
		actions, ok := actionsOf[operation]
		if member, transaction := strings.CutPrefix(operation, "TransactWriteItem."); transaction {
			actions, ok = []string{transacted[member]}, transacted[member] != ""
		}
		if !ok {
			t.Errorf("the code calls %s, which no policy knows", operation)
		}
		for _, action := range actions {
			needed[action] = operation
		}
	}
	for action, operation := range needed {
		if !allowed[action] {
			t.Errorf("the code calls %s, and no policy allows %s", operation, action)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(allowed)) {
		if needed[action] == "" {
			t.Errorf("a policy allows %s, which no code needs", action)
		}
	}
	for operation := range actionsOf {
		if !found[operation] {
			t.Errorf("actionsOf has %s, which no code calls", operation)
		}
	}
}

// TestIndexName holds the name of the index against that of the table.
func TestIndexName(t *testing.T) {
	text, err := os.ReadFile("../book/dynamodb/create.go")
	if err != nil {
		t.Fatal(err)
	}
	p, err := makers["gateway"](account, everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Statement {
		for _, arn := range s.Resource {
			if _, index, ok := strings.Cut(arn, "/index/"); ok && strings.Contains(string(text), `const indexName = "`+index+`"`) {
				return
			}
		}
	}
	t.Error("no policy names the index that pkg/book/dynamodb makes")
}
