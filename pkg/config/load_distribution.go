package config

import (
	"path/filepath"
)

// DistributionOptions tunes LoadDistribution. The zero value is ready for use.
type DistributionOptions struct {
	// Overrides are the values of flags by dotted key, like "tls.enabled".
	Overrides map[string]string

	// Check looks at what this package cannot: whether keys can be read and
	// patterns are patterns. It is called even if there are problems already, and
	// reports its own by key; one for a key that has a problem is not repeated.
	Check func(d *Distribution, fail func(key, text string))
}

// LoadDistribution reads edge.yaml as Load reads config.yaml. No variable but
// HANDSTAMP_ENVIRONMENT counts.
func LoadDistribution(path string, opts DistributionOptions) (*Distribution, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, &Error{Problems: []Problem{{File: path, Text: reason(err)}}, Err: err}
	}
	return ParseDistribution(path, text, opts)
}

// ParseDistribution is LoadDistribution for text that was read from a file
// called path.
func ParseDistribution(path string, text []byte, opts DistributionOptions) (*Distribution, error) {
	l, d := newLoader(path, distributionSchema, Options{Overrides: opts.Overrides}), new(Distribution)
	if err := l.load(d, text, distributionSchema[:1]); err != nil {
		return nil, err
	}
	if d.AccessLog != "" && d.AccessLog != "-" && l.fromFile("access_log") && !filepath.IsAbs(d.AccessLog) {
		d.AccessLog = filepath.Join(filepath.Dir(path), d.AccessLog)
	}
	_, said := l.lines["explain"]
	c := &distributionChecker{findings{where: l.where, bad: l.bad}, d, said}
	c.run(opts.Check)
	if err := report(path, append(l.problems, c.problems...)); err != nil {
		return nil, err
	}
	return d, nil
}

// DefaultDistribution returns one with every default and no origin, for flags
// to fill.
func DefaultDistribution() *Distribution {
	d := new(Distribution)
	if err := decode(d, distributionSchema, nil, nil, nil); err != nil {
		panic(err) // a default tag is wrong; every test fails here
	}
	return d
}

// Validate checks d as ParseDistribution does, for one that was made in code;
// name says what a key is called in its problems. Explain is turned off beyond
// this machine.
func (d *Distribution) Validate(name func(key string) string, opts DistributionOptions) error {
	c := &distributionChecker{findings{where: func(key string) Problem { return Problem{Key: name(key)} }, bad: map[string]bool{}}, d, false}
	c.run(opts.Check)
	return report("", c.problems)
}
