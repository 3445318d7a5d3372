package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/config"
	"github.com/handstamp/handstamp/pkg/gate"
)

// maxSettings is the largest settings file, in bytes.
const maxSettings = 1 << 20

// readSettings reads the settings of a source from a YAML file into a struct.
// Keys are the names of its fields in snake_case; an unknown one is an error.
// Secrets are references, file:PATH or env:NAME; in production they must be.
// Products are written "castle", or "castle/audio". Relative paths of secrets
// begin at the folder of the file. note is told of the file of each secret before
// it is read; nil means that nobody is.
func readSettings(file string, production bool, note func(files ...string), into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if len(text) > maxSettings {
		return fmt.Errorf("%s: %d bytes, at most %d", file, len(text), maxSettings)
	}
	var document map[string]any
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", file, err)
	}
	if dec.Decode(new(any)) != io.EOF {
		return fmt.Errorf("%s: a second document follows, want one", file)
	}
	s := settings{dir: filepath.Dir(file), production: production, note: note}
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: into, ErrorUnused: true, Squash: true, ZeroFields: true, // a list replaces the one of a preset
		MatchName:  sameName,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(s.secret, product, zone, network, mapstructure.StringToTimeDurationHookFunc(), noNumberForASpan),
	})
	if err != nil {
		return err
	}
	if err := decoder.Decode(document); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// sameName compares a key of a file with the name of a field.
func sameName(key, field string) bool {
	return strings.EqualFold(strings.ReplaceAll(key, "_", ""), field)
}

type settings struct {
	dir        string
	production bool
	note       func(files ...string)
}

// secret resolves what is referred to where a secret is wanted.
func (s settings) secret(_, to reflect.Type, value any) (any, error) {
	text, ok := value.(string)
	if !ok || to != reflect.TypeFor[gate.Secret]() {
		return value, nil
	}
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.dir, path)
		}
		if text = "file:" + path; s.note != nil {
			s.note(path)
		}
	}
	ref, err := config.ParseSecret(text)
	if err != nil {
		return nil, err
	}
	if ref.Inline() && s.production {
		return nil, errors.New("a secret stands in the file, want file:PATH or env:NAME in production")
	}
	secret, err := ref.Resolve()
	if err != nil {
		return nil, err
	}
	return gate.Secret(secret), nil
}

// product reads "castle/audio" where a product is wanted.
func product(_, to reflect.Type, value any) (any, error) {
	text, ok := value.(string)
	if !ok || to != reflect.TypeFor[gate.Product]() {
		return value, nil
	}
	attraction, pkg, _ := strings.Cut(text, "/")
	return gate.Product{Attraction: attraction, Package: pkg}, nil
}

// zone reads "Europe/Madrid" where a time zone is wanted.
func zone(_, to reflect.Type, value any) (any, error) {
	text, ok := value.(string)
	if !ok || to != reflect.TypeFor[*time.Location]() && to != reflect.TypeFor[time.Location]() {
		return value, nil
	}
	if text == "" || text == "Local" {
		return nil, fmt.Errorf("%q is not an IANA time zone", text)
	}
	return time.LoadLocation(text)
}

// network reads "10.0.0.0/8" where a network is wanted.
func network(_, to reflect.Type, value any) (any, error) {
	text, ok := value.(string)
	if !ok || to != reflect.TypeFor[netip.Prefix]() {
		return value, nil
	}
	return netip.ParsePrefix(text)
}

// noNumberForASpan refuses 15 where 15s is wanted: it would be nanoseconds.
func noNumberForASpan(from, to reflect.Type, value any) (any, error) {
	if to == reflect.TypeFor[time.Duration]() && from != to {
		return nil, fmt.Errorf("%v is no duration with its unit, like 15s", value)
	}
	return value, nil
}
