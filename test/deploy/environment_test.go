package deploy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/handstamp/handstamp/pkg/config"
)

// site is the least that an operator writes; see docs/aws.md.
const site = `
sources:
  - {id: list, kind: roll, file: tickets.csv}
attractions:
  - {id: castle, name: Castle, timezone: Europe/Madrid, packages: [{id: audio, name: Audio guide}], free: [free], sources: [list]}
`

// rules are what objects.bucket needs beside it.
const rules = `
objects:
  rules:
    - {area: photos, keys: "photos/{ticket}/*", read: [visitor], write: [visitor], types: [image/jpeg]}
`

// The variables that the template gives to its functions make a sound
// configuration for production of a site that says nothing of AWS, and each is a
// key that there is.
func TestEnvironmentIsAConfiguration(t *testing.T) {
	own := []string{"HANDSTAMP_SECRETS", "HANDSTAMP_AUTHORIZER_FROM", "HANDSTAMP_AUTHORIZER_ATTRACTION"} // of cmd/lambda and cmd/authorizer
	for _, function := range []string{"Gateway", "Authorizer"} {
		for _, all := range []bool{false, true} {
			t.Run(function, func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, "config.yaml")
				text := site
				if all {
					text += rules
				}
				for name, text := range map[string]string{path: text, filepath.Join(dir, "tickets.csv"): "code,attraction\nCASTLE-1,castle\n"} {
					if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				for name, value := range environment(t, function, all) {
					t.Setenv(name, value)
				}
				t.Setenv("PEPPER", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL") // as the function fetches it
				cfg, err := config.Load(path, config.Options{OtherEnv: own})
				if err != nil {
					t.Fatalf("Load with the variables of %s = %v", function, err)
				}
				if !cfg.Production() || cfg.Book.Kind != "dynamodb" || cfg.HTTP.PublicURL != cfg.Media.URL {
					t.Errorf("Load = production %v, book %q, API at %q, media at %q", cfg.Production(), cfg.Book.Kind, cfg.HTTP.PublicURL, cfg.Media.URL)
				}
				if all && function == "Gateway" && len(cfg.Warnings) > 0 { // without TrustedProxies a warning is due
					t.Errorf("Load warns: %q", cfg.Warnings)
				}
			})
		}
	}
}

// environment returns the variables of a function, with every option of the
// template or without any.
func environment(t *testing.T, function string, all bool) map[string]string {
	t.Helper()
	s := stack{
		refs: map[string]string{
			"DomainName": "media.example.org", "Distribution.DomainName": "d111111abcdef8.cloudfront.net", "Book": "castle-Book-1",
			"TrustedProxies": "130.176.0.0/17,15.158.0.0/16", "Pepper": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:castle-Pepper-AbCdEf",
			"Secrets": "SHOP=secretsmanager:castle/secrets/shop", "Manifest": manifest, "PrivateBucket": "castle-private",
			"AuthorizerFrom": "bearer", "AuthorizerAttraction": "castle",
		},
		truth: map[string]bool{},
	}
	for _, name := range []string{"HasDomain", "HasProxies", "HasSecrets", "HasPrivateFiles", "HasAuthorizerAttraction"} {
		s.truth[name] = all
	}
	variables := at(template(t), "Resources", function, "Properties", "Environment", "Variables")
	found := map[string]string{}
	for i := 0; i+1 < len(variables.Content); i += 2 {
		if value := s.texts(t, variables.Content[i+1]); len(value) == 1 {
			found[variables.Content[i].Value] = value[0]
		}
	}
	return found
}
