// Command provider is a provider for Terraform with a schema and nothing behind
// it, so that a module can be validated, and tested with mocks, where the real
// provider cannot be had. The file that HANDSTAMP_SCHEMAS and the name of the
// binary point at, like schemas/terraform-provider-aws.json, says what there is.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

func main() {
	name := filepath.Base(os.Args[0])
	s, err := load(filepath.Join(os.Getenv("HANDSTAMP_SCHEMAS"), name+".json"))
	if err != nil {
		log.Fatal(err)
	}
	err = tf6server.Serve(name, func() tfprotov6.ProviderServer { return server{schemas: s} })
	if err != nil {
		log.Fatal(err)
	}
}

// schemas are what a provider has.
type schemas struct {
	Resource, Data map[string]block
}

type block struct {
	Nesting    string // list or set; empty for the whole of a resource
	Min, Max   int64  // how many there may be; 0 is no limit
	Attributes map[string]attribute
	Blocks     map[string]block
}

type attribute struct {
	Type                         json.RawMessage // as in tftypes: "string", ["list", "string"]
	Required, Optional, Computed bool
}

func load(name string) (*schemas, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var s schemas
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &s, nil
}

func all(blocks map[string]block) (map[string]*tfprotov6.Schema, error) {
	found := map[string]*tfprotov6.Schema{}
	for name, b := range blocks {
		s, err := b.schema()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		found[name] = &tfprotov6.Schema{Block: s}
	}
	return found, nil
}

func (b block) schema() (*tfprotov6.SchemaBlock, error) {
	s := &tfprotov6.SchemaBlock{}
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		a := b.Attributes[name]
		kind, err := parseType(a.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		s.Attributes = append(s.Attributes, &tfprotov6.SchemaAttribute{Name: name, Type: kind, Required: a.Required, Optional: a.Optional, Computed: a.Computed})
	}
	for _, name := range slices.Sorted(maps.Keys(b.Blocks)) {
		inner := b.Blocks[name]
		nested, err := inner.schema()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		mode := map[string]tfprotov6.SchemaNestedBlockNestingMode{"set": tfprotov6.SchemaNestedBlockNestingModeSet}[inner.Nesting]
		s.BlockTypes = append(s.BlockTypes, &tfprotov6.SchemaNestedBlock{TypeName: name, Block: nested,
			Nesting: cmp.Or(mode, tfprotov6.SchemaNestedBlockNestingModeList), MinItems: inner.Min, MaxItems: inner.Max})
	}
	return s, nil
}

// server is a provider that accepts everything its schema allows.
type server struct {
	tfprotov6.ProviderServer // what no test asks for would panic
	schemas                  *schemas
}

func (s server) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	return &tfprotov6.GetMetadataResponse{ServerCapabilities: &tfprotov6.ServerCapabilities{}}, nil
}

func (s server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	resources, err := all(s.schemas.Resource)
	if err != nil {
		return nil, err
	}
	data, err := all(s.schemas.Data)
	if err != nil {
		return nil, err
	}
	provider := &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{
		Attributes: []*tfprotov6.SchemaAttribute{{Name: "region", Type: text, Optional: true}},
		BlockTypes: []*tfprotov6.SchemaNestedBlock{{TypeName: "default_tags", Nesting: tfprotov6.SchemaNestedBlockNestingModeList, MaxItems: 1,
			Block: &tfprotov6.SchemaBlock{Attributes: []*tfprotov6.SchemaAttribute{{Name: "tags", Type: texts, Optional: true}}}}},
	}}
	return &tfprotov6.GetProviderSchemaResponse{Provider: provider, ResourceSchemas: resources, DataSourceSchemas: data}, nil
}

func (s server) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (s server) ValidateProviderConfig(_ context.Context, r *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: r.Config}, nil
}

func (s server) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (s server) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (s server) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}
