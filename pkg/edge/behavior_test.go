package edge_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/cloudfront"
	"github.com/handstamp/handstamp/pkg/edge"
)

// named answers with its name and the path that it saw.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", name, r.URL.Path) })
}

func TestFirstBehaviorWins(t *testing.T) {
	var behaviors []edge.Behavior
	for _, pattern := range []string{"/castle/free/*", "/castle/*.jpg", "castle/tour-?/*", "/castle/*", "*.txt", "/a*b*c", "/exact", "/it's~$_@:+&\"/*", "/caf??", "*"} {
		behaviors = append(behaviors, edge.Behavior{PathPattern: pattern, Origin: named(pattern)})
	}
	srv := serve(t, newEdge(t, edge.Config{Behaviors: behaviors}))
	for target, want := range map[string]string{
		"/castle/free/x":       "/castle/free/*",
		"/castle/free/":        "/castle/free/*",
		"/castle/free":         "/castle/*",
		"/castle/a/b/c.jpg":    "/castle/*.jpg",
		"/castle/.jpg":         "/castle/*.jpg",
		"/castle/c.JPG":        "/castle/*", // S7: patterns are case-sensitive
		"/castle/c%2Ejpg":      "",
		"/castle/c.jp%67":      "/castle/*.jpg",
		"/castle/tour-1/x":     "castle/tour-?/*",
		"/castle/tour-%C3%A9/": "castle/tour-?/*", // one character, two bytes
		"/castle/tour-12/x":    "/castle/*",
		"/castle/tour-/x":      "/castle/*",
		"/Castle/x":            "*",
		"/castle":              "*",
		"/xcastle/x":           "*",
		"/a.txt":               "*.txt",
		"/castles/a.txt":       "*.txt",
		"/abc":                 "/a*b*c",
		"/axxbyybzzc":          "/a*b*c",
		"/ab/c/bc":             "/a*b*c",
		"/abcd":                "*",
		"/exact":               "/exact",
		"/exact/":              "*",
		"/exac":                "*",
		"/it's~$_@:+&\"/x":     "/it's~$_@:+&\"/*",
		"/caf%C3%A9s":          "/caf??",
		"/":                    "*",
	} {
		got := ask(t, srv, "GET", target)
		if name, _, _ := strings.Cut(got.body, " "); want != "" && name != want || want == "" && got.StatusCode != 400 {
			t.Errorf("GET %s came to %q, want %q", target, got.body, want)
		}
	}
}

func TestConfigFaults(t *testing.T) {
	origin, desk := named("x"), newDesk(t, "KCASTLE")
	star := edge.Behavior{PathPattern: "*", Origin: origin}
	one := func(b edge.Behavior) edge.Config { return edge.Config{Behaviors: []edge.Behavior{b, star}} }
	tests := []struct {
		name, want string
		config     edge.Config
	}{
		{"no behaviors", "none, want at least the default one", edge.Config{}},
		{"no default", `behavior 1, "/a/*": the last behavior, want the default one`, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "/a/*", Origin: origin}}}},
		{"default first", `behavior 1, "*": the default behavior hides`, edge.Config{Behaviors: []edge.Behavior{star, {PathPattern: "/a", Origin: origin}}}},
		{"two defaults", "is there already", edge.Config{Behaviors: []edge.Behavior{star, {PathPattern: "/*", Origin: origin}}}},
		{"same pattern", "is there already", edge.Config{Behaviors: []edge.Behavior{{PathPattern: "/a", Origin: origin}, {PathPattern: "a", Origin: origin}, star}}},
		{"no pattern", "missing", one(edge.Behavior{Origin: origin})},
		{"long pattern", "at most 255", one(edge.Behavior{PathPattern: strings.Repeat("a", 256), Origin: origin})},
		{"odd pattern", "not allowed", one(edge.Behavior{PathPattern: "/a b", Origin: origin})},
		{"escaped pattern", "not allowed", one(edge.Behavior{PathPattern: "/a%20b", Origin: origin})},
		{"no origin", "no origin", one(edge.Behavior{PathPattern: "/a"})},
		{"empty key group", "key group is empty", one(edge.Behavior{PathPattern: "/a", Origin: origin, TrustedKeyGroup: &cloudfront.KeyGroup{}})},
		{"methods", "CloudFront's sets", one(edge.Behavior{PathPattern: "/a", Origin: origin, AllowedMethods: []string{"GET", "POST"}})},
		{"site", "site: ", edge.Config{Site: "media.example.org", Behaviors: []edge.Behavior{star}}},
		{"root object", "default root object", edge.Config{DefaultRootObject: "/index.html", Behaviors: []edge.Behavior{star}}},
		{"root object out", "default root object", edge.Config{DefaultRootObject: "../x", Behaviors: []edge.Behavior{star}}},
	}
	for _, tt := range tests {
		if e, err := edge.New(tt.config); err == nil || e != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New = %v, %v, want an error with %q", tt.name, e != nil, err, tt.want)
		}
	}
	_, err := edge.New(edge.Config{Site: "x", Behaviors: []edge.Behavior{{PathPattern: "/a"}, {PathPattern: "b c", TrustedKeyGroup: desk.group}}})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("New with three faults = %v, want all of them", err)
	}
}

func TestAllowedMethodsInAnyOrder(t *testing.T) {
	newEdge(t, edge.Config{Behaviors: []edge.Behavior{{PathPattern: "*", Origin: named("x"), AllowedMethods: []string{"OPTIONS", "HEAD", "GET"}}}})
}

// The documentation begins with the differences.
func TestDifferencesAreDocumented(t *testing.T) {
	text := source(t, "doc.go")
	for _, d := range edge.Differences() {
		if !strings.Contains(text, d) {
			t.Errorf("doc.go lacks %q", d)
		}
	}
}
