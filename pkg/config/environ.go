package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// environment returns the variable of each of fields that one sets, of those
// whose text parses; viper reads them again.
func (l *loader) environment(fields []*field) map[string]string {
	env := map[string]string{}
	scalars(fields, func(f *field) {
		text, ok := os.LookupEnv(f.env())
		if !ok {
			return
		}
		if text == "" {
			l.stray(f.env(), f.path, "the variable is empty; unset it to keep the value of the file")
		} else if _, err := parseText(f.typ, text); err != nil {
			l.stray(f.env(), f.path, err.Error())
		} else {
			env[f.path] = f.env()
		}
	})
	return env
}

// strangers refuses variables that look like ours and are not: a misspelled
// one would silently change nothing.
func (l *loader) strangers(cfg *Config) {
	known := slices.Clone(l.opts.OtherEnv)
	scalars(schema, func(f *field) { known = append(known, f.env()) })
	cfg.each(func(_ *field, _ string, v value) {
		if s, ok := v.Interface().(Secret); ok && s.kind == envRef {
			known = append(known, s.at)
		}
	})
	environ := os.Environ()
	slices.Sort(environ)
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) && !fromKubernetes(name, text) {
			l.stray(printable(name), "", unknownVariable(name, known))
		}
	}
}

func unknownVariable(name string, known []string) string {
	if list := within(schema, func(f *field) bool { return strings.HasPrefix(name, f.env()) }); list != nil {
		return fmt.Sprintf("%s can only be set in the file", list.path)
	}
	return "unknown variable" + didYouMean(name, known)
}

// unknownPath is unknownVariable for the dotted key of an override.
func unknownPath(path string, schema []*field) string {
	var known []string
	scalars(schema, func(f *field) { known = append(known, f.path) })
	if list := within(schema, func(f *field) bool { return strings.HasPrefix(path, f.path) }); list != nil {
		return fmt.Sprintf("%s can only be set in the file", list.path)
	}
	return "unknown key" + didYouMean(path, known)
}

// within returns the list of objects that is meant, nil for none.
func within(schema []*field, meant func(*field) bool) *field {
	var found *field
	fileOnly(schema, func(f *field) {
		if found == nil && meant(f) {
			found = f
		}
	})
	return found
}

var (
	serviceVariable = regexp.MustCompile(`_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$`)
	portVariable    = regexp.MustCompile(`_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$`)
	portText        = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// fromKubernetes reports whether a variable is one of those that Kubernetes
// puts into every container for each service of the namespace: a service
// called handstamp makes HANDSTAMP_PORT=tcp://10.0.0.7:80 and six more.
func fromKubernetes(name, text string) bool {
	if serviceVariable.MatchString(name) {
		return true
	}
	m := portVariable.FindStringSubmatch(name)
	return m != nil && (m[1] != "" || portText.MatchString(text))
}

// reason says why a file could not be read, without repeating its path.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
