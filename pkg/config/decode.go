package config

import (
	"fmt"
	"reflect"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// decode lets a fresh viper put the defaults, the tree of the file, the
// environment (the variable of each key that one sets) and the overrides on
// top of each other and fill the struct that into points to and schema
// describes. All values are texts that parse.
func decode(into any, schema []*field, tree map[string]any, env, set map[string]string) error {
	v := viper.New()
	scalars(schema, func(f *field) { v.SetDefault(f.path, f.def) })
	if err := v.MergeConfigMap(tree); err != nil {
		return err
	}
	for key, name := range env {
		if err := v.BindEnv(key, name); err != nil {
			return err
		}
	}
	for key, text := range set {
		v.Set(key, text)
	}
	return v.UnmarshalExact(into, func(dc *mapstructure.DecoderConfig) {
		dc.WeaklyTypedInput = false
		dc.DecodeHook = fromText
	})
}

// fromText is the hook that turns texts into the types of the fields.
func fromText(from, to reflect.Type, data any) (any, error) {
	if s, ok := data.(string); ok && to.Kind() != reflect.String {
		return parseText(to, s)
	}
	return data, nil
}

// A value is one settable value of a Config.
type value struct{ reflect.Value }

func (v value) set(x any) { v.Set(reflect.ValueOf(x)) }

// each calls do for every value of c but the keys of sections and lists of
// objects, with its key: attractions[0].id.
func (c *Config) each(do func(f *field, key string, v value)) {
	each(reflect.ValueOf(c).Elem(), schema, "", do)
}

func each(v reflect.Value, fields []*field, prefix string, do func(*field, string, value)) {
	for _, f := range fields {
		fv, key := v.Field(f.index), join(prefix, f.name)
		switch f.kind {
		case section:
			each(fv, f.children, key, do)
		case objects:
			for i := range fv.Len() {
				each(fv.Index(i), f.children, fmt.Sprintf("%s[%d]", key, i), do)
			}
		default:
			do(f, key, value{fv})
		}
	}
}
