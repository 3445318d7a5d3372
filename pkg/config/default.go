package config

import "time"

// Default returns the configuration that the config.yaml of the project spells
// out: every default, and one example attraction. Its paths are relative to
// the root of the project. The caller may change it; Validate checks it again.
func Default() *Config {
	cfg := new(Config)
	if err := decode(cfg, schema, nil, nil, nil); err != nil {
		panic(err) // a default tag is wrong; every test fails here
	}
	cfg.Sources = []Source{{
		ID:   "castle-list",
		Kind: "roll",
		File: "examples/castle/tickets.csv",

		Timeout: 3 * time.Second,
	}}
	cfg.Attractions = []Attraction{{
		ID:       "castle",
		Name:     "Example Castle",
		Prefix:   "castle",
		Timezone: "Europe/Madrid",
		Packages: []Package{{ID: "audio", Name: "Audio guide"}},
		Free:     []string{"free"},
		Sources:  []string{"castle-list"},
		Content:  "examples/castle/guide.yaml",
	}}
	return cfg
}
