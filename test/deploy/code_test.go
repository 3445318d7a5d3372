package deploy_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/book/dynamodb"
	"github.com/handstamp/handstamp/pkg/guide"
)

var errSeen = errors.New("seen enough")

// An owner shows which table it is asked for, and makes none.
type owner struct {
	dynamodb.Owner
	asked *sdk.CreateTableInput
}

func (o *owner) CreateTable(_ context.Context, in *sdk.CreateTableInput, _ ...func(*sdk.Options)) (*sdk.CreateTableOutput, error) {
	o.asked = in
	return nil, errSeen
}

// The template's table is the one that "handstamp book init" makes.
func TestTableIsThatOfTheBook(t *testing.T) {
	o := &owner{}
	if err := dynamodb.Create(t.Context(), o, dynamodb.Options{}); !errors.Is(err, errSeen) {
		t.Fatalf("Create = %v, want %v", err, errSeen)
	}
	var got struct {
		KeySchema []struct {
			AttributeName string `yaml:"AttributeName"`
			KeyType       string `yaml:"KeyType"`
		} `yaml:"KeySchema"`
		AttributeDefinitions []struct {
			AttributeName string `yaml:"AttributeName"`
			AttributeType string `yaml:"AttributeType"`
		} `yaml:"AttributeDefinitions"`
		GlobalSecondaryIndexes []struct {
			IndexName string `yaml:"IndexName"`
			KeySchema []struct {
				AttributeName string `yaml:"AttributeName"`
			} `yaml:"KeySchema"`
			Projection struct {
				ProjectionType   string   `yaml:"ProjectionType"`
				NonKeyAttributes []string `yaml:"NonKeyAttributes"`
			} `yaml:"Projection"`
		} `yaml:"GlobalSecondaryIndexes"`
		BillingMode string `yaml:"BillingMode"`
	}
	if err := at(template(t), "Resources", "Book", "Properties").Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := o.asked
	if got.BillingMode != string(want.BillingMode) || len(got.KeySchema) != len(want.KeySchema) ||
		len(got.AttributeDefinitions) != len(want.AttributeDefinitions) || len(got.GlobalSecondaryIndexes) != len(want.GlobalSecondaryIndexes) {
		t.Fatalf("the template's table is %+v, want %+v", got, want)
	}
	for i, k := range want.KeySchema {
		if got.KeySchema[i].AttributeName != *k.AttributeName || got.KeySchema[i].KeyType != string(k.KeyType) {
			t.Errorf("key %d is %+v, want %s", i, got.KeySchema[i], *k.AttributeName)
		}
	}
	for i, a := range want.AttributeDefinitions {
		if got.AttributeDefinitions[i].AttributeName != *a.AttributeName || got.AttributeDefinitions[i].AttributeType != string(a.AttributeType) {
			t.Errorf("attribute %d is %+v, want %s", i, got.AttributeDefinitions[i], *a.AttributeName)
		}
	}
	for i, index := range want.GlobalSecondaryIndexes {
		g := got.GlobalSecondaryIndexes[i]
		if g.IndexName != *index.IndexName || g.Projection.ProjectionType != string(index.Projection.ProjectionType) ||
			!slices.Equal(g.Projection.NonKeyAttributes, index.Projection.NonKeyAttributes) {
			t.Errorf("index %d is %+v, want %s", i, g, *index.IndexName)
		}
		for j, k := range index.KeySchema {
			if g.KeySchema[j].AttributeName != *k.AttributeName {
				t.Errorf("key %d of index %s is %s, want %s", j, g.IndexName, g.KeySchema[j].AttributeName, *k.AttributeName)
			}
		}
	}
}

// The app has the same headers from its bucket as from the gateway.
func TestAppHeadersAreThoseOfTheApp(t *testing.T) {
	w := httptest.NewRecorder()
	guide.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	policy := at(template(t), "Resources", "AppHeaders", "Properties", "ResponseHeadersPolicyConfig")
	security := at(policy, "SecurityHeadersConfig")
	got := http.Header{
		"Content-Security-Policy": {at(security, "ContentSecurityPolicy", "ContentSecurityPolicy").Value},
		"Referrer-Policy":         {at(security, "ReferrerPolicy", "ReferrerPolicy").Value},
		"X-Content-Type-Options":  {"nosniff"},
	}
	if at(security, "ContentTypeOptions", "Override").Value != "true" {
		t.Error("ContentTypeOptions is not on")
	}
	for _, item := range at(policy, "CustomHeadersConfig", "Items").Content {
		got.Add(at(item, "Header").Value, at(item, "Value").Value)
	}
	for name, want := range w.Header() {
		if slices.Contains([]string{"Content-Type", "Etag", "Cache-Control", "Accept-Ranges", "Content-Length"}, name) {
			continue // of the file, not of the policy
		}
		if !slices.Equal(got[name], want) {
			t.Errorf("the template sets %s to %q, want %q as the gateway does", name, got[name], want)
		}
	}
}

// The distribution leads to the gateway what the local edge leads there, in the
// same order and before anything else.
func TestFirstBehaviorsAreTheAPI(t *testing.T) {
	behaviors := at(template(t), "Resources", "Distribution", "Properties", "DistributionConfig", "CacheBehaviors").Content
	var got []string
	for _, b := range behaviors {
		if b.Kind == yaml.MappingNode && at(b, "TargetOriginId").Value == "api" {
			got = append(got, at(b, "PathPattern").Value)
		}
	}
	want := apiPaths(t)
	if !slices.Equal(got, want) || at(behaviors[len(want)-1], "TargetOriginId").Value != "api" {
		t.Errorf("behaviors of the API are %q, want %q, first of all", got, want)
	}
}

// apiPaths returns the value of that name in pkg/app.
func apiPaths(t *testing.T) []string {
	t.Helper()
	const file = "../../pkg/app/frontdoor.go"
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "apiPaths" {
			return true
		}
		for _, value := range spec.Values[0].(*ast.CompositeLit).Elts {
			path, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		return false
	})
	if len(paths) == 0 {
		t.Fatalf("%s has no apiPaths any more", file)
	}
	return paths
}
